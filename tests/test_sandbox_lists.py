"""The sandbox's customer lists, audiences and quality scores.

Membership, counters, pages, refusals, faults, and what is shown.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_description import PARAMETERS, PATHS, SCHEMAS
from given import Clock
from target_pinterest_capi.sandbox import (
    audiences,
    customer_lists,
    identifiers,
    oauth,
    pages,
    quality,
    rates,
    rules,
)
from target_pinterest_capi.sandbox.answers import Request
from target_pinterest_capi.sandbox.app import ROUTES
from target_pinterest_capi.sandbox.fault_plans import Faults
from target_pinterest_capi.sandbox.faults import ENDPOINTS, Fault, FaultError, parse

NOW = 1_780_000_000
ACCOUNT = "549755885175"
CLIENT = httpx.Client(timeout=120)


@pytest.fixture(scope="module", autouse=True)
def closed_in_the_end() -> Iterator[None]:
    yield
    CLIENT.close()


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def people(count, start=0):
    """E-mail digests, joined as in `records`."""
    return ",".join(digest(f"{number}@example.com") for number in range(start, start + count))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def start(start):
    """Start sandboxes whose lists are ready at once."""
    return partial(start, list_processing_seconds=0)


@pytest.fixture
def sandbox(start):
    return start()


def call(sandbox, method, path, *, token="sandbox-access-token", account=ACCOUNT, **given):
    return CLIENT.request(
        method,
        f"{sandbox.url}/ad_accounts/{account}/{path}",
        headers={"Authorization": f"Bearer {token}"},
        **given,
    )


def create(
    sandbox, records=None, *, name="buyers", token="sandbox-access-token", account=ACCOUNT, **more
):
    body = {"name": name, "records": people(1) if records is None else records, **more}
    return call(sandbox, "POST", "customer_lists", token=token, account=account, json=body)


def change(sandbox, list_id, operation, records, **more):
    return call(
        sandbox,
        "PATCH",
        f"customer_lists/{list_id}",
        json={"operation_type": operation, "records": records},
        **more,
    )


# ---- membership


def test_membership(sandbox):
    """A list is created with its first records; ADD and REMOVE change it.

    The sandbox knows its members as digests.
    """
    made = create(sandbox, "jane@example.com,joe@example.com").json()
    change(sandbox, made["id"], "ADD", digest("ann@example.com"))
    changed = change(sandbox, made["id"], "REMOVE", "joe@example.com")
    assert changed.status_code == 200
    assert sandbox.store.members(made["id"]) == {
        digest("jane@example.com"),
        digest("ann@example.com"),
    }
    assert [
        (row.operation, row.records, row.changed) for row in sandbox.store.updates(made["id"])
    ] == [
        ("CREATE", 2, 2),
        ("ADD", 1, 1),
        ("REMOVE", 1, 1),
    ]
    with pytest.raises(KeyError):
        sandbox.store.members("1")


def test_counters_are_no_proof_of_membership(sandbox):
    """The counters increase for repeated members too, and for removals of absent ones."""
    made = create(sandbox, people(3)).json()
    assert (
        made["num_batches"],
        made["num_uploaded_user_records"],
        made["num_removed_user_records"],
    ) == (1, 3, 0)
    repeated = ",".join([people(1)] * 2)
    assert change(sandbox, made["id"], "ADD", repeated).json()["num_uploaded_user_records"] == 5
    removed = change(sandbox, made["id"], "REMOVE", people(4, start=2)).json()
    assert (
        removed["num_batches"],
        removed["num_uploaded_user_records"],
        removed["num_removed_user_records"],
    ) == (3, 5, 4)
    assert len(sandbox.store.members(made["id"])) == 2
    assert [row.changed for row in sandbox.store.updates()] == [3, 0, 1]


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["ADD", "REMOVE"]), st.lists(st.integers(0, 9), min_size=1, max_size=8)
    ),
    max_size=12,
)


@given(OPERATIONS)
def test_the_last_request_that_named_a_member_decides(operations):
    """After any updates, a member is on the list exactly if its last request was an addition."""
    plain = rules.Rules()
    auth = f"Bearer {plain.app.access_token}"
    lists, last = {}, {0: "ADD"}
    body = json.dumps({"name": "n", "records": "0@example.com"}).encode()
    answer = customer_lists.answer(Request(ACCOUNT, auth, body), plain, NOW, lists)
    lists[answer.kept.id] = answer.kept
    uploaded, removed = 1, 0
    for operation, numbers in operations:
        records = ",".join(f"{number}@example.com" for number in numbers)
        body = json.dumps({"operation_type": operation, "records": records}).encode()
        answer = customer_lists.answer(
            Request(ACCOUNT, auth, body, method="PATCH", list_id=answer.kept.id), plain, NOW, lists
        )
        lists[answer.kept.id] = answer.kept
        last |= dict.fromkeys(numbers, operation)
        uploaded += len(numbers) * (operation == "ADD")
        removed += len(numbers) * (operation == "REMOVE")
    assert answer.kept.members == {
        digest(f"{number}@example.com") for number, operation in last.items() if operation == "ADD"
    }
    assert (answer.body["num_uploaded_user_records"], answer.body["num_removed_user_records"]) == (
        uploaded,
        removed,
    )
    assert answer.body["num_batches"] == len(operations) + 1


@pytest.mark.parametrize(
    ("record", "list_type", "taken"),
    [
        ("jane@example.com", "EMAIL", True),
        ("jane@example.com", "MAID", True),
        ("Jane@example.com", "EMAIL", False),
        ("jane@example", "EMAIL", False),
        ("jane doe@example.com", "EMAIL", False),
        ("cdda802e-fb9c-47ad-9866-0794d394c912", "MAID", False),
        ("cdda802e-fb9c-47ad-9866-0794d394c912", "IDFA", False),
        ("XY1234567", "LR_ID", True),
        ("12-34", "DLX_ID", True),
        ("abc", "HASHED_PINNER_ID", True),
    ],
)
def test_plain_identifiers(record, list_type, taken):
    """Plain e-mails in lower case are accepted and kept as their SHA-256.

    Plain MAIDs and IDFAs are not; partners' ids have no form.
    """
    assert identifiers.member(record, list_type) == (digest(record) if taken else None)


@pytest.mark.parametrize("list_type", identifiers.LIST_TYPES)
@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_digests_are_kept_as_they_are(algorithm, list_type):
    """A SHA-256, SHA-1 or MD5 digest in lower case is unchanged; in upper case it is invalid."""
    value = hashlib.new(algorithm, b"jane@example.com").hexdigest()
    assert identifiers.member(value, list_type) == value
    odd = identifiers.member(value.upper(), list_type)
    assert odd == (digest(value.upper()) if list_type in identifiers.OPAQUE else None)


@pytest.mark.parametrize(
    ("records", "received", "invalid", "members"),
    [
        ("a@example.com,b@example.com", 2, 0, 2),
        ("a@example.com, b@example.com,", 2, 0, 2),
        ("a@example.com,,a@example.com", 2, 0, 1),
        ("a@example.com,nobody", 2, 1, 1),
        ("", 0, 0, 0),
        (" , ", 0, 0, 0),
    ],
)
def test_records(records, received, invalid, members):
    """Records are separated by commas; empty ones do not count, repeated ones are one member."""
    got = identifiers.parse_records(records, "EMAIL")
    assert (got.received, got.invalid, len(got.members)) == (received, invalid, members)


def test_exceptions(sandbox):
    """Records that are not identifiers are counted in `exceptions`, until the next update."""
    made = create(sandbox, "jane@example.com,Joe@Example.com,nobody").json()
    assert made["exceptions"] == {"invalid_records": 2}
    assert sandbox.store.members(made["id"]) == {digest("jane@example.com")}
    assert call(sandbox, "GET", f"customer_lists/{made['id']}").json()["exceptions"] == {
        "invalid_records": 2
    }
    assert change(sandbox, made["id"], "ADD", people(1)).json()["exceptions"] == {}


def test_two_lists_of_one_name(sandbox):
    """A name is not a key: the same request again creates another list, with a higher id."""
    first, second = create(sandbox).json(), create(sandbox).json()
    assert first["name"] == second["name"]
    assert int(first["id"]) < int(second["id"])
    listed = call(sandbox, "GET", "customer_lists").json()["items"]
    assert [item["id"] for item in listed] == [first["id"], second["id"]]


def test_ids_do_not_survive_a_float(sandbox):
    """Ids have 18 digits: a client that reads them as floating-point numbers finds another list."""
    made = create(sandbox).json()["id"]
    assert len(made) == 18
    assert int(float(made)) != int(made)


# ---- status


@pytest.mark.parametrize(
    ("members", "updates", "seconds", "status"),
    [
        (1, 1, 0, "UPLOADING"),
        (1, 1, 4, "UPLOADING"),
        (1, 1, 5, "PROCESSING"),
        (1, 2, 0, "PROCESSING"),
        (100, 2, 9, "PROCESSING"),
        (99, 1, 10, "TOO_SMALL"),
        (100, 1, 10, "READY"),
        (100, 2, 3600, "READY"),
    ],
)
def test_status(members, updates, seconds, status):
    """UPLOADING, then PROCESSING, then READY, or TOO_SMALL with less than 100 members.

    Each update is processed again.
    """
    held = customer_lists.StoredList(
        "1",
        ACCOUNT,
        "n",
        "EMAIL",
        NOW,
        NOW,
        batches=updates,
        members=frozenset(map(str, range(members))),
    )
    assert (
        customer_lists.status(held, rules.Rules(list_processing_seconds=10), NOW + seconds)
        == status
    )


def test_status_over_time(start, clock):
    """A list's status can be read again later; only updates change `updated_time`."""
    sandbox = start(list_processing_seconds=10)
    made = create(sandbox, people(100)).json()
    assert (made["status"], made["created_time"], made["updated_time"]) == ("UPLOADING", NOW, NOW)
    clock.now += 10
    later = call(sandbox, "GET", f"customer_lists/{made['id']}").json()
    assert (later["status"], later["updated_time"]) == ("READY", NOW)
    removed = change(sandbox, made["id"], "REMOVE", people(1)).json()
    assert (removed["status"], removed["created_time"], removed["updated_time"]) == (
        "PROCESSING",
        NOW,
        NOW + 10,
    )
    clock.now += 10
    assert call(sandbox, "GET", f"customer_lists/{made['id']}").json()["status"] == "TOO_SMALL"


