"""The configuration, before a run: whether it can be used, and possibly misspelt event names.

An event name from a record is counted but not shown, because it may be a value.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from target_pinterest_capi.checks.result import CheckResult, CheckStatus, place_of
from target_pinterest_capi.pipeline.previewed import number_of
from target_pinterest_capi.settings import Problem, Settings
from target_pinterest_capi.settings.constants import unknown_event_name
from target_pinterest_capi.settings.event_names import known_event_names

CONFIGURATION: Final = "configuration"
NAMES: Final = "event names"


def report_problems(problems: Sequence[Problem], hint: str = "") -> CheckResult:
    """Return all problems of the configuration; nothing else can be checked then."""
    count = f"{number_of(len(problems), 'problem')}; nothing else can be checked"
    places = dict.fromkeys(
        place for place in (place_of(problem.path) for problem in problems) if place
    )
    return CheckResult(
        CONFIGURATION, CheckStatus.FAILED, count, hint, "; ".join(places), tuple(map(str, problems))
    )


def check_configuration(settings: Settings) -> CheckResult:
    """Return that the settings can be used, with warnings; event names are checked separately."""
    about = f"mode {settings.mode}, ad account {settings.ad_account_id}"
    odd = tuple(str(warning) for warning in settings.warnings if not _is_about_names(warning))
    return CheckResult(
        CONFIGURATION, CheckStatus.WARNING if odd else CheckStatus.OK, about, details=odd
    )


def check_event_names(settings: Settings, seen: Counter[str] | None) -> list[CheckResult]:
    """Return which event names may be misspelt, in the settings and in a sample.

    `seen` has the number of each name in the sample's records; None without a sample.
    """
    found = [_name_finding(warning) for warning in settings.warnings if _is_about_names(warning)]
    known = known_event_names(settings)
    for name, count in (seen or Counter[str]()).most_common():
        if name not in known:
            shown = f"a name, {number_of(count, 'time')} in the sample,"
            found += map(_name_finding, unknown_event_name(name, shown))
    if found:
        return found
    if seen:
        return [
            CheckResult(
                NAMES,
                CheckStatus.OK,
                f"{number_of(len(seen), 'name')} in the sample, none of them misspelt",
            )
        ]
    more = (
        "--sample FILE checks the names in records"
        if seen is None
        else "the sample has no events with other names"
    )
    return [CheckResult(NAMES, CheckStatus.OK, f"none looks misspelt; {more}")]


def _is_about_names(warning: Problem) -> bool:
    return "event_name" in warning.path


def _name_finding(warning: Problem) -> CheckResult:
    return CheckResult(NAMES, CheckStatus.WARNING, f"{warning.path} {warning.message}")
