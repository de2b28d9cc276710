"""The sandbox's rules, without a server.

Which request gets which response, and that the tables are Pinterest's.
"""

import ast
import functools
import hashlib
import itertools
import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import api_description
from api_description import SCHEMAS
from given import examples
from target_pinterest_capi.sandbox import answers, rates, request_bodies, rules, verdicts
from target_pinterest_capi.sandbox.events import answer as answer_events

NOW = 1_780_000_000
DAY = 24 * 3600
RULES = rules.Rules()
DIGEST = hashlib.sha256(b"jane@example.com").hexdigest()


def event(**changes):
    """A good event with changes; `custom_data`, `user_data` ... replace the whole object, and ...

    Removes a member.
    """
    plain = {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": NOW - 60,
        "event_id": "order-1",
        "user_data": {"em": [DIGEST]},
        "custom_data": {
            "currency": "USD",
            "value": "19.99",
            "contents": [{"id": "p-1", "item_price": "19.99", "quantity": 1}],
        },
    }
    return {name: value for name, value in (plain | changes).items() if value is not ...}


def request(*events, body=None, **changes):
    content = json.dumps({"data": list(events)}).encode() if body is None else body
    return answers.Request("549755885175", "Bearer sandbox-token", content)._replace(**changes)


def answer(*events, given_rules=RULES, **changes):
    return answer_events(request(*events, **changes), given_rules, NOW)


def verdict(**changes):
    return verdicts.judge(event(**changes), RULES, NOW)


def test_a_good_event_is_processed():
    """All events processed: 200, with a list at the top of the body."""
    got = answer(event())
    assert got.status == 200
    assert (got.body["num_events_received"], got.body["num_events_processed"]) == (1, 1)
    assert [entry["status"] for entry in got.body["events"]] == ["processed"]


def test_some_failed():
    """Some events failed.

    422 with code 953, and the list of all under details, in request order.
    """
    got = answer(event(), event(user_data={}), event())
    assert (got.status, got.body["code"]) == (422, 953)
    details = got.body["details"]
    assert (details["num_events_received"], details["num_events_processed"]) == (3, 2)
    assert [entry["status"] for entry in details["events"]] == ["processed", "failed", "processed"]
    assert details["events"][1]["error_message"]


def test_mixed_batches_can_answer_200():
    """The status of a mixed batch is unknown.

    A switch makes it 200, while a batch that failed completely stays 422.
    """
    switched = rules.Rules(mixed_status=200)
    mixed = answer(event(), event(user_data={}), given_rules=switched)
    assert (mixed.status, mixed.body["num_events_processed"]) == (200, 1)
    assert answer(event(user_data={}), given_rules=switched).status == 422


def test_empty_messages_vary():
    """An empty message is null, empty or absent in turn, and the same each time."""
    entries = answer(event(), event(), event()).body["events"]
    assert [entry.get("error_message", "absent") for entry in entries] == [None, "", "absent"]
    assert [entry.get("warning_message", "absent") for entry in entries] == [None, "", "absent"]
    assert answer(event(), event(), event()).body["events"] == entries


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"authorization": ""}, 401, 2),
        ({"authorization": "Bearer other"}, 401, 2),
        ({"authorization": "Basic sandbox-token"}, 401, 2),
        ({"authorization": "Bearer  sandbox-token"}, 401, 2),
        ({"ad_account_id": "1"}, 403, 29),
        ({"ad_account_id": "acct"}, 400, 4196),
        ({"ad_account_id": "1" * 19}, 400, 4196),
        ({"ad_account_id": "٣"}, 400, 4196),
        ({"content_type": "text/plain"}, 400, 4196),
        ({"content_type": ""}, 400, 4196),
        ({"query": "test=maybe"}, 400, 4196),
        ({"query": "test="}, 400, 4196),
        ({"body": b""}, 400, 4196),
        ({"body": b"{"}, 400, 4196),
        ({"body": b"NaN"}, 400, 4196),
        ({"body": b'"\xff"'}, 400, 4196),
        ({"body": b'{"data": ["\\ud800"]}'}, 400, 4196),
        ({"body": b"[" * 100_000}, 400, 4196),
        ({"body": b"[]"}, 400, 4196),
        ({"body": b"{}"}, 400, 4196),
        ({"body": b'{"data": {}}'}, 400, 4196),
        ({"body": b'{"data": []}'}, 400, 4196),
        ({"body": b'{"data": [1]}'}, 400, 4196),
        ({"body": b'{"data": null}'}, 400, 4196),
    ],
)
def test_refused_requests(changes, status, code):
    """A request that fails completely has Pinterest's status and code, and no events."""
    got = answer(event(), **changes)
    assert (got.status, got.body["code"]) == (status, code)
    assert set(got.body) == {"code", "message"}
    assert got.body["message"]
    assert not got.events