# ---- pages


class Listed:
    """A row with nothing but an id."""

    def __init__(self, number):
        self.id = str(number)


@given(
    st.sets(st.integers(1, 10**18 - 1), max_size=40),
    st.integers(1, 12),
    st.sampled_from(pages.ORDERS),
)
def test_bookmarks_lead_through_all_rows(numbers, size, order):
    """Following the bookmarks returns each row once, in order; the last page has none."""
    rows, query, seen = (
        [Listed(number) for number in numbers],
        f"page_size={size}&order={order}",
        [],
    )
    bookmark = None
    for _ in range(len(rows) // size + 1):
        answer = pages.page(
            rows, query + (f"&bookmark={bookmark}" if bookmark else ""), lambda row: int(row.id)
        )
        seen += answer.body["items"]
        assert len(answer.body["items"]) <= size
        bookmark = answer.body["bookmark"] and str(httpx.QueryParams(b=answer.body["bookmark"]))[2:]
    assert bookmark is None
    assert seen == sorted(numbers, reverse=order == "DESCENDING")


def test_a_full_last_page_has_a_bookmark(sandbox):
    """If the lists end with a full page, its bookmark leads to an empty one, which has none."""
    for number in range(2):
        create(sandbox, name=f"list {number}")
    first = call(sandbox, "GET", "customer_lists", params={"page_size": 2}).json()
    assert [item["name"] for item in first["items"]] == ["list 0", "list 1"]
    last = call(
        sandbox, "GET", "customer_lists", params={"page_size": 2, "bookmark": first["bookmark"]}
    ).json()
    assert last == {"items": [], "bookmark": None}


def test_page_size_is_25_unless_it_is_said(sandbox):
    """Without a page_size a page has 25 lists; a list created meanwhile is on a later page."""
    for number in range(26):
        create(sandbox, name=f"list {number}")
    first = call(sandbox, "GET", "customer_lists").json()
    assert len(first["items"]) == 25
    create(sandbox, name="late")
    second = call(sandbox, "GET", "customer_lists", params={"bookmark": first["bookmark"]}).json()
    assert [item["name"] for item in second["items"]] == ["list 25", "late"]
    newest = call(
        sandbox, "GET", "customer_lists", params={"order": "DESCENDING", "page_size": 1}
    ).json()
    assert newest["items"][0]["name"] == "late"


@pytest.mark.parametrize(
    "query",
    [
        "page_size=0",
        "page_size=251",
        "page_size=-1",
        "page_size=x",
        "page_size=",
        "page_size=٣",
        "order=UP",
        "bookmark=",
        "bookmark=x",
        "bookmark=" + base64.b64encode(b"ASCENDING|x").decode(),
        "bookmark=" + base64.b64encode(b"\xff\xfe").decode(),
        "order=DESCENDING&bookmark=" + base64.b64encode(b"ASCENDING|1").decode(),
    ],
)
@pytest.mark.parametrize("path", ["customer_lists", "audiences"])
def test_wrong_pages(query, path):
    """An impossible page is refused, with a message that does not repeat the value."""
    request = Request(ACCOUNT, "Bearer sandbox-access-token", b"", query=query, method="GET")
    if path == "customer_lists":
        answer = customer_lists.answer(request, rules.Rules(), NOW, {})
    else:
        answer = audiences.answer(request, rules.Rules(), NOW, {}, {})
    assert (answer.status, answer.body["code"]) == (400, 400)
    assert answer.refused


def test_each_account_has_its_lists(start):
    """Another ad account's lists and audiences are not listed, found or used."""
    sandbox = start(tokens={"sandbox-token": ("1", "2")})
    made = create(sandbox, account="1").json()["id"]
    audience = {"audience_type": "CUSTOMER_LIST", "name": "a", "rule": {"customer_list_id": made}}
    assert call(sandbox, "POST", "audiences", account="1", json=audience).status_code == 200
    for path in ("customer_lists", "audiences"):
        assert [
            len(call(sandbox, "GET", path, account=account).json()["items"]) for account in "12"
        ] == [1, 0]
    assert call(sandbox, "GET", f"customer_lists/{made}", account="2").status_code == 404
    assert change(sandbox, made, "REMOVE", people(1), account="2").status_code == 404
    assert call(sandbox, "POST", "audiences", account="2", json=audience).status_code == 400
    assert len(sandbox.store.members(made)) == 1


# ---- refusals


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"name": "n"}, "exactly one of records and records_v2"),
        ({"records": "a@example.com"}, "'name'"),
        ({"name": "n", "records": ["a@example.com"]}, "records is not of type 'string'"),
        ({"name": "n", "records": None}, "records is not of type 'string'"),
        ({"name": 7, "records": "a@example.com"}, "name is not of type 'string'"),
        ({"name": " ", "records": "a@example.com"}, "name is empty"),
        ({"name": "n", "records": ""}, "records has no identifier"),
        ({"name": "n", "records": "nobody,Nobody@Example.com"}, "records has no identifier"),
        (
            {"name": "n", "records": "a@example.com", "list_type": "PHONE"},
            "list_type is not one of",
        ),
        (
            {"name": "n", "records": "a@example.com", "list_type": "email"},
            "list_type is not one of",
        ),
        (
            {"name": "n", "records": "a@example.com", "operation_type": "ADD"},
            "('operation_type' was unexpected)",
        ),
        ([], "is not of type 'object'"),
    ],
)
def test_refused_creations(sandbox, body, place):
    """An invalid creation is a 400 with the reason, without a record, and no list is created."""
    response = call(sandbox, "POST", "customer_lists", json=body)
    assert (response.status_code, response.json()["code"]) == (400, 400)
    assert place in response.json()["message"]
    assert "example.com" not in response.text.lower()
    assert sandbox.store.lists() == []


