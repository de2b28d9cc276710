"""Coverage: which events have each component of the event quality score, by their bytes."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from given import settings_of
from shopper import ACCOUNT, digest
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.event import Event, Origin, encode
from target_pinterest_capi.events.fields import BY_PATH
from target_pinterest_capi.events.traits import TraitsOfMembers
from target_pinterest_capi.mapping.entries import Accounts, StreamSchema, compile_stream
from target_pinterest_capi.reporting.bodies import examined
from target_pinterest_capi.reporting.coverage import Coverage
from target_pinterest_capi.sandbox import quality

AT = datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)
EM = [digest("shopper@example.com")]


def event(members: dict[str, Any]) -> Event:
    """Return the event that a body's members make."""
    return Event(
        encode(members), ACCOUNT, Origin("visits", ""), "page_visit", "visit-1", True, 0, None
    )


def body(
    user: dict[str, Any] | None = None, custom: dict[str, Any] | None = None, **top: Any
) -> dict[str, Any]:
    members = {
        "event_name": "page_visit",
        "action_source": "web",
        "event_time": 1,
        "event_id": "visit-1",
        **top,
    }
    members["user_data"] = user or {}
    return members if custom is None else {**members, "custom_data": custom}


def alike(*bodies: dict[str, Any]) -> Counter[Any]:
    """Return how many events have what a body says, read from their bytes."""
    return Counter(examined(event(one)).traits for one in bodies)


def carried(*bodies: dict[str, Any]) -> dict[str, int]:
    """Return the components that any of the events has, with their counts."""
    coverage = Coverage()
    coverage.count_components("page_visit", alike(*bodies))
    return {name: count for name, count in coverage.carrying("page_visit").items() if count}


@pytest.mark.parametrize(
    ("component", "members"),
    [
        ("hashed_email", body({"em": EM})),
        ("hashed_maid", body({"hashed_maids": EM})),
        ("ip_address", body({"client_ip_address": "192.0.2.7"})),
        ("user_agent", body({"client_user_agent": "Mozilla/5.0"})),
        ("click_id_epik", body({"click_id": "dj0yJnU9"})),
        ("advertiser_external_id", body({"external_id": EM})),
        ("order_id", body(custom={"order_id": "A-1"})),
        ("order_value", body(custom={"value": "19.99"})),
        ("product_id", body(custom={"content_ids": ["A-1"]})),
        ("product_id", body(custom={"contents": [{"item_name": "vase"}, {"id": "A-1"}]})),
        ("source_url", body(event_source_url="https://shop.example.com/")),
    ],
)
def test_component_is_counted_where_its_field_is(component: str, members: dict[str, Any]):
    """Each component is counted for its own field and no other; an event id every event has."""
    assert carried(members) == {"external_event_id": 1, component: 1}


@pytest.mark.parametrize(
    "members",
    [
        body(),
        body(custom={}),
        body({"ph": EM}, {"currency": "USD", "num_items": 2}, language="en"),
        body(custom={"contents": [{"item_name": '"id":', "item_brand_id": "B-1"}]}),
        body(
            custom={
                "search_string": '"em":["x"],"value":"1","order_id":"2"',
                "content_name": 'a \\"click_id\\":"b',
            }
        ),
    ],
)
def test_nothing_else_is_counted(members: dict[str, Any]):
    """Texts that look like a member, and members with similar names, do not count."""
    assert carried(members) == {"external_event_id": 1}


TEXTS = st.text(max_size=8).filter(bool)
BODIES = st.builds(
    body,
    st.fixed_dictionaries(
        {},
        optional={
            **{name: st.just(EM) for name in ("em", "ph", "hashed_maids", "external_id")},
            **dict.fromkeys(("client_ip_address", "client_user_agent", "click_id"), TEXTS),
        },
    ),
    st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("order_id", "value", "search_string"), TEXTS),
            "content_ids": st.lists(TEXTS, min_size=1),
            "contents": st.lists(
                st.dictionaries(st.sampled_from(("id", "item_name")), TEXTS), min_size=1
            ),
        },
    ),
)


@given(st.lists(BODIES))
def test_agrees_with_the_sandbox(bodies: list[dict[str, Any]]):
    """The sandbox, which has its own list of components, counts the same for any events."""
    expected = {
        name: sum(bool(get(one)) for one in bodies) for name, get in quality.COMPONENTS.items()
    }
    assert carried(*bodies) == {name: count for name, count in expected.items() if count}


def test_components_are_pinterests_in_its_order():
    """The eleven names are those of the score, and each names fields that events have."""
    assert [component.name for component in COMPONENTS] == list(quality.COMPONENTS)
    assert {path for component in COMPONENTS for path in component.fields} <= set(BY_PATH)


