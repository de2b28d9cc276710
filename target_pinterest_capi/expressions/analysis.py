"""What an expression reads, and whether it can fail: derived from its tree, before any record."""

from collections.abc import Callable, Iterator
from typing import Final

from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.expressions.syntax import ExpressionError, Node, children, parse

# The next child reads the result of the one before.
IN_TURN: Final = frozenset({"subexpression", "index_expression", "pipe"})
PROJECTIONS: Final = frozenset({"projection", "filter_projection", "value_projection"})
_STEPS: Final = frozenset({"field", "index", "slice", "current", "identity"})
# Functions that never raise, for any arguments.
_SAFE: Final = frozenset(
    {"to_number"} | {name for name, function in FUNCTIONS.items() if not function.fails}
)
_ANY: Final = None
# A value's position in a record: names of members, and EACH for the elements of a list.
EACH: Final = None
Path = tuple[str | None, ...]


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


def reads_of(tree: Node) -> dict[str, frozenset[str] | None] | None:
    """Return the columns that a tree reads; None if it may read any.

    Each has the members of its list's objects of which alone the tree takes something, as in
    `items[].id`, or None where it takes the column itself.
    """
    found: dict[str, frozenset[str] | None] = {}
    for column, member in _reads(tree):
        if column is None:
            return None
        known = found.get(column, frozenset())
        found[column] = None if known is None or member is None else known | {member}
    return found


def member_of_each(node: Node) -> tuple[str, str] | None:
    """Return the column and the member of `column[].member`; None for any other node."""
    if node["type"] != "projection":
        return None
    source, each = node["children"]
    if source["type"] != "flatten" or each["type"] != "field":
        return None
    (base,) = source["children"]
    return (base["value"], each["value"]) if base["type"] == "field" else None


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
    return (column for column, _ in _reads(node))


def _reads(node: Node) -> Iterator[tuple[str | None, str | None]]:
    """Yield the same columns, each with the member of its objects, or None for all of it."""
    kind = node["type"]
    if (read := member_of_each(node)) is not None:
        yield read
    elif kind == "field":
        yield node["value"], None
    elif kind in ("current", "identity"):
        yield _ANY, None
    elif kind in IN_TURN or kind in PROJECTIONS:
        # All children except the first read inside the columns.
        yield from _reads(node["children"][0])
    elif kind != "expref":  # which reads elements
        for child in children(node):
            yield from _reads(child)


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
    if kind in PROJECTIONS:
        base = _follow(below[0], at, found)
        inside = None if base is None or kind == "value_projection" else (*base, EACH)
        below = below[1:]
    else:
        inside = None if kind == "expref" else at
    for child in below:
        _follow(child, inside, found)
    return None


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
