"""One attempt has one typed response over a real socket, whatever the server does.

It never shows the token.
"""

import gc
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from given import Clock
from shopper import ACCOUNT, event
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.pinterest.client import USER_AGENT, Client, trusts_environment
from target_pinterest_capi.pinterest.list_records import ListRow
from target_pinterest_capi.pinterest.responses import ApiResponse, NoResponse, NoResponseKind
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

EMPTY = b'{"data":[]}'


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox.url, max_connections=4, timeout_seconds=120)
    yield made
    made.close()


def body(count: int = 2) -> bytes:
    batch = Batch(ACCOUNT, 0.0)
    for number in range(count):
        batch.append(event(number), number)
    return batch.body()


def test_accepted_events(client: Client, sandbox: Sandbox):
    """A request that Pinterest accepts gets a 200 with a status for each event.

    The events arrive as they were sent.
    """
    sent = body()
    answer = client.send_events(ACCOUNT, sent, test=False)
    assert isinstance(answer, ApiResponse)
    assert answer.status == 200
    assert [one.status for one in answer.body or []] == ["processed", "processed"]
    assert [row.event for row in sandbox.store.events()] == json.loads(sent)["data"]


def test_failed_event_under_details(client: Client, sandbox: Sandbox):
    """A 422 lists its events under `details`: the processed one counts, the failed one says why."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-1")])
    answer = client.send_events(ACCOUNT, body(), test=False)
    assert isinstance(answer, ApiResponse)
    assert answer.status == 422
    assert [one.status for one in answer.body or []] == ["processed", "failed"]
    assert (answer.body or [])[1].error_message


def test_test_request_records_nothing(client: Client, sandbox: Sandbox):
    """A test request has the parameter and leaves no events; a live one has none."""
    assert isinstance(client.send_events(ACCOUNT, body(), test=True), ApiResponse)
    assert [row.test for row in sandbox.store.requests()] == [True]
    assert sandbox.store.events() == []


@pytest.mark.parametrize(
    ("account", "status"),
    [(Account(ACCOUNT.ad_account_id, "wrong"), 401), (Account("1", ACCOUNT.token), 403)],
)
def test_refused_token_is_not_echoed(client: Client, account: Account, status: int):
    """A 401 and a 403 are returned with their message, without the token that Pinterest repeats."""
    answer = client.send_events(account, body(), test=False)
    assert isinstance(answer, ApiResponse)
    assert (answer.status, answer.body) == (status, None)
    assert answer.message
    assert account.token not in answer.message
    assert account.token not in repr(answer)


def test_message_about_members_of_a_list_shows_none_of_them(client: Client, sandbox: Sandbox):
    """Plain identifiers of rows are cut from it, as the values of events are."""
    words = "external_id janedoe-loyal with agent Secret-Agent at 192.0.2.7 is not accepted"
    sandbox.faults.set([Fault("status", status=400, endpoint="customer_lists", message=words)])
    row = ListRow(external_id="janedoe-loyal", user_agent="Secret-Agent", ip_address="192.0.2.7")
    body = {"name": "All", "records_v2": [row]}
    path = f"/ad_accounts/{ACCOUNT.ad_account_id}/customer_lists"
    answer = client.write(ACCOUNT.token, "POST", path, body, dict)
    assert isinstance(answer, ApiResponse)
    assert answer.message == "external_id … with agent … at … is not accepted"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("drop_before"), NoResponseKind.UNCERTAIN),
        (Fault("drop_after"), NoResponseKind.UNCERTAIN),
        (Fault("truncated"), NoResponseKind.UNCERTAIN),
    ],
)
def test_broken_answer_is_uncertain(
    client: Client, sandbox: Sandbox, fault: Fault, kind: NoResponseKind
):
    """If a connection ends after the request was written, the outcome is unknown."""
    sandbox.faults.set([fault])
    answer = client.send_events(ACCOUNT, body(), test=False)
    assert isinstance(answer, NoResponse)
    assert answer.kind is kind


@pytest.mark.parametrize("fault", ["empty_body", "not_json"])
def test_answer_without_a_list_has_none(client: Client, sandbox: Sandbox, fault: str):
    """An empty body or a page has no list of events, whatever the status."""
    sandbox.faults.set([Fault(fault)])
    answer = client.send_events(ACCOUNT, body(), test=False)
    assert isinstance(answer, ApiResponse)
    assert (answer.status, answer.body) == (200, None)


def test_unreachable_server_was_not_sent():
    """If nothing listens, the request cannot have been seen."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}/v5", max_connections=1, timeout_seconds=120)
    answer = client.send_events(ACCOUNT, body(), test=False)
    assert isinstance(answer, NoResponse)
    assert answer.kind is NoResponseKind.NOT_SENT
    client.close()


