"""Key properties: the derived `event_id`, and the key in a dead letter.

Both are the same in every run and on every machine.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from target_pinterest_capi.events import coerce, hashing
from target_pinterest_capi.events.characters import well_formed
from target_pinterest_capi.events.column_names import is_metadata
from target_pinterest_capi.events.event import Event

Key = dict[str, str]
ReadKey = Callable[[Mapping[str, Any]], Key | None]


# Compact JSON with sorted keys; decimals as text, exactly as they came.
_encode: Final = msgspec.json.Encoder(order="sorted", decimal_format="string").encode


def derive_event_id(
    record: Mapping[str, Any],
    key_properties: tuple[str, ...],
    ad_account_id: str,
    event_name: str,
    stream: str,
) -> str | None:
    """Return the event id for a record without one.

    It is the SHA-256 of account, event name, stream and key properties; for a stream without key
    properties, of the whole record except its `_sdc_*` columns. None if the record lacks a key
    property, or has only nulls for them, because such ids would be shared; and if a value is nested
    too deeply.
    """
    if key_properties:
        if any(name not in record for name in key_properties):
            return None
        key = {name: record[name] for name in key_properties}
        if all(value is None for value in key.values()):
            return None
    else:
        key = {name: value for name, value in record.items() if not is_metadata(name)}
    try:
        recipe = _encode(
            {
                "ad_account_id": ad_account_id,
                "event_name": event_name,
                "key": _plain(key),
                "stream": stream,
            }
        )
    except RecursionError:
        return None
    return hashing.digest_bytes(recipe)


def read_key(
    record: Mapping[str, Any], key_properties: tuple[str, ...], *, plain: bool
) -> Key | None:
    """Return each key property as the SHA-256 of its text, or as its text if `plain`.

    None if the record has none of them.
    """
    key = {}
    for name in key_properties:
        text = coerce.text(record.get(name))
        if type(text) is str:
            key[name] = text if plain else hashing.digest(text)
    return key or None


def compile_key(key_properties: tuple[str, ...], *, plain: bool) -> ReadKey:
    """Return the reader of an event's key."""
    return lambda record: read_key(record, key_properties, plain=plain)


def key_of(event: Event) -> Key | None:
    """Return the key of an event as its dead letter shows it."""
    return {event.key: hashing.digest(event.id)} if isinstance(event.key, str) else event.key


def _plain(value: Any) -> Any:
    """Return values that no tap's JSON has (floats, times, odd strings) as JSON would have them."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {_plain(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
