"""The floor: the fastest that Python with msgspec and hashlib can be for one schema on one core.

A loop written by hand for the columns of `records`: decode, normalize, hash, encode in bodies of
1,000 events. It has every column's name in its code, checks nothing, maps nothing, sends nothing
and keeps no STATE; a wrong value results in a wrong event or an exception. For valid values its
events are the same as the target's, member by member (a test compares them), so that the ratio
compares equal work.
"""

import gc
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import defstruct

from benchmarks.records import TEXT_COLUMNS

EVENTS_PER_BODY: Final = 1000

_Text = str | None
_Texts = list[str] | None
_Plain = defstruct("Plain", [("id", str), ("quantity", int), ("item_price", float)], gc=False)
_Record = defstruct(
    "Record",
    [
        *((column, str) for column in ("event_id", "event_name", "event_time", "action_source")),
        *((column, _Text, None) for column in TEXT_COLUMNS if column != "hashed_maids"),
        ("value", float | None, None),
        ("num_items", int | None, None),
        ("content_ids", _Texts, None),
        ("contents", list[_Plain] | None, None),  # type: ignore[valid-type]
        ("opt_out", bool | None, None),
    ],
    gc=False,
)
_Message: Any = defstruct("Message", [("record", _Record | None, None)], gc=False)

_HASHED: Final = ("em", "ph", "ge", "db", "ln", "fn", "ct", "st", "zp", "country", "external_id")
_Customer = defstruct(
    "Customer",
    [
        *((leaf, _Texts, None) for leaf in _HASHED),
        *((leaf, _Text, None) for leaf in ("client_ip_address", "client_user_agent", "click_id")),
    ],
    omit_defaults=True,
    gc=False,
)
_Item = defstruct("Item", [("id", str), ("item_price", str), ("quantity", int)], gc=False)
_Custom = defstruct(
    "Custom",
    [
        ("currency", _Text, None),
        ("value", _Text, None),
        ("content_ids", _Texts, None),
        ("contents", list[_Item] | None, None),  # type: ignore[valid-type]
        ("num_items", int | None, None),
        ("order_id", _Text, None),
    ],
    omit_defaults=True,
    gc=False,
)
_Event = defstruct(
    "Event",
    [
        ("event_name", str),
        ("action_source", str),
        ("event_time", int),
        ("event_id", str),
        ("event_source_url", _Text, None),
        ("opt_out", bool | None, None),
        ("language", _Text, None),
        ("user_data", _Customer | None, None),
        ("custom_data", _Custom | None, None),
    ],
    omit_defaults=True,
    gc=False,
)

_decode: Final = msgspec.json.Decoder(_Message).decode
_encode: Final = msgspec.json.Encoder().encode
_from_iso: Final = datetime.fromisoformat
_GENDERS: Final = {"f": "f", "female": "f", "m": "m", "male": "m", "n": "n"}
_NOT_IN_A_PHONE: Final = {ord(char): None for char in " ()-+."}


def _digest(text: str | None) -> list[str] | None:
    return [sha256(text.encode()).hexdigest()] if text else None


def _lower(text: str | None) -> list[str] | None:
    return [sha256(text.strip().lower().encode()).hexdigest()] if text else None


def _letters(text: str | None) -> list[str] | None:
    return (
        [sha256("".join(filter(str.isalpha, text.lower())).encode()).hexdigest()] if text else None
    )


def _digits(text: str | None) -> list[str] | None:
    return [sha256(text.translate(_NOT_IN_A_PHONE).encode()).hexdigest()] if text else None


def _date(text: str | None) -> list[str] | None:
    return [sha256(text.replace("-", "").encode()).hexdigest()] if text else None


def _gender(text: str | None) -> list[str] | None:
    return [sha256(_GENDERS[text.lower()].encode()).hexdigest()] if text else None


def _event(record: Any) -> Any:
    items = record.contents
    return _Event(
        record.event_name,
        record.action_source,
        int(_from_iso(record.event_time).timestamp()),
        record.event_id,
        record.event_source_url,
        record.opt_out,
        record.language,
        _Customer(
            _lower(record.em),
            _digits(record.ph),
            _gender(record.ge),
            _date(record.db),
            _lower(record.ln),
            _lower(record.fn),
            _letters(record.ct),
            _lower(record.st),
            _digest(record.zp),
            _lower(record.country),
            _digest(record.external_id),
            record.client_ip_address,
            record.client_user_agent,
            record.click_id,
        ),
        _Custom(
            record.currency,
            None if record.value is None else repr(record.value),
            record.content_ids,
            [_Item(item.id, repr(item.item_price), item.quantity) for item in items]
            if items
            else None,
            record.num_items,
            record.order_id,
        ),
    )


def bodies(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the request bodies of a stream's lines, 1,000 events each; the last may have fewer."""
    events: list[Any] = []
    for line in lines:
        record = _decode(line).record
        if record is not None:
            events.append(_event(record))
            if len(events) == EVENTS_PER_BODY:
                yield _encode({"data": events})
                events.clear()
    if events:
        yield _encode({"data": events})


def collect_garbage_rarely() -> None:
    """Let the garbage collector run as rarely as in the best case."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def main() -> None:
    """Read standard input and print how many bytes the bodies have."""
    collect_garbage_rarely()
    print(sum(map(len, bodies(sys.stdin.buffer))))  # noqa: T201 - its result


if __name__ == "__main__":
    main()
