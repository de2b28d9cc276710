"""What results, ledger and dead letters have about one event, found by its record's key or its id.

Only reads. A key is searched in plain text and as the digest in letters and results.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.cli.inputs import open_letters
from target_pinterest_capi.delivery.ledger import event_key
from target_pinterest_capi.events.event import Account, Origin
from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.events.keys import derive_event_id
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.redaction import shown_event_name, shown_name
from target_pinterest_capi.settings import Settings
from target_pinterest_capi.settings.event_names import known_event_names

RESULTS: Final = "results"
LEDGER: Final = "ledger"
DEAD_LETTERS: Final = "dead letters"

DELIVERED: Final = Outcome.DELIVERED.value
IN_LEDGER: Final = "in the ledger"  # an outcome, if the ledger does not know which it was
DELIVERED_OR_WRITTEN: Final = "delivered, or written to a CSV file below old_events_path"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the event's history, and where it is recorded."""

    at: datetime
    source: str
    outcome: str
    run_id: str | None = None
    program: str | None = None
    stream: str | None = None
    mapping: str | None = None
    ad_account_id: str | None = None
    event_name: str | None = None
    event_id: str | None = None
    reason: str | None = None
    field: str | None = None
    detail: str | None = None
    http_status: int | None = None


class Trace(NamedTuple):
    """The steps, oldest first, and what was not searched, as text."""

    steps: list[Step]
    not_looked_into: list[str]


class Wanted:
    """What to search for: key properties by name, or only a value, which may be an event id."""

    def __init__(self, words: Sequence[str], stream: str | None = None) -> None:
        pairs = [word.partition("=") for word in words]
        self.stream = stream
        self.properties = {name: value for name, equals, value in pairs if equals}
        self.event_ids = {self.properties[name] for name in self.properties if name == "event_id"}
        self._value = words[0] if len(words) == 1 else None
        if self._value is not None:
            self.event_ids.add(self._value)

    def matches(
        self, key: Mapping[str, str] | None, event_id: str | None, stream: str | None
    ) -> bool:
        """Return whether a row or a letter is about the event."""
        if self.stream is not None and shown_name(stream or "") != shown_name(self.stream):
            return False
        if event_id in self.event_ids:
            return True
        if not key:
            return False
        if self.properties:
            return all(key.get(name) in _forms(value) for name, value in self.properties.items())
        return any(value in _forms(self._value or "") for value in key.values())

    def key_parts(self) -> list[str]:
        """Return the contents of a key's JSON, if it is the wanted one."""
        names = [f"{_json(name)}:" for name in self.properties][:1] or [":"]
        value = next(iter(self.properties.values()), self._value) or ""
        return [f"{name}{_json(form)}" for name in names for form in _forms(value)]


def trace(settings: Settings, wanted: Wanted, letters: Sequence[str]) -> Trace:
    """Return the history of an event. Raises `OSError` if a given file cannot be read."""
    unseen: list[str] = []
    steps = [*_results(settings, wanted, unseen), *_letters(settings, wanted, letters, unseen)]
    steps += _ledger(settings, wanted, steps, unseen)
    known = known_event_names(settings)
    shown = [_shown(step, known) for step in sorted(steps, key=lambda step: step.at)]
    return Trace(shown, unseen)


def _results(settings: Settings, wanted: Wanted, unseen: list[str]) -> Iterator[Step]:
    if settings.results_url is None:
        unseen.append("results: results_url is not set.")
        return
    # SQLAlchemy takes 0.1 s to import.
    from target_pinterest_capi.delivery.database import UnusableError  # noqa: PLC0415
    from target_pinterest_capi.delivery.event_history import find_results  # noqa: PLC0415

    if settings.results_events == "failed":
        unseen.append("results of delivered events: results_events is failed.")
    url = settings.results_url.get_secret_value()
    try:
        rows = find_results(url, wanted.event_ids, wanted.key_parts())
    except UnusableError as error:
        unseen.append(f"results: results_url cannot be read: {error}.")
        return
    for row in rows:
        members = row._asdict()
        key = members.pop("key")
        decoded = None if key is None else msgspec.json.decode(key)
        if wanted.matches(decoded, row.event_id, row.stream):
            yield Step(source=RESULTS, **members)


class _LetterEvent(msgspec.Struct, frozen=True):
    event_name: str | None = None
    event_id: str | None = None


class _Letter(msgspec.Struct):
    at: datetime
    outcome: str
    reason: str
    stream: str
    run_id: str | None = None
    mapping: str | None = None
    ad_account_id: str | None = None
    field: str | None = None
    detail: str | None = None
    key: dict[str, str] | None = None
    event: _LetterEvent = _LetterEvent()


_decode_letter: Final = msgspec.json.Decoder(_Letter).decode


