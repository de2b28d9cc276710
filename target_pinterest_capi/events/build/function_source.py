"""Writes the straight-line source of functions that read a record's values, convert them and set them in an object.

A loop over converters costs more than the conversions themselves, so the source is written out, once a stream. Into it go names
that are made here, leaves of the field table and the snippets below; columns, expressions and all else that users write are
values in its namespace, never text in its source.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events.hashing import SHORTEST_DIGEST, sha256
from target_pinterest_capi.events.normalize import is_ipv4, is_plain_email
from target_pinterest_capi.events.phones import BETWEEN_DIGITS

Fill = Callable[[dict[str, Any], Mapping[str, Any], str | None], None]


class CompiledField(NamedTuple):
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


class Selection(NamedTuple):
    """A list of objects made of another's: `base` reads that one, `columns` have the new name and the old one of each member."""

    base: Callable[[Any], Any]
    columns: tuple[tuple[str, str], ...]


class Items(NamedTuple):
    """The helper of a list of objects: the members of one, and what gives an entry that is no object yet (None: there is none).

    With `base` the members are read from the objects of that list, and the field's own are made of others only.
    """

    members: Sequence[CompiledField]
    as_item: Callable[[Any], dict[str, Any] | None]
    base: Callable[[Any], Any] | None = None


# The common cases of a value, by kind of field: `if`s that settle it. Whatever their conditions do not take goes through the
# converter, which decides the same way: a test holds both against each other, byte by byte.
_IS_WORD: Final = 'type(value) is str and value and value[0] != "[" and len(value) < shortest_digest'  # no list, no digest
_IS_NUMBER: Final = (
    'type(value) is str and value[:1] == "+" and value.isascii() and "(0)" not in value'
)
_SET_DIGEST: Final = "    {target} = [sha256(text.encode()).hexdigest()]"
_SET_KNOWN: Final = ("    if (known := {helper}[%s]) is not None:", "        {target} = known")
FAST: Final = {
    "texts": ("if type(value) is list and {helper}(value):", "    {target} = value"),
    "text": ("if type(value) is str and (text := value.strip()) and text.isascii():", "    {target} = text"),
    "ip address": ('if type(value) is str and is_ipv4(value) and value != "0.0.0.0":', "    {target} = value"),
    "digest": (f"if {_IS_WORD} and type(text := {{helper}}(value)) is str:", _SET_DIGEST),
    "email": (  # with its @ it is no digest
        "if type(value) is str and is_plain_email(value):",
        "    {target} = [sha256(value.lower().encode()).hexdigest()]",
        'if type(value) is str and "@" in value and value[0] != "[" and type(text := {helper}(value)) is str:',
        _SET_DIGEST,
    ),
    "maid": (  # with its dashes it is no digest
        'if type(value) is str and len(value) == 36 and value[8] == "-" and type(text := {helper}(value)) is str:',
        _SET_DIGEST,
    ),
    "id": (
        'if type(value) is str and value and value[0] != "[" and len(value) < 64 and value.isascii() and (text := value.strip()):',
        _SET_DIGEST,
    ),
    "phone": (
        f"if {_IS_NUMBER} and (digits := value.encode().translate(None, between_digits)).isdigit() and digits[0] != 48:",
        "    {target} = [sha256(digits).hexdigest()]",
        f"if {_IS_WORD} and (pair := {{helper}}(value, region))[1] is None and type(text := pair[0]) is str:",
        _SET_DIGEST,
    ),
    "postal code": (  # five digits are a code anywhere, and there are too many to remember
        "if type(value) is str and len(value) == 5 and value.isascii() and value.isdigit():",
        "    {target} = [sha256(value.encode()).hexdigest()]",
        "if type(value) is str:",
        _SET_KNOWN[0] % "region][value",
        _SET_KNOWN[1],
    ),
    "memo": ("if type(value) is str:", _SET_KNOWN[0] % "value", _SET_KNOWN[1]),
    "amount": (
        'if type(value) is Decimal and len(text := str(value)) <= 10 and text.replace(".", "", 1).isdigit():',
        "    {target} = text",
    ),
    "integer": ("if type(value) is int and value in {helper}:", "    {target} = value"),
    "boolean": ("if value is True or value is False:", "    {target} = value"),
    "choice": ("if type(value) is str and value in {helper}:", "    {target} = value"),
}  # fmt: skip
ITEMS: Final = "items"  # has lines of its own for the members of an item

