"""Compiles a mapping and the field table into `record -> Event | InvalidRecord | SkippedRecord`.

A builder is made once for a stream's schema. What it does to a record: read each mapped value, coerce it by the field's type,
bring it into its normal form, hash it where the table says so, derive what may be derived, check what Pinterest requires, encode.
Pure but for its clock and its notes.
A value that cannot be used is left out and noted by field and reason; it never costs the event unless the field is required.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from target_pinterest_capi.events import coerce, keys
from target_pinterest_capi.events.build.event_function import (
    BuilderSpec,
    columns_read,
    compile_records,
    compile_rows,
)
from target_pinterest_capi.events.build.converters import Converters, Note, Options
from target_pinterest_capi.events.event import (
    Account,
    Event,
    InvalidRecord,
    Origin,
    SkippedRecord,
    encode,
)
from target_pinterest_capi.events.fields import BY_PATH, FIELDS, OBJECTS
from target_pinterest_capi.events.build.function_source import (
    Fill,
    CompiledField,
    Selection,
    compile_members,
)
from target_pinterest_capi.events.reasons import Invalid, Skipped, Warned

FUTURE_SECONDS: Final = 3600
DERIVED: Final = (
    "event_id",
    "user_data.click_id",
    "custom_data.content_ids",
    "custom_data.num_items",
)  # unless a null stops it

Get = Callable[[Any], Any]

Record = Mapping[str, Any]


class Now:
    """The constant `now` for `event_time`: the time at which the event is built. A record's own text is never read so."""


NOW: Final = Now()


class FieldPlan(NamedTuple):
    """Where a field's value comes from: `get` reads it from a record; `column` names it where it is just one column.

    `reads` are the columns that `get` reads, None where it may read any; `selection` is what it does where it makes items.
    """

    get: Get
    column: str | None = None
    reads: frozenset[str] | None = None
    selection: Selection | None = None


class EventPlan(NamedTuple):
    """What a mapping entry gives the builder.

    `origin` names it in counts; `fields` by path; `underived` are paths whose derivation was stopped; `event_names` translates
    and selects names, and `fallback_name` stands for a name that it does not list; `key_properties` are the stream's.
    """

    origin: Origin
    fields: Mapping[str, FieldPlan]
    key_properties: tuple[str, ...] = ()
    underived: frozenset[str] = frozenset()
    event_names: Mapping[str, str] | None = None
    fallback_name: str | None = None


_ABSENT: Final = CompiledField(
    "", lambda value: value, get=lambda _: None
)  # a field that nothing is mapped to

Result = Event | InvalidRecord | SkippedRecord


class Build(NamedTuple):
    """A compiled builder: makes a record's event for an account, or says why there is none.

    `compile_rows` gives the same of rows, as `common_case.compile_rows` says, where `reads` has the columns that are read.
    """

    of_record: Callable[[Record, Account], Result]
    reads: frozenset[str] | None
    compile_rows: Callable[
        [Mapping[str, str], Callable[[bytes], Any]], Callable[[Account, Any, bytes], Result]
    ]


def compile_builder(
    plan: EventPlan,
    options: Options,
    note: Note,
    now: Callable[[], float] = time.time,
    *,
    fast: bool = True,
) -> Build:
    """Compile a builder. `note(field, reason)` counts what is left out; `now` gives Unix seconds.

    The builder takes a record and the ad account it goes to.
    """
    builder = _Builder(plan, options, note, now, fast=fast)
    steps = builder.steps()
    return Build(
        compile_records(steps) if fast else builder.build,
        columns_read(steps),
        partial(compile_rows, steps),
    )


class _NoEventError(Exception):
    """The record makes no event; carries what it comes to instead."""

    def __init__(self, result: InvalidRecord | SkippedRecord) -> None:
        super().__init__(result.reason)
        self.result = result


class _Raw(NamedTuple):
    """The values of the required fields as they are read from a record: once, since reading may be counted."""

    event_name: Any
    action_source: Any
    event_time: Any
    event_id: Any


