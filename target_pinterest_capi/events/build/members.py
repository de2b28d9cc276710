"""Writes the lines that read an object's members from a record, convert them and set them.

A loop over converters costs more than the conversions, so the lines are written out. The common
values of most fields get a fast path, which does the same as the converter without calling it:
tests hold both against each other, byte by byte.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events.build.function_source import FunctionSource
from target_pinterest_capi.events.build.plan import Get
from target_pinterest_capi.events.fields import ITEM_MEMBERS
from target_pinterest_capi.events.hashing import NO_DIGEST_LENGTHS, SHORTEST_DIGEST, sha256
from target_pinterest_capi.events.normalize import is_plain_email, is_public_ipv4
from target_pinterest_capi.events.phones import MOST_DIGITS

ITEMS: Final = "items"  # the fast path of a list of objects: it has lines for an object's members


class CompiledField(NamedTuple):
    """One field: how it is read (`column`, or `get` where it is more) and how it is converted.

    `convert` takes any value but None; that of a `regional` field takes the record's country too.
    `fast_path` names a row of `FAST_PATHS`, or is `ITEMS`; `helper` is what its lines call.
    """

    path: str
    convert: Callable[..., Any]
    column: str = ""
    get: Get | None = None
    regional: bool = False
    fast_path: str = ""
    helper: Any = None

    @property
    def leaf(self) -> str:
        """The field's own name within its object."""
        return self.path.rpartition(".")[2]


class Items(NamedTuple):
    """The helper of a list of objects.

    `members` are those of one object; `open` makes a list of what is none, and `as_item` an object
    of an entry that is none, or None. With `base` the members are read from the objects of that
    list, unless something else is in it.
    """

    members: Sequence[CompiledField]
    open: Callable[[Any], list[Any] | None]
    as_item: Callable[[Any], dict[str, Any] | None]
    base: Get | None = None


Read = Callable[[CompiledField], str]  # the expression that reads a field's value

_SET_DIGEST: Final = "{target} = [sha256(text.encode()).hexdigest()]"

# The fast paths: an `if` for each group of common values. All other values go to the converter.
FAST_PATHS: Final = {
    "texts": """
        if type(value) is list and {helper}(value) and null_spellings.isdisjoint(value):
            {target} = value
        """,
    "text": """
        if (
            type(value) is str
            and (text := value.strip())
            and text.isprintable()
            and text not in null_spellings
        ):
            {target} = text
        """,
    "ip address": """
        if type(value) is str and is_public_ipv4(value):
            {target} = value
        """,
    "digest": f"""
        if (
            type(value) is str
            and (text := value.strip())
            and "[" not in text
            and len(text) < shortest_digest
            and text.isprintable()
            and text not in null_spellings
            and type(text := {{helper}}(text)) is str
        ):
            {_SET_DIGEST}
        """,
    "email": f"""
        if type(value) is str and is_plain_email(value):
            {{target}} = [sha256(value.lower().encode()).hexdigest()]
        elif (
            type(value) is str
            and "@" in value  # so it is not a digest
            and "[" not in value
            and type(text := {{helper}}(value)) is str
        ):
            {_SET_DIGEST}
        """,
    "maid": f"""
        if (
            type(value) is str
            and len(value) == 36
            and value[8] == "-"  # so it is not a digest
            and type(text := {{helper}}(value)) is str
        ):
            {_SET_DIGEST}
        """,
    "id": f"""
        if (
            type(value) is str
            and len(text := value.strip()) in no_digest_lengths
            and "[" not in text
            and text.isascii()
            and text.isprintable()
            and text not in null_spellings
        ):
            {_SET_DIGEST}
        """,
    "phone": f"""
        if (
            type(value) is str
            and value[:1] == "+"
            and value.isascii()
            and "(0)" not in value
            and (digits := value.encode().translate(None, between_digits)).isdigit()
            and digits[0] != 48
            and (digits[0] == 49 or 48 not in digits[1:4])  # no zero after the country's code
            and len(digits) <= most_digits
        ):
            {{target}} = [sha256(digits).hexdigest()]
        elif (
            type(value) is str
            and value
            and "[" not in value
            and len(value) < shortest_digest
            and (pair := {{helper}}(value, region))[1] is None
            and type(text := pair[0]) is str
        ):
            {_SET_DIGEST}
        """,
    "postal code": """
        if type(value) is str and len(value) == 5 and value.isascii() and value.isdigit():
            {target} = [sha256(value.encode()).hexdigest()]  # anywhere; too many to keep
        elif type(value) is str:
            if (known := {helper}[region][value]) is not None:
                {target} = known
        """,
    "cached": """
        if type(value) is str:
            if (known := {helper}[value]) is not None:
                {target} = known
        """,
    "amount": """
        if (
            type(value) is Decimal
            and len(text := str(value)) <= 10
            and text.replace(".", "", 1).isdigit()
        ):
            {target} = text
        """,
    "integer": """
        if type(value) is int and value in {helper}:
            {target} = value
        """,
    "boolean": """
        if value is True or value is False:
            {target} = value
        """,
    "choice": """
        if type(value) is str and value in {helper}:
            {target} = value
        """,
}
# Those of texts that have digits or an `@`, which only words for a missing value of such can be.
FORM_PATHS: Final = ("email", "phone", "postal code", "ip address", "maid")
_NAMES: Final = {  # what the fast paths call
    "sha256": sha256,
    "shortest_digest": SHORTEST_DIGEST,
    "between_digits": b" ()-+",
    "most_digits": MOST_DIGITS,
    "no_digest_lengths": NO_DIGEST_LENGTHS,
    "is_public_ipv4": is_public_ipv4,
    "is_plain_email": is_plain_email,
    "Decimal": Decimal,
    "item_members": ITEM_MEMBERS,
}
_CONVERT: Final = """\
if value is not None and (value := {convert}) is not None:
    {target} = value
"""