@pytest.mark.parametrize(
    "body",
    [
        {"operation_type": "ADD"},
        {"records": "a@example.com"},
        {"operation_type": "REPLACE", "records": "a@example.com"},
        {"operation_type": "add", "records": "a@example.com"},
        {"operation_type": "REMOVE", "records": ["a@example.com"]},
        {"operation_type": "REMOVE", "records": ","},
        {"operation_type": "ADD", "records": "nobody"},
        {"operation_type": "ADD", "records": "a@example.com", "name": "n"},
    ],
)
def test_refused_updates(sandbox, body):
    """An invalid update is a 400, and the list does not change."""
    made = create(sandbox).json()["id"]
    assert call(sandbox, "PATCH", f"customer_lists/{made}", json=body).status_code == 400
    assert len(sandbox.store.updates(made)) == 1


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"{}", "text/plain"),
        (b'"\xff"', "application/json"),
    ],
)
@pytest.mark.parametrize("path", ["customer_lists", "audiences"])
def test_bodies_that_are_no_json(sandbox, path, content, content_type):
    """A body that is not JSON, or lacks its content type, is a 400."""
    token = {"Authorization": "Bearer sandbox-access-token", "Content-Type": content_type}
    response = CLIENT.post(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/{path}", content=content, headers=token
    )
    assert (response.status_code, set(response.json())) == (400, {"code", "message"})