def test_token_is_echoed_but_not_remembered():
    """A 401 repeats the token, as the real one can; the stored copy does not."""
    got = answer(event(), authorization="Bearer secret-of-somebody")
    assert "secret-of-somebody" in got.body["message"]
    assert "secret-of-somebody" not in got.refused


def test_tokens_have_their_accounts():
    """Each token opens only its own ad accounts."""
    two = rules.Rules(tokens={"one": ("1",), "two": ("1", "2")})
    statuses = {
        (token, account): answer(
            event(), given_rules=two, authorization=f"Bearer {token}", ad_account_id=account
        ).status
        for token in ("one", "two")
        for account in ("1", "2")
    }
    assert statuses == {("one", "1"): 200, ("one", "2"): 403, ("two", "1"): 200, ("two", "2"): 200}


@pytest.mark.parametrize(("count", "status"), [(1, 200), (1000, 200), (1001, 400)])
def test_events_a_request(count, status):
    """A request carries 1 to 1,000 events."""
    assert answer(*[event()] * count).status == status


def test_unknown_member_poisons_the_request():
    """One unknown key fails the whole request, with the observed message."""
    got = answer(event(), event(custom_data={"category_name": "shoes"}))
    assert got.status == 400
    assert got.body == {
        "code": 4196,
        "message": "Invalid request: Additional properties are not allowed "
        "('category_name' was unexpected)",
    }


