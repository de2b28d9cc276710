"""Any record given to a preset costs at most its value or its event, never the run."""

import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from api_description import problems
from given import examples, settings_of
from preset_events import NOW
from target_pinterest_capi.events.event import Event, InvalidRecord, SkippedRecord
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.mapping.entries import Accounts, StreamSchema, compile_stream
from target_pinterest_capi.settings.objects import Preset

NAMES = Preset.__args__  # type: ignore[attr-defined]
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
# What stands where something else was expected: other types, strings of other types, odd strings.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            "", " ", "0", "-1", "1e400", "NaN", "null", "true", "{}", "[]", "[null]", '{"id": 1}',
            "[{]", '[{"price": "x"}]', "\x00", "\ud83d\ude00", "a@example.com", "192.0.2.1",
            "2026-11-18T08:00:00", "02/03/2026", "EUR", "DE", "https://example.com/?epik=%", "page",
            "Order Completed", "charge", "gid://shopify/Order/1", "1" * 400, "x" * 5000,
        ]
    ),
)  # fmt: skip


@cache
def words(name: str) -> list[str]:
    """Return the names of members in a preset's expressions, sorted."""
    entry = presets.load(name, {"em", "event_name", "custom_data", "user_data", "item_id_1"})
    sources = [source for found in entry.fields.values() for source in found or ()]
    return sorted({word for source in sources for word in _WORD.findall(source)})


def records(name: str) -> st.SearchStrategy[Any]:
    """Return records in which any member of a preset's source may be anything, at any depth."""
    keys = st.sampled_from(words(name))
    values = st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(keys, inner, max_size=6),
            st.dictionaries(keys, inner, max_size=4).map(json.dumps),
        ),
        max_leaves=20,
    )
    return st.dictionaries(keys, values, max_size=30)


@cache
def mapper(name: str) -> Any:
    """Return the compiled entry of a preset that accepts every record of any stream."""
    entry: dict[str, Any] = {
        "stream": "*",
        "preset": name,
        "preset_when": "ignore",
        "unlisted_names": "send",
        "defaults": {"action_source": "web", "event_time": "now", "user_data.em": "a@example.com"},
    }
    settings = settings_of(mappings=[entry], defaults={"event_name": "custom"})
    columns = frozenset(words(name))
    stream = StreamSchema("records", columns, ("id",))
    noted: list[str] = []
    (compiled,) = compile_stream(
        settings, stream, Accounts(settings), lambda _, __, reason: noted.append(str(reason)),
        now=lambda: NOW, began_at=datetime.fromtimestamp(NOW, UTC),
    )  # fmt: skip
    return compiled.map_record


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@profile(max_examples=examples(100))
def test_any_shape(name: str, data: Any):
    """A record of any shape is an event valid by Pinterest's description, or has a reason."""
    result = mapper(name)(data.draw(records(name)))
    assert isinstance(result, Event | InvalidRecord | SkippedRecord)
    if isinstance(result, Event):
        assert list(problems({"data": [json.loads(result.body)]})) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value", [None, [], {}, "", "x", "{}", "[1]", 7, True, [[]], [None], {"a": 1}]
)
def test_every_column_of_one_kind(name: str, value: Any):
    """Nulls, strings, numbers, lists and objects in all columns at once are no error."""
    result = mapper(name)(dict.fromkeys(words(name), value))
    assert isinstance(result, Event | InvalidRecord | SkippedRecord)
    if isinstance(result, Event):
        assert list(problems({"data": [json.loads(result.body)]})) == []
