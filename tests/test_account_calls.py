"""Calls about an ad account other than events and lists, against the sandbox.

Deletion requests, the advertiser's own events, and tokens.
"""

import socket
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import members
import pytest

from given import ACCOUNT, record, schema, state
from shopper import visit
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.pinterest import defined_events, deletion_requests, sign_in
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import ApiResponse, CallResponse
from target_pinterest_capi.pinterest.retries import Decision, classify_call, describe
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.identifiers import digest
from target_pinterest_capi.sandbox.request_bodies import MAPPED_TYPES
from target_pinterest_capi.sandbox.server import Sandbox

ACCESS = "sandbox-access-token"
JANE = "jane@example.com"
APP = ("sandbox-client", "sandbox-client-secret")


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox.url, max_connections=1, timeout_seconds=120)
    yield made
    made.close()


def settled(response: CallResponse):
    """Return the body of a response that is a success."""
    assert isinstance(response, ApiResponse)
    assert classify_call(response) is Decision.SETTLE, describe(response)
    return response.body


def test_deletion_request_is_made_found_and_cancelled(client: Client, sandbox: Sandbox):
    """A 201 is a success; a created request is listed, shown by its id, and cancelled."""
    made = settled(deletion_requests.create_request(client, ACCESS, ACCOUNT, [JANE], ["dj0yJnU9"]))
    page = settled(deletion_requests.read_requests(client, ACCESS, ACCOUNT, None))
    one = settled(deletion_requests.read_request(client, ACCESS, ACCOUNT, made.request_id))
    assert page.items == [made] == [one]
    gone = settled(deletion_requests.cancel_request(client, ACCESS, ACCOUNT, made.request_id))
    assert (made.status, gone.status) == ("PENDING", "CANCELLED")
    (held,) = sandbox.store.deletion_requests()
    assert (held.emails, held.click_ids) == ({digest(JANE)}, {digest("dj0yJnU9")})


@pytest.mark.parametrize(("emails", "click_ids"), [([JANE], []), ([], ["dj0yJnU9"])])
def test_deletion_of_one_kind(client: Client, emails: list[str], click_ids: list[str]):
    """An array that would be empty is omitted, because Pinterest refuses empty ones."""
    settled(deletion_requests.create_request(client, ACCESS, ACCOUNT, emails, click_ids))


def test_pages_of_deletion_requests_begin_with_the_latest(client: Client):
    """The last request is the first one of the first page."""
    made = [
        settled(deletion_requests.create_request(client, ACCESS, ACCOUNT, [JANE], []))
        for _ in range(2)
    ]
    page = settled(deletion_requests.read_requests(client, ACCESS, ACCOUNT, None))
    assert page.items == made[::-1]


def answering(response: bytes) -> tuple[str, threading.Thread, socket.socket]:
    """Answer one request on loopback with given bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(120)
            connection.recv(65536)
            connection.sendall(response)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v5", thread, listener


def test_cancelled_without_a_body():
    """A 204, which Pinterest's description also has, means that the request is cancelled."""
    url, thread, listener = answering(b"HTTP/1.1 204 No Content\r\n\r\n")
    client = Client(url, max_connections=1, timeout_seconds=120)
    gone = settled(deletion_requests.cancel_request(client, ACCESS, ACCOUNT, "12"))
    client.close()
    thread.join(120)
    listener.close()
    assert (gone.request_id, gone.status) == ("12", "CANCELLED")


def test_refused_deletion_shows_nobody():
    """Addresses and click ids that a refusal repeats are not shown."""
    words = b'{"code": 400, "message": "jane@example.com and short-click are no targets"}'
    head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(words)}\r\n\r\n".encode()
    url, thread, listener = answering(head + words)
    client = Client(url, max_connections=1, timeout_seconds=120)
    refused = deletion_requests.create_request(client, ACCESS, ACCOUNT, [JANE], ["short-click"])
    client.close()
    thread.join(120)
    listener.close()
    assert isinstance(refused, ApiResponse)
    assert refused.message == "… and … are no targets"