def _letters(
    settings: Settings, wanted: Wanted, files: Sequence[str], unseen: list[str]
) -> Iterator[Step]:
    path = settings.dead_letter_path
    if not files and "://" in path:
        unseen.append("dead letters: dead_letter_path is a prefix; name objects by --letters.")
        return
    for file in files or (path,):
        try:
            with open_letters(file) as lines:
                yield from _steps_of(lines, wanted)
        except FileNotFoundError:
            if files:
                raise
            unseen.append("dead letters: there are none at dead_letter_path.")


def _steps_of(lines: Any, wanted: Wanted) -> Iterator[Step]:
    for line in lines:
        try:
            letter = _decode_letter(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # cut by a crash, or not ours
        if wanted.matches(letter.key, letter.event.event_id, letter.stream):
            yield Step(
                source=DEAD_LETTERS,
                event_name=letter.event.event_name,
                event_id=letter.event.event_id,
                **{
                    name: getattr(letter, name)
                    for name in letter.__struct_fields__
                    if name not in {"key", "event"}
                },
            )


def _ledger(
    settings: Settings, wanted: Wanted, steps: Sequence[Step], unseen: list[str]
) -> Iterator[Step]:
    if settings.ledger_url is None:
        unseen.append("ledger: ledger_url is not set.")
        return
    # SQLAlchemy takes 0.1 s to import.
    from target_pinterest_capi.delivery.database import UnusableError  # noqa: PLC0415
    from target_pinterest_capi.delivery.event_history import find_delivered  # noqa: PLC0415

    identities = {
        event_key(Account(account, ""), name, event_id): (account, name, event_id)
        for account, name, event_id in _identities(settings, wanted, steps)
    }
    try:
        found = find_delivered(settings.ledger_url.get_secret_value(), identities)
    except UnusableError as error:
        unseen.append(f"ledger: ledger_url cannot be read: {error}.")
        return
    delivered = {_identity(step) for step in steps if step.outcome == DELIVERED}
    for key, at in found.items():
        account, name, event_id = identity = identities[key]
        # The ledger has the same for a row of a CSV file, which was never sent.
        is_delivered = settings.old_events_path is None or identity in delivered
        yield Step(
            at=at, source=LEDGER, outcome=DELIVERED if is_delivered else IN_LEDGER,
            detail=None if is_delivered else DELIVERED_OR_WRITTEN,
            ad_account_id=account, event_name=name, event_id=event_id,
        )  # fmt: skip
    if not found and not any(step.event_id for step in steps):
        unseen.append(
            "ledger, if the event's id is mapped to another column than the key's: it has "
            "events by their event_id; use that as KEY."
        )


def _identity(step: Step) -> tuple[str | None, str | None, str | None]:
    return step.ad_account_id, step.event_name, step.event_id


def _identities(
    settings: Settings, wanted: Wanted, steps: Sequence[Step]
) -> Iterator[tuple[str, str, str]]:
    """Yield account, event name and id of every event that may be the wanted one."""
    accounts = {settings.ad_account_id} | {
        account for step in steps if (account := step.ad_account_id) is not None
    }
    accounts |= {
        entry.ad_account_id
        for entry in settings.mappings or ()
        if entry.ad_account_id is not None and entry.ad_account_id.isdigit()
    }
    names = known_event_names(settings) | {step.event_name for step in steps if step.event_name}
    streams = {wanted.stream} | {step.stream for step in steps}
    streams |= {entry.stream for entry in settings.mappings or ()}
    ids = wanted.event_ids | {step.event_id for step in steps if step.event_id}
    for account, name in product(sorted(accounts), sorted(names)):
        for event_id in sorted(ids):
            yield account, name, event_id
        for stream in filter(None, streams):
            for record in _records(wanted.properties):
                derived = derive_event_id(record, tuple(record), account, name, stream)
                if derived is not None:
                    yield account, name, derived


def _shown(step: Step, known: Collection[str]) -> Step:
    """Return a step with its names as they may be shown."""
    origin = Origin(step.stream or "", step.mapping or "").shown
    name = step.event_name and shown_event_name(step.event_name, known)
    return msgspec.structs.replace(
        step,
        stream=origin.stream or None,
        mapping=origin.mapping if step.mapping is not None else None,
        event_name=name,
    )


def _records(properties: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the key as records may have it: with strings, and with whole numbers."""
    if not properties:
        return
    yield dict(properties)
    if any(value.isdecimal() for value in properties.values()):
        yield {
            name: int(value) if value.isdecimal() else value for name, value in properties.items()
        }


def _forms(text: str) -> tuple[str, str]:
    """Return a value as keys may have it: in plain text, and as its digest."""
    return text, digest(text)


def _json(text: str) -> str:
    return msgspec.json.encode(text).decode()


def as_json(found: Trace) -> dict[str, Any]:
    """Return the trace as plain values, without absent members."""
    steps = [
        {name: value for name, value in msgspec.to_builtins(step).items() if value is not None}
        for step in found.steps
    ]
    return {"steps": steps, "not_looked_into": found.not_looked_into}
