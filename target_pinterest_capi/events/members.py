"""Compiles the members of one object into one straight-line function: read each value, convert it, set it.

A loop over converters costs more than the conversions themselves, so the function's source is written out, once a stream. Into
it go names that are made here, leaves of the field table and the snippets below; columns, expressions and all else that
users write are values in its namespace, never text in its source.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events.hashing import SHORTEST_DIGEST, sha256

Fill = Callable[[dict[str, Any], Mapping[str, Any], str | None], None]


class Member(NamedTuple):
    """One member: its `leaf`, how it is read (`column`, or `get` where it is more than a column), and how it is converted.

    `convert` takes any value; one that is `regional` takes the record's country too. `fast` names the snippet that settles the
    common case without it, `helper` is what that snippet calls.
    """

    leaf: str
    convert: Callable[..., Any]
    column: str = ""
    get: Callable[[Any], Any] | None = None
    regional: bool = False
    fast: str = ""
    helper: Any = None


# The common case of a value, by kind of field: an `if` that settles it. Whatever its condition does not take goes through the
# converter, which decides the same way: a test holds both against each other, byte by byte.
_IS_WORD: Final = 'type(value) is str and value and value[0] != "[" and len(value) < shortest_digest'  # no list, no digest
_SET_DIGEST: Final = "    {target} = [sha256(text.encode()).hexdigest()]"
_SET_KNOWN: Final = "        {target} = known"
FAST: Final = {
    "formed text": ("if type(value) is str and type(text := {helper}(value)) is str:", "    {target} = text"),
    "texts": ("if type(value) is list and (texts := {helper}(value)) is not None:", "    {target} = texts"),
    "text": ("if type(value) is str and (text := value.strip()) and text.isascii():", "    {target} = text"),
    "digest": (f"if {_IS_WORD} and type(text := {{helper}}(value)) is str:", _SET_DIGEST),
    "phone": (f"if {_IS_WORD} and (pair := {{helper}}(value, region))[1] is None and type(text := pair[0]) is str:", _SET_DIGEST),
    "memo": ("if type(value) is str:", "    if (known := {helper}[value]) is not None:", _SET_KNOWN),
    "regional memo": ("if type(value) is str:", "    if (known := {helper}[region][value]) is not None:", _SET_KNOWN),
    "amount": (
        'if type(value) is Decimal and len(text := str(value)) <= 10 and text.replace(".", "", 1).isdigit():',
        "    {target} = text",
    ),
    "integer": ("if type(value) is int and value in {helper}:", "    {target} = value"),
    "boolean": ("if value is True or value is False:", "    {target} = value"),
    "choice": ("if type(value) is str and value in {helper}:", "    {target} = value"),
}


def compile_members(members: Sequence[Member], *, fast: bool = True) -> Fill:
    """Give the function that sets the members' values in an object, in their order, from a record and its country.

    Without `fast` every value goes through its converter: the plain form that tests compare with.
    """
    namespace: dict[str, Any] = {"sha256": sha256, "shortest_digest": SHORTEST_DIGEST, "Decimal": Decimal}
    lines = ["def fill(into, record, region):", "    get = record.get"]
    for number, member in enumerate(members):
        lines += [f"    {line}" for line in _statements(member, number, namespace, fast=fast)]
    exec("\n".join(lines), namespace)  # noqa: S102 - see the module's docstring
    fill: Fill = namespace["fill"]
    return fill


def _statements(member: Member, number: int, namespace: dict[str, Any], *, fast: bool) -> list[str]:
    column, get, convert, helper = (f"{name}_{number}" for name in ("column", "get", "convert", "helper"))
    namespace |= {column: member.column, get: member.get, convert: member.convert, helper: member.helper}
    read = f"get({column})" if member.get is None else f"{get}(record)"
    converted = f"{convert}(value, region)" if member.regional else f"{convert}(value)"
    target = f"into[{member.leaf!r}]"
    slow = f"if (value := {converted}) is not None: {target} = value"
    lines = [f"value = {read}", "if value is not None:"]
    if fast and member.fast:
        common = [line.format(helper=helper, target=target) for line in FAST[member.fast]]
        return [*lines, *(f"    {line}" for line in common), f"    el{slow}"]
    return [*lines, f"    {slow}"]