@pytest.mark.parametrize(
    ("list_id", "status"),
    [("1", 404), ("9" * 18, 404), ("9" * 19, 400), ("buyers", 400), ("٣", 400)],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_unknown_lists(sandbox, method, list_id, status):
    """An unknown list is a 404; an impossible id is a 400."""
    body = {"operation_type": "ADD", "records": people(1)}
    assert (
        call(
            sandbox,
            method,
            f"customer_lists/{list_id}",
            **({"json": body} if method == "PATCH" else {}),
        ).status_code
        == status
    )


@pytest.mark.parametrize(("records", "status"), [(3, 200), (4, 400)])
def test_records_a_request(start, records, status):
    """The number of records per request can be set; one more is a 400."""
    sandbox = start(max_list_records=3)
    assert create(sandbox, people(records)).status_code == status
    assert len(sandbox.store.lists()) == (status == 200)


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 413)])
def test_bytes_a_request(start, extra, status):
    """The size of a body can be set; one byte more is a 413."""
    body = json.dumps({"name": "n", "records": people(2)}).encode()
    sandbox = start(max_list_bytes=len(body))
    auth = {"Authorization": "Bearer sandbox-access-token", "Content-Type": "application/json"}
    response = CLIENT.post(
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/customer_lists",
        content=body + b" " * extra,
        headers=auth,
    )
    assert response.status_code == status


def test_large_requests_are_taken_by_default(sandbox):
    """Ten thousand digests are accepted in one request, far below a megabyte, and so are more."""
    made = create(sandbox, people(10_000)).json()
    assert change(sandbox, made["id"], "ADD", people(20_000, start=5_000)).status_code == 200
    assert len(sandbox.store.members(made["id"])) == 25_000


LISTS = ("customer_lists", "audiences")


@pytest.mark.parametrize(
    ("token", "account", "status", "code"),
    [
        ("sandbox-access-token", ACCOUNT, 200, None),
        ("sandbox-token", ACCOUNT, 401, 3),
        ("other", ACCOUNT, 401, 2),
        ("sandbox-access-token-1", ACCOUNT, 401, 2),
        ("sandbox-access-token", "1", 403, 29),
        ("sandbox-access-token", "acct", 400, 4196),
    ],
)
@pytest.mark.parametrize("path", [*LISTS, "customer_lists/1", "conversion_eqs?lookback_period=1d"])
def test_who_may(sandbox, path, token, account, status, code):
    """An OAuth token opens lists, audiences and scores.

    The conversion token and unknown ones are a 401, other accounts a 403.
    """
    response = call(sandbox, "GET", path, token=token, account=account)
    expected = 404 if (path, status) == ("customer_lists/1", 200) else status
    assert response.status_code == expected
    if code:
        assert response.json()["code"] == code


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [(["ads:read"], 200, 401), (["ads:write"], 401, 200), (["boards:read"], 401, 401)],
)
def test_scopes(start, scopes, reads, writes):
    """Reading needs ads:read, changing ads:write; one scope does not include the other."""
    sandbox = start(app=oauth.App(scopes=scopes))
    assert call(sandbox, "GET", "customer_lists").status_code == reads
    response = create(sandbox)
    assert response.status_code == writes
    assert writes == 200 or response.json()["code"] == 3
    listed = sandbox.store.lists()[0].id if sandbox.store.lists() else "1"
    body = {"audience_type": "CUSTOMER_LIST", "name": "a", "rule": {"customer_list_id": listed}}
    assert call(sandbox, "POST", "audiences", json=body).status_code == writes


def test_rate_limits(start, clock):
    """Lists and audiences share the limit of writes; reads and events have their own.

    Beyond it: 429, code 8, until the reset.
    """
    sandbox = start(writes_per_minute=2, reads_per_minute=3)
    made = create(sandbox)
    audience = {
        "audience_type": "CUSTOMER_LIST",
        "name": "a",
        "rule": {"customer_list_id": made.json()["id"]},
    }
    assert call(sandbox, "POST", "audiences", json=audience).status_code == 200
    refused = create(sandbox)
    assert (refused.status_code, refused.json()["code"]) == (429, 8)
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    assert [refused.headers[name] for name in names] == [
        '2, 2;w=60;name="ads_write_user_id_app_id"',
        "0",
        "60",
    ]
    statuses = [
        call(sandbox, "GET", path).status_code
        for path in ("customer_lists", "audiences", "customer_lists", "audiences")
    ]
    assert statuses == [200, 200, 200, 429]
    event = {"event_name": "signup", "action_source": "web", "event_time": NOW, "event_id": "1"}
    sent = call(
        sandbox,
        "POST",
        "events",
        json={"data": [{**event, "user_data": {"em": [digest("jane@example.com")]}}]},
    )
    assert (sent.status_code, sent.headers["X-RateLimit-Remaining"]) == (200, "4999")
    clock.now += 60
    assert create(sandbox).status_code == 200
    assert len(sandbox.store.lists()) == 2


