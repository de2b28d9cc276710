"""The parts of a mapping entry or a customer list that are more than one value.

Fields, event names and expressions are read here; other members are checked by their model.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from target_pinterest_capi.events.fields import FIELDS, OBJECTS
from target_pinterest_capi.expressions.analysis import (
    compared_columns,
    has_calls,
    has_unread_alternative,
    is_constant,
)
from target_pinterest_capi.expressions.compiler import ExpressionError, compile_expression
from target_pinterest_capi.expressions.conditions import lone_text
from target_pinterest_capi.expressions.ordering import unordered
from target_pinterest_capi.settings.constants import CONSTANT_EVENT_ID, unknown_event_name
from target_pinterest_capi.settings.objects import HASHED, IDENTIFIERS, PAIR
from target_pinterest_capi.settings.paths import flatten
from target_pinterest_capi.settings.problems import (
    Problem,
    Reading,
    WrongExpression,
    did_you_mean,
    joined,
)
from target_pinterest_capi.settings.values import MAX_ACCOUNT_DIGITS

CONSTANT_CONDITION: Final = (
    "reads no column, so it is the same for every record: compare a column, such as status == "
    "'paid', or remove it"
)
LONE_TEXT: Final = (
    "has a text that is compared with nothing (at character {character}), so it is always {holds}: "
    "name the column again, as in {column} == 'a' || {column} == 'b'"
)
UNREAD_ALTERNATIVE: Final = (
    "ignores what follows the string and ||, which means `or`: join strings with "
    "concat('order-', id)"
)
NUMBER_WITH_TEXT: Final = (
    "compares a number with a text{place}, which is never true: write numbers in backticks (`5`), "
    "and to_number(total) for a column that has numbers as texts; texts are in quotes"
)
WITHOUT_ORDER: Final = (
    "compares null, true, false, an array or an object with <, <=, > or >={place}, which is never "
    "true: compare numbers or texts, or write == or !="
)
_DIGITS: Final = re.compile(r"[0-9]+")
_LITERAL: Final = re.compile(r"'([^'\\]*)'")  # a raw-string literal that is the whole expression


def read_fields(raw: Any, where: str, reading: Reading) -> dict[str, tuple[str, ...] | None]:
    """Return `{field path: expressions}`, flat, each a tuple; None if null unmaps the field."""
    if not isinstance(raw, Mapping):
        reading.problems.append(
            Problem(
                where,
                "must be an object: a JMESPath expression, or a list of them, for each field path",
            )
        )
        return {}
    whole = {path: value for path, value in raw.items() if _is_whole_object(path, value)}
    single = {path: value for path, value in raw.items() if path not in whole}
    result: dict[str, tuple[str, ...] | None] = {}
    for path, value in whole.items():
        result.update(_members(path, value, joined(where, path), reading.problems))
    for path, value in flatten(single, where, reading.problems).items():
        here = joined(where, path)
        if value is None:
            result[path] = None
            continue
        found = read_expressions(value, here, reading.problems)
        if found is None:
            continue
        result[path] = found
        if path == "event_name":
            reading.warnings.extend(_unknown_literals(found, here))
        if path == "event_id" and any(map(is_constant, found)):
            reading.warnings.append(Problem(here, CONSTANT_EVENT_ID))
        if any(map(has_unread_alternative, found)):
            reading.warnings.append(Problem(here, UNREAD_ALTERNATIVE))
    return result


def read_condition(value: Any, where: str, reading: Reading) -> str | None:
    """Return a `when`, trimmed, with warnings; None, with a problem, if it is wrong."""
    source = read_expression(value, where, reading.problems)
    if source is not None:
        reading.warnings.extend(_odd_condition(source, where))
    return source


def _odd_condition(source: str, where: str) -> Iterator[Problem]:
    """Yield a problem if a `when`, or a part of it, is the same for every record."""
    if is_constant(source) and not has_calls(source):
        yield Problem(where, CONSTANT_CONDITION)
        return
    lone = lone_text(source)
    if lone is not None:
        columns = sorted(compared_columns(source))
        advice = LONE_TEXT.format(
            character=lone.position + 1,
            holds="true" if lone.holds else "false",
            column=columns[0] if len(columns) == 1 else "status",
        )
        yield Problem(where, advice)


def _is_whole_object(path: Any, value: Any) -> bool:
    """Return whether an object of fields is mapped as a whole: `custom_data: details`."""
    return path in OBJECTS and not isinstance(value, Mapping)


def _members(
    parent: str, value: Any, where: str, problems: list[Problem]
) -> dict[str, tuple[str, ...] | None]:
    """Return the expressions for an object's fields, from expressions for the whole object."""
    found = None if value is None else read_expressions(value, where, problems)
    if value is not None and found is None:
        return {}
    return {
        field.path: found and tuple(f"member({source}, '{field.leaf}')" for source in found)
        for field in FIELDS
        if field.parent == parent
    }


def _unknown_literals(expressions: tuple[str, ...], where: str) -> Iterator[Problem]:
    for expression in expressions:
        literal = _LITERAL.fullmatch(expression)
        if literal:
            yield from unknown_event_name(literal[1], where)