def write_members(
    source: FunctionSource,
    members: Sequence[CompiledField],
    into: str,
    read: Read,
    depth: int = 1,
) -> None:
    """Write the lines that set members in the object `into`, in their order.

    Where a member is regional, the function's `region` must be the record's country.
    """
    for name, value in _NAMES.items():
        source.bind(name, value)
    for member in members:
        target = f'{into}["{member.leaf}"]'
        if member.fast_path == ITEMS:
            _write_items(source, member, target, read, depth)
            continue
        source.write("value = {read}", depth, read=read(member))
        convert = _converted(source, member)
        if not member.fast_path:
            source.write(_CONVERT, depth, convert=convert, target=target)
            continue
        template = FAST_PATHS[member.fast_path]
        helper = ""
        if "{helper}" in template:
            helper = source.bind(f"{member.fast_path}_{member.path}", member.helper)
        source.write(template, depth, helper=helper, target=target)
        source.write(f"el{_CONVERT}", depth, convert=convert, target=target)


def _converted(source: FunctionSource, member: CompiledField) -> str:
    convert = source.bind(f"convert_{member.path}", member.convert)
    return f"{convert}(value, region)" if member.regional else f"{convert}(value)"


def _write_items(
    source: FunctionSource, member: CompiledField, target: str, read: Read, depth: int
) -> None:
    items: Items = member.helper
    if items.base is None:
        source.write(
            """
            value = {read}
            if type(value) is not list and value is not None:
                value = {open}(value)
            if value:
                items = []
                for item in value:
                    if type(item) is not dict or not item.keys() <= item_members:
                        if (item := {as_item}(item)) is None:
                            continue
            """,
            depth,
            read=read(member),
            open=source.bind(f"open_{member.path}", items.open),
            as_item=source.bind(f"as_item_{member.path}", items.as_item),
        )
    else:
        source.write(
            """
            value = {base}(record)
            if type(value) is list and [*map(type, value)].count(dict) == len(value):
                items = []
                for item in value:
            """,
            depth,
            base=source.bind(f"base_{member.path}", items.base),
        )
    source.write("get_item = item.get\nitem_made = {{}}", depth + 2)
    write_members(
        source,
        items.members,
        "item_made",
        lambda part: f"get_item({source.bind(f'column_{part.path}', part.column)})",
        depth + 2,
    )
    source.write("if item_made:\n    items.append(item_made)", depth + 2)
    source.write("if items:\n    {target} = items", depth + 1, target=target)
    if items.base is not None:
        source.write("else:\n    value = {read}", depth, read=read(member))
        convert = _converted(source, member)
        source.write(_CONVERT, depth + 1, convert=convert, target=target)
