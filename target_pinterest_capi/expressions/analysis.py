"""What an expression reads, and whether it can fail: derived from its tree, before any record."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.expressions.syntax import ExpressionError, Node, children, parse

# The next child reads the result of the one before.
IN_TURN: Final = frozenset({"subexpression", "index_expression", "pipe"})
PROJECTIONS: Final = frozenset({"projection", "filter_projection", "value_projection"})
_SELECTIONS: Final = frozenset({"multi_select_dict", "multi_select_list"})
_STEPS: Final = frozenset({"field", "index", "slice", "current", "identity"})
# Functions that never raise, for any arguments.
_SAFE: Final = frozenset(
    {"to_number"} | {name for name, function in FUNCTIONS.items() if not function.fails}
)
_ANY: Final = None
# A value's position in a record: names of members, and EACH for the elements of a list.
EACH: Final = None
Path = tuple[str | None, ...]


class Read(NamedTuple):
    """What is at a path, or only whether that is true."""

    path: Path
    is_truth: bool = False


def roots(*sources: str) -> frozenset[str] | None:
    """Return the top-level columns that the expressions read; None if they may read any (`@`, `*`).

    Raises ExpressionError.
    """
    return roots_of(*map(parse, sources))


def roots_of(*trees: Node) -> frozenset[str] | None:
    """Return the same columns of the expressions' trees."""
    columns = frozenset(column for tree in trees for column in _columns(tree))
    if _ANY in columns:
        return None
    return frozenset(column for column in columns if column is not None)


def reads_of(tree: Node) -> frozenset[Read] | None:
    """Return what a tree takes of a record; None if it may take any of it."""
    found = frozenset(_reads(tree))
    return None if any(not read.path for read in found) else found


def steps_of(node: Node) -> Iterator[Node]:
    """Yield the steps in order, each applied to the result of the one before."""
    if node["type"] in IN_TURN:
        for child in node["children"]:
            yield from steps_of(child)
    elif node["type"] not in ("current", "identity"):
        yield node


def leading_steps(steps: Sequence[Node]) -> tuple[str | int, ...]:
    """Return the names and numbers of the steps into members and elements that come first."""
    first = itertools.takewhile(lambda step: step["type"] in ("field", "index"), steps)
    return tuple(step["value"] for step in first)


def steps_to(node: Node) -> tuple[str | int, ...] | None:
    """Return the steps that a node consists of: `a.b[0]`; None for any other node."""
    steps = list(steps_of(node))
    names = leading_steps(steps)
    return names if names and len(names) == len(steps) else None


def alternatives(node: Node) -> list[Node]:
    """Return the parts of `a || b || c`, in their order."""
    if node["type"] != "or_expression":
        return [node]
    return [part for child in node["children"] for part in alternatives(child)]


def member_of_each(node: Node) -> tuple[tuple[str | int, ...], str] | None:
    """Return the steps to the list and the member of `a.list[].member`; None for another node."""
    if node["type"] != "projection":
        return None
    source, each = node["children"]
    if source["type"] != "flatten" or each["type"] != "field":
        return None
    base = steps_to(source["children"][0])
    return None if base is None else (base, each["value"])


class ItemsRead(NamedTuple):
    """What `items_value` reads: two members of the objects in a list, or of an only object."""

    steps: tuple[str | int, ...]
    is_only: bool
    members: tuple[str, ...]


def items_read(node: Node) -> ItemsRead | None:
    """Return what `items_value(a.list, 'price', 'quantity')` reads; None for any other node."""
    if node["type"] != "function_expression" or node["value"] != "items_value":
        return None
    items, *names = node["children"]
    members = [name["value"] for name in names if name["type"] == "literal"]
    if len(members) < len(names) or not all(isinstance(name, str) for name in members):
        return None
    is_only = items["type"] == "multi_select_list" and len(items["children"]) == 1
    steps = steps_to(items["children"][0] if is_only else items)
    return None if steps is None else ItemsRead(steps, is_only, tuple(members))


def named_columns(*sources: str) -> frozenset[str]:
    """Return the top-level columns that the expressions name. Raises ExpressionError."""
    columns = {column for source in sources for column in _columns(parse(source))}
    return frozenset(column for column in columns if column is not None)


