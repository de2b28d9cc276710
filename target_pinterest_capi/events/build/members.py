"""Writes the lines that read an object's members from a record, convert them and set them.

A loop over converters costs more than the conversions, so the lines are written out. The common
values of most fields get a fast path, which does the same as the converter without calling it:
tests compare the two, byte by byte.
"""

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.build.function_source import FunctionSource, of_texts
from target_pinterest_capi.events.build.plan import Code, Get
from target_pinterest_capi.events.build.shapes import Kind, number_of
from target_pinterest_capi.events.event import Item
from target_pinterest_capi.events.fields import ITEM_FIELDS, ITEM_MEMBERS
from target_pinterest_capi.events.hashing import NO_DIGEST_LENGTHS, SHORTEST_DIGEST, sha256
from target_pinterest_capi.events.normalize import is_global_ipv6, is_plain_email, is_public_ipv4
from target_pinterest_capi.events.phones import FEWEST_DIGITS, MOST_DIGITS

ITEMS: Final = "items"  # the fast path of a list of objects: it has lines for an object's members


Steps = Sequence[str | int]


class CompiledField(NamedTuple):
    """One field: how it is read (`column`, or `get` where it is more) and how it is converted.

    `convert` takes any value but None; that of a `regional` field takes the record's country too.
    `fast_path` names a row of `FAST_PATHS`, or is `ITEMS`; `helper` is what its lines call. Where
    there are `codes`, they write what `get` does: see `plan.FieldPlan`. `failed` notes that one
    failed. One that `collects` takes the values of all of them. If it `is_constant`, its `constant`
    is what every event has.
    """

    path: str
    convert: Callable[..., Any]
    column: str = ""
    get: Get | None = None
    regional: bool = False
    fast_path: str = ""
    helper: Any = None
    codes: tuple[Code, ...] = ()
    constant: Any = None
    failed: Callable[[], None] | None = None
    collects: bool = False
    is_constant: bool = False

    @property
    def is_first_of_several(self) -> bool:
        """Whether its value is the first usable one of several, of which one may be a constant."""
        return len(self.codes) > 1 or self.constant is not None or self.collects

    @property
    def steps(self) -> Steps | None:
        """The steps to its value; None where it is more than a column, or a member of one."""
        if self.get is None:
            return (self.column,)
        return self.codes[0].steps if self.codes and not self.is_first_of_several else None

    @property
    def leaf(self) -> str:
        """The field's own name within its object."""
        return self.path.rpartition(".")[2]


class Items(NamedTuple):
    """The helper of a list of objects.

    `members` are those of one object; `open` turns other values into a list, and `as_item` other
    entries into an object, or None; `empty` notes an object that comes to no item. With `base` the
    members are read from the objects of that list, unless it has something else, and except those
    for which `left_out` is true.
    """

    members: Sequence[CompiledField]
    open: Callable[[Any], list[Any] | None]
    as_item: Callable[[Any], dict[str, Any] | None]
    empty: Callable[[Any], None]
    base: Code | None = None
    left_out: Code | None = None


class Reader(Protocol):
    """Writes the lines that read fields: of a record or row, or of one object of a list."""

    def write(self, field: CompiledField, variable: str) -> bool:
        """Write the lines that set a variable to a field's value; return whether that is final."""

    def write_each(self, field: CompiledField) -> list[tuple[str, bool]]:
        """Write the lines that read all values of a field; return the expressions of them.

        Each with whether it is sure to be a text or None.
        """

    def again(self, field: CompiledField) -> str:
        """Return the expression of the final value, for when that of `write` cannot be used."""

    def value_of(self, code: Code) -> str:
        """Return the expression of a value that cannot fail."""

    def kind(self, field: CompiledField) -> Kind | None:
        """Return what a field's column holds; None where it is known to hold nothing."""

    def structs(self, steps: Steps | None) -> str | None:
        """Return the expression of a list of structs; None where steps lead to other values."""

    def of_items(self, steps: Steps | None, depth: int) -> "Reader":
        """Return the reader of the objects of a list, in a loop."""


