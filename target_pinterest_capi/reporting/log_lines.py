"""Log records as single lines: nothing that a tap or a server sends can look like another line.

Our own messages show names with `events.redaction`. This is for libraries, which put a stream's
name into messages and even into the names of their loggers.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from target_pinterest_capi.events.redaction import (
    one_line,
    shortened,
    shown_name,
    without_addresses,
    without_personal,
)

MAX_ARGUMENT: Final = 2_000  # characters of a string in a message
_OURS: Final = str(Path(__file__).parent.parent)


def keep_to_one_line(logger: logging.Logger) -> None:
    """Make every handler of a logger's records write each record as one line."""
    for handler in _handlers(logger):
        if _on_one_line not in handler.filters:
            handler.addFilter(_on_one_line)


def _handlers(logger: logging.Logger | None) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    while logger is not None:
        handlers += logger.handlers
        logger = logger.parent
    return handlers


def _on_one_line(record: logging.LogRecord) -> bool:
    shown = _own_text if record.pathname.startswith(_OURS) else _text_of_library
    if isinstance(record.msg, str):
        record.msg = one_line(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(_argument(value, shown) for value in record.args)
    elif isinstance(record.args, Mapping):
        record.args = {name: _argument(value, shown) for name, value in record.args.items()}
    record.name = shown_name(record.name)
    return True


def _argument(value: Any, shown: Callable[[str], str]) -> Any:
    """Return an argument as it may be shown; unchanged if it already may."""
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    shown_text = shown(text)
    if shown is _text_of_library and isinstance(value, str):  # and no object, such as a metric
        shown_text = without_personal(shown_text)
    return value if shown_text == text else shown_text


def _own_text(text: str) -> str:
    return shortened(text, MAX_ARGUMENT)


def _text_of_library(text: str) -> str:
    """Return a library's text, which may have somebody's address as a name."""
    return without_addresses(_own_text(text))