def serve(handle: Callable[[socket.socket], None]) -> tuple[str, threading.Thread, socket.socket]:
    """Answer one connection on loopback by hand."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(120)
            connection.recv(65536)
            handle(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v5", thread, listener


def test_dripping_body_ends_at_the_deadline():
    """The deadline is for the whole response: a slow stream of bytes does not block a sender."""
    clock = Clock()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        clock.advance(31)
        connection.sendall(b" ")
        with suppress(ConnectionResetError):  # if the client closes with the last byte unread
            connection.recv(1)

    url, thread, listener = serve(drip)
    client = Client(url, max_connections=1, timeout_seconds=30, clock=clock)
    answer = client.send_events(ACCOUNT, body(), test=False)
    client.close()
    listener.close()
    thread.join(120)
    assert answer == NoResponse(
        NoResponseKind.UNCERTAIN, "the response was not complete within 30 seconds"
    )


def test_silent_server_times_out():
    """A server that never answers is uncertain after the timeout."""
    released = threading.Event()
    url, thread, listener = serve(lambda _: released.wait(120) and None)
    client = Client(url, max_connections=1, timeout_seconds=0.2)
    answer = client.send_events(ACCOUNT, body(), test=False)
    released.set()
    client.close()
    listener.close()
    thread.join(120)
    assert isinstance(answer, NoResponse)
    assert answer.kind is NoResponseKind.UNCERTAIN


def test_redirect_is_not_followed(client: Client, sandbox: Sandbox):
    """A redirect is returned as it is, and the token is not sent elsewhere."""
    sandbox.faults.set([Fault("redirect")])
    answer = client.send_events(ACCOUNT, body(), test=False)
    assert isinstance(answer, ApiResponse)
    assert answer.status == 307
    assert len(sandbox.store.requests()) == 1


def test_headers_of_a_request():
    """A request has our version, its media type and its token, and asks for JSON."""
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            seen.append(connection.recv(65536))
            answer(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    client = Client(
        f"http://127.0.0.1:{listener.getsockname()[1]}/v5", max_connections=1, timeout_seconds=120
    )
    client.send_events(Account("549755885175", "t0ken"), b'{"data":[]}', test=False)
    client.close()
    listener.close()
    thread.join(120)
    head = seen[0].split(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0] == "POST /v5/ad_accounts/549755885175/events HTTP/1.1"
    assert f"User-Agent: {USER_AGENT}" in head
    assert "Authorization: Bearer t0ken" in head
    assert "Content-Type: application/json" in head


@pytest.mark.parametrize("cookie", [b"session=1; Path=/", b"session=\xc2\x80; Path=/", b"\x80=1"])
def test_cookies_are_not_kept(cookie: bytes):
    """A cookie, for example of a proxy, is not sent with any later request."""
    listener = socket.create_server(("127.0.0.1", 0))
    response = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\nSet-Cookie: "

    def run() -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as request:
                while request.readline() != b"\r\n":  # the head's end
                    continue
                request.read(len(EMPTY))
                connection.sendall(response + cookie + b"\r\n\r\n{}")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v5"
    client = Client(url, max_connections=1, timeout_seconds=120)
    for _ in range(2):
        assert isinstance(client.send_events(ACCOUNT, EMPTY, test=False), ApiResponse)
    assert not client._http.cookies
    client.close()
    listener.close()
    thread.join(120)


@pytest.mark.parametrize(
    ("headers", "wait", "remaining"),
    [
        ({"retry_after": 7}, 7.0, None),
        ({"reset": 9, "remaining": 0}, 9.0, 0),
        ({"reset": 9, "remaining": 100}, None, 100),
        ({"retry_after": 3, "reset": 9, "remaining": 0}, 9.0, 0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT", "remaining": 5}, None, 5),
    ],
)
def test_waits_of_the_server(client: Client, sandbox: Sandbox, headers, wait, remaining):
    """Retry-After in seconds, and the reset of a used-up limit, are read; the longer one counts."""
    sandbox.faults.set([Fault("status", status=429, **headers)])
    answer = client.send_events(ACCOUNT, body(), test=False)
    assert isinstance(answer, ApiResponse)
    assert answer.retry_after_seconds == wait
    if remaining is not None:
        assert answer.remaining_calls == remaining


def test_connections_are_reused(sandbox: Sandbox):
    """Consecutive requests share a connection."""
    client = Client(sandbox.url, max_connections=4, timeout_seconds=120)
    for _ in range(3):
        client.send_events(ACCOUNT, body(), test=False)
    pool = client._http._transport._pool  # type: ignore[attr-defined]
    assert len(pool.connections) == 1
    client.close()


def test_certificate_that_does_not_hold_is_untrusted(tmp_path: Path):
    """A server with an untrusted certificate gets no request, and the failure says so."""
    ssl = pytest.importorskip("ssl")
    import subprocess

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-keyout",
            key,
            "-out",
            certificate,
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl is not on this machine")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True):
                pass
        except OSError:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    client = Client(
        f"https://localhost:{listener.getsockname()[1]}/v5", max_connections=1, timeout_seconds=120
    )
    answer = client.send_events(ACCOUNT, body(), test=False)
    client.close()
    listener.close()
    thread.join(120)
    assert isinstance(answer, NoResponse)
    assert answer.kind is NoResponseKind.UNTRUSTED


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8085/v5", True),
        ("http://127.9.9.9/v5", True),
        ("http://localhost/v5", True),
        ("http://LOCALHOST./v5", True),
        ("http://[::1]:80/v5", True),
        ("https://api.pinterest.com/v5", False),
        ("http://localhost.example.com/v5", False),
        ("http://192.0.2.1/v5", False),
    ],
)
def test_loopback(url: str, loopback: bool):
    """Only this machine's own addresses are loopback: never proxied, and allowed without https."""
    assert trusts_environment(url) is not loopback