@pytest.mark.parametrize(
    "place", ["body", "event", "user_data", "custom_data", "item", "app_info", "device_info"]
)
def test_every_object_is_closed(place):
    """An unknown key anywhere fails the request."""
    odd = {"not_a_member": 1}
    bodies = {
        "body": {"data": [event()]} | odd,
        "event": {"data": [event() | odd]},
        "user_data": {"data": [event(user_data={"em": [DIGEST]} | odd)]},
        "item": {"data": [event(custom_data={"contents": [odd]})]},
    }
    body = bodies.get(place, {"data": [event(**{place: odd})]})
    message = answer(body=json.dumps(body).encode()).body["message"]
    assert (
        message
        == "Invalid request: Additional properties are not allowed ('not_a_member' was unexpected)"
    )


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"event_id": ...}, "data.0"),
        ({"event_name": ...}, "data.0"),
        ({"action_source": ...}, "data.0"),
        ({"event_time": ...}, "data.0"),
        ({"user_data": ...}, "data.0"),
        ({"event_id": 7}, "data.0.event_id"),
        ({"event_id": None}, "data.0.event_id"),
        ({"event_time": "1780000000"}, "data.0.event_time"),
        ({"event_time": 1780000000.5}, "data.0.event_time"),
        ({"event_time": True}, "data.0.event_time"),
        ({"event_time": 2**63}, "data.0.event_time"),
        ({"action_source": "website"}, "data.0.action_source"),
        ({"opt_out": 0}, "data.0.opt_out"),
        ({"opt_out": None}, "data.0.opt_out"),
        ({"wifi": "true"}, "data.0.wifi"),
        ({"user_data": []}, "data.0.user_data"),
        ({"user_data": {"em": DIGEST}}, "data.0.user_data.em"),
        ({"user_data": {"em": [None]}}, "data.0.user_data.em.0"),
        (
            {"user_data": {"em": [DIGEST], "client_ip_address": None}},
            "data.0.user_data.client_ip_address",
        ),
        ({"custom_data": None}, "data.0.custom_data"),
        ({"custom_data": {"value": 19.99}}, "data.0.custom_data.value"),
        ({"custom_data": {"num_items": "2"}}, "data.0.custom_data.num_items"),
        ({"custom_data": {"content_ids": ["a", 2]}}, "data.0.custom_data.content_ids.1"),
        ({"custom_data": {"contents": {}}}, "data.0.custom_data.contents"),
        ({"custom_data": {"contents": ["a"]}}, "data.0.custom_data.contents.0"),
        (
            {"custom_data": {"contents": [{}, {"item_price": 5}]}},
            "data.0.custom_data.contents.1.item_price",
        ),
        (
            {"custom_data": {"contents": [{"quantity": 1.5}]}},
            "data.0.custom_data.contents.0.quantity",
        ),
        (
            {"custom_data": {"contents": [{"item_brand_id": "x" * 65}]}},
            "data.0.custom_data.contents.0.item_brand_id",
        ),
        ({"app_info": {"app_store": "x" * 101}}, "data.0.app_info.app_store"),
        ({"app_info": {"install_time": -1}}, "data.0.app_info.install_time"),
        ({"device_info": {"battery_level": 101}}, "data.0.device_info.battery_level"),
        ({"device_info": {"battery_level": -1}}, "data.0.device_info.battery_level"),
        ({"device_info": {"form_factor": "phone"}}, "data.0.device_info.form_factor"),
        ({"device_info": {"languages": ["en"] * 101}}, "data.0.device_info.languages"),
        ({"device_info": {"timezone_abbr": "x" * 6}}, "data.0.device_info.timezone_abbr"),
    ],
)
def test_wrong_shapes(changes, path):
    """A missing member, a wrong type, length, range or choice fails the whole request.

    The message says where.
    """
    got = answer(event(**changes))
    assert got.status == 400
    assert got.body["message"].startswith(f"Invalid request: {path} ")


@pytest.mark.parametrize(
    "changes",
    [
        {"language": None, "event_source_url": None, "partner_name": None},
        {"user_data": {"em": [DIGEST], "click_id": None, "partner_id": None}},
        {
            "custom_data": {
                "currency": None,
                "value": None,
                "predicted_ltv": None,
                "opt_out_type": None,
            }
        },
        {"custom_data": {"external_measurement_vendor_id": None}},
        {"custom_data": {}, "app_info": {}, "device_info": {}},
        {
            "device_info": {
                "timezone_abbr": "x" * 5,
                "battery_level": 100,
                "languages": ["en"] * 100,
            }
        },
        {"advertiser_tracking_enabled": False, "opt_out": False, "wifi": True},
    ],
)
def test_right_shapes(changes):
    """Nulls if the description allows them, and values at their limits, are accepted."""
    assert answer(event(**changes)).status == 200


@pytest.mark.parametrize(
    ("user_data", "processed"),
    [
        ({"em": [DIGEST]}, True),
        ({"hashed_maids": [DIGEST]}, True),
        ({"client_ip_address": "192.0.2.1", "client_user_agent": "Mozilla/5.0"}, True),
        ({}, False),
        ({"em": []}, False),
        ({"ph": [DIGEST]}, False),
        ({"external_id": [DIGEST], "click_id": "dj0yJnU9"}, False),
        ({"client_ip_address": "192.0.2.1"}, False),
        ({"client_user_agent": "Mozilla/5.0"}, False),
        ({"client_ip_address": "", "client_user_agent": "Mozilla/5.0"}, False),
    ],
)
def test_identity(user_data, processed):
    """An event needs em, or hashed_maids, or an address together with a user agent.

    A phone alone is not enough.
    """
    assert (not verdict(user_data=user_data).error) == processed


