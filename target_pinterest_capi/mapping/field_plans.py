"""Where a field's value comes from, first to last.

The entry's fields, the preset's fields, the entry's defaults, the preset's defaults, the setting
`defaults`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from target_pinterest_capi.events import coerce
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.plan import NOW, FieldPlan, Get, Selection, name_key
from target_pinterest_capi.events.build.value_check import compile_trial
from target_pinterest_capi.events.fields import BY_PATH, FieldKind
from target_pinterest_capi.events.reasons import LeftOut
from target_pinterest_capi.expressions.analysis import plain_path, roots
from target_pinterest_capi.expressions.compiler import (
    EvaluationError,
    compile_expression,
    compile_selection,
)
from target_pinterest_capi.settings import MappingEntry, Settings

Note = Callable[[str, str], None]
CompileGuarded = Callable[[str, str], Get]  # of an expression, and the field that it is for


class Levels(NamedTuple):
    """What an entry's values come from in a stream; `preset` is the entry's, as an entry itself.

    `began_at` is when the run began.
    """

    entry: MappingEntry
    preset: MappingEntry | None
    settings: Settings
    stream: str
    began_at: datetime

    def expressions(self, path: str) -> list[tuple[str, ...]]:
        """Return the expressions of a field, a list for each level that has any."""
        given = [level.fields.get(path) for level in self._entries(path)]
        return [expressions for expressions in given if expressions]

    def default(self, path: str) -> Any:
        """Return the constant of a field; None where it has none."""
        return self._first_default(path, self._entries(path))

    def event_names(self) -> dict[str, str | None]:
        """Return the preset's names and the entry's, which stands for every spelling of its own."""
        if self.preset is None:
            return dict(self.entry.event_names)
        own = {name_key(name) for name in self.entry.event_names}
        listed = self.preset.event_names.items()
        kept = {name: target for name, target in listed if name_key(name) not in own}
        return {**kept, **self.entry.event_names}

    def fallback_name(self) -> Any:
        """Return the event name of what `event_names` does not list; None where there is none."""
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
        """Return the entry, and the preset unless the entry takes the field's value away."""
        is_unmapped = path in self.entry.fields and self.entry.fields[path] is None
        if self.preset is None or is_unmapped:
            return [self.entry]
        return [self.entry, self.preset]


def field_plans(levels: Levels, note: Note, *, names_are_listed: bool) -> dict[str, FieldPlan]:
    """Return the plan of every field that something gives a value.

    Where the entry lists event names, the default of `event_name` stands for those not listed,
    and not for a value that is missing.
    """
    plans = {}
    compile_guarded = guarded_compiler(levels.stream, levels.began_at, note)
    for path in BY_PATH:
        default = levels.default(path)
        if names_are_listed and path == "event_name":
            default = None
        expressions, options = levels.expressions(path), levels.settings.options
        plan = _field_plan(path, expressions, default, compile_guarded, note, options)
        if plan is not None:
            plans[path] = plan
    return plans


def _field_plan(
    path: str,
    levels: list[tuple[str, ...]],
    default: Any,
    compile_guarded: CompileGuarded,
    note: Note,
    options: Options,
) -> FieldPlan | None:
    sources = [source for expressions in levels for source in expressions]
    if len(sources) == 1 and default is None:
        return _plan_of_one(path, sources[0], compile_guarded)
    if not sources and default is None:
        return None
    constant = NOW if path == "event_time" and default == "now" else default
    field = BY_PATH[path]
    if field.many and field.kind is not FieldKind.ITEMS:
        lists = [
            _collect([compile_guarded(source, path) for source in expressions])
            for expressions in levels
        ]
        get = _first(lists) if lists else lambda _: None
        if constant is not None:
            get = _usable_or(get, constant, path, note, compile_trial(field, options))
        return FieldPlan(get, reads=roots(*sources))
    getters = [compile_guarded(source, path) for source in sources]
    get = _first_usable(getters, constant, path, note, compile_trial(field, options))
    return FieldPlan(get, reads=roots(*sources))


def _plan_of_one(path: str, source: str, compile_guarded: CompileGuarded) -> FieldPlan:
    found = compile_selection(source)
    return FieldPlan(
        get=compile_guarded(source, path),
        column=plain_path(source),
        reads=roots(source),
        selection=None if found is None else Selection(*found),
    )


def _first_usable(
    getters: list[Get],
    constant: Any,
    path: str,
    note: Note,
    reason_against: Callable[[Any], str | None],
) -> Get:
    """Return the reader of the first value that its field can hold, else of the constant.

    What is before it is noted. Without a constant it is the first that is something: the event says
    what is wrong with that.
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
    """Return the reader of a list, or of the constant where the field can hold none of its values.

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


def _collect(getters: list[Get]) -> Get:
    if len(getters) == 1:
        return getters[0]

    def collect(record: Any) -> list[Any] | None:
        values: list[Any] = []
        for get in getters:
            value = get(record)
            if value is not None:
                values.extend(coerce.listed(value, bracketed=True))
        return values or None

    return collect


def guarded_compiler(stream: str, began_at: datetime, note: Note) -> CompileGuarded:
    """Return the compiler of expressions over a stream's records in a run.

    Where one fails on a record it gives None, and is noted.
    """

    def compile_guarded(source: str, path: str) -> Get:
        get = compile_expression(source, stream, began_at)
        if plain_path(source) is not None:
            return get  # which cannot fail

        def guarded(record: Any) -> Any:
            try:
                return get(record)
            except EvaluationError:
                note(path, LeftOut.EXPRESSION_ERROR)
                return None

        return guarded

    return compile_guarded
