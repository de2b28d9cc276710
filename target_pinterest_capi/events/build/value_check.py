"""Checks a single value: whether a field could send it, and why not.

Uses only the converters of the field's values, so that a constant is judged like a record's value.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from target_pinterest_capi.events.build.converters import Convert, Converters, Note, Options
from target_pinterest_capi.events.fields import BY_PATH, Field, FieldKind
from target_pinterest_capi.events.reasons import Dropped

_DEFAULTS: Final = Options()
_LEFT_OUT: Final[dict[str, Dropped]] = {reason.value: reason for reason in Dropped}


def drop_reasons(path: str, value: Any, options: Options = _DEFAULTS) -> list[Dropped]:
    """Return why a value, or parts of it, would be dropped; empty if all of it is usable.

    A missing value (null, white space, an empty list) has no reason.
    """
    _, reasons = _try(path, value, options)
    return reasons


def constant_problem(path: str, value: object, options: Options = _DEFAULTS) -> Dropped | None:
    """Return why a constant, or a part of it, would be dropped from every event; None if usable.

    A missing value (null, white space, an empty list) is `EMPTY`. The word `now` is not a time
    here: the settings read it themselves.
    """
    usable, reasons = _try(path, value, options)
    if reasons:
        return reasons[0]
    return Dropped.EMPTY if usable is None else None


def compile_trial(field: Field, options: Options) -> Callable[[Any], str | None]:
    """Return the function that says why a value would be dropped from a field; None if usable.

    It is for one value, of a record whose country is the default one. In a list of objects it
    examines no object.
    """
    noted: list[str] = []
    convert = _converter(field, options, lambda _, reason: noted.append(reason))
    is_list = field.kind is FieldKind.ITEMS

    def reason_against(value: Any) -> str | None:
        if is_list and type(value) is list:
            return None
        noted.clear()
        if convert(value) is not None:
            return None
        return noted[0] if noted else Dropped.EMPTY

    return reason_against


def _try(path: str, value: Any, options: Options) -> tuple[Any, list[Dropped]]:
    """Return the final value and the reasons; warnings are not reasons: the value is kept."""
    noted: list[str] = []

    def note(_: str, reason: str) -> None:
        noted.append(reason)

    convert = _converter(BY_PATH[path], options, note)
    usable = None if value is None else convert(value)
    reasons = [_LEFT_OUT[reason] for reason in noted if reason in _LEFT_OUT]
    return usable, reasons


def _converter(field: Field, options: Options, note: Note) -> Convert:
    """Return the converter of a field's values, with the default country if it needs one."""
    converters = Converters(options, note)
    region = {"region": options.default_country} if converters.is_regional(field) else {}
    return partial(converters.convert(field), **region)