def test_own_events_are_defined_mapped_anew_and_deleted(client: Client):
    """Each change has a result for its name, and reading shows the names."""
    defined = settled(
        defined_events.write_events(client, ACCESS, ACCOUNT, "POST", {"quote, big": "LEAD"})
    )
    assert [(one.name, one.status) for one in defined.items] == [("quote, big", "success")]
    settled(defined_events.write_events(client, ACCESS, ACCOUNT, "PATCH", {"quote, big": "SEARCH"}))
    (held,) = settled(defined_events.read_events(client, ACCESS, ACCOUNT)).items
    assert (held.name, held.mapped_conversion_type) == ("quote, big", "SEARCH")
    settled(defined_events.write_events(client, ACCESS, ACCOUNT, "POST", {"visit": "LEAD"}))
    gone = settled(defined_events.delete_events(client, ACCESS, ACCOUNT, ["visit", "other"]))
    assert [one.status for one in gone.items] == ["success", "failure"]
    assert gone.items[1].exceptions


def test_created_is_a_success(run_target):
    """With 201 instead of 200, events are delivered, and a list with its audience is created."""
    visits = [schema("visits", *visit(), key_properties=("event_id",)), record("visits", **visit())]
    with Sandbox(SandboxConfig(created_status=201)) as pinterest:
        ran = run_target(
            [*visits, members.SCHEMA, members.row(1), members.row(2), state({"n": 1})],
            api_url=pinterest.url,
            mappings=[{"stream": "visits", "preset": "pinterest"}],
            customer_lists=[members.entry()],
            oauth={"access_token": ACCESS},
        )
        statuses = {row.status for row in pinterest.store.requests() if row.method == "POST"}
    assert (ran.code, ran.outcomes, len(ran.states)) == (0, {"delivered": 3}, 1)
    assert statuses == {201}


def test_types_are_pinterests_names_but_three():
    """The types that a name can be mapped to are the same here and in the sandbox."""
    ours = {name.upper() for name in set(EVENT_NAMES) - defined_events.UNMAPPABLE}
    assert ours == set(MAPPED_TYPES)
    assert len(ours) == 19


def test_sign_in(client: Client, sandbox: Sandbox):
    """The address for consent, its code for tokens, and a conversion token with a token."""
    redirect = "http://localhost:8086/"
    address = sign_in.consent_url(sandbox.url, APP[0], redirect, "a state")
    led = httpx.post(address, data={"answer": "allow"}).headers["location"]
    given = parse_qs(urlsplit(led).query)
    assert given["state"] == ["a state"]
    grant = settled(sign_in.exchange_code(client, *APP, given["code"][0], redirect))
    assert grant.refresh_token
    made = settled(sign_in.make_conversion_token(client, grant.access_token))
    assert made.access_token == "sandbox-token"
    for one in (grant, made):
        assert one.access_token not in repr(one)


def test_refused_code_is_not_shown(client: Client):
    """A code that Pinterest repeats in its refusal is removed from it."""
    refused = sign_in.exchange_code(client, *APP, "short-code", "http://localhost:8086/")
    assert isinstance(refused, ApiResponse)
    assert refused.status == 401
    assert "short-code" not in repr(refused)


@pytest.mark.parametrize(
    ("api_url", "begins"),
    [
        ("https://api.pinterest.com/v5", "https://www.pinterest.com/oauth/?client_id=app&"),
        ("http://127.0.0.1:8085/v5", "http://127.0.0.1:8085/oauth/?client_id=app&"),
    ],
)
def test_consent_is_on_pinterests_own_site(api_url: str, begins: str):
    """Its host differs from the API's; for a stand-in both are the same."""
    address = sign_in.consent_url(api_url, "app", "http://localhost:8086/", "s")
    assert address.startswith(begins)
    assert parse_qs(urlsplit(address).query)["scope"] == ["ads:read,ads:write"]
