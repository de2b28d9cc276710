"""What a seed determines: the records of a tap, the settings, and everything that goes wrong.

Records are numbered from 0; a STATE is the number of records before it, so that a run can begin
there.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, NamedTuple

from members import ACCESS_TOKEN
from pydantic import SecretStr

from given import ACCOUNT, settings_of
from target_pinterest_capi.events.event import Account, Event, Origin, encode
from target_pinterest_capi.settings import Settings

STREAM: Final = "people"
FIRST_REFRESH_TOKEN: Final = "refresh-0"
ORIGIN: Final = Origin(STREAM, "pinterest")
ACCOUNTS: Final = (Account(ACCOUNT, "sandbox-token"), Account("549755885176", "sandbox-token"))
TEST_ACCOUNT: Final = Account(ACCOUNT, "sandbox-token", "test")
LISTS: Final = ("VIPs", "Friends")
PEOPLE: Final = 6
MAX_REFUSED: Final = 2  # only refused events, three of them, stop a rerun

# Kinds of records, and how often each comes.
KINDS: Final = {
    "event": 12,
    "offline": 4,  # an event that Pinterest does not deduplicate
    "tested": 1,  # an event of an entry whose mode is test: checked there, and not recorded
    "repeat": 2,  # some of them offline
    "failing": 1,  # Pinterest answers `failed` for it
    "refused": 1,  # Pinterest refuses every request with it
    "invalid": 2,
    "old": 1,
    "skipped": 1,
}
EVENT_KINDS: Final = frozenset({"event", "offline", "tested", "repeat", "failing", "refused"})
LETTER_KINDS: Final = frozenset({"failing", "refused", "invalid", "old"})

# How a request may end: whether Pinterest processes it is in `pinterest.py`.
FAULTS: Final = (
    "busy",
    "too many",
    "too early",
    "not sent",
    "lost before",
    "lost after",
    "failed inside",
    "one less",
    "empty",
    "hangs before",
    "hangs after",
    "pauses",
)


class Record(NamedTuple):
    """A record: its number, kind, and event, or the member of a customer list and the operation."""

    number: int
    kind: str
    event: Event | None = None
    person: int = 0
    adds: bool = False

    @property
    def is_offline(self) -> bool:
        """Whether Pinterest does not remove its repeats."""
        return self.event is not None and not self.event.deduplicable


class Message(NamedTuple):
    """A tap's message: a record, a file of records, or STATE, after some seconds of silence."""

    kind: str
    records: tuple[Record, ...]
    position: int
    silence: float


@dataclass
class Fate:
    """What goes wrong in one process; a step is any use of its environment."""

    dies_at: int = 0
    dies_at_end: bool = False  # after all work, before its exit code is known
    signals_at: int = 0
    fault_rate: float = 0.0
    refuses_token_at: int = 0  # the request that is answered 401
    disk_full_at: int = 0  # the write of dead letters that fails, and the one after it too
    stdout_fails_at: int = 0  # the STATE that cannot be written
    ledger_fails_at: int = 0  # the call of the ledger that fails
    cut_at: int = 0  # the message that is not a Singer message
    jumps: bool = False  # the clock, as when a machine was asleep


class Lists(NamedTuple):
    """How customer lists are synced: full refreshes, audiences, an app with changing tokens."""

    are_full: bool = False
    have_audiences: bool = False
    have_app: bool = False


