"""Compiles the common case of an event into one straight-line function, for a stream and a mapping entry.

The function takes a record whose required values are plainly there, and hands any other to the plain builder before it has noted
anything. Written for records, or for rows: structs that hold the stream's columns as attributes, None where the record has none.
Tests hold all of them against each other, byte by byte and note by note.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events import coerce, keys
from target_pinterest_capi.events.event import Event, Origin, encode
from target_pinterest_capi.events.fields import ACTION_SOURCES
from target_pinterest_capi.events.build.function_source import CompiledField, FunctionSource

BuildRow = Callable[[Any, Any, bytes], Any]
RAW: Final = (
    "raw_name",
    "raw_source",
    "raw_time",
    "raw_id",
)  # the values that are required, as they are read


class BuilderSpec(NamedTuple):
    """What the function is made of: members by object, `""` being the event's own, and the plain builder's steps.

    `required` are the members of name, source, time and id, and `plain` builds any event from the values that they gave; `reads`
    are the columns that expressions read, None where these may read any; the others are the builder's own, by their names there.
    """

    origin: Origin
    required: Sequence[CompiledField]
    members: Mapping[str, Sequence[CompiledField]]
    reads: frozenset[str] | None
    plain: Callable[[Any, Any, Any], Any]
    event_names: Mapping[str, str] | None
    fallback_name: str | None
    zone: tzinfo
    now: Callable[[], float]
    oldest_seconds: float  # before now
    newest_seconds: float  # after now
    key_properties: tuple[str, ...]
    has_id: bool  # a field gives it; else it is derived
    derive_id: Callable[[Any, Any, str], str | None] | None
    key: keys.ReadKey | str | None
    dead_key: keys.ReadKey
    default_country: str | None
    country: CompiledField | None
    region: Callable[[Any], str | None]
    regions: Mapping[str, str | None]
    derive_from_url: Callable[[str, dict[str, Any], dict[str, Any]], None]
    reads_every_url: bool
    derive_click_id: bool
    unidentified: Callable[[Any], Any]
    derive_from_contents: Callable[[dict[str, Any]], None] | None
    check_limited: Callable[[dict[str, Any], dict[str, Any]], None]


def compile_records(steps: BuilderSpec) -> Callable[[Any, Any], Any]:
    """Give the function of a record and its account; it gives what the plain builder gives."""
    source = FunctionSource("def build(record, account):")
    source.write("get_record = record.get")
    _event(source, steps, whole="record")
    build: Callable[[Any, Any], Any] = source.function("build")
    return build


def columns_read(steps: BuilderSpec) -> frozenset[str] | None:
    """Give the columns that are read of a record in the common case; None where that may be any: an id is then of all of them."""
    if steps.reads is None or not (steps.has_id or steps.key_properties):
        return None
    members = (steps.required, *steps.members.values())
    return steps.reads.union(
        steps.key_properties,
        (member.column for some in members for member in some if member.get is None),
    )


def compile_rows(
    steps: BuilderSpec, attributes: Mapping[str, str], as_record: Callable[[bytes], Any]
) -> BuildRow:
    """Give the function of a row, its account and its line, where `columns_read` gives columns.

    `attributes` names each column's attribute; `as_record` gives the record of a line, for what is not the common case.
    """
    source = FunctionSource("def build(account, row, line):", attributes=attributes)
    reads = {*(steps.reads or ()), *(steps.key_properties if callable(steps.key) else ())}
    source.write(
        f"record = {{{', '.join(f'{source.bind(column)}: {source.column(column)}' for column in sorted(reads))}}}"
    )
    _event(source, steps, whole=f"{source.bind(as_record)}(line)")
    build: BuildRow = source.function("build")
    return build


def _event(source: FunctionSource, steps: BuilderSpec, whole: str) -> None:
    """Write all of it; `whole` is the expression of the whole record."""
    _required(source, steps, whole)
    source.write(
        "event = {'event_name': name, 'action_source': raw_source, 'event_time': seconds, 'event_id': event_id}"
    )
    source.members(steps.members[""], "event")
    _user_data(source, steps, whole)
    _custom_data(source, steps)
    for name in (name for name in steps.members if name not in ("", "user_data", "custom_data")):
        if steps.members[name]:
            source.write("other = {}")
            source.members(steps.members[name], "other")
            source.write("if other:", f"    event[{name!r}] = other")
    origin, encoded, made = source.bind(steps.origin), source.bind(encode), source.bind(Event)
    source.write(
        f"return {made}({encoded}(event), account, {origin}, name, event_id, raw_source != 'offline', seconds, key)"
    )


def _required(source: FunctionSource, steps: BuilderSpec, whole: str) -> None:
    """Write what Pinterest requires; a value that is not plainly good leaves for the plain builder, with what was read."""
    for name, member in zip(RAW, steps.required, strict=True):
        source.write(f"{name} = {source.read(member)}")
    plain = f"return {source.bind(steps.plain)}({whole}, account, ({', '.join(RAW)}))"
    source.write(
        "if type(raw_name) is not str or not (name := raw_name.strip()) or not name.isascii():",
        f"    {plain}",
    )
    if steps.event_names is not None:
        names, fallback = source.bind(steps.event_names.get), source.bind(steps.fallback_name)
        source.write(f"if (name := {names}(name) or {fallback}) is None:", f"    {plain}")
    source.write(
        f"if type(raw_source) is not str or raw_source not in {source.bind(frozenset(ACTION_SOURCES))}:",
        f"    {plain}",
    )
    _time(source, steps)
    source.write(f"now = {source.bind(steps.now)}()")
    oldest, newest = source.bind(steps.oldest_seconds), source.bind(steps.newest_seconds)
    source.write(
        f"if type(seconds) is not int or not now - {oldest} <= seconds <= now + {newest}:",
        f"    {plain}",
    )
    too_large = source.bind(coerce.TOO_LARGE)
    source.write("event_id = raw_id.strip() if type(raw_id) is str else (")
    source.write(
        f"    str(raw_id) if type(raw_id) is int and -{too_large} < raw_id < {too_large} else ''",
        ")",
    )
    key = source.bind(steps.key)
    source.write(
        "if event_id and event_id.isascii():",
        f"    key = {key}(record)" if callable(steps.key) else f"    key = {key}",
    )
    if steps.derive_id is not None:
        source.write("elif raw_id is None:")
        _keyed(source, steps, whole)
        source.write(
            f"    if (event_id := {source.bind(steps.derive_id)}(keyed, account, name)) is None:",
            f"        {plain}",
        )
        source.write(f"    key = {source.bind(steps.dead_key)}(keyed)")
    source.write("else:", f"    {plain}")


def _time(source: FunctionSource, steps: BuilderSpec) -> None:
    """Write `coerce.unix_time`, with a shorter way for what nearly all taps send: ISO 8601 with `T` and an offset."""
    source.write(
        "if type(raw_time) is str and raw_time[10:11] == 'T' and raw_time[4] == '-':", "    try:"
    )
    source.write(
        f"        since = {source.bind(datetime.fromisoformat)}(raw_time) - {source.bind(coerce.EPOCH)}"
    )
    source.write(
        "    except (ValueError, TypeError):  # another form of time, or one without offset"
    )
    unix_time = f"seconds = {source.bind(coerce.unix_time)}(raw_time, {source.bind(steps.zone)})"
    source.write(
        f"        {unix_time}",
        "    else:",
        f"        seconds = since.days * {coerce.DAY_SECONDS} + since.seconds",
    )
    source.write("else:", f"    {unix_time}")


def _keyed(source: FunctionSource, steps: BuilderSpec, whole: str) -> None:
    """Write what an id is derived from: a row's key properties, where all are there and none is null; else the whole record."""
    if not (steps.key_properties and source.reads_rows):
        source.write(f"    keyed = {whole}")
        return
    key = ", ".join(f"{source.bind(name)}: {source.column(name)}" for name in steps.key_properties)
    source.write(
        f"    keyed = {{{key}}}", "    if None in keyed.values():", f"        keyed = {whole}"
    )


