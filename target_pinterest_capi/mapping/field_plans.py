"""Where a field's value comes from, in this order.

The entry's fields, the preset's fields, the entry's defaults, the preset's defaults, the setting
`defaults`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.plan import (
    NOW,
    Code,
    FieldPlan,
    Get,
    Has,
    Selection,
    name_key,
)
from target_pinterest_capi.events.build.shapes import (
    ANY_USE,
    EACH,
    ITEM_USES,
    TEST,
    Position,
    Uses,
    all_uses,
    uses_at,
)
from target_pinterest_capi.events.build.value_check import compile_trial
from target_pinterest_capi.events.fields import BY_PATH, FieldKind
from target_pinterest_capi.events.reasons import Dropped
from target_pinterest_capi.expressions.analysis import (
    can_fail,
    plain_path_of,
    reads_of,
    steps_to,
)
from target_pinterest_capi.expressions.code import is_text, write_expression, write_list
from target_pinterest_capi.expressions.compiler import (
    EvaluationError,
    ListSelection,
    bound,
    compile_tree,
    selection_of,
)
from target_pinterest_capi.expressions.conditions import as_condition
from target_pinterest_capi.expressions.pruning import is_null, pruned
from target_pinterest_capi.expressions.syntax import Node, parse
from target_pinterest_capi.settings import MappingEntry, Settings

Note = Callable[[str, str], None]
_FAILURES: Final = (EvaluationError, ArithmeticError, RecursionError)


class Levels(NamedTuple):
    """The sources of an entry's values in a stream; `preset` is the entry's, as an entry itself.

    `began_at` is when the run began.
    """

    entry: MappingEntry
    preset: MappingEntry | None
    settings: Settings
    stream: str
    began_at: datetime

    def tree(self, source: str) -> Node:
        """Return the tree of an expression for the stream's records, in this run."""
        return bound(parse(source), self.stream, self.began_at)

    def expressions(self, path: str) -> list[tuple[str, ...]]:
        """Return the expressions of a field, a list for each level with any."""
        given = [level.fields.get(path) for level in self._entries(path)]
        return [expressions for expressions in given if expressions]

    def default(self, path: str) -> Any:
        """Return the constant of a field, or None."""
        return self._first_default(path, self._entries(path))

    def event_names(self) -> dict[str, str | None]:
        """Return the preset's and the entry's names; the entry's replace other spellings."""
        if self.preset is None:
            return dict(self.entry.event_names)
        own = {name_key(name) for name in self.entry.event_names}
        listed = self.preset.event_names.items()
        kept = {name: target for name, target in listed if name_key(name) not in own}
        return {**kept, **self.entry.event_names}

    def fallback_name(self) -> Any:
        """Return the event name for values that `event_names` does not list, or None."""
        entries = [level for level in (self.entry, self.preset) if level is not None]
        return self._first_default("event_name", entries)

    def _first_default(self, path: str, entries: list[MappingEntry]) -> Any:
        levels: list[MappingEntry | Settings] = [*entries, self.settings]
        for level in levels:
            default = level.defaults.get(path)
            if default is not None:
                return default
        return None

    def _entries(self, path: str) -> list[MappingEntry]:
        """Return the entry, and the preset unless the entry unmaps the field."""
        is_unmapped = path in self.entry.fields and self.entry.fields[path] is None
        if self.preset is None or is_unmapped:
            return [self.entry]
        return [self.entry, self.preset]


def field_plans(
    levels: Levels, note: Note, columns: Collection[str] | None, *, names_are_listed: bool
) -> dict[str, FieldPlan]:
    """Return the plan of every field that has a value.

    Only `columns` are read; None means all. If the entry lists event names, the default of
    `event_name` applies to unlisted names, and not to a missing value.
    """
    plans = {}
    for path in BY_PATH:
        default = levels.default(path)
        if names_are_listed and path == "event_name":
            default = None
        written = [
            [levels.tree(source) for source in sources] for sources in levels.expressions(path)
        ]
        plan = _field_plan(path, written, columns, default, note, levels.settings.options)
        if plan is not None:
            plans[path] = plan
    return plans


def condition_plan(
    source: str, levels: Levels, note: Note, columns: Collection[str] | None
) -> FieldPlan:
    """Return the plan of a condition for records of a stream."""
    tree = as_condition(levels.tree(source))
    (tree,) = _pruned([tree], columns)
    return _plan_of_one("when", tree, note)