# Two lines of a fast path. Copying an empty hash costs less than creating one.
_SET_DIGEST: Final = """(digest := new_digest()).update(text.encode())
            {target} = [digest.hexdigest()]"""

# Not asked of a column of such lists.
_IS_LIST_OF_TEXTS: Final = "type(value) is list and [*map(type, value)].count(str) == len(value)"

# The fast paths: an `if` for each group of common values. All other values go to the converter.
FAST_PATHS: Final = {
    "texts": f"""
        if (
            {_IS_LIST_OF_TEXTS}
            and is_plain("".join(value))
            and null_spellings.isdisjoint(value)
            and len({{{{"", *value}}}}) > len(value)  # distinct, and none is empty
        ):
            {{target}} = value
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
    "click id": """
        if (
            type(value) is str
            and (text := value.strip())
            and "=" not in text
            and text.isprintable()
            and text not in null_spellings
        ):
            {target} = text
        """,
    "page": """
        if (
            type(value) is str
            and (text := value.strip()).startswith("https://")
            and text != "https://"
            and text.isprintable()
            and text not in null_spellings
        ):
            {target} = text
        """,
    "short text": """
        if (
            type(value) is str
            and len(text := value.strip()) <= {helper}
            and text
            and text.isprintable()
            and text not in null_spellings
        ):
            {target} = text
        """,
    "ip address": """
        if type(value) is str and (is_public_ipv4(value) or is_global_ipv6(value)):
            {target} = value
        """,
    "digest": f"""
        if (
            type(value) is str
            and (text := value.strip())
            and text[-1] not in list_and_digest_ends
            and len(text) < shortest_digest
            and text.isprintable()
            and text not in null_spellings
            and type(text := {{helper}}(text)) is str
        ):
            {_SET_DIGEST}
        """,
    "email": f"""
        if type(value) is str and is_plain_email(value):
            text = value.lower()
            {_SET_DIGEST}
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
            and text[-1] not in list_and_digest_ends
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
            and fewest_digits <= len(digits) <= most_digits
        ):
            (digest := new_digest()).update(digits)
            {{target}} = [digest.hexdigest()]
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
    "postal code": f"""
        if type(value) is str and len(text := value) == 5 and text.isascii() and text.isdigit():
            {_SET_DIGEST}  # anywhere; too many to keep
        elif type(value) is str:
            if (known := {{helper}}[region][value]) is not None:
                {{target}} = known
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
        elif type(value) is str and is_amount(value) and value not in null_spellings:
            {target} = value
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
# Of those that take whole numbers too, the lines that follow.
_WHOLE_NUMBERS: Final = {
    "text": """
        elif type(value) is int and too_small < value < too_large:
            {target} = str(value)
        """,
    "amount": """
        elif type(value) is int and 0 <= value < too_large:
            {target} = str(value)
        """,
}
# In the place of these for a text, or none.
_TEXT_PATHS: Final = {
    "amount": """
        if value is not None and is_amount(value) and value not in null_spellings:
            {target} = value
        """,
}
# Of a column of numbers, as the JSON that they came in: nearly all can be sent as they are. In JSON
# a number has at most one point, and digits on both sides of it.
_WRITTEN_AMOUNT: Final = """
    if len(text := str(value, "latin-1")) <= 10 and not text.strip("0123456789."):
        {target} = text
    elif (value := {number_of}(value)) is not None:
    """
# In the place of these, where the value is not final: nothing is noted of one that is not known.
_FIRST_PATHS: Final = {
    "cached": """
        if type(value) is str and (known := {helper}.get(value)) is not None:
            {target} = known
        """,
    "postal code": f"""
        if type(value) is str and len(text := value) == 5 and text.isascii() and text.isdigit():
            {_SET_DIGEST}
        elif type(value) is str and (known := {{helper}}[region].get(value)) is not None:
            {{target}} = known
        """,
}
# For texts with digits or an `@`, which only words for a missing value of such a form can be.
FORM_PATHS: Final = ("email", "phone", "postal code", "ip address", "maid")
# ASCII from "!" to "~", without the brackets that begin a list.
_is_plain: Final = re.compile(r"[!-')-Z\\-z|}~]+").fullmatch
_NAMES: Final = {  # what the fast paths call
    "new_digest": sha256().copy,
    "shortest_digest": SHORTEST_DIGEST,
    "list_and_digest_ends": "]})=,;|",
    "between_digits": b" ()-+",
    "fewest_digits": FEWEST_DIGITS,
    "most_digits": MOST_DIGITS,
    "no_digest_lengths": NO_DIGEST_LENGTHS,
    "is_public_ipv4": is_public_ipv4,
    "is_global_ipv6": is_global_ipv6,
    "is_plain_email": is_plain_email,
    "is_plain": _is_plain,
    "Decimal": Decimal,
    "is_amount": coerce.is_amount,
    "too_large": coerce.TOO_LARGE,
    "too_small": coerce.TOO_SMALL,
    "item_members": ITEM_MEMBERS,
    "Item": Item,
}
_listed: Final = partial(coerce.listed, bracketed=True)
_CONVERT: Final = """\
if value is not None and (value := {convert}) is not None:
    {target} = value
