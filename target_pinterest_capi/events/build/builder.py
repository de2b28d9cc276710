"""Compiles a plan and the field table into `record -> Event | InvalidRecord | SkippedRecord`.

A builder is compiled once for a stream's schema. For each record it reads the mapped values,
coerces them to their fields' types, normalizes them, hashes those that must be hashed, derives what
can be derived, checks what Pinterest requires, and encodes the event. It is pure except for its
clock and its notes. A value that cannot be used is dropped and noted by field and reason; the event
becomes invalid only if the field is required.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from target_pinterest_capi.events.build.columns import Columns, RecordColumns, RowColumns
from target_pinterest_capi.events.build.converters import Converters, Note, Options
from target_pinterest_capi.events.build.customer_cache import CustomerCache
from target_pinterest_capi.events.build.event_function import EventSpec, write_event
from target_pinterest_capi.events.build.members import CompiledField
from target_pinterest_capi.events.build.plan import EventPlan, Record
from target_pinterest_capi.events.build.rules import REQUIRED, EventRules
from target_pinterest_capi.events.build.shapes import (
    ANY_USE,
    RowColumn,
    Uses,
    all_uses,
    column_at,
)
from target_pinterest_capi.events.event import Account, Event, InvalidRecord, SkippedRecord
from target_pinterest_capi.events.fields import BY_PATH, FIELDS, OBJECTS

Result = Event | InvalidRecord | SkippedRecord
BuildRecord = Callable[[Account, Record], Result]
BuildRow = Callable[[Account, Any, bytes], Result]
AsRecord = Callable[[bytes], Record]


class Builder(NamedTuple):
    """A compiled builder of events for an account.

    `of_record` takes a record. Where `reads` has the columns that are read, each with its uses,
    `compile_rows` returns the builder of rows, from these columns of rows and the reader of a
    line's record; it takes a row and its line.
    """

    of_record: BuildRecord
    reads: Mapping[str, Uses] | None
    compile_rows: Callable[[Mapping[str, RowColumn], AsRecord], BuildRow]


def compile_builder(
    plan: EventPlan,
    options: Options,
    note: Note,
    now: Callable[[], float] = time.time,
    customers: CustomerCache | None = None,
) -> Builder:
    """Compile a builder. `note(field, reason)` counts what is dropped; `now` is Unix seconds.

    With `customers`, which must count the notes, those of rows are converted once a person.
    """
    spec = _spec(plan, options, note, now, customers)
    expressions_read = _expressions_read(plan)

    def compile_rows(columns: Mapping[str, RowColumn], as_record: AsRecord) -> BuildRow:
        row_columns = RowColumns(columns, as_record, of_record, expressions_read or ())
        build: BuildRow = _compile(_of_rows(spec, columns), row_columns, "rows")
        return build

    without_people = spec._replace(customers=None)
    of_record: BuildRecord = _compile(without_people, RecordColumns(), "records")
    return Builder(of_record, _columns_read(plan, expressions_read), compile_rows)


def _spec(
    plan: EventPlan,
    options: Options,
    note: Note,
    now: Callable[[], float],
    customers: CustomerCache | None,
) -> EventSpec:
    converters = Converters(options, note)
    compiled = {
        field.path: converters.compiled(field, plan.fields[field.path])
        for field in FIELDS
        if field.path in plan.fields
    }
    required = {path: compiled.pop(path) for path in REQUIRED if path in compiled}
    members: dict[str, list[CompiledField]] = {parent: [] for parent in ("", *OBJECTS)}
    for path, field in compiled.items():
        members[BY_PATH[path].parent].append(field)
    country = compiled.get("user_data.country")
    rules = EventRules(plan, options, note, converters)
    conditions = list(map(converters.condition, plan.conditions))
    return EventSpec(
        plan, options, conditions, required, members, country, converters, rules, now, customers
    )


def _of_rows(spec: EventSpec, columns: Mapping[str, RowColumn]) -> EventSpec:
    """Return the specification without what rows cannot have: members that nobody declares."""

    def has(steps: Sequence[str | int]) -> bool:
        return column_at(columns, steps) is not None

    def kept(fields: Iterable[CompiledField]) -> list[CompiledField]:
        return [left for field in fields if (left := within(field)) is not None]

    def within(field: CompiledField) -> CompiledField | None:
        plan = spec.plan.fields[field.path]
        if plan.within is None:
            return field
        left = plan.within(has)
        if left is None or left is plan:
            return None if left is None else field
        return spec.converters.compiled(BY_PATH[field.path], left)

    return spec._replace(
        required={field.path: field for field in kept(spec.required.values())},
        members={name: kept(fields) for name, fields in spec.members.items()},
        country=None if spec.country is None else within(spec.country),
    )


def _compile(spec: EventSpec, columns: Columns, given: str) -> Any:
    origin = spec.plan.origin
    title = f"builder of {origin.stream!r}, entry {origin.mapping!r}, from {given}"
    return write_event(spec, columns).compile(title)


def _expressions_read(plan: EventPlan) -> frozenset[str] | None:
    """Return the columns that expressions read; None if that may be any."""
    read: frozenset[str] = frozenset()
    for field in (*plan.conditions, *plan.fields.values()):
        if field.column is None:
            if field.reads is None:
                return None
            read |= field.reads.keys()
    return read


def _columns_read(
    plan: EventPlan, expressions_read: frozenset[str] | None
) -> Mapping[str, Uses] | None:
    """Return the columns that an event is made of, and what of it; None where that may be any.

    That is so if an expression may read any column, or if ids are derived from whole records.
    """
    has_id = plan.key_properties or "event_id" in plan.fields
    if expressions_read is None or not has_id:
        return None
    reads: list[Mapping[str, Uses]] = [dict.fromkeys(plan.key_properties, ANY_USE)]
    reads += [field.reads or {} for field in plan.conditions]
    for path, field in plan.fields.items():
        if field.column is not None:
            reads.append({field.column: Uses(frozenset((BY_PATH[path].kind,)))})
        else:
            reads.append(field.reads or {})
    return all_uses(reads)