def first_line_at_proxy(monkeypatch: pytest.MonkeyPatch, api_url: str) -> bytes:
    """Return the first line that a proxy of the environment gets for a request to the URL.

    None if it gets none.
    """
    lines: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            lines.append(connection.recv(65536).split(b"\r\n")[0])

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.getsockname()[1]}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    client = Client(api_url, max_connections=1, timeout_seconds=120)
    client.send_events(ACCOUNT, body(), test=False)
    client.close()
    socket.create_connection(
        listener.getsockname()
    ).close()  # ends the thread where no request came before
    thread.join(120)
    listener.close()
    return lines[0]


def test_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch):
    """Pinterest is reached through the proxy in HTTPS_PROXY, by a tunnel.

    The proxy sees neither token nor events.
    """
    assert (
        first_line_at_proxy(monkeypatch, "https://api.example.com/v5")
        == b"CONNECT api.example.com:443 HTTP/1.1"
    )


def test_loopback_is_never_proxied(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox):
    """A sandbox on this machine is reached directly, whatever the environment says."""
    assert first_line_at_proxy(monkeypatch, sandbox.url) == b""
    assert len(sandbox.store.events()) == 2


def test_body_is_let_go_without_the_collector(client: Client):
    """A request's body is released once it is answered.

    Bodies must not pile up until the garbage collector runs.
    """
    content = body()
    held = sys.getrefcount(content)
    gc.disable()
    try:
        client.send_events(ACCOUNT, content, test=False)
        assert sys.getrefcount(content) == held
    finally:
        gc.enable()