def paths(source: str) -> frozenset[Path]:
    """Return the members that the expression reads: `a.b[].c` reads a, a.b and c of each element.

    Members of computed values are not included. Raises ExpressionError.
    """
    found: set[Path] = set()
    _follow(parse(source), (), found)
    return frozenset(found)


def compared_columns(source: str) -> frozenset[str]:
    """Return the columns that are one side of a comparison. Raises ExpressionError."""
    return frozenset(_compared(parse(source)))


def looks_computed(text: str) -> bool:
    """Return whether a string that should be plain is an expression: a call, or a literal."""
    try:
        tree = parse(text)
    except ExpressionError:
        return False
    return tree["type"] in ("function_expression", "literal", "or_expression")


def is_constant(source: str) -> bool:
    """Return whether the expression reads no column. Raises ExpressionError."""
    return roots(source) == frozenset()


def has_calls(source: str) -> bool:
    """Return whether the expression calls a function. Raises ExpressionError."""
    return _has(parse(source), lambda node: bool(node["type"] == "function_expression"))


def members_made(source: str) -> list[str]:
    """Return the members of the objects that an expression makes: `items[].{id: sku}` makes id."""
    node = parse(source)
    while node["type"] in IN_TURN | PROJECTIONS:
        node = node["children"][1 if node["type"] in PROJECTIONS else -1]
    if node["type"] != "multi_select_dict":
        return []
    return [member["value"] for member in node["children"]]


def has_unread_alternative(source: str) -> bool:
    """Return whether something follows `'text' ||`, which is never read.

    Raises ExpressionError.
    """
    return _has(parse(source), _is_unread_alternative)


def _is_unread_alternative(node: Node) -> bool:
    first, *_ = children(node) or [node]
    is_literal = first["type"] == "literal" and isinstance(first["value"], str)
    return bool(node["type"] == "or_expression" and is_literal and first["value"])


def _has(node: Node, is_it: Callable[[Node], bool]) -> bool:
    return is_it(node) or any(_has(child, is_it) for child in children(node))


def plain_path(source: str) -> str | None:
    """Return the name of the top-level column that the expression consists of, or None.

    `email` and `"a.b"` are such expressions. Raises ExpressionError.
    """
    return plain_path_of(parse(source))


def plain_path_of(tree: Node) -> str | None:
    """Return the same name for an expression's tree."""
    return tree["value"] if tree["type"] == "field" else None


def literals(*sources: str) -> frozenset[str]:
    """Return the strings in the expressions themselves. Raises ExpressionError."""
    return frozenset(text for source in sources for text in _texts(parse(source)))


def can_fail(node: Node) -> bool:
    """Return whether evaluating the node can fail on a record."""
    below = children(node)
    if any(map(can_fail, below)):
        return True
    if node["type"] == "comparator":  # only by its nesting
        return not any(map(_is_scalar, below))
    return node["type"] == "function_expression" and not (
        node["value"] in _SAFE or texts_searched(node) is not None
    )


def texts_searched(node: Node) -> list[str] | None:
    """Return the strings of `contains([texts], value)`; None for any other node."""
    if node["type"] != "function_expression" or node["value"] != "contains":
        return None
    among = node["children"][0]
    texts = among["value"] if among["type"] == "literal" else None
    is_of_texts = type(texts) is list and all(type(text) is str for text in texts)
    return texts if is_of_texts else None


def _is_scalar(node: Node) -> bool:
    """Return whether the node is a constant without nesting."""
    return node["type"] == "literal" and not isinstance(node["value"], list | dict)


def _columns(node: Node) -> Iterator[str | None]:
    """Yield the columns that a node reads from the record; _ANY if it may be any of them."""
    return (read.path[0] if read.path else _ANY for read in _reads(node))


def _reads(node: Node, at: Path = ()) -> Iterator[Read]:
    """Yield what a node takes of a record, if it is applied to what is at a path."""
    kind = node["type"]
    if (members := _members_read(node)) is not None:
        for member in members:
            yield Read((*at, *member))
    elif kind in IN_TURN:
        yield from _reads_in_turn(list(steps_of(node)), at)
    elif kind == "field":
        yield Read((*at, node["value"]))
    elif kind in _STEPS:
        yield Read(at)
    elif kind in PROJECTIONS:  # all children except the first read inside what that one returns
        yield from _reads(node["children"][0], at)
    elif kind in ("and_expression", "not_expression"):
        yield from _reads_truth(node["children"][0], at)
        yield from itertools.chain(*(_reads(other, at) for other in node["children"][1:]))
    elif kind != "expref":  # which reads elements
        for child in children(node):
            yield from _reads(child, at)