@pytest.mark.parametrize("name", verdicts.HASHED)
@pytest.mark.parametrize(
    "value",
    ["", "jane", DIGEST.upper(), DIGEST[:-1], DIGEST + "\n", hashlib.md5(b"jane").hexdigest()],
)
def test_unhashed(name, value):
    """A hashed field's value other than a SHA-256 digest fails its event, and is not repeated."""
    error = verdict(user_data={"em": [DIGEST]} | {name: [DIGEST, value]}).error
    assert f"user_data.{name} " in error
    assert not value or value not in error


@pytest.mark.parametrize(
    ("event_time", "processed"),
    [
        (NOW, True),
        (NOW - 7 * DAY, True),
        (NOW - 7 * DAY - 1, False),
        (NOW + 3600, True),
        (NOW + 3601, False),
        (NOW * 1000, False),
        (0, False),
        (-1, False),
    ],
)
def test_event_time(event_time, processed):
    """Older than 7 days, over an hour ahead, or in milliseconds: failed."""
    assert (not verdict(event_time=event_time).error) == processed


def test_event_time_limits_are_settings():
    """The maximum age and time ahead are not known for sure, so they can be set."""
    patient = rules.Rules(max_event_age_seconds=90 * DAY, max_ahead_seconds=0)
    assert not verdicts.judge(event(event_time=NOW - 80 * DAY), patient, NOW).error
    assert verdicts.judge(event(event_time=NOW + 1), patient, NOW).error


@pytest.mark.parametrize(
    "amount", ["1e3", "NaN", "Infinity", "19,99", "", " 1", "1.", ".5", "$5", "٣", "1\n", "0x10"]
)
@pytest.mark.parametrize("place", ["value", "predicted_ltv", "item_price"])
def test_no_amounts(place, amount):
    """An amount that is not a plain decimal fails its event."""
    custom_data = (
        {"contents": [{"item_price": "1"}, {"item_price": amount}]}
        if place == "item_price"
        else {place: amount}
    )
    assert place in verdict(custom_data=custom_data).error


@pytest.mark.parametrize("amount", ["0", "-5", "19.99", "123456789012345678.123456789"])
def test_amounts(amount):
    """Plain decimals are accepted."""
    assert not verdict(
        custom_data={"value": amount, "predicted_ltv": amount, "contents": [{"item_price": amount}]}
    ).error


@pytest.mark.parametrize("name", ["event_id", "event_name"])
def test_blank(name):
    """An empty event_id or event_name fails its event."""
    assert verdict(**{name: ""}).error == f"{name} is empty."


def test_event_names():
    """The 22 known names and the defined ones have no warning.

    Any other is processed with one.
    """
    assert len(verdicts.EVENT_NAMES) == 22
    for name in verdicts.EVENT_NAMES:
        assert verdict(event_name=name) == answers.PROCESSED
    own = verdict(event_name="Order Completed")
    assert own.warning
    assert not own.error
    assert (
        verdicts.judge(
            event(event_name="Order Completed"),
            rules.Rules(defined_events=["Order Completed"]),
            NOW,
        )
        == answers.PROCESSED
    )


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"custom_data": {"opt_out_type": "LDP"}}, False),
        ({"custom_data": {"opt_out_type": "GDPR"}}, True),
        ({"custom_data": {"opt_out_type": "LDP,GDPR"}}, True),
        ({"custom_data": {"currency": "usd"}}, True),
        ({"language": "en-US"}, True),
        ({"language": "en"}, False),
    ],
)
def test_warnings(changes, warned):
    """A non-standard but harmless value is processed with a warning."""
    got = verdict(**changes)
    assert not got.error
    assert bool(got.warning) == warned


def test_a_warning_is_in_the_answer():
    """An event with a warning counts as processed, and its entry has the warning."""
    got = answer(event(event_name="own"))
    assert got.status == 200
    assert got.body["events"][0]["status"] == "processed"
    assert got.body["events"][0]["warning_message"]