def test_limits_are_the_users(start):
    """The limit of writes is per user and app.

    All of their ad accounts share it, unlike that of events.
    """
    sandbox = start(writes_per_minute=1, tokens={"sandbox-token": ("1", "2")})
    assert [create(sandbox, account=account).status_code for account in "12"] == [200, 429]


# ---- audiences


def test_audiences(start, clock):
    """An audience is created from a list, once for each request, and follows it.

    INITIALIZING, TOO_SMALL, READY, with its size.
    """
    sandbox = start(list_processing_seconds=10)
    list_id = create(sandbox, people(99)).json()["id"]
    body = {
        "audience_type": "CUSTOMER_LIST",
        "name": "Buyers",
        "description": "d",
        "rule": {"customer_list_id": list_id},
    }
    made = call(sandbox, "POST", "audiences", json=body).json()
    assert (made["status"], made["size"], made["rule"]) == (
        "INITIALIZING",
        None,
        {"customer_list_id": list_id},
    )
    assert (made["name"], made["description"], made["audience_type"], made["type"]) == (
        "Buyers",
        "d",
        "CUSTOMER_LIST",
        "audience",
    )
    clock.now += 10
    (small,) = call(sandbox, "GET", "audiences").json()["items"]
    assert (small["id"], small["status"], small["size"]) == (made["id"], "TOO_SMALL", 99)
    change(sandbox, list_id, "ADD", people(1, start=99))
    clock.now += 10
    (ready,) = call(sandbox, "GET", "audiences").json()["items"]
    assert (ready["status"], ready["size"], ready["updated_timestamp"]) == ("READY", 100, NOW + 10)
    assert call(sandbox, "POST", "audiences", json=body).json()["id"] != made["id"]
    assert [row.customer_list_id for row in sandbox.store.audiences()] == [list_id] * 2
    assert (
        call(sandbox, "GET", "audiences", params={"ownership_type": "RECEIVED"}).json()["items"]
        == []
    )
    assert call(sandbox, "GET", "audiences", params={"ownership_type": "MINE"}).status_code == 400
    first = call(sandbox, "GET", "audiences", params={"page_size": 1}).json()
    following = call(
        sandbox, "GET", "audiences", params={"page_size": 1, "bookmark": first["bookmark"]}
    ).json()
    assert [first["items"][0]["id"], following["items"][0]["id"]] == [
        row.id for row in sandbox.store.audiences()
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"audience_type": "VISITOR"},
        {"audience_type": "customer_list"},
        {"audience_type": ...},
        {"name": ...},
        {"name": ""},
        {"name": None},
        {"rule": ...},
        {"rule": {}},
        {"rule": {"customer_list_id": 7}},
        {"rule": {"customer_list_id": "7"}},
        {"rule": {"customer_list_id": "buyers"}},
        {"rule": {"customer_list_id": "7", "country": "US"}},
        {"ad_account_id": "1"},
        {"size": 100},
    ],
)
def test_refused_audiences(sandbox, changes):
    """Another type, an unknown list, an unknown or missing member.

    400, and no audience.
    """
    list_id = create(sandbox).json()["id"]
    good = {
        "audience_type": "CUSTOMER_LIST",
        "name": "a",
        "ad_account_id": ACCOUNT,
        "rule": {"customer_list_id": list_id},
    }
    body = {name: value for name, value in (good | changes).items() if value is not ...}
    response = call(sandbox, "POST", "audiences", json=body)
    assert (response.status_code, response.json()["code"]) == (400, 400)
    assert sandbox.store.audiences() == []
    assert call(sandbox, "POST", "audiences", json=good).status_code == 200


# ---- what is shown


def test_requests_are_kept(sandbox):
    """Each request leaves one row: endpoint, method, and its change of a list."""
    made = create(sandbox, people(2)).json()["id"]
    change(sandbox, made, "REMOVE", people(1))
    call(sandbox, "GET", "customer_lists")
    change(sandbox, made, "REPLACE", people(1))
    rows = [
        (r.number, r.endpoint, r.method, r.status, r.list_id, r.operation, r.records)
        for r in sandbox.store.requests()
    ]
    assert rows == [
        (1, "customer_lists", "POST", 200, made, "CREATE", 2),
        (2, "customer_lists", "PATCH", 200, made, "REMOVE", 1),
        (3, "customer_lists", "GET", 200, "", "", 0),
        (4, "customer_lists", "PATCH", 400, "", "", 0),
    ]
    counters = sandbox.store.counters()
    assert {
        name: count for name, count in counters.items() if "list" in name or "members" in name
    } == {
        "list_records": 3,
        "list_updates": 1,
        "lists_created": 1,
        "members_added": 2,
        "members_removed": 1,
    }


