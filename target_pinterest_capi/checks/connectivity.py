"""The connection to api_url: the host's address, a TCP connection, its certificate.

Sends no request, and so no token. Never raises for a failure: a step that fails is a result, and
the last one.
"""

import socket
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from target_pinterest_capi.checks.result import CheckResult, CheckStatus
from target_pinterest_capi.pinterest.client import tls_context
from target_pinterest_capi.pinterest.responses import NoResponseKind
from target_pinterest_capi.pinterest.retries import NO_RESPONSE_RULES
from target_pinterest_capi.settings.network import proxy_of

ADDRESS: Final = "address"
CONNECTION: Final = "connection"
TIMEOUT_SECONDS: Final = 10.0
_PORTS: Final = {"https": 443, "http": 80}


class Endpoint(NamedTuple):
    """Where the first connection goes: to api_url's own host or to a proxy.

    `said_by` is the setting or variable that names it.
    """

    host: str
    port: int
    said_by: str = "api_url"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def first_endpoint(api_url: str) -> Endpoint:
    """Return where the client connects for api_url: to its host, or to the environment's proxy."""
    parts = urlsplit(api_url)
    host = parts.hostname or ""
    proxy = proxy_of(api_url)
    if proxy is None:
        return Endpoint(host, parts.port or _PORTS[parts.scheme])
    at = urlsplit(proxy.url)
    return Endpoint(at.hostname or "", at.port or _PORTS.get(at.scheme, 1080), proxy.variable)


def check_connectivity(
    api_url: str,
    timeout_seconds: float = TIMEOUT_SECONDS,
    context: Callable[[str], ssl.SSLContext] = tls_context,
) -> list[CheckResult]:
    """Look the host up, connect, and check its certificate as the client does.

    `context` returns the SSL context for a URL, which decides about the certificate.
    """
    hop = first_endpoint(api_url)
    try:
        socket.getaddrinfo(hop.host, hop.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return [
            CheckResult(
                ADDRESS,
                CheckStatus.FAILED,
                f"this machine cannot resolve {hop.host} ({_words(error)})",
                _name_advice(hop),
            ),
            CheckResult(CONNECTION, CheckStatus.SKIPPED, "not checked without an address"),
        ]
    through = f", the proxy that {hop.said_by} names," if hop.said_by != "api_url" else ""
    return [
        CheckResult(ADDRESS, CheckStatus.OK, f"{hop.host}{through} can be found"),
        _connect(api_url, hop, timeout_seconds, context),
    ]


def _connect(
    api_url: str, hop: Endpoint, timeout_seconds: float, context: Callable[[str], ssl.SSLContext]
) -> CheckResult:
    try:
        connection = socket.create_connection((hop.host, hop.port), timeout_seconds)
    except OSError as error:
        return CheckResult(
            CONNECTION,
            CheckStatus.FAILED,
            f"no connection to {hop} ({_words(error)})",
            _connection_advice(hop),
        )
    with connection:
        if hop.said_by != "api_url":
            return CheckResult(
                CONNECTION,
                CheckStatus.OK,
                f"to the proxy at {hop}; the test request uses it, and checks the rest",
            )
        if urlsplit(api_url).scheme == "http":
            return CheckResult(
                CONNECTION, CheckStatus.OK, f"to {hop}, without TLS, because it is this machine"
            )
        try:
            with context(api_url).wrap_socket(connection, server_hostname=hop.host) as secured:
                return CheckResult(
                    CONNECTION,
                    CheckStatus.OK,
                    f"to {hop}, {secured.version()}, with a valid certificate",
                )
        except ssl.SSLCertVerificationError as error:
            broken, advice = (
                f"the certificate of {hop} is not valid ({error.verify_message})",
                _sentence(NO_RESPONSE_RULES[NoResponseKind.UNTRUSTED].remedy),
            )
        except OSError as error:
            broken, advice = (
                f"the TLS handshake with {hop} failed ({_words(error)})",
                _connection_advice(hop),
            )
    return CheckResult(CONNECTION, CheckStatus.FAILED, broken, advice)


def _name_advice(hop: Endpoint) -> str:
    if hop.said_by == "api_url":
        return "Check the host in api_url, and this machine's DNS."
    return f"Check the variable {hop.said_by}."


def _connection_advice(hop: Endpoint) -> str:
    if hop.said_by == "api_url":
        return (
            "Check host and port in api_url, and the firewall of this machine's network; a "
            "proxy is set by HTTPS_PROXY."
        )
    return f"Check the variable {hop.said_by}, and that the proxy is running."


def _words(error: OSError | UnicodeError) -> str:
    """Return the system's message for an error; those of TLS are constants of its library."""
    if isinstance(error, UnicodeError):
        return "it is not a host name"
    if isinstance(error, TimeoutError):
        return "no response in time"
    if isinstance(error, ssl.SSLError):
        return (error.reason or type(error).__name__).replace("_", " ").lower()
    return (error.strerror or type(error).__name__).lower()


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