def _pruned(trees: list[Node], columns: Collection[str] | None) -> list[Node]:
    """Return the trees without what they read of other columns."""
    if columns is None:
        return trees
    return [pruned(tree, lambda steps: steps[0] in columns) for tree in trees]


def _kept(trees: list[Node], columns: Collection[str] | None) -> list[Node]:
    """Return the trees without those that read other columns or always return nothing."""
    return [tree for tree in _pruned(trees, columns) if columns is None or not is_null(tree)]


def _field_plan(
    path: str,
    written: list[list[Node]],
    columns: Collection[str] | None,
    default: Any,
    note: Note,
    options: Options,
) -> FieldPlan | None:
    levels = [(_kept(trees, columns), len(trees) > 1) for trees in written]
    trees = [tree for level, _ in levels for tree in level]
    constant = NOW if path == "event_time" and default == "now" else default
    field = BY_PATH[path]
    if not trees:
        if constant is None:
            return None
        return FieldPlan(lambda _: constant, reads={}, constant=constant)
    is_one = sum(map(len, written)) == 1 and constant is None
    codes = tuple(map(_code, trees))
    trial = compile_trial(field, options)
    if field.many and field.kind is not FieldKind.ITEMS and not is_one:
        lists = [
            _collect(_getters(level, path, note), is_alone=not several)
            for level, several in levels
            if level
        ]
        get = _first(lists)
        if constant is not None:
            get = _usable_or(get, constant, path, note, trial)
        if len(written) > 1 or constant is not None or field.max_items is not None:
            return FieldPlan(get, reads=_reads(trees))
        plan = FieldPlan(get, reads=_reads(trees), codes=codes, collects=True)
        return plan._replace(within=partial(_within, plan, trees))
    if len(trees) == 1 and constant is None:
        return _plan_of_one(path, trees[0], note)
    get = _first_usable(_getters(trees, path, note), constant, path, note, trial)
    first = selection_of(trees[0]) if field.kind is FieldKind.ITEMS else None
    plan = FieldPlan(
        get,
        reads=_reads(trees, selection=first),
        selection=_selection(trees[0]),
        codes=codes,
        constant=constant,
    )
    return plan._replace(within=partial(_within, plan, trees))


def _plan_of_one(path: str, tree: Node, note: Note) -> FieldPlan:
    field = BY_PATH.get(path)
    use = ANY_USE if field is None else Uses(frozenset((field.kind,)))
    first = selection_of(tree) if field is not None and field.kind is FieldKind.ITEMS else None
    plan = FieldPlan(
        get=_compile_guarded(tree, path, note),
        column=plain_path_of(tree),
        reads=_reads([tree], use, first),
        selection=_selection(tree),
        codes=(_code(tree),),
    )
    return plan._replace(within=partial(_within, plan, [tree]))


def _within(plan: FieldPlan, trees: list[Node], has: Has) -> FieldPlan | None:
    """Return a plan for records that do not have everything that its trees read."""
    kept = [left for tree in trees if not is_null(left := pruned(tree, has))]
    if kept == trees and plan.selection is None:
        return plan
    if not kept and plan.constant is None:
        return None
    selection = _selection(kept[0], has) if kept else None
    return plan._replace(codes=tuple(map(_code, kept)), selection=selection)


def _selection(tree: Node, has: Has = lambda _: True) -> Selection | None:
    found = selection_of(tree)
    if found is None:
        return None
    base = steps_to(found.base)

    def has_in_element(steps: Sequence[str | int]) -> bool:
        return base is None or has((*base, 0, *steps))

    members = {
        key: FieldPlan(lambda _: None, column=plain_path_of(left), codes=(_code(left),))
        for key, member in found.members.items()
        if not is_null(left := pruned(member, has_in_element))
    }
    left_out = None
    if found.left_out is not None:
        left_out = _code(pruned(found.left_out, has_in_element))
    return Selection(Code(partial(write_list, found.base), steps=base), members, left_out)


def _reads(
    trees: list[Node], use: Uses = ANY_USE, selection: ListSelection | None = None
) -> dict[str, Uses] | None:
    """Return the columns that trees read, with their uses; None if it may be any.

    `use` is that of a value of a single tree, and `selection` what the first one selects.
    """
    selected = None if selection is None else _selected_reads(selection)
    found = [] if selected is None else [selected]
    for tree in trees if selected is None else trees[1:]:
        reads = _reads_of_one(tree, use)
        if reads is None:
            return None
        found.append(reads)
    return all_uses(found)