def test_lists_over_http(sandbox):
    """`/_sandbox/lists` shows each list with type, size, members as digests, and its updates."""
    made = create(sandbox, "jane@example.com,nobody", list_type="EMAIL").json()
    change(sandbox, made["id"], "ADD", "joe@example.com")
    create(sandbox, name="others")
    shown = CLIENT.get(f"{sandbox.origin}/_sandbox/lists").json()
    assert [each["name"] for each in shown] == ["buyers", "others"]
    first = shown[0]
    assert (first["id"], first["size"], first["list_type"], first["status"]) == (
        made["id"],
        2,
        "EMAIL",
        "TOO_SMALL",
    )
    assert first["members"] == sorted([digest("jane@example.com"), digest("joe@example.com")])
    assert first["updates"] == [
        {"request": 1, "at": NOW, "operation": "CREATE", "records": 2, "invalid": 1, "changed": 1},
        {"request": 2, "at": NOW, "operation": "ADD", "records": 1, "invalid": 0, "changed": 1},
    ]
    last = CLIENT.get(f"{sandbox.origin}/_sandbox/lists", params={"limit": 1}).json()
    assert [each["name"] for each in last] == ["others"]


def test_no_plain_identifier_and_no_token_is_shown(sandbox):
    """No plain e-mail of a list, accepted or refused, and no token is in any output."""
    made = create(sandbox, "jane@example.com,Joe@Example.com").json()["id"]
    change(sandbox, made, "ADD", "nobody@example")
    change(sandbox, made, "ADD", "ann@example.com", token="sandbox-token")
    body = {"audience_type": "CUSTOMER_LIST", "name": "a", "rule": {"customer_list_id": made}}
    call(sandbox, "POST", "audiences", json=body)
    shown = "".join(
        CLIENT.get(f"{sandbox.origin}/_sandbox/{page}").text
        for page in ("", "events", "requests", "lists", "audiences", "counters", "faults")
    ).lower()
    assert digest("jane@example.com") in shown
    assert "@example" not in shown
    assert "sandbox-token" not in shown
    assert "access-token" not in shown


def test_audiences_over_http(sandbox):
    """`/_sandbox/audiences` shows the audiences like Pinterest.

    Reset deletes them and the lists.
    """
    made = create(sandbox).json()["id"]
    body = {"audience_type": "CUSTOMER_LIST", "name": "a", "rule": {"customer_list_id": made}}
    audience = call(sandbox, "POST", "audiences", json=body).json()
    assert CLIENT.get(f"{sandbox.origin}/_sandbox/audiences").json() == [audience]
    CLIENT.post(f"{sandbox.origin}/_sandbox/reset")
    assert (sandbox.store.lists(), sandbox.store.audiences(), sandbox.store.updates()) == (
        [],
        [],
        [],
    )
    assert call(sandbox, "GET", f"customer_lists/{made}").status_code == 404


def test_memory_of_updates_is_bounded(start):
    """Of updates only a limited number of members is kept, the latest ones.

    Lists are kept completely.
    """
    sandbox = start(keep_events=5)
    made = create(sandbox, people(3)).json()["id"]
    for number in range(3):
        change(sandbox, made, "ADD", people(2, start=10 + 2 * number))
    assert [row.operation for row in sandbox.store.updates()] == ["ADD", "ADD"]
    assert len(sandbox.store.members(made)) == 9
    assert sandbox.store.counters()["members_added"] == 9


def test_bodies_of_lists_are_not_recorded(start, tmp_path):
    """The file of bodies holds only requests of events.

    Nothing of a list, whose records may be plain.
    """
    sandbox = start(record_bodies=tmp_path / "bodies.jsonl")
    create(sandbox, "jane@example.com")
    assert (tmp_path / "bodies.jsonl").read_bytes() == b""


# ---- faults


def test_uncertain_creation(sandbox):
    """If a creation is dropped after processing, its list exists without a response.

    It is found by name, and created twice by a blind retry.
    """
    sandbox.faults.set([Fault("drop_after", endpoint="customer_lists", method="POST", times=1)])
    assert call(sandbox, "GET", "customer_lists").json()["items"] == []
    with pytest.raises(httpx.TransportError):
        create(sandbox)
    listed = call(sandbox, "GET", "customer_lists").json()["items"]
    assert [item["name"] for item in listed] == ["buyers"]
    create(sandbox)
    assert len(sandbox.store.lists()) == 2
    row = next(row for row in sandbox.store.requests() if row.status is None)
    assert (row.operation, row.list_id, row.faults) == ("CREATE", listed[0]["id"], ("drop_after",))


@pytest.mark.parametrize(
    ("fault", "status", "changed"),
    [
        (Fault("drop_before"), None, False),
        (Fault("drop_after"), None, True),
        (Fault("truncated"), None, True),
        (Fault("status", status=503), 503, False),
        (Fault("status", status=429, retry_after=1), 429, False),
        (Fault("redirect"), 307, False),
        (Fault("latency", seconds=0.001), 200, True),
        (Fault("empty_body"), 200, True),
        (Fault("not_json"), 200, True),
        (Fault("drip", seconds=0.0001), 200, True),
        (Fault("headers", reset=9), 200, True),
        (Fault("wrong_count"), 200, True),
        (Fault("poison", event_id="x"), 200, True),
    ],
)
def test_every_fault(sandbox, fault, status, changed):
    """Each fault has its documented effect on an update, before or after the list changes.

    Faults of events have none.
    """
    made = create(sandbox).json()["id"]
    sandbox.faults.set([fault])
    try:
        got = change(sandbox, made, "ADD", people(1, start=1)).status_code
    except httpx.TransportError:
        got = None
    assert (got, len(sandbox.store.members(made))) == (status, 2 if changed else 1)
    struck = () if fault.fault in ("wrong_count", "poison") else (fault.fault,)
    assert sandbox.store.requests()[-1].faults == struck


