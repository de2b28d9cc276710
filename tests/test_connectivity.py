"""The connection to api_url: address, connection and certificate, also for a proxy."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from target_pinterest_capi.checks.connectivity import Endpoint, check_connectivity, first_endpoint
from target_pinterest_capi.checks.result import CheckResult, CheckStatus

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the developer's own proxies."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def marks(findings: list[CheckResult]) -> list[tuple[str, CheckStatus]]:
    return [(finding.step, finding.status) for finding in findings]


def test_plain_http_on_this_machine_is_a_connection(listener):
    """If something listens on loopback, address and connection are OK, and nothing is sent."""
    found = check_connectivity(f"http://127.0.0.1:{port(listener)}/v5", 5)
    assert marks(found) == [("address", CheckStatus.OK), ("connection", CheckStatus.OK)]
    listener.settimeout(120)
    connection, _ = listener.accept()
    with connection:
        assert connection.recv(1) == b""


def test_nobody_listens():
    """A refused connection names host and port, and says what to check."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = port(closed)
    address, connection = check_connectivity(f"http://127.0.0.1:{free}/v5", 5)
    assert (address.status, connection.status) == (CheckStatus.OK, CheckStatus.FAILED)
    assert connection.message == f"no connection to 127.0.0.1:{free} (connection refused)"
    assert "api_url" in connection.advice


@pytest.mark.parametrize("host", ["nowhere.invalid", f"{'a' * 64}.example.com"])
def test_host_without_an_address(host: str):
    """A host name that does not resolve, or is invalid, fails the address, without a connection."""
    found = check_connectivity(f"https://{host}/v5", 5)
    assert marks(found) == [("address", CheckStatus.FAILED), ("connection", CheckStatus.SKIPPED)]
    assert host in found[0].message
    assert "api_url" in found[0].advice


def test_server_without_tls(listener):
    """A server that does not speak TLS is distinguished from one that does not exist."""
    threading.Thread(
        target=lambda: _answer(listener, lambda one: one.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")),
        daemon=True,
    ).start()
    connection = check_connectivity(f"https://127.0.0.1:{port(listener)}/v5", 5)[1]
    assert connection.status is CheckStatus.FAILED
    assert "the TLS handshake with" in connection.message


def _answer(listener: socket.socket, handle: Callable[[socket.socket], object]) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        handle(connection)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of localhost, with its key."""
    made = tmp_path / "localhost.pem"
    done = subprocess.run(
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
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            tmp_path / "key.pem",
            "-out",
            tmp_path / "certificate.pem",
        ],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("openssl is not on this machine")
    made.write_bytes(
        (tmp_path / "key.pem").read_bytes() + (tmp_path / "certificate.pem").read_bytes()
    )
    return made


def _serve_tls(listener: socket.socket, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    connection, _ = listener.accept()
    try:
        with context.wrap_socket(connection, server_side=True):
            pass
    except OSError:
        connection.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_certificate(listener, certificate, trusted):
    """A certificate that is signed by a trusted one is valid.

    Any other fails, with the library's reason.
    """
    threading.Thread(target=_serve_tls, args=(listener, certificate), daemon=True).start()

    def context(_: str) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(certificate) if trusted else None)

    address, connection = check_connectivity(f"https://localhost:{port(listener)}/v5", 5, context)
    assert address.status is CheckStatus.OK
    if trusted:
        assert connection.status is CheckStatus.OK
        assert "TLSv1" in connection.message
    else:
        assert connection.status is CheckStatus.FAILED
        assert "self-signed certificate" in connection.message
        assert "SSL_CERT_FILE" in connection.advice


@pytest.mark.parametrize(
    ("api_url", "environment", "hop"),
    [
        ("https://api.example.com/v5", {}, Endpoint("api.example.com", 443)),
        ("https://api.example.com:8443/v5", {}, Endpoint("api.example.com", 8443)),
        ("https://[2001:db8::1]/v5", {}, Endpoint("2001:db8::1", 443)),
        (
            "https://api.example.com/v5",
            {"HTTPS_PROXY": "http://me:secret@192.0.2.7:3128"},
            Endpoint("192.0.2.7", 3128, "HTTPS_PROXY"),
        ),
        (
            "https://api.example.com/v5",
            {"ALL_PROXY": "proxy.example.com"},
            Endpoint("proxy.example.com", 80, "ALL_PROXY"),
        ),
        (
            "https://api.example.com/v5",
            {"HTTP_PROXY": "http://192.0.2.7:3128"},
            Endpoint("api.example.com", 443),
        ),
        (
            "https://api.example.com/v5",
            {"HTTPS_PROXY": "http://192.0.2.7:3128", "NO_PROXY": "example.com"},
            Endpoint("api.example.com", 443),
        ),
        (
            "http://127.0.0.1:8085/v5",
            {"HTTP_PROXY": "http://192.0.2.7:3128"},
            Endpoint("127.0.0.1", 8085),
        ),
    ],
)
def test_first_hop(monkeypatch, api_url: str, environment: dict[str, str], hop: Endpoint):
    """The first connection goes to api_url's host or to a proxy, but to none for this machine."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert first_endpoint(api_url) == hop
    assert "secret" not in str(hop)


def test_proxy_is_what_is_tried(monkeypatch, listener):
    """A proxy is looked up and connected to, and if that fails, its variable is named."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port(listener)}")
    found = check_connectivity("https://nowhere.invalid/v5", 5)
    assert marks(found) == [("address", CheckStatus.OK), ("connection", CheckStatus.OK)]
    assert "HTTPS_PROXY" in found[0].message
    listener.close()
    broken = check_connectivity("https://nowhere.invalid/v5", 5)[1]
    assert (broken.status, "HTTPS_PROXY" in broken.advice) == (CheckStatus.FAILED, True)