def _reads_of_one(tree: Node, use: Uses, base: Position = ()) -> dict[str, Uses] | None:
    """Return what a tree reads of the objects at a position; None if it may be any of it."""
    reads = reads_of(tree)
    if reads is None:
        return None
    of_value = ANY_USE if steps_to(tree) is None else use
    found = []
    for read in reads:
        column, *below = (*base, *read.path)
        found.append({str(column): uses_at(below, TEST if read.is_truth else of_value)})
    return all_uses(found)


def _selected_reads(selection: ListSelection) -> dict[str, Uses] | None:
    """Return what a selection of a list's objects reads; None where that may be anything."""
    base = steps_to(selection.base)
    if base is None:
        return None
    position = (*(EACH if isinstance(step, int) else step for step in base), EACH)
    found = []
    trees = [(ITEM_USES.get(leaf, ANY_USE), tree) for leaf, tree in selection.members.items()]
    if selection.left_out is not None:
        trees.append((ANY_USE, selection.left_out))
    for use, tree in trees:
        reads = _reads_of_one(tree, use, position)
        if reads is None:
            return None
        found.append(reads)
    return all_uses(found)


def _code(tree: Node) -> Code:
    failures = _FAILURES if can_fail(tree) else ()
    return Code(partial(write_expression, tree), failures, steps_to(tree), partial(is_text, tree))


def _getters(trees: Iterable[Node], path: str, note: Note) -> list[Get]:
    return [_compile_guarded(tree, path, note) for tree in trees]


def _first_usable(
    getters: list[Get],
    constant: Any,
    path: str,
    note: Note,
    reason_against: Callable[[Any], str | None],
) -> Get:
    """Return the reader of the first value that its field accepts, or of the constant.

    Values before it are noted. Without a constant it is the first value that is not null: the event
    says what is wrong with it.
    """
    if not getters:
        return lambda _: constant

    def first_usable(record: Any) -> Any:
        unusable: list[tuple[Any, str]] = []
        for get in getters:
            value = get(record)
            if value is None or coerce.is_nothing(value):
                continue
            reason = reason_against(value)
            if reason is None:
                for _, earlier in unusable:
                    note(path, earlier)
                return value
            unusable.append((value, reason))
        if unusable and constant is None:
            return unusable[0][0]
        for _, earlier in unusable:
            note(path, earlier)
        return constant

    return first_usable


def _usable_or(
    get: Get,
    constant: Any,
    path: str,
    note: Note,
    reason_against: Callable[[Any], str | None],
) -> Get:
    """Return the reader of a list, or of the constant if the field accepts none of its values.

    Those are noted.
    """

    def usable(record: Any) -> Any:
        values = get(record)
        if values is None or coerce.is_nothing(values):
            return constant
        unusable: list[str] = []
        for value in coerce.listed(values, bracketed=True):
            reason = reason_against(value)
            if reason is None:
                return values
            unusable.append(reason)
        for reason in unusable:
            note(path, reason)
        return constant

    return usable


def _first(getters: list[Get]) -> Get:
    if len(getters) == 1:
        return getters[0]

    def first(record: Any) -> Any:
        for get in getters:
            value = get(record)
            if value is not None and not coerce.is_nothing(value):
                return value
        return None

    return first


def _collect(getters: list[Get], *, is_alone: bool) -> Get:
    """Return the reader of all values in a list; a single value is returned as it is."""
    if is_alone:
        return getters[0]

    def collect(record: Any) -> list[Any] | None:
        values: list[Any] = []
        for get in getters:
            value = get(record)
            if value is not None:
                values.extend(coerce.listed(value, bracketed=True))
        return values or None

    return collect


def compile_guarded(source: str, levels: Levels, path: str, note: Note) -> Get:
    """Return the function of an expression, for a stream's records and a field.

    If it fails on a record, it returns None and notes it.
    """
    return _compile_guarded(levels.tree(source), path, note)


def compile_condition(source: str, levels: Levels, note: Note) -> Get:
    """Return the function of a condition, over a stream's records: true where it holds."""
    return _compile_guarded(as_condition(levels.tree(source)), "when", note)


def _compile_guarded(tree: Node, path: str, note: Note) -> Get:
    get = compile_tree(tree)
    if not can_fail(tree):
        return get

    def guarded(record: Any) -> Any:
        try:
            return get(record)
        except EvaluationError:
            note(path, Dropped.EXPRESSION_ERROR)
            return None

    return guarded