@given(
    st.lists(st.tuples(st.sampled_from(ENDPOINTS), st.sampled_from(["GET", "POST"])), max_size=30),
    st.integers(1, 4),
)
def test_faults_choose_their_requests(requests, number):
    """A fault of an endpoint and a method counts and affects only their requests."""
    place = ("customer_lists", "POST")
    faults = Faults(
        [
            Fault("drop_after", endpoint=place[0], method=place[1], requests=(number,)),
            Fault("poison", event_id="a"),
        ]
    )
    seen = Counter()
    for request in requests:
        seen[request] += 1
        plan = faults.plan(*request)
        assert bool(plan.after) == (request == place and seen[place] == number)
        assert bool(plan.marks) == (request[0] == "events")


def test_rates_of_an_endpoint_do_not_move():
    """The draws of an endpoint's fault do not depend on requests to other endpoints."""
    fault = Fault("drop_after", endpoint="customer_lists", rate=0.5)
    alone, among = Faults([fault], 3), Faults([fault], 3)
    first = [bool(alone.plan("customer_lists", "PATCH").after) for _ in range(50)]
    second = [
        (among.plan(), bool(among.plan("customer_lists", "PATCH").after))[1] for _ in range(50)
    ]
    assert first == second
    assert 0 < sum(first) < 50


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (
            "drop_after:endpoint=pins",
            "endpoint must be one of: events, customer_lists, audiences, oauth, conversion_eqs",
        ),
        ("drop_after:method=PUT", "method must be one of: GET, POST, PATCH, DELETE"),
        (
            "poison:event_id=a,endpoint=customer_lists",
            "fault poison: endpoint must be one of: events",
        ),
        ("wrong_count:endpoint=oauth", "fault wrong_count: endpoint must be one of: events"),
    ],
)
def test_wrong_selectors(spec, complaint):
    """An impossible endpoint or method of a fault is refused with the possible ones."""
    with pytest.raises(FaultError) as raised:
        parse(spec)
    assert complaint in str(raised.value)


def test_selectors_on_a_command_line():
    """The selectors are written like the others."""
    assert parse("drop_after:endpoint=customer_lists,method=POST,requests=2") == Fault(
        "drop_after", endpoint="customer_lists", method="POST", requests=(2,)
    )


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_is_struck(sandbox, endpoint):
    """Faults affect every endpoint.

    A dropped request leaves a row and no response, and the others are served.
    """
    sandbox.faults.set([Fault("drop_before", endpoint=endpoint)])
    reached = set()
    for path, name, methods in ROUTES:
        for method in methods:
            ids = {"ad_account_id": ACCOUNT, "customer_list_id": "1", "request_id": "1"}
            url = f"{sandbox.url}{path.format(**ids)}"
            try:
                CLIENT.request(method, url)
                reached.add(name)
            except httpx.TransportError:
                assert name == endpoint
    assert reached == set(ENDPOINTS) - {endpoint}
    assert {row.endpoint for row in sandbox.store.requests() if row.status is None} == {endpoint}


# ---- the quality score


def event(number, **changes):
    plain = {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": NOW,
        "event_id": f"order-{number}",
        "user_data": {"em": [digest(f"{number}@example.com")]},
    }
    return plain | changes


def test_quality(sandbox):
    """Coverage is counted by component and event name in the period, one score per platform."""
    sandbox.store.reset()
    address = {"client_ip_address": "192.0.2.1", "client_user_agent": "x"}
    call(
        sandbox,
        "POST",
        "events",
        json={
            "data": [
                event(
                    1,
                    custom_data={"order_id": "1", "value": "1.00", "content_ids": ["p"]},
                    event_source_url="https://example.com/",
                ),
                event(
                    2,
                    user_data=address | {"click_id": "c", "external_id": [digest("2")]},
                    custom_data={"contents": [{"id": "p"}]},
                ),
                event(2, user_data=address),
                event(3, event_name="signup"),
                event(4, action_source="offline"),
                event(5, event_time=NOW - 2 * 24 * 3600),
            ]
        },
    )
    offline, web = call(sandbox, "GET", "conversion_eqs", params={"lookback_period": "1d"}).json()
    assert (offline["source_platform"], web["source_platform"], web["lookback_period"]) == (
        "OFFLINE",
        "WEB",
        "1d",
    )
    coverage = {
        name: held["checkout"]["coverage"] for name, held in web["quality_components"].items()
    }
    assert coverage == {
        "hashed_email": 33.33,
        "hashed_maid": 0.0,
        "ip_address": 66.67,
        "user_agent": 66.67,
        "click_id_epik": 33.33,
        "advertiser_external_id": 33.33,
        "external_event_id": 100.0,
        "order_id": 33.33,
        "order_value": 33.33,
        "product_id": 66.67,
        "source_url": 33.33,
    }
    components = web["quality_components"]
    assert components["hashed_email"]["signup"] == {"coverage": 100.0}
    assert components["hashed_email"]["checkout"]["issues"][0]["id"] == "hashed_email_coverage"
    assert components["external_event_id"]["checkout"]["overlap"] == 33.33
    assert (web["overall_status"], offline["overall_status"]) == ("FAIR", "GOOD")
    fortnight = call(
        sandbox,
        "GET",
        "conversion_eqs",
        params={"lookback_period": "14d", "source_platform": "WEB"},
    ).json()
    assert [
        score["quality_components"]["hashed_email"]["checkout"]["coverage"] for score in fortnight
    ] == [50.0]
    tag = call(
        sandbox,
        "GET",
        "conversion_eqs",
        params={"lookback_period": "14d", "ingestion_source": "TAG"},
    ).json()
    assert tag == []


