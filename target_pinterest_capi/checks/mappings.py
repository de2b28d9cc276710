"""Mappings, tested with the messages of a tap: the results of a sample's records, before a run.

Only counts, reasons, and names of streams, fields and events are taken from a sample.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from target_pinterest_capi.checks.result import CheckResult, CheckStatus
from target_pinterest_capi.events.fields import FIELDS
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.reasons import Invalid
from target_pinterest_capi.mapping.entries import StreamSchema, load_preset
from target_pinterest_capi.mapping.presets import PINTEREST
from target_pinterest_capi.pipeline.preview import Preview, UnreadableLineError
from target_pinterest_capi.pipeline.previewed import number_of, sent_in_words
from target_pinterest_capi.settings import MappingEntry, Settings

MAPPINGS: Final = "mappings"
SHOWN_REASONS: Final = 5
# What each event needs; its event_id is derived if it is not mapped.
DECLARED: Final = tuple(
    field.path for field in FIELDS if field.required and field.path != "event_id"
)
# docs/pinterest-api.md: any of these identifies a person
IDENTIFIERS: Final = (
    {"user_data.em"},
    {"user_data.hashed_maids"},
    {"user_data.client_ip_address", "user_data.client_user_agent"},
)
WHO: Final = "user_data.em, or another identifier"
# Applied in a run, but not to a sample.
TARGET_ONLY: Final = ("stream_maps", "flattening_enabled")


class SampledNames(NamedTuple):
    """Names in a sample: the number of each event name, and the lists by entry's label."""

    events: Counter[str]
    lists: Mapping[str, Collection[str]] = {}


def sample(
    settings: Settings, lines: Iterable[bytes], now: Callable[[], float] = time.time
) -> tuple[CheckResult, SampledNames]:
    """Return the results of a tap's messages with the mappings, and the names in them."""
    preview = Preview(settings, now)
    try:
        deque(preview.read(lines), maxlen=0)
    except UnreadableLineError as error:
        return unreadable(str(error)), SampledNames(preview.event_names)
    names = SampledNames(preview.event_names, preview.named_lists)
    return _sample_in_words(preview, settings), names


def check_entries(settings: Settings) -> Iterator[CheckResult]:
    """Yield the entries that cannot make an event, because a required field has no value."""
    for number, entry in enumerate(settings.mappings or ()):
        missing = [] if entry.preset == PINTEREST else fields_never_given(settings, entry)
        if missing:
            about = f"mappings[{number}] makes no event: it does not map {', '.join(missing)}"
            advice = "Map them in its fields, or set constants in defaults."
            yield CheckResult(MAPPINGS, CheckStatus.FAILED, about, advice)


def fields_never_given(settings: Settings, entry: MappingEntry) -> list[str]:
    """Return the required fields that neither expressions nor constants of an entry set."""
    preset = load_preset(entry, StreamSchema(entry.stream, frozenset()))
    given = {*settings.defaults, *entry.defaults}
    if preset is not None:
        given.update(preset.defaults)
        given.update(path for path, sources in preset.fields.items() if sources)
    for path, sources in entry.fields.items():
        if sources:
            given.add(path)
        elif path not in {*settings.defaults, *entry.defaults}:
            given.discard(path)
    missing = [path for path in DECLARED if path not in given]
    is_somebody = any(given.issuperset(identifiers) for identifiers in IDENTIFIERS)
    return missing if is_somebody else [*missing, WHO]


def unreadable(why: str) -> CheckResult:
    """Return that the sample cannot be read, and why."""
    return CheckResult(
        MAPPINGS,
        CheckStatus.FAILED,
        f"the sample cannot be read: {why}",
        "Use a file with the Singer messages that a tap writes.",
    )


def no_sample(settings: Settings) -> CheckResult:
    """Return that the mappings were not tested."""
    return CheckResult(
        MAPPINGS,
        CheckStatus.SKIPPED,
        f"{_mappings_in_words(settings)}; --sample FILE tests them with your records",
    )


def _sample_in_words(preview: Preview, settings: Settings) -> CheckResult:
    """Return the result of a sample.

    Without a record it shows nothing; if nothing would be sent, the mappings are wrong, unless all
    records are just too old.
    """
    records, sent = preview.tally.records, preview.sent()
    details = tuple(_details(preview, settings))
    counts = f"{number_of(records, 'record')} of the sample: {sent_in_words(sent)}"
    if not records:
        advice = "Use the output of your tap, with records."
        return CheckResult(
            MAPPINGS, CheckStatus.WARNING, "the sample has no records", advice, details=details
        )
    invalid = [row for row in preview.not_sent() if row.outcome == Outcome.INVALID]
    if sent:
        is_odd = (
            invalid or preview.not_found() or any(preview.untried()) or any(preview.about_ids())
        )
        status = CheckStatus.WARNING if is_odd else CheckStatus.OK
        return CheckResult(MAPPINGS, status, counts, details=details)
    if invalid and all(row.reason == Invalid.EVENT_TOO_OLD for row in invalid):
        return CheckResult(
            MAPPINGS,
            CheckStatus.WARNING,
            f"{counts}, all others too old to be sent",
            details=details,
        )
    changed = "mappings or customer_lists until records become events or members"
    what = changed if settings.customer_lists else "mappings until records become events"
    advice = f"Change {what}: pinterest-capi preview shows each record."
    return CheckResult(MAPPINGS, CheckStatus.FAILED, counts, advice, details=details)


def _details(preview: Preview, settings: Settings) -> Iterator[str]:
    for one in (*preview.not_found(), *preview.untried()):
        yield f"{one.message} ({one.setting})"
    yield from preview.about_ids()
    yield from preview.named_lists_in_words()
    others = preview.not_sent()
    for row in others[:SHOWN_REASONS]:
        stream = row.origin.shown.stream
        where = f"{row.number:,} {row.outcome}: {row.reason} in stream {stream}."
        yield f"{where} {preview.advice(row)}".strip()
    if len(others) > SHOWN_REASONS:
        more = f"{len(others) - SHOWN_REASONS:,} more reasons"
        yield f"{more}: pinterest-capi preview --summary shows them"
    dropped = sum(note.number for note in preview.tally.notes())
    if dropped:
        values = number_of(dropped, "value")
        yield f"{values} dropped or warned about: pinterest-capi preview shows which"
    if preview.late:
        late = number_of(preview.late, "web or app event")
        yield (
            f"{late} happened over an hour ago. If a run sends them that late, Pinterest reports "
            "them as offline: run the pipeline more often"
        )
    for name in TARGET_ONLY:
        if getattr(settings, name):
            yield f"{name} is applied only by the target, and not to this sample"


def _mappings_in_words(settings: Settings) -> str:
    mappings, lists = settings.mappings, len(settings.customer_lists)
    words = (
        "preset pinterest for every stream"
        if mappings is None
        else number_of(len(mappings), "mapping")
    )
    return f"{words}, {number_of(lists, 'customer list')}" if lists else words