_NAMESPACE: Final[Mapping[str, Any]] = {
    "sha256": sha256,
    "shortest_digest": SHORTEST_DIGEST,
    "between_digits": BETWEEN_DIGITS,
    "is_ipv4": is_ipv4,
    "is_plain_email": is_plain_email,
    "Decimal": Decimal,
}


class FunctionSource:
    """One function's source, written from above; `bind` gives a name to a value that it uses.

    Columns are read from a record by its `get`, which must be `get_record`, or from the `attributes` of a `row`, by column.
    """

    def __init__(
        self, head: str, *, fast: bool = True, attributes: Mapping[str, str] | None = None
    ) -> None:
        self._lines = [head]
        self._namespace = dict(_NAMESPACE)
        self._fast = fast
        self._attributes = attributes

    @property
    def reads_rows(self) -> bool:
        """Tell whether columns are read from a row."""
        return self._attributes is not None

    def bind(self, value: Any) -> str:
        """Give the name of a value in the function."""
        name = f"bound_{len(self._namespace)}"
        self._namespace[name] = value
        return name

    def write(self, *lines: str, depth: int = 1) -> None:
        """Write lines of the function's body."""
        self._lines += [f"{'    ' * depth}{line}" for line in lines]

    def column(self, name: str) -> str:
        """Give the expression that reads a column."""
        if self._attributes is None:
            return f"get_record({self.bind(name)})"
        attribute = self._attributes.get(name)
        return "None" if attribute is None else f"row.{attribute}"

    def read(self, member: CompiledField) -> str:
        """Give the expression that reads a member's value from the record."""
        return (
            self.column(member.column) if member.get is None else f"{self.bind(member.get)}(record)"
        )

    def members(
        self, members: Sequence[CompiledField], into: str, depth: int = 1, *, of_item: bool = False
    ) -> None:
        """Write the lines that set members in an object, in their order; `region` must be the record's country."""
        for member in members:
            read = f"get_item({self.bind(member.column)})" if of_item else self.read(member)
            converted = f"{self.bind(member.convert)}(value{', region' if member.regional else ''})"
            target = f"{into}[{member.leaf!r}]"
            slow = f"if value is not None and (value := {converted}) is not None: {target} = value"
            if not (self._fast and member.fast):
                self.write(f"value = {read}", slow, depth=depth)
            elif member.fast == ITEMS:
                self._items(member, target, slow, read, depth)
            else:
                self.write(f"value = {read}", depth=depth)
                self._common_cases(member, target, depth)
                self.write(f"el{slow}", depth=depth)

    def function(self, name: str) -> Any:
        """Compile the source and give its function."""
        exec("\n".join(self._lines), self._namespace)  # noqa: S102 - see the module's docstring
        return self._namespace[name]

    def _common_cases(self, member: CompiledField, target: str, depth: int) -> None:
        helper = self.bind(member.helper)
        for number, line in enumerate(FAST[member.fast]):
            self.write(
                ("el" if number and line[0] != " " else "")
                + line.format(helper=helper, target=target),
                depth=depth,
            )

    def _items(self, member: CompiledField, target: str, slow: str, read: str, depth: int) -> None:
        items: Items = member.helper
        if items.base is None:
            self.write(
                f"value = {read}",
                "if type(value) is list:",
                "    items = []",
                "    for item in value:",
                depth=depth,
            )
            self.write(
                f"if type(item) is not dict and (item := {self.bind(items.as_item)}(item)) is None:",
                depth=depth + 2,
            )
            self.write("    continue", depth=depth + 2)
        else:
            self.write(f"value = {self.bind(items.base)}(record)", depth=depth)
            self.write(
                "if type(value) is list and [*map(type, value)].count(dict) == len(value):",
                depth=depth,
            )
            self.write("    items = []", "    for item in value:", depth=depth)
        self.write("get_item = item.get", "into_item = {}", depth=depth + 2)
        self.members(items.members, "into_item", depth + 2, of_item=True)
        self.write("if into_item: items.append(into_item)", depth=depth + 2)
        self.write("if items:", f"    {target} = items", depth=depth + 1)
        if items.base is None:
            self.write(f"el{slow}", depth=depth)
        else:
            self.write("else:", f"    value = {read}", f"    {slow}", depth=depth)


def compile_members(members: Sequence[CompiledField], *, fast: bool = True) -> Fill:
    """Give the function that sets the members' values in an object, in their order, from a record and its country.

    Without `fast` every value goes through its converter: the plain form that tests compare with.
    """
    source = FunctionSource("def fill(into, record, region):", fast=fast)
    source.write("get_record = record.get")
    source.members(members, "into")
    fill: Fill = source.function("fill")
    return fill