@dataclass
class Scenario:
    """Everything that a seed determines in advance."""

    seed: int
    rng: random.Random
    syncs: list[list[Record]]  # the tap's records in each full sync
    messages_of_syncs: list[list[Message]]
    settings: Settings
    has_lists: bool
    lists: Lists
    has_ledger: bool
    pipelines: int
    hostile_runs: int
    replays: bool
    refused_people: set[int] = field(default_factory=set)
    list_names: tuple[str, ...] = LISTS
    sync: int = 0

    @property
    def records(self) -> list[Record]:
        return self.syncs[self.sync]

    def authorize(self, refresh_token: str) -> None:
        """Configure a new refresh token, as after another sign-in."""
        oauth = self.settings.oauth
        assert oauth is not None
        given = oauth.model_copy(update={"refresh_token": SecretStr(refresh_token)})
        self.settings = self.settings.model_copy(update={"oauth": given})

    def messages_from(self, position: int) -> Iterator[Message]:
        """Yield the messages after the STATE of a position."""
        for message in self.messages_of_syncs[self.sync]:
            if message.position + bool(message.records) > position:
                yield message

    def fate(self, run: int) -> Fate:
        """Draw the fate of a pipeline's next process; after some runs nothing goes wrong."""
        rng = self.rng
        if run >= self.hostile_runs:
            return Fate()

        def sometimes(share: float, most: int) -> int:
            return int(most ** rng.random()) if rng.random() < share else 0

        return Fate(
            dies_at=sometimes(0.4, 1500),
            dies_at_end=rng.random() < 0.1,
            signals_at=sometimes(0.25, 1500),
            fault_rate=rng.choice((0.0, 0.1, 0.3, 0.6)),
            refuses_token_at=sometimes(0.05, 20),
            disk_full_at=sometimes(0.15, 5),
            stdout_fails_at=sometimes(0.1, 8),
            ledger_fails_at=sometimes(0.1, 30),
            cut_at=sometimes(0.05, 40),
            jumps=rng.random() < 0.1,  # the clock of all processes
        )


def draw(seed: int, directory: str) -> Scenario:
    """Return the scenario of a seed. `directory` is the disk."""
    rng = random.Random(seed)
    has_lists = rng.random() < 0.25
    has_ledger = not has_lists and rng.random() < 0.5
    lists = Lists(*(has_lists and rng.random() < 0.5 for _ in Lists._fields))
    pipelines = 2 if has_ledger and rng.random() < 0.4 else 1
    size = rng.choice((3, 20, 60)) if pipelines == 1 else rng.choice((3, 15))
    if has_lists:
        syncs = [_members(rng, size, lists) for _ in range(1 + lists.are_full)]
    else:
        syncs = [_events(rng, size)]
    settings = _settings(
        directory,
        has_lists=has_lists,
        lists=lists,
        has_ledger=has_ledger,
        batch_size_rows=rng.choice((1, 3, 5)),
        max_in_flight=rng.choice((1, 2, 3)),
        batch_wait_seconds=rng.choice((0.5, 3)),
        max_retry_seconds=rng.choice((20, 600)),
        max_requests_per_minute=rng.choice((30, 1000)),
        on_uncertain=rng.choice(("resend", "resend", "reject")),
        on_invalid=rng.choice(("skip",) * 9 + ("fail",)),
        max_rejected_ratio=rng.choice((None, 1.0, 0.5, 0.3)),
        list_batch_size=rng.choice((2, 5)),
        list_wait_seconds=rng.choice((0.5, 3)),
    )
    return Scenario(
        seed,
        rng,
        syncs,
        [_messages(rng, records) for records in syncs],
        settings,
        has_lists,
        lists,
        has_ledger,
        pipelines,
        hostile_runs=rng.randrange(5),
        replays=not has_lists and pipelines == 1 and rng.random() < 0.5,
        refused_people=set(rng.sample(range(PEOPLE), rng.choice((0, 0, 1, MAX_REFUSED)))),
    )


def _settings(
    directory: str, *, has_lists: bool, lists: Lists, has_ledger: bool, **given: Any
) -> Settings:
    """Return checked settings with some replaced at random: checking each set takes too long."""
    settings = _checked_settings(has_lists, lists, has_ledger)
    oauth = settings.oauth
    if oauth is not None:
        given["oauth"] = oauth.model_copy(update={"token_path": f"{directory}/token.json"})
    given["dead_letter_path"] = f"{directory}/rejected.jsonl"
    return settings.model_copy(update=given)