def _user_data(source: FunctionSource, steps: BuilderSpec, whole: str) -> None:
    source.write(f"region = {source.bind(steps.default_country)}")
    if steps.country is not None:
        source.write(f"value = {source.read(steps.country)}")
        source.write(
            "if type(value) is str:", f"    region = {source.bind(steps.regions)}[value] or region"
        )
        source.write(
            "elif value is not None:", f"    region = {source.bind(steps.region)}(value) or region"
        )
    source.write("event['user_data'] = customer = {}")
    source.members(steps.members["user_data"], "customer")
    if steps.reads_every_url or steps.derive_click_id:
        applies = (
            "" if steps.reads_every_url else " and 'epik=' in url and 'click_id' not in customer"
        )
        source.write(f"if (url := event.get('event_source_url')) is not None{applies}:")
        source.write(f"    {source.bind(steps.derive_from_url)}(url, event, customer)")
    source.write("if 'em' not in customer and 'hashed_maids' not in customer and not (")
    source.write("    'client_ip_address' in customer and 'client_user_agent' in customer", "):")
    source.write(f"    return {source.bind(steps.unidentified)}({whole})")


def _custom_data(source: FunctionSource, steps: BuilderSpec) -> None:
    members = steps.members["custom_data"]
    if not members:
        return
    leaves = {member.leaf for member in members}
    source.write("custom = {}")
    source.members(members, "custom")
    source.write("if custom:")
    if "contents" in leaves and steps.derive_from_contents is not None:
        source.write(
            "    if 'contents' in custom and ('content_ids' not in custom or 'num_items' not in custom):"
        )
        source.write(f"        {source.bind(steps.derive_from_contents)}(custom)")
    if "opt_out_type" in leaves:
        source.write(
            "    if 'opt_out_type' in custom:",
            f"        {source.bind(steps.check_limited)}(custom, customer)",
        )
    source.write("    event['custom_data'] = custom")
