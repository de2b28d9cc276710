"""The environment's network settings: proxies, hosts without one, certificates.

The variables are those that curl and other programs read: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY,
NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR. A problem names the variable, never its value, because a
proxy's address can have a password.
"""

import ssl
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from target_pinterest_capi.settings.problems import Problem
from target_pinterest_capi.settings.values import is_loopback

PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
CERTIFICATES: Final = {"SSL_CERT_FILE": "cafile", "SSL_CERT_DIR": "capath"}
_SOCKS_PACKAGE: Final = "socksio"
_PORTS: Final = {"http": 80, "https": 443}


class Proxy:
    """A proxy of the environment; its repr shows no password. `variable` names it."""

    def __init__(self, variable: str, url: str) -> None:
        self.variable = variable
        self.url = url if "://" in url else f"http://{url}"

    def __repr__(self) -> str:
        return f"Proxy({self.variable})"

    def problem(self) -> Problem | None:
        """Return what is wrong with the proxy's address, or None."""
        try:
            parts = urlsplit(self.url)
            is_address = _is_address(parts)
        except ValueError:
            is_address = False
        if not is_address:
            return Problem(
                self.variable,
                "is not an address of a proxy: write it as http://user:password@host:port, with "
                "#, /, ? and @ in a password as %23, %2F, %3F and %40",
            )
        if parts.scheme not in PROXY_SCHEMES:
            known = ", ".join(f"{scheme}://" for scheme in PROXY_SCHEMES)
            return Problem(self.variable, f"must begin with one of {known}")
        if parts.scheme.startswith("socks") and find_spec(_SOCKS_PACKAGE) is None:
            return Problem(
                self.variable,
                f"names a SOCKS proxy, which needs the package {_SOCKS_PACKAGE}: install it "
                "together with target-pinterest-capi, or use an http:// proxy",
            )
        return None


def proxy_of(url: str) -> Proxy | None:
    """Return the proxy for requests to a URL; None if they go directly to its host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    name = next((name for name in (parts.scheme, "all") if proxies.get(name)), None)
    if name is None or is_loopback(host) or goes_directly(parts, proxies.get("no", "")):
        return None
    return Proxy(f"{name.upper()}_PROXY", proxies[name])


def goes_directly(parts: SplitResult, no_proxy: str) -> bool:
    """Return whether NO_PROXY includes the host: by name, domain, address, range, or `*`."""
    host = (parts.hostname or "").rstrip(".").casefold()
    port = parts.port or _PORTS.get(parts.scheme)
    return any(_names_host(entry.strip().casefold(), host, port) for entry in no_proxy.split(","))


def network_problems(url: str, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with the variables that apply to requests to a URL."""
    if is_loopback(urlsplit(url).hostname or ""):
        return
    proxy = proxy_of(url)
    if proxy is not None and (problem := proxy.problem()):
        yield problem
    for variable, argument in CERTIFICATES.items():
        if path := environ.get(variable):
            try:
                ssl.create_default_context(**{argument: path})  # type: ignore[arg-type]
            except (OSError, ValueError) as error:
                reason = "" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", "")
                yield Problem(
                    variable,
                    f"is not a file of certificates ({reason or 'there are none in it'}): "
                    "correct or unset it",
                )


def _is_address(parts: SplitResult) -> bool:
    """Return whether there is a host, perhaps with a port; raise `ValueError` if one is wrong."""
    # A '#' or a '/' in a password ends the host's part early, and leaves an @ after it.
    rest = parts.path + parts.query + parts.fragment
    return bool(parts.hostname) and parts.port != 0 and "@" not in rest


def _names_host(entry: str, host: str, port: int | None) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    if "/" in entry or entry.count(":") > 1:
        return _holds_address(entry, host)
    name, _, wanted = entry.partition(":")
    if wanted and wanted != str(port):
        return False
    if _holds_address(name, host):
        return True
    domain = name.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _holds_address(entry: str, host: str) -> bool:
    """Return whether an entry is an IP address or range that includes the host."""
    try:
        return ip_address(host) in ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False