def test_quality_is_an_accounts(start):
    """The score of an ad account counts its own events only."""
    sandbox = start(tokens={"sandbox-token": ("1", "2")})
    call(sandbox, "POST", "events", account="1", json={"data": [event(1)]})
    scores = [
        call(sandbox, "GET", "conversion_eqs?lookback_period=1d", account=account).json()
        for account in "12"
    ]
    assert [len(each) for each in scores] == [1, 0]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "lookback_period=7d",
        "lookback_period=",
        "lookback_period=1d&source_platform=web",
        "lookback_period=1d&ingestion_source=X",
    ],
)
def test_wrong_quality_requests(sandbox, query):
    """The period is required, and only the described values are accepted."""
    assert call(sandbox, "GET", f"conversion_eqs?{query}").status_code == 400


# ---- against Pinterest's own description


TYPES = {"string": str, "number": int, "integer": int, "object": dict}


@pytest.mark.parametrize("name", ["CustomerList", "Audience"])
def test_answers_are_the_description(sandbox, name):
    """A response has exactly the described members, of their types, and a described status."""
    made = create(sandbox).json()
    if name == "Audience":
        body = {
            "audience_type": "CUSTOMER_LIST",
            "name": "a",
            "rule": {"customer_list_id": made["id"]},
        }
        made = call(sandbox, "POST", "audiences", json=body).json()
    properties = SCHEMAS[name]["properties"]
    newer = {"CustomerList": {"is_nca"}}.get(name, set())  # docs/pinterest-api.md: Customer lists
    assert set(made) == set(properties) | newer
    for member, schema in properties.items():
        kind = TYPES[schema.get("type", "object")]
        assert isinstance(made[member], kind) or (
            made[member] is None and schema.get("nullable")
        ), member
    enum = properties["status"].get("enum")
    assert enum is None or set(enum) == {"UPLOADING", "PROCESSING", "READY", "TOO_SMALL"}


def test_constants_are_the_description():
    """Types of lists, pages, platforms, periods, sources and components are the description's."""
    assert tuple(SCHEMAS["UserListType"]["enum"]) == identifiers.LIST_TYPES
    size = PARAMETERS["query_page_size"]["schema"]
    assert (size["default"], size["maximum"]) == (pages.PAGE_SIZE, pages.MAX_PAGE_SIZE)
    assert tuple(PARAMETERS["query_order"]["schema"]["enum"]) == pages.ORDERS
    assert tuple(quality.LOOKBACK_SECONDS) == tuple(SCHEMAS["LookbackPeriodOptions"]["enum"])
    assert tuple(SCHEMAS["SourcePlatformOptions"]["enum"]) == quality.PLATFORMS
    assert tuple(SCHEMAS["IngestionSourceOptions"]["enum"]) == quality.SOURCES
    assert set(quality.COMPONENTS) == set(SCHEMAS["QualityComponents"]["properties"])


def test_routes_and_categories_are_the_description():
    """Every described route has its methods, and counts in the described category.

    Additions of 5.28 are next to it: docs/pinterest-api.md.
    """
    later = {"POST", "PATCH", "DELETE"}  # of the advertiser's own events
    described = [(path, name, methods) for path, name, methods in ROUTES if path in PATHS]
    assert len(described) == len(ROUTES) - 2
    for path, name, methods in described:
        kept = set(methods) - (later if name == "advertiser_defined_events" else set())
        assert {method.lower() for method in kept} == set(PATHS[path]) & {
            "get",
            "post",
            "patch",
            "put",
            "delete",
        }
        for method in kept:
            assert (
                rates.category(name, method) == PATHS[path][method.lower()]["x-ratelimit-category"]
            )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "records", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(JSON, st.sampled_from(["POST", "PATCH"]))
def test_any_body_has_an_answer(body, method):
    """Lists and audiences handle any JSON."""
    held = customer_lists.StoredList("1", ACCOUNT, "n", "EMAIL", NOW, NOW)
    request = Request(
        ACCOUNT, "Bearer sandbox-access-token", msgspec.json.encode(body), method=method
    )
    given_rules = rules.Rules()
    if method == "PATCH":
        assert (
            customer_lists.answer(
                request._replace(list_id="1"), given_rules, NOW, {"1": held}
            ).status
            == 400
        )
    else:
        assert customer_lists.answer(request, given_rules, NOW, {}).status == 400
        assert audiences.answer(request, given_rules, NOW, {}, {"1": held}).status == 400


# ---- what the documentation says

DOCS = (Path(__file__).parents[1] / "docs" / "sandbox.md").read_text()


@pytest.mark.parametrize("path", [path for path, *_ in ROUTES])
def test_every_endpoint_is_documented(path):
    """docs/sandbox.md names each address and each endpoint that a fault can have."""
    assert (
        f"/v5{path}".replace("{ad_account_id}", "{id}").replace("{customer_list_id}", "{list_id}")
        in DOCS
    )
    assert all(f"`{name}`" in DOCS for name in ENDPOINTS)


def test_every_address_of_the_admin_api_is_documented(sandbox):
    """docs/sandbox.md names each address under `/_sandbox/`, except index and redirect target."""
    shown = set(CLIENT.get(f"{sandbox.origin}/_sandbox/").json())
    assert all(address in DOCS for address in shown - {"/_sandbox/", "/_sandbox/redirected"})