@cache
def _checked_settings(has_lists: bool, lists: Lists, has_ledger: bool) -> Settings:
    given: dict[str, Any] = {
        "dead_letter_keys": "plain",
        "shutdown_grace_seconds": 5,
        "request_timeout_seconds": 10,
    }
    if has_ledger or lists.are_full:
        given["ledger_url"] = "sqlite:///never-opened.db"
    if has_lists:
        given["oauth"] = {"access_token": ACCESS_TOKEN}
        if lists.have_app:
            given["oauth"] = {
                "client_id": "app",
                "client_secret": "secret",
                "refresh_token": FIRST_REFRESH_TOKEN,
                "token_path": "token.json",
            }
        given["mappings"] = []
        kept = {"refresh": "full", "max_removed_ratio": 0.9}
        entry = {"stream": STREAM, "member": ["email"], "audience": lists.have_audiences}
        entry |= kept if lists.are_full else {"operation": "action"}
        given["customer_lists"] = [{**entry, "list_name": name} for name in LISTS]
    return settings_of(**given)


def _events(rng: random.Random, size: int) -> list[Record]:
    kinds = rng.choices(list(KINDS), list(KINDS.values()), k=size)
    if rng.random() < 0.15:  # a mapping that breaks: most rows are invalid
        kinds = [kind if rng.random() < 0.3 else "invalid" for kind in kinds]
    refused = 0
    records = []
    for number, drawn in enumerate(kinds):
        refused += drawn == "refused"
        kind = "event" if drawn == "refused" and refused > MAX_REFUSED else drawn
        records.append(Record(number, kind, _event(rng, number, kind)))
    return records


def _event(rng: random.Random, number: int, kind: str) -> Event | None:
    if kind not in EVENT_KINDS:
        return None
    is_tested = kind == "tested"  # some with the id of an event that is sent
    may_repeat = kind == "repeat" or (is_tested and rng.random() < 0.5)
    name = f"same-{rng.randrange(3)}" if may_repeat else f"{kind}-{number}"
    account = ACCOUNTS[kind != "repeat" and rng.random() < 0.2]
    account = TEST_ACCOUNT if is_tested else account
    is_offline = not is_tested and (kind == "offline" or name == "same-0")
    body = encode(
        {
            "event_name": "page_visit",
            "event_id": name,
            "event_time": 0,
            "action_source": "offline" if is_offline else "web",
            "language": str(number),
        }
    )
    key = {"id": str(number)}
    return Event(body, account, ORIGIN, "page_visit", name, not is_offline, 0, key)


def _members(rng: random.Random, size: int, lists: Lists) -> list[Record]:
    people = rng.sample(range(PEOPLE), rng.randint(1, PEOPLE)) if lists.are_full else range(PEOPLE)
    return [
        Record(
            number,
            "member",
            person=rng.choice(people),
            adds=lists.are_full or rng.random() < 0.6,
        )
        for number in range(size)
    ]


def _messages(rng: random.Random, records: list[Record]) -> list[Message]:
    """Return the messages of a tap: STATE after some, always after the last; some as a file."""
    messages: list[Message] = []
    position = 0
    has_files = rng.random() < 0.4
    is_slow = rng.random() < 0.3
    while position < len(records):
        end = min(len(records), position + rng.choice((1, 1, 2, 5, 12)))
        piece = tuple(records[position:end])
        silence = rng.choice((0, 0, 0, 0.3, 20)) if is_slow else 0.0
        if has_files and rng.random() < 0.5:
            messages.append(Message("file", piece, position, silence))
        else:
            messages += [Message("record", (one,), one.number, silence) for one in piece]
        if end == len(records) or rng.random() < 0.7:
            messages.append(Message("state", (), end, 0.0))
        position = end
    return messages
