"""The sandbox's customer lists of rows: several identifiers of one person, and new customers.

What a row may have, which members a removal finds, and what is shown.
"""

import hashlib
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from target_pinterest_capi.sandbox import identifiers
from target_pinterest_capi.sandbox.server import Sandbox

ACCOUNT = "549755885175"
DEVICE = "2f3a1c9e-0b7d-4f6a-9c55-1e2d3c4b5a69"
Call = Callable[..., httpx.Response]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


JANE = {"email": digest("jane@example.com"), "hashed_phone_number": digest("12025550134")}
PAIR = {"ip_address": "192.0.2.1", "user_agent": "Mozilla/5.0"}


@pytest.fixture
def start(start):
    """Start sandboxes whose lists are ready at once."""
    return partial(start, list_processing_seconds=0)


@pytest.fixture
def sandbox(start) -> Sandbox:
    return start()


def call(sandbox: Sandbox, method: str, path: str = "", **given) -> httpx.Response:
    return httpx.request(
        method,
        f"{sandbox.url}/ad_accounts/{ACCOUNT}/customer_lists{path}",
        headers={"Authorization": "Bearer sandbox-access-token"},
        **given,
    )


def create(sandbox: Sandbox, *rows: dict[str, str], **more) -> httpx.Response:
    body = {"name": "buyers", "records_v2": list(rows), **more}
    return call(sandbox, "POST", json=body)


def change(sandbox: Sandbox, list_id: str, operation: str, **more) -> httpx.Response:
    return call(sandbox, "PATCH", f"/{list_id}", json={"operation_type": operation, **more})


@pytest.mark.parametrize(
    ("row", "is_one"),
    [
        ({"email": "jane@example.com"}, True),
        ({"email": digest("jane@example.com")}, True),
        ({"email": hashlib.md5(b"jane@example.com").hexdigest()}, True),
        ({"email": "Jane@Example.com"}, False),
        ({"email": "nobody"}, False),
        ({"maid": DEVICE}, True),
        ({"maid": digest(DEVICE)}, True),
        ({"maid": DEVICE.upper()}, False),
        ({"hashed_phone_number": digest("12025550134")}, True),
        ({"hashed_phone_number": "12025550134"}, False),
        ({"hashed_pinner_id": digest("1")}, True),
        ({"hashed_pinner_id": "1"}, False),
        ({"external_id": "Customer 7"}, True),
        ({"external_id": " "}, False),
        ({"liveramp_envelope": "Abc="}, True),
        (PAIR, True),
        ({"ip_address": "2001:db8::1", "user_agent": "Mozilla/5.0"}, True),
        ({"ip_address": "192.0.2.1"}, False),
        ({"user_agent": "Mozilla/5.0"}, False),
        ({"ip_address": "nowhere", "user_agent": "Mozilla/5.0"}, False),
        ({"ip_address": "192.0.2.1", "external_id": "7"}, True),
        ({**JANE, "email": "Jane@Example.com"}, False),
        ({}, False),
    ],
)
def test_rows(row: dict[str, str], is_one: bool):
    """A row has identifiers valid for their kind, and at least one that identifies a person."""
    assert (identifiers.row(row) is not None) is is_one