"""


def write_members(
    source: FunctionSource,
    members: Sequence[CompiledField],
    into: str,
    reader: Reader,
    depth: int = 1,
    *,
    counts_items: bool = False,
) -> None:
    """Write the lines that set members in the object `into`, in their order.

    Where a member is regional, the function's `region` must be the record's country. With
    `counts_items` the lines also set the `ids` of the items of a list, and `num_items`; `ids` is
    None if the list's converter made it.
    """
    for name, value in _NAMES.items():
        source.bind(name, value)
    for member in members:
        target = f'{into}["{member.leaf}"]'
        _MemberWriter(source, member, target, reader, depth, counts_items).write()


class _MemberWriter:
    """Writes the lines for one member."""

    def __init__(
        self,
        source: FunctionSource,
        member: CompiledField,
        target: str,
        reader: Reader,
        depth: int,
        counts_items: bool = False,
    ) -> None:
        self._source = source
        self._member = member
        self._target = target
        self._reader = reader
        self._depth = depth
        self._counts_items = counts_items

    def write(self) -> None:
        kind = self._reader.kind(self._member)
        if kind is None:
            return
        if self._member.is_constant:
            constant = self._source.bind(f"constant_{self._member.path}", self._member.constant)
            self._lines("{target} = {constant}", self._depth, constant=constant)
        elif self._member.collects:
            self._collected()
        elif self._member.fast_path == ITEMS:
            self._items(self._member.helper)
        elif not self._reader.write(self._member, "value"):
            self._first(kind)
        elif kind is Kind.NUMBER:
            read = self._source.bind("number_of", number_of)
            self._lines(_WRITTEN_AMOUNT, self._depth, number_of=read)
            self._final(self._depth + 1, Kind.ANY)
        else:
            self._final(self._depth, kind)

    def _lines(self, template: str, depth: int, **parts: str) -> None:
        self._source.write(template, depth, target=self._target, **parts)

    def _final(self, depth: int, kind: Kind) -> None:
        """Write the lines of a value that stands: its fast path, then its converter."""
        prefix = ""
        if self._member.fast_path:
            self._fast_path(FAST_PATHS, depth, kind=kind)
            prefix = "el"
        self._lines(prefix + _CONVERT, depth, convert=self._converted())

    def _first(self, kind: Kind) -> None:
        """Write the lines for a value that is final if the field accepts it."""
        path = self._member.fast_path
        rule = "if"
        if path:
            paths = _FIRST_PATHS if path in _FIRST_PATHS else FAST_PATHS
            self._fast_path(paths, self._depth, kind=kind)
            rule = "elif"
        again = self._reader.again(self._member)
        self._lines(f"{rule} value is not None:\n    value = {{again}}", self._depth, again=again)
        if path in _FIRST_PATHS:
            self._final(self._depth + 1, Kind.ANY)
        else:
            self._lines(_CONVERT, self._depth + 1, convert=self._converted())

    def _fast_path(
        self, paths: Mapping[str, str], depth: int, prefix: str = "", kind: Kind = Kind.ANY
    ) -> None:
        path = self._member.fast_path
        template = paths[path].rstrip()
        if kind is Kind.TEXT:
            template = _TEXT_PATHS.get(path) or of_texts(template, "value")
        elif kind is Kind.TEXTS:
            template = template.replace(_IS_LIST_OF_TEXTS, "value is not None")
        elif path in _WHOLE_NUMBERS:
            template = f"if value is None:\n    pass\nel{textwrap.dedent(template).lstrip()}"
            template += textwrap.dedent(_WHOLE_NUMBERS[path])
        helper = ""
        if "{helper}" in template:
            helper = self._source.bind(f"{path}_{self._member.path}", self._member.helper)
        lines = prefix + textwrap.dedent(template).strip("\n")
        self._lines(lines, depth, helper=helper)

    def _converted(self, value: str = "value") -> str:
        convert = self._source.bind(f"convert_{self._member.path}", self._member.convert)
        return f"{convert}({value}, region)" if self._member.regional else f"{convert}({value})"

    def _collected(self) -> None:
        """Write the lines that convert each of several values, and set those that differ."""
        (first, is_text), *others = self._reader.write_each(self._member)
        kind = Kind.TEXT if is_text else Kind.ANY
        listed = self._source.bind("listed", _listed)
        parts = {
            "convert": self._converted(f"{listed}(value)"),
            "first": first,
            "alone": " and ".join(f"{other} is None" for other, _ in others),
            "values": f"({', '.join((first, *(other for other, _ in others)))},)",
        }
        depth = self._depth
        if others:  # as a rule the first value is the only one
            self._lines("if {alone}:", depth, **parts)
            depth += 1
        self._lines("value = {first}", depth, **parts)
        if not is_text and self._member.fast_path != "texts":
            self._lines(_ONLY_ONE, depth)
        rule = "if"
        if self._member.fast_path and self._member.fast_path not in _WITHOUT_BRACKETS:
            text = of_texts(_BRACKETED, "value") if kind is Kind.TEXT else _BRACKETED
            self._lines(text, depth, **parts)
            rule = "elif"
        if self._member.fast_path:
            self._fast_path(FAST_PATHS, depth, rule.removesuffix("if"), kind)
            rule = "elif"
        self._lines(rule + _OTHER_ALONE, depth, **parts)
        if not others:
            return
        self._lines(_EACH, self._depth, **parts)
        if self._member.fast_path:
            target, self._target = self._target, "made"
            self._fast_path(FAST_PATHS, self._depth + 2, "el")
            self._target = target
        self._lines(_OTHER, self._depth + 1, **parts)

    # Lists of objects

    def _items(self, items: Items) -> None:
        member, depth = self._member, self._depth
        steps = member.steps if items.base is None else items.base.steps
        structs = self._reader.structs(steps)
        if self._counts_items:
            self._lines("ids = None", depth)
        if structs is not None:
            more = " and None not in value" if member.is_first_of_several else ""
            self._lines(_STRUCTS, depth, structs=structs, more=more, begin=self._begin)
        else:
            if items.base is None:
                self._open_items(items)
            else:
                base = self._reader.value_of(items.base)
                self._lines(_SELECTED, depth, base=base, begin=self._begin)
            self._lines("get_item = item.get", depth + 2)
        reader = self._reader.of_items(steps, depth + 2)
        if items.left_out is not None:
            test = reader.value_of(items.left_out)
            self._lines("if {test}:\n    continue", depth + 2, test=test)
        read = [member for member in items.members if reader.kind(member) is not None]
        made = {member.leaf: f"made_{member.leaf}" for member in read}
        self._lines("{all} = None", depth + 2, all=" = ".join(made.values()) or "_")
        for member_of_item in read:
            target = made[member_of_item.leaf]
            _MemberWriter(self._source, member_of_item, target, reader, depth + 2).write()
        leaves = [field.leaf for field in ITEM_FIELDS]
        last = max(map(leaves.index, made), default=-1)
        self._lines(
            _ADD_ITEM,
            depth + 2,
            any=" or ".join(f"{one} is not None" for one in made.values()) or "False",
            members=", ".join(made.get(leaf, "None") for leaf in leaves[: last + 1]),
            count=self._count(made),
            empty=self._source.bind(f"empty_{member.path}", items.empty),
        )
        self._lines("if items:\n    {target} = items", depth + 1)
        if items.base is not None and (structs is None or member.is_first_of_several):
            self._lines("else:\n    value = {read}", depth, read=self._reader.again(member))
            self._lines(_CONVERT, depth + 1, convert=self._converted())

    @property
    def _begin(self) -> str:
        """The statement before a loop over items."""
        return "items, ids, num_items = [], [], 0" if self._counts_items else "items = []"

    def _count(self, made: Mapping[str, str]) -> str:
        """Return the lines after an item with these members."""
        if not self._counts_items:
            return ""
        quantity = made.get("quantity")
        number = "1" if quantity is None else f"1 if {quantity} is None else {quantity}"
        count = f"\n    num_items += {number}"
        if "id" in made:
            count += f"\n    if {made['id']} is not None:\n        ids.append({made['id']})"
        return count

    def _open_items(self, items: Items) -> None:
        """Write the lines that begin a loop over the objects of the value."""
        member = self._member
        if not self._reader.write(member, "value"):
            again = self._reader.again(member)
            self._lines(_FIRST_ITEMS, self._depth, again=again)
        self._lines(
            _ITEMS,
            self._depth,
            open=self._source.bind(f"open_{member.path}", items.open),
            as_item=self._source.bind(f"as_item_{member.path}", items.as_item),
            begin=self._begin,
        )


# Texts of lists, and whatever else the fast path does not handle, are converted one by one, and
# noted each time. Only what the fast path knows is done once if it is repeated.
_EACH: Final = """
    else:
        found = None
        seen = [None]
        for value in {values}:
            if value in seen:
                continue
            if type(value) is list and len(value) == 1 and type(value[0]) is str:
                (value,) = value
            made = None
            if type(value) is str and "[" in value:
                value = made = {convert}
    """
_OTHER: Final = """
            else:
                value = made = {convert}
            if made is not None:
                seen.append(value)
                found = made if found is None else [*dict.fromkeys((*found, *made))]
        if found is not None:
            {target} = found
    """
_ONLY_ONE: Final = """
    if type(value) is list and len(value) == 1 and type(value[0]) is str:
        (value,) = value
    """
# The text of a list, as the fast path might take it for one value.
_BRACKETED: Final = """
    if type(value) is str and "[" in value:
        if (value := {convert}) is not None:
            {target} = value
    """
_WITHOUT_BRACKETS: Final = ("email", "phone", "ip address", "maid")  # their fast paths
_OTHER_ALONE: Final = """\
 value is not None and (value := {convert}) is not None:
    {target} = value
"""
_SELECTED: Final = """
    value = {base}
    if type(value) is list and value and [*map(type, value)].count(dict) == len(value):
        {begin}
        for item in value:
    """
_STRUCTS: Final = """
    value = {structs}
    if value{more}:
        {begin}
        for item in value:
            if item is None:
                continue
    """
_ADD_ITEM: Final = """
    if {any}:
        items.append(Item({members})){count}
    else:
        {empty}(item)
    """
# A list of objects is usable, and one that is empty is nothing.
_FIRST_ITEMS: Final = """
    if value is not None and not (type(value) is list and value and type(value[0]) is dict):
        value = {again}
    """
_ITEMS: Final = """
    if type(value) is not list and value is not None:
        value = {open}(value)
    if value:
        {begin}
        for item in value:
            if type(item) is not dict or not item.keys() <= item_members:
                if (item := {as_item}(item)) is None:
                    continue
    """
