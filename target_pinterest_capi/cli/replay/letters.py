"""Reads dead letters: the lines of a file as events to send again, or counted.

Decides the account and token for a letter's event. Never changes the file, and never shows a line
of it.
"""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from target_pinterest_capi.cli.inputs import open_letters
from target_pinterest_capi.delivery.ledger import event_key
from target_pinterest_capi.events.event import Account, Event, Mode, Origin
from target_pinterest_capi.mapping.entries import Accounts, matching
from target_pinterest_capi.settings import Settings
from target_pinterest_capi.settings.values import MAX_ACCOUNT_DIGITS
from target_pinterest_capi.singer.messages import BYTE_ORDER_MARK

_NO_EVENT: Final = msgspec.Raw(b"")
OFFLINE: Final = "offline"  # docs: Pinterest cannot deduplicate these


class UnsentReason(StrEnum):
    """Why lines of the file are not sent, as text after their number."""

    NO_EVENT = (
        "have no event: their records were invalid, so there is nothing to send. Correct the source"
        " or the mapping, and let the tap send the records again."
    )
    REPEATED = "have an event that an earlier line of the file has too: it is sent once."
    CUT = (
        "are incomplete JSON: a crash can cut a line, and the next run writes the dead letter "
        "again."
    )
    FOREIGN = "are not dead letters of the target."


class NoTokenError(Exception):
    """No token is configured for a letter's mapping; the message is the mapping's name."""


class _Line(msgspec.Struct, gc=False):
    stream: str
    outcome: str
    reason: str
    mapping: str = ""
    key: dict[str, str] | None = None
    ad_account_id: str | None = None
    mode: Mode = "live"
    event: msgspec.Raw = _NO_EVENT


class _SentEvent(msgspec.Struct, gc=False):
    """The part of a dead letter's event that a replay needs."""

    event_name: str
    event_id: str
    event_time: int
    action_source: str


_decode_line: Final = msgspec.json.Decoder(_Line).decode
_decode_event: Final = msgspec.json.Decoder(_SentEvent).decode


class Letters:
    """The dead letters of one file: a path, or an fsspec URL.

    Iterating yields their events; other lines are counted.

    Iterating raises `OSError` if the file cannot be read, and `NoTokenError` if an event has no
    token, unless `needs_token` is off.
    """

    def __init__(self, file: str, settings: Settings, *, needs_token: bool) -> None:
        self._file = file
        self._settings = settings
        self._needs_token = needs_token
        self._accounts = Accounts(settings)
        self._tokens: dict[tuple[str, str], str | None] = {}
        self.not_sent: Counter[UnsentReason] = Counter()
        self.lines = 0

    @property
    def has_only_foreign_lines(self) -> bool:
        """Return whether lines were read and none of them is a dead letter."""
        foreign = self.not_sent[UnsentReason.FOREIGN]
        return foreign > 0 and foreign + self.not_sent[UnsentReason.CUT] == self.lines

    def __iter__(self) -> Iterator[Event]:
        """Yield each event of the file once, in order; counts start again."""
        self.not_sent.clear()
        self.lines = 0
        seen: set[int] = set()
        with open_letters(self._file) as lines:
            for read in lines:
                line = read.removeprefix(BYTE_ORDER_MARK)
                if not line.strip():
                    continue
                self.lines += 1
                event = self._read(line)
                if isinstance(event, Event):
                    key = event_key(event.account, event.name, event.id)
                    if key not in seen:
                        seen.add(key)
                        yield event
                        continue
                    event = UnsentReason.REPEATED
                self.not_sent[event] += 1

    def _read(self, line: bytes) -> Event | UnsentReason:
        try:
            letter = _decode_line(line)
            body = bytes(letter.event)
            if body in {b"", b"null"}:
                return UnsentReason.NO_EVENT
            event = _decode_event(body)
        except (msgspec.ValidationError, RecursionError):
            return UnsentReason.FOREIGN
        except (msgspec.DecodeError, UnicodeDecodeError):
            return UnsentReason.CUT if line.startswith(b"{") else UnsentReason.FOREIGN
        if letter.ad_account_id is not None and not _is_account(letter.ad_account_id):
            return UnsentReason.FOREIGN
        return Event(
            body,
            self._account(letter),
            Origin(letter.stream, letter.mapping),
            event.event_name,
            event.event_id,
            event.action_source != OFFLINE,
            event.event_time,
            letter.key,
        )

    def _account(self, letter: _Line) -> Account:
        """Return the letter's account, with the token of its entry or otherwise of the settings.

        A test stays a test.
        """
        origin = (letter.stream, letter.mapping)
        if origin not in self._tokens:
            self._tokens[origin] = _own_token(self._settings, *origin)
        account = self._accounts.get(letter.ad_account_id, self._tokens[origin], letter.mode)
        if self._needs_token and not account.token:
            raise NoTokenError(letter.mapping)
        return account


def _own_token(settings: Settings, stream: str, mapping: str) -> str | None:
    """Return the token of the entry with this name that selects the stream.

    None if there is no such entry, or it has no token.
    """
    for name, entry in matching(settings, stream):
        if name == mapping and entry.conversion_token is not None:
            return entry.conversion_token.get_secret_value()
    return None


def _is_account(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_ACCOUNT_DIGITS