class _Builder:
    """The compiled form of an `EventPlan`: steps in the table's order, options read once."""

    def __init__(
        self, plan: EventPlan, options: Options, note: Note, now: Callable[[], float], *, fast: bool
    ) -> None:
        converters = Converters(options, note, fast=fast)
        members = {
            path: converters.member(BY_PATH[path], given.column, given.get, given.selection)
            for path, given in plan.fields.items()
        }
        self._plan = plan
        self._origin = plan.origin
        self._options = options
        self._note = note
        self._now = now
        self._required = [members.pop(path, _ABSENT) for path in _Raw._fields]
        self._name, self._source, _, self._id = self._required
        self._members = {parent: _members_of(members, parent) for parent in ("", *OBJECTS)}
        is_regional = any(member.regional for member in self._members["user_data"])
        self._reads = _union(given.reads for given in plan.fields.values() if given.column is None)
        self._country = members.get("user_data.country") if is_regional else None
        self._region, self._regions = converters.region, converters.regions
        self._fast = fast
        derivable = {path: path not in plan.underived for path in DERIVED}
        self._derive_id = derivable["event_id"]
        self._derive_click_id = derivable["user_data.click_id"]
        self._derive_content_ids = derivable["custom_data.content_ids"]
        self._derive_num_items = derivable["custom_data.num_items"]
        self._key = keys.compile_key(plan.key_properties, self._id.column, plain=options.plain_keys)
        days = options.max_event_age_days
        self._max_age_seconds = float("inf") if days is None else days * coerce.DAY_SECONDS

    @cached_property
    def _fills(self) -> dict[str, Fill]:
        """What fills each object; compiled when it is first needed, as most streams never leave their common case."""
        return {
            parent: compile_members(members, fast=self._fast)
            for parent, members in self._members.items()
            if members
        }

    def steps(self) -> BuilderSpec:
        """Give the steps of which the common case is compiled."""
        derives_from_contents = self._derive_content_ids or self._derive_num_items
        return BuilderSpec(
            origin=self._origin,
            required=self._required,
            members=self._members,
            reads=self._reads,
            plain=self._build,
            event_names=self._plan.event_names,
            fallback_name=self._plan.fallback_name,
            zone=self._options.zone,
            now=self._now,
            oldest_seconds=self._max_age_seconds,
            newest_seconds=FUTURE_SECONDS,
            key_properties=self._plan.key_properties,
            has_id="event_id" in self._plan.fields,
            derive_id=self._derived_id if self._derive_id else None,
            key=self._key,
            dead_key=self._dead_key,
            default_country=self._options.default_country,
            country=self._country,
            region=self._region,
            regions=self._regions,
            derive_from_url=self._derive_from_url,
            reads_every_url=self._options.drop_url_query,
            derive_click_id=self._derive_click_id,
            unidentified=self._unidentified,
            derive_from_contents=self._derive_from_contents if derives_from_contents else None,
            check_limited=self._check_limited,
        )

    def build(self, record: Record, account: Account) -> Result:
        """Make the record's event, or say why there is none."""
        return self._build(record, account, [_raw(member, record) for member in self._required])

    def _build(self, record: Record, account: Account, raw: Iterable[Any]) -> Result:
        try:
            return self._event(record, account, _Raw(*raw))
        except _NoEventError as none:
            return none.result

    def _event(self, record: Record, account: Account, raw: _Raw) -> Event:
        name = self._event_name(raw, record)
        source = _converted(self._source, raw.action_source)
        if source is None:
            raise self._missing("action_source", raw, record)
        event_id = _converted(self._id, raw.event_id)
        key = self._key(record) if callable(self._key) else self._key
        if event_id is None:
            event_id = self._required_id(raw, record, account, name)
            key = self._dead_key(record)
        seconds = self._event_time(raw, record, (account, name, event_id))
        event: dict[str, Any] = {
            "event_name": name,
            "action_source": source,
            "event_time": seconds,
            "event_id": event_id,
        }
        self._fill("", event, record, None)
        event["user_data"] = customer = self._user_data(event, record)
        custom: dict[str, Any] = {}
        self._fill("custom_data", custom, record, None)
        if custom:
            if "contents" in custom:
                self._derive_from_contents(custom)
            if "opt_out_type" in custom:
                self._check_limited(custom, customer)
            event["custom_data"] = custom
        for name_of_other in OBJECTS[2:]:
            other: dict[str, Any] = {}
            self._fill(name_of_other, other, record, None)
            if other:
                event[name_of_other] = other
        return Event(
            encode(event), account, self._origin, name, event_id, source != "offline", seconds, key
        )

    def _fill(self, parent: str, into: dict[str, Any], record: Record, region: str | None) -> None:
        if (fill := self._fills.get(parent)) is not None:
            fill(into, record, region)

    # What Pinterest requires

    def _event_name(self, raw: _Raw, record: Record) -> str:
        name: str | None = _converted(self._name, raw.event_name)
        names = self._plan.event_names
        if names is not None:
            given, name = name, names.get(name or "") or self._plan.fallback_name
            if name is None and given is not None:
                raise _NoEventError(SkippedRecord(self._origin, Skipped.NOT_LISTED, given))
        if name is None:
            raise self._missing("event_name", raw, record)
        return name

    def _event_time(self, raw: _Raw, record: Record, identity: tuple[Account, str, str]) -> int:
        now = self._now()
        if raw.event_time is NOW:
            return int(now)
        seconds = (
            None if raw.event_time is None else coerce.unix_time(raw.event_time, self._options.zone)
        )
        if type(seconds) is not int:
            if seconds is not None:
                self._note("event_time", str(seconds))
            raise self._missing("event_time", raw, record)
        if not now - self._max_age_seconds <= seconds <= now + FUTURE_SECONDS:
            key = self._dead_key(record)
            if seconds > now:
                raise _NoEventError(
                    InvalidRecord(self._origin, Invalid.EVENT_IN_FUTURE, "event_time", key=key)
                )
            raise _NoEventError(
                InvalidRecord(
                    self._origin, Invalid.EVENT_TOO_OLD, "event_time", key=key, repeat_of=identity
                )
            )
        return seconds

    def _required_id(self, raw: _Raw, record: Record, account: Account, name: str) -> str:
        if not self._derive_id:
            raise self._missing("event_id", raw, record)
        event_id = self._derived_id(record, account, name)
        if event_id is None:
            raise _NoEventError(
                InvalidRecord(
                    self._origin, Invalid.MISSING_KEY, "event_id", key=self._dead_key(record)
                )
            )
        return event_id

    def _derived_id(self, record: Record, account: Account, name: str) -> str | None:
        return keys.derive_event_id(
            record, self._plan.key_properties, account.ad_account_id, name, self._origin.stream
        )

    def _missing(self, path: str, raw: _Raw, record: Record) -> _NoEventError:
        """Say that a required field has no value, or one that cannot be used."""
        value = getattr(raw, path)
        is_missing = value is None or coerce.is_nothing(value)
        reason = Invalid.MISSING_FIELD if is_missing else Invalid.BAD_FIELD
        detail = None if is_missing else _refusal(path, value, self._options)
        return _NoEventError(
            InvalidRecord(self._origin, reason, path, detail, self._dead_key(record))
        )

    def _unidentified(self, record: Record) -> InvalidRecord:
        return InvalidRecord(
            self._origin, Invalid.NO_IDENTIFIER, "user_data", key=self._dead_key(record)
        )

    def _dead_key(self, record: Record) -> dict[str, str] | None:
        return keys.read_key(record, self._plan.key_properties, plain=self._options.plain_keys)

    # Objects and what is derived

    def _user_data(self, event: dict[str, Any], record: Record) -> dict[str, Any]:
        region = self._options.default_country
        if self._country is not None:
            raw = _raw(self._country, record)
            if raw is not None:
                region = self._region(raw) or region
        customer: dict[str, Any] = {}
        self._fill("user_data", customer, record, region)
        url = event.get("event_source_url")
        if url is not None:
            self._derive_from_url(url, event, customer)
        identified = (
            "em" in customer
            or "hashed_maids" in customer
            or ("client_ip_address" in customer and "client_user_agent" in customer)
        )
        if not identified:
            raise _NoEventError(self._unidentified(record))
        return customer

    def _derive_from_url(self, url: str, event: dict[str, Any], customer: dict[str, Any]) -> None:
        if self._derive_click_id and "epik=" in url and "click_id" not in customer:
            click_id = _query_parameter(url, "epik")
            if click_id:
                customer["click_id"] = click_id
        if self._options.drop_url_query:
            event["event_source_url"] = url.partition("#")[0].partition("?")[0]

    def _derive_from_contents(self, custom: dict[str, Any]) -> None:
        contents = custom["contents"]
        if self._derive_content_ids and "content_ids" not in custom:
            ids = list(dict.fromkeys([item["id"] for item in contents if "id" in item]))
            if ids:
                custom["content_ids"] = ids
        if self._derive_num_items and "num_items" not in custom:
            custom["num_items"] = sum([item.get("quantity", 1) for item in contents])

    def _check_limited(self, custom: dict[str, Any], customer: dict[str, Any]) -> None:
        if custom["opt_out_type"] == "LDP" and not ("st" in customer and "country" in customer):
            self._note("custom_data.opt_out_type", Warned.LDP_INCOMPLETE)


def _refusal(path: str, raw: Any, options: Options) -> str | None:
    """Give the reason a required field's value was refused, by converting it once more with an ear for the reason."""
    reasons: list[str] = []
    Converters(options, lambda _, reason: reasons.append(str(reason))).convert(BY_PATH[path])(raw)
    return reasons[0] if reasons else None


def _union(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Give the union; None, which stands for everything, where any of them is."""
    union: frozenset[str] = frozenset()
    for some in sets:
        if some is None:
            return None
        union |= some
    return union


def _members_of(members: Mapping[str, CompiledField], parent: str) -> list[CompiledField]:
    """Give the members of one object, in the table's order."""
    return [
        members[field.path] for field in FIELDS if field.path in members and field.parent == parent
    ]


def _raw(member: CompiledField, record: Record) -> Any:
    return record.get(member.column) if member.get is None else member.get(record)


def _converted(member: CompiledField, value: Any) -> Any:
    return None if value is None else member.convert(value)


def _query_parameter(url: str, name: str) -> str | None:
    """Give the decoded value of a query parameter of a full or partial URL."""
    try:
        query = urlsplit(url).query
        return next(
            (value for key, value in parse_qsl(query, max_num_fields=1000) if key == name), None
        )
    except ValueError:
        return None
