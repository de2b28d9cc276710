"""The command line of the target: the level of its log."""

import pytest

from target_pinterest_capi.target_command import read_log_level

OWN = "TARGET_PINTEREST_CAPI_LOGLEVEL"


@pytest.mark.parametrize(
    ("own", "generic", "level", "problems", "warnings"),
    [
        (None, None, "INFO", [], []),
        ("", "", "INFO", [], []),
        (" ", " ", "INFO", [], []),
        ("debug", None, "DEBUG", [], []),
        (" Error ", "DEBUG", "ERROR", [], []),
        ("WARN", None, "WARN", [], []),
        (None, "warning", "WARNING", [], []),
        ("", "CRITICAL", "CRITICAL", [], []),
        ("verbose", None, "INFO", [OWN], []),
        ("20", "DEBUG", "INFO", [OWN], []),
        (None, "verbose", "INFO", [], ["LOGLEVEL"]),
        ("", "20", "INFO", [], ["LOGLEVEL"]),
        ("ERROR", "verbose", "ERROR", [], []),
    ],
)
def test_log_level_of_the_environment(own, generic, level, problems, warnings):
    """Empty is not set, a wrong own level is a problem, and a wrong generic one a warning."""
    given = {OWN: own, "LOGLEVEL": generic}
    found = read_log_level({name: text for name, text in given.items() if text is not None})
    assert found.name == level
    assert [problem.path for problem in found.problems] == problems
    assert [warning.path for warning in found.warnings] == warnings