@pytest.mark.parametrize(
    ("query", "test"),
    [("", False), ("test=false", False), ("test=true", True), ("other=1&test=true", True)],
)
def test_test_requests(query, test):
    """A test request gets the same response."""
    got = answer(event(), query=query)
    assert (got.status, got.test) == (200, test)


def test_test_request_of_many_events():
    """Of a test request only the first 20 events are processed.

    The response counts all and lists those.
    """
    got = answer(*[event()] * 20, event(user_data={}), query="test=true")
    assert (got.status, got.body["num_events_received"], got.body["num_events_processed"]) == (
        200,
        21,
        20,
    )
    assert len(got.body["events"]) == 20


def test_rate_limit():
    """Beyond the calls per minute: 429 with code 8, until a minute after the first call."""
    limited, window, seen = rules.Rules(calls_per_minute=2), rates.FRESH, []
    for now in (NOW, NOW + 10.5, NOW + 20, NOW + 60):
        got = answer_events(request(event(event_time=NOW)), limited, now, window)
        window = got.window
        seen.append(
            (got.status, got.headers["X-RateLimit-Remaining"], got.headers["X-RateLimit-Reset"])
        )
    assert seen == [(200, "1", "60"), (200, "0", "50"), (429, "0", "40"), (200, "1", "60")]
    assert got.headers["X-RateLimit-Limit"] == '2, 2;w=60;name="ads_conversions_ad_account_id"'


def test_rate_limit_comes_before_the_body():
    """A call over the limit is refused unread; one that is refused for its body counts."""
    limited = rules.Rules(calls_per_minute=1)
    first = answer_events(request(body=b"{"), limited, NOW)
    assert (first.status, first.window.calls) == (400, 1)
    second = answer_events(request(body=b"{"), limited, NOW, first.window)
    assert (second.status, second.body["code"]) == (429, 8)


@given(st.lists(st.floats(0, 100), max_size=30))
def test_never_more_calls_than_the_limit(waits):
    """No minute since its first call has more calls than the limit, even if the clock goes back."""
    now, window, granted = float(NOW), rates.FRESH, {}
    for wait in waits:
        now += wait
        window, _ = rates.count_call(window, 3, now)
        granted[window.start] = granted.get(window.start, 0) + (window.calls <= 3)
    assert all(count <= 3 for count in granted.values())
    starts = sorted(granted)
    assert all(later - earlier >= 60 for earlier, later in itertools.pairwise(starts))


def test_html_markup():
    """A poisoned event refuses its request without naming it; a failing one fails alone."""
    both = request(event(event_id="a"), event(event_id="b"))
    poisoned = answer_events(both, RULES, NOW, marks={"b": "poison", "z": "poison"})
    assert (poisoned.status, poisoned.body["code"], poisoned.marked) == (400, 4196, {"b"})
    assert not poisoned.verdicts
    failed = answer_events(both, RULES, NOW, marks={"b": "fail"})
    assert [entry["status"] for entry in failed.body["details"]["events"]] == [
        "processed",
        "failed",
    ]
    assert answer_events(both, RULES, NOW, marks={"z": "fail"}).marked == frozenset()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def members(schema, path=()):
    """Yield every member of a schema's objects, each with the path to it."""
    if "items" in schema:
        yield from members(schema["items"], (*path, 0))
    for name, member in schema.get("properties", {}).items():
        yield (*path, name), member
        yield from members(member, (*path, name))


BODY = request_bodies.body_schema("ConversionEvents")
PATHS = list(members(BODY["properties"]["data"]["items"]))


def with_value(path, value):
    """A good event with one value put in one place."""
    changed = event()
    place = changed
    for step in path[:-1]:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    place[path[-1]] = value
    return changed


