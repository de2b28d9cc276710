"""A log record is one line, whatever it contains."""

import logging

import pytest

from target_pinterest_capi.reporting.log_lines import MAX_ARGUMENT, keep_to_one_line


@pytest.mark.parametrize(
    ("message", "arguments", "line"),
    [
        ("plain", (), "plain"),
        ("%d events, %s", (3, "a\nb"), r"3 events, a\nb"),
        ("stream '%(name)s'", ({"name": "a\x1b[31m"},), r"stream 'a\x1b[31m'"),
        ("in the text\r\nitself", (), r"in the text\r\nitself"),
        ("%s", ("x" * 3 * MAX_ARGUMENT,), "x" * (MAX_ARGUMENT - 1) + "…"),
        ("%.1f of %s", (0.25, None), "0.2 of None"),
    ],
)
def test_record_is_one_line(caplog, message, arguments, line):
    """Text and arguments are written out; numbers are formatted as such."""
    logger = logging.getLogger("target-pinterest-capi")
    keep_to_one_line(logger)
    logger.warning(message, *arguments)
    assert caplog.messages[-1] == line


def test_name_of_a_logger_is_one_line(caplog):
    """A library that names a logger after a stream cannot forge a line either."""
    logger = logging.getLogger("target-pinterest-capi.a\nforged")
    keep_to_one_line(logger)
    logger.warning("said")
    assert caplog.records[-1].name == r"target-pinterest-capi.a\nforged"