def read_expressions(value: Any, where: str, problems: list[Problem]) -> tuple[str, ...] | None:
    """Return one expression or a list of them as a tuple; None, with problems, if one is wrong."""
    sources = value if isinstance(value, list | tuple) else [value]
    if not sources:
        problems.append(
            Problem(
                where,
                "is an empty list: add at least one expression, or write null to unmap the field",
            )
        )
        return None
    known = len(problems)
    if isinstance(value, list | tuple):
        for index, source in enumerate(value):
            check_expression(source, f"{where}[{index}]", problems)
    else:
        check_expression(value, where, problems)
    if len(problems) > known:
        return None
    return tuple(source.strip() for source in sources)


def read_identifiers(
    raw: Mapping[Any, Any], where: str, problems: list[Problem], *, is_full: bool
) -> dict[str, tuple[str, ...]]:
    """Return `{identifier: expressions}` of a `member` with several; null counts as not given.

    With `is_full` one of them must be hashed, because a full refresh records nothing plain.
    """
    result: dict[str, tuple[str, ...]] = {}
    given = {str(name) for name, value in raw.items() if value is not None}
    for name in sorted(given.difference(IDENTIFIERS)):
        advice = f"is not an identifier of a member{did_you_mean(name, IDENTIFIERS)}"
        problems.append(Problem(joined(where, name), advice))
    for name in IDENTIFIERS:
        if name in given:
            found = read_expressions(raw[name], joined(where, name), problems)
            result[name] = found or ()
    if given.issubset(IDENTIFIERS) and not (given - PAIR or given >= PAIR):
        advice = f"identifies nobody: name one or more of {', '.join(IDENTIFIERS)}, the last two "
        problems.append(Problem(where, f"{advice}together"))
    elif is_full and given.isdisjoint(HASHED):
        advice = "needs email, maid or phone with refresh: full, which records digests only"
        problems.append(Problem(where, advice))
    return result


def read_expression(value: Any, where: str, problems: list[Problem]) -> str | None:
    """Return one expression, trimmed; None, with a problem, if it is wrong."""
    known = len(problems)
    check_expression(value, where, problems)
    return value.strip() if len(problems) == known else None


def check_expression(source: Any, where: str, problems: list[Problem]) -> None:
    """Add a problem if `source` is not a JMESPath expression."""
    if not isinstance(source, str):
        problems.append(Problem(where, _not_text(source)))
        return
    if not source.strip():
        problems.append(
            Problem(where, "is an empty string: write an expression, or null for no value")
        )
        return
    try:
        compile_expression(source.strip())
        problems.extend(_never_true(source.strip(), where))
    except ExpressionError as error:
        problems.append(WrongExpression.of(where, error))


def _never_true(source: str, where: str) -> Iterator[Problem]:
    """Yield a problem if a comparison by order is never true, whatever a record has."""
    found = unordered(source)
    if found is not None:
        place = "" if found.position is None else f" (at character {found.position + 1})"
        advice = WITHOUT_ORDER if found.has_nothing else NUMBER_WITH_TEXT
        yield Problem(where, advice.format(place=place))


def check_account(source: str, where: str, problems: list[Problem]) -> None:
    """Add a problem if an ad_account_id is neither an account's digits nor an expression."""
    if not _DIGITS.fullmatch(source):
        check_expression(source, where, problems)
    elif len(source) > MAX_ACCOUNT_DIGITS:
        problems.append(
            Problem(
                where,
                f"has more than {MAX_ACCOUNT_DIGITS} digits, the maximum of an ad account's id",
            )
        )


def read_event_names(raw: Any, where: str, reading: Reading) -> dict[str, str | None]:
    """Return `{value of event_name: Pinterest's name}`; None for a name that is never sent.

    Names that were nested at their dots are joined again.
    """
    problems = reading.problems
    if not isinstance(raw, Mapping):
        problems.append(Problem(where, "must be an object: the tap's event names to Pinterest's"))
        return {}
    result: dict[str, str | None] = {}
    for name, target in _event_names(raw, ""):
        here = joined(where, name)
        if name in result and result[name] != target:
            problems.append(Problem(here, "is given twice, written in two ways: keep one"))
        elif isinstance(name, bool) or not isinstance(name, str):
            problems.append(Problem(here, "its key is not a string: put it in quotes"))
        elif target is None:
            result[name] = None
        elif not isinstance(target, str) or not target.strip():
            problems.append(Problem(here, "must be an event name"))
        else:
            result[name] = target.strip()
            reading.warnings.extend(unknown_event_name(target.strip(), here))
    return result


def _event_names(raw: Mapping[Any, Any], prefix: str) -> Iterator[tuple[Any, Any]]:
    for key, value in raw.items():
        is_number = isinstance(key, int) and not isinstance(key, bool)
        name = str(key) if is_number else key
        if prefix:
            name = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _event_names(value, f"{name}.")
        else:
            yield name, value


def _not_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "must be an expression, not an object: write the object as an expression, such as "
            "items[].{id: sku, quantity: count}"
        )
    if isinstance(value, list | tuple):
        return "must be an expression, not a list in a list"
    if value is None:
        return "must be an expression: remove nulls from the list"
    return "must be an expression: write it as a string, in quotes; a constant goes into defaults"