def test_a_row_is_a_member(sandbox: Sandbox):
    """A list is created from rows without a type; a repeated row is one member."""
    made = create(sandbox, JANE, JANE, {"email": "nobody"}, {"maid": DEVICE}).json()
    assert made["exceptions"] == {"invalid_records": 1}
    assert made["num_uploaded_user_records"] == 4
    (held,) = sandbox.store.lists()
    assert held.list_type == ""
    assert held.members == {tuple(JANE.items()), (("maid", digest(DEVICE)),)}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"records": "a@example.com", "records_v2": [JANE]}, "exactly one of"),
        ({}, "exactly one of"),
        ({"records_v2": []}, "records_v2 has no identifier"),
        ({"records_v2": [{"email": "nobody"}]}, "records_v2 has no identifier"),
        ({"records_v2": [{"phone": "1"}]}, "('phone' was unexpected)"),
        ({"records_v2": [{"email": ["a@example.com"]}]}, "email is not of type 'string'"),
        ({"records_v2": [{"email": None}]}, "email is not of type 'string'"),
        ({"records_v2": JANE}, "records_v2 is not of type 'array'"),
        ({"records_v2": [JANE], "list_type": "PHONE"}, "list_type is not one of"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_refused_bodies(sandbox: Sandbox, method: str, body: dict[str, object], place: str):
    """A body with both forms of records, with neither, or with an invalid row is a 400."""
    if method == "POST":
        answer = call(sandbox, "POST", json={"name": "n", **body})
    else:
        made = create(sandbox, {"external_id": "1"}).json()["id"]
        answer = change(sandbox, made, "ADD", **body)
        place = "('list_type' was unexpected)" if "list_type" in body else place
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert place in answer.json()["message"]
    assert "example.com" not in answer.text


@pytest.mark.parametrize(
    ("held", "removed", "by_every", "by_any"),
    [
        (JANE, JANE, True, True),
        (JANE, {"email": JANE["email"]}, False, True),
        ({"email": JANE["email"]}, JANE, True, True),
        ({**JANE, "external_id": "7", **PAIR}, JANE, True, True),
        ({**JANE, "external_id": "7"}, {"external_id": "7"}, False, False),
        ({"external_id": "7"}, {"external_id": "7", "maid": DEVICE}, True, True),
        (PAIR, {"ip_address": "192.0.2.1", "external_id": "7"}, False, True),
        (JANE, {"maid": DEVICE}, False, False),
    ],
)
def test_removals(start, held, removed, by_every: bool, by_any: bool):
    """A removal finds a row by all of its hashed identifiers, or by any if that is chosen."""
    for matching, is_found in (("every", by_every), ("any", by_any)):
        sandbox = start(removal_matching=matching)
        made = create(sandbox, held, {"external_id": "somebody else"}).json()["id"]
        assert change(sandbox, made, "REMOVE", records_v2=[removed]).status_code == 200
        assert len(sandbox.store.members(made)) == (1 if is_found else 2)


def test_both_forms_change_one_list(sandbox: Sandbox):
    """A record removes a row that has nothing else hashed, and a row removes a record."""
    made = create(sandbox, {"email": "jane@example.com", "external_id": "7"}, JANE).json()["id"]
    change(sandbox, made, "REMOVE", records="jane@example.com")
    assert sandbox.store.members(made) == {tuple(JANE.items())}
    change(sandbox, made, "ADD", records="jane@example.com")
    change(sandbox, made, "REMOVE", records_v2=[JANE])
    assert sandbox.store.members(made) == frozenset()


def test_records_of_a_request_are_bounded(start):
    """Rows count like records."""
    sandbox = start(max_list_records=2)
    rows = [{"external_id": str(number)} for number in range(3)]
    answer = create(sandbox, *rows)
    assert answer.json()["message"] == "Invalid request: records_v2 has more than 2 records"
    assert create(sandbox, *rows[:2]).status_code == 200


def test_lists_of_new_customers(sandbox: Sandbox):
    """`is_nca` is set when a list is created, is shown, and can be omitted from a page."""
    first = create(sandbox, JANE, is_nca=True).json()
    second = create(sandbox, JANE).json()
    assert (first["is_nca"], second["is_nca"]) == (True, False)
    shown = {
        query: [one["id"] for one in call(sandbox, "GET", query).json()["items"]]
        for query in ("", "?exclude_nca=false", "?exclude_nca=true")
    }
    assert list(shown.values()) == [[first["id"], second["id"]]] * 2 + [[second["id"]]]
    assert call(sandbox, "GET", "?exclude_nca=yes").status_code == 400
    assert change(sandbox, first["id"], "ADD", records_v2=[JANE], is_nca=True).status_code == 400
    assert create(sandbox, JANE, is_nca="true").status_code == 400


def test_what_is_shown_of_rows(sandbox: Sandbox):
    """The lists' address shows rows as digests by name, plain identifiers too; the page counts."""
    create(sandbox, {"external_id": "7", **PAIR}, JANE)
    (shown,) = httpx.get(f"{sandbox.origin}/_sandbox/lists").json()
    plain = {"external_id": "7", **PAIR}
    assert sorted(shown["members"], key=len) == [
        JANE,
        {name: digest(text) for name, text in plain.items()},
    ]
    (on_page,) = httpx.get(f"{sandbox.origin}/_sandbox/page/changes").json()["lists"]["lists"]
    assert on_page["size"] == 2
    assert on_page["rows"] == [
        ["email", 1],
        ["hashed_phone_number", 1],
        ["external_id", 1],
        ["ip_address", 1],
        ["user_agent", 1],
    ]