@given(st.sampled_from(PATHS), JSON)
@settings(max_examples=examples(300))
def test_any_value_anywhere_has_an_answer(path, value):
    """With any value in any place, the response is a 200, 400 or 422 of the described form."""
    got = answer_events(
        request(body=msgspec.json.encode({"data": [with_value(path[0], value)]})), RULES, NOW
    )
    assert got.status in (200, 400, 422)
    listed = got.body if got.status == 200 else got.body.get("details", {"events": []})
    assert got.status == 400 or len(listed["events"]) == 1


@given(JSON)
def test_any_body_has_an_answer(body):
    """Any JSON is handled."""
    assert answer_events(request(body=msgspec.json.encode(body)), RULES, NOW).status == 400


# ---- against Pinterest's own description


@pytest.mark.parametrize(
    ("member", "known"),
    [
        ("action_source", {"app_android", "app_ios", "web", "offline"}),
        ("event_name", verdicts.EVENT_NAMES),
    ],
)
def test_lists_in_prose(member, known):
    """The lists in the description's prose are in ours.

    All of action_source, fifteen of the event names.
    """
    listed = set(
        SCHEMAS["ConversionEvents"]["properties"]["data"]["items"]["properties"][member][
            "x-named-values"
        ]
    )
    assert (
        listed == known
        if member == "action_source"
        else (len(listed), listed - known) == (15, set())
    )


@functools.cache
def strict_validator():
    """A validator of the description, with observed rules, and user_data as a closed object."""
    schema = api_description.body_schema(api_description.EVENTS, "post")
    schemas = schema["components"]["schemas"]
    schemas["ConversionEventsUserData"] = schemas["ConversionEventsUserDataProperties"] | {
        "additionalProperties": False
    }
    members = schemas["ConversionEvents"]["properties"]["data"]["items"]["properties"]
    members["action_source"]["enum"] = members["action_source"]["x-named-values"]
    custom = members["custom_data"]["properties"]
    item = custom["contents"]["items"]["properties"]
    for member in (members["event_time"], custom["num_items"], item["quantity"]):
        member |= {"minimum": -(2**63), "maximum": 2**63 - 1}  # which is what int64 says
    return jsonschema.Draft202012Validator(schema)


def at_the_edge(member):
    """Values around the limits of a member."""
    limits = [
        member[keyword] + step
        for keyword in ("minimum", "maximum")
        if keyword in member
        for step in (-1, 0, 1)
    ]
    lengths = [member["maxLength"] + step for step in (-1, 0, 1)] if "maxLength" in member else []
    texts = (
        st.sampled_from(["é" * length for length in lengths]) if lengths else st.text(max_size=3)
    )
    whole = st.sampled_from(limits) if limits else st.integers(-(2**40), 2**40)
    chosen = st.sampled_from(member["enum"]) if "enum" in member else st.nothing()
    return st.one_of(
        texts,
        whole,
        chosen,
        st.none(),
        st.booleans(),
        st.lists(texts, max_size=2),
        st.just(0.5),
        st.just({}),
        JSON,
    )


@given(st.data())
@settings(max_examples=examples(400))
def test_agrees_with_the_description(data):
    """The sandbox and another validator of the description accept and refuse the same requests."""
    path, member = data.draw(st.sampled_from(PATHS))
    value = data.draw(at_the_edge(member))
    # JSON Schema of 2020-12 takes 1.0 for an integer, the sandbox does not
    assume(not (isinstance(value, float) and value.is_integer()))
    body = {"data": [with_value(path, value)]}
    assert (request_bodies.check_events(body) == "") == strict_validator().is_valid(body)


def test_imports_nothing_of_the_target():
    """The sandbox and its demo have only Pinterest's rules: they import nothing else of ours."""
    folder = Path(rules.__file__).parent
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [getattr(node, "module", None) or ""]
            )
            ours = [
                name
                for name in names
                if name.startswith("target_pinterest_capi")
                and isinstance(node, ast.Import | ast.ImportFrom)
            ]
            assert all(name.startswith("target_pinterest_capi.sandbox") for name in ours), file.name