def _members_read(node: Node) -> list[Path] | None:
    """Return the members that a node reads of a list's objects; None if it may be the list."""
    if (read := member_of_each(node)) is not None:
        base, member = read
        return [(*_position(base), EACH, member)]
    if (items := items_read(node)) is None:
        return None
    base = items.steps if items.is_only else (*items.steps, 0)
    return [(*_position(base), member) for member in items.members]


def _reads_in_turn(steps: list[Node], at: Path) -> Iterator[Read]:
    names = leading_steps(steps)
    at = (*at, *_position(names))
    if len(names) == len(steps):
        yield Read(at)
        return
    first, *others = steps[len(names) :]
    if first["type"] == "or_expression" and others and len(leading_steps(others)) == len(others):
        *before, last = alternatives(first)
        for alternative in before:
            yield from _reads_truth(alternative, at)
        for alternative in (*before, last):
            yield from _reads_in_turn([*steps_of(alternative), *others], at)
        return
    if names and first["type"] in _SELECTIONS:  # null of null, whatever their members are
        yield Read(at, is_truth=True)
    is_read = False
    for read in _reads(first, at):
        is_read = True
        yield read
    if names and not is_read:  # such as `a.{b: 'text'}`, which is null where `a` is
        yield Read(at)


def _reads_truth(node: Node, at: Path) -> Iterator[Read]:
    """Yield what is taken of a record to know whether a node's value is true."""
    names = steps_to(node)
    if names is None:
        yield from _reads(node, at)
    else:
        yield Read((*at, *_position(names)), is_truth=True)


def _position(names: Iterable[str | int]) -> Path:
    """Return the position that steps lead to."""
    return tuple(EACH if isinstance(name, int) else name for name in names)


def _texts(node: Node) -> Iterator[str]:
    if node["type"] == "literal" and isinstance(node["value"], str):
        yield node["value"]
    for child in children(node):
        yield from _texts(child)


def _follow(node: Node, at: Path | None, found: set[Path]) -> Path | None:
    """Add the paths that a node reads below a path; return the position of its own value.

    None if the value is computed, so that nothing more is known about it.
    """
    kind, below = node["type"], children(node)
    if kind in _STEPS:
        return _step(node, at, found)
    if kind in IN_TURN or kind == "flatten":
        for child in below:
            at = _follow(child, at, found)
        return at
    if kind == "function_expression":
        _follow_call(node, at, found)
        return None
    inside = at
    if kind in PROJECTIONS:
        base = _follow(below[0], at, found)
        inside = None if base is None or kind == "value_projection" else (*base, EACH)
        below = below[1:]
    for child in below:
        _follow(child, inside, found)
    return None


def _follow_call(node: Node, at: Path | None, found: set[Path]) -> None:
    """Add the paths that a call reads, also in the elements of its list.

    These are what `&member` reads, and the members that `items_value` names.
    """
    arguments = [child for child in node["children"] if child["type"] != "expref"]
    positions = [_follow_items(child, at, found) for child in arguments]
    inside = next((one for one in positions if one is not None), None)
    for child in node["children"]:
        if child["type"] == "expref":
            _follow(child["children"][0], inside, found)
    if node["value"] == "items_value" and inside is not None:
        names = [name["value"] for name in arguments[1:] if name["type"] == "literal"]
        found.update((*inside, name) for name in names if isinstance(name, str))


def _follow_items(node: Node, at: Path | None, found: set[Path]) -> Path | None:
    """Add the paths that an argument reads; return the position of its elements."""
    if node["type"] == "multi_select_list" and len(node["children"]) == 1:
        return _follow(node["children"][0], at, found)
    base = _follow(node, at, found)
    return None if base is None else (*base, EACH)


def _step(node: Node, at: Path | None, found: set[Path]) -> Path | None:
    """Return the position after a single step, and add the member that it reads."""
    if at is None or node["type"] not in ("field", "index"):
        return at
    is_index = node["type"] == "index"
    path = (*at, EACH if is_index else node["value"])
    if not is_index:
        found.add(path)
    return path


def _compared(node: Node) -> Iterator[str]:
    for child in children(node):
        if node["type"] == "comparator" and child["type"] == "field":
            yield child["value"]
        yield from _compared(child)