def test_names_are_counted_apart_and_batches_together():
    """Counts belong to their event name and add up over batches; an unknown name has none."""
    coverage = Coverage()
    for name in ("checkout", "signup", "checkout"):
        coverage.count_components(name, alike(body({"em": EM}), body()))
    assert [coverage.carrying(name)["hashed_email"] for name in ("checkout", "signup", "lead")] == [
        2,
        1,
        0,
    ]


@pytest.mark.parametrize(
    ("settings", "is_counted"),
    [
        ({}, False),
        ({"report_path": "report.json"}, True),
        ({"results_url": "sqlite:///results.db"}, True),
        ({"metrics_path": "metrics.prom"}, True),
        ({"quality": {"checkout": {"hashed_email": 80}}}, True),
    ],
)
@pytest.mark.parametrize("has_value", [False, True])
def test_events_say_what_a_report_counts(
    settings: dict[str, Any], is_counted: bool, has_value: bool
):
    """An event has it from when it was built, if anything needs it, so its bytes are not read."""
    fields = {"event_name": "name", "event_time": "at", "event_id": "id", "user_data.em": "email"}
    if has_value:
        fields |= {"custom_data.value": "total", "custom_data.currency": "currency"}
    mapping = {"stream": "orders", "fields": fields, "defaults": {"action_source": "web"}}
    configured = settings_of(mappings=[mapping], **settings)
    record = {
        "name": "checkout",
        "at": "2026-11-18T08:00:00Z",
        "id": "order-1",
        "email": "shopper@example.com",
        "total": "12.50",
        "currency": "USD",
    }
    (entry,) = compile_stream(
        configured,
        StreamSchema("orders", frozenset(record)),
        Accounts(configured),
        lambda *_: None,
        now=AT.timestamp,
        began_at=AT,
    )
    built = entry.map_record(record)
    assert isinstance(built, Event)
    given_value, currency = ("12.50", "USD") if has_value and is_counted else (None, None)
    assert (built.traits is not None, built.value) == (is_counted, given_value)
    if built.traits is not None:
        assert (built.traits.currency, built.traits.has_derived_id) == (currency, False)
        has = zip(COMPONENTS, built.traits.components, strict=True)
        order_value = ["order_value"] if has_value else []
        expected = ["hashed_email", "external_event_id", *order_value]
        assert [component.name for component, is_there in has if is_there] == expected


@pytest.mark.parametrize(
    ("leaves", "paths", "names"),
    [
        ((), (), []),
        (
            ("em", "external_id"),
            ("event_source_url",),
            ["hashed_email", "advertiser_external_id", "source_url"],
        ),
        (
            ("em", "ph"),
            ("user_data.click_id", "custom_data.value"),
            ["hashed_email", "click_id_epik", "order_value"],
        ),
        ((), ("user_data.em", "custom_data.contents"), ["hashed_email", "product_id"]),
        ((), ("custom_data.content_ids", "custom_data.contents"), ["product_id"]),
    ],
)
def test_components_follow_from_the_members_of_an_event(
    leaves: tuple[str, ...], paths: tuple[str, ...], names: list[str]
):
    """Those of a person and the others count alike, and those that are not there do not."""
    all_paths = tuple(path for component in COMPONENTS for path in component.fields)
    traits = TraitsOfMembers(all_paths)[
        "web", "USD", True, leaves, *(path in paths for path in all_paths)
    ]
    there = [
        one.name
        for one, has in zip(COMPONENTS, traits.components, strict=True)
        if has and one.name != "external_event_id"
    ]
    assert there == names
    assert (traits.action_source, traits.currency, traits.has_derived_id) == ("web", "USD", True)


@pytest.mark.parametrize(
    ("field", "value", "has_products"),
    [
        ("content_ids", ["A-1"], True),
        ("contents", [{"id": "A-1"}], True),
        ("contents", [{"item_name": "vase"}], False),
    ],
)
@pytest.mark.parametrize("derives", [True, False])
def test_products_are_those_with_ids(field: str, value: Any, has_products: bool, derives: bool):
    """Whichever of the two fields is mapped, and whether `content_ids` is derived or not."""
    fields = {"user_data.em": "email", f"custom_data.{field}": "products"}
    given = {
        "stream": "orders",
        "fields": fields if derives else {"custom_data.content_ids": None, **fields},
        "defaults": {"action_source": "web", "event_name": "checkout", "event_time": "now"},
    }
    configured = settings_of(mappings=[given], report_path="report.json")
    (entry,) = compile_stream(
        configured,
        StreamSchema("orders", frozenset({"email", "products"}), ("email",)),
        Accounts(configured),
        lambda *_: None,
        now=AT.timestamp,
        began_at=AT,
    )
    built = entry.map_record({"email": "shopper@example.com", "products": value})
    assert isinstance(built, Event)
    assert built.traits is not None
    components = dict(zip((one.name for one in COMPONENTS), built.traits.components, strict=True))
    assert components["product_id"] is has_products
    assert built.traits.has_derived_id
