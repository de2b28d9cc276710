"""The environment's proxies and certificates: which ones apply, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from given import record, schema, settings_of
from shopper import visit
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.settings.network import goes_directly, network_problems, proxy_of
from target_pinterest_capi.settings.problems import ConfigurationError

URL = "https://api.pinterest.com/v5"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")

SetVariables = Callable[..., None]


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> SetVariables:
    """Return a function that sets variables; the developer's own are removed."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_all(**given: str) -> None:
        for name, value in given.items():
            monkeypatch.setenv(name, value)

    return set_all


@pytest.mark.parametrize(
    ("url", "no_proxy", "directly"),
    [
        (URL, "", False),
        (URL, "*", True),
        (URL, "api.pinterest.com", True),
        (URL, "pinterest.com", True),
        (URL, ".pinterest.com", True),
        (URL, "*.pinterest.com", True),
        (URL, " example.com , API.Pinterest.com ", True),
        (URL, "terest.com", False),
        (URL, "api.pinterest.com:443", True),
        (URL, "api.pinterest.com:8443", False),
        (URL, "10.0.0.0/8,fd00::/8", False),
        ("https://192.0.2.7/v5", "192.0.2.0/24", True),
        ("https://192.0.2.7/v5", "192.0.2.7", True),
        ("https://198.51.100.7/v5", "192.0.2.0/24", False),
        ("https://[fd00::7]/v5", "fd00::/8", True),
        ("https://[fd00::7]/v5", "[fd00::]/8", True),
        ("https://[fd00::7]/v5", "fd00::7", True),
        ("https://[2001:db8::1]/v5", "fd00::/8", False),
        ("https://[2001:db8::1]/v5", "2001:db8::1", True),
        (URL, "::/0/1,/,:,nonsense/8", False),
    ],
)
def test_no_proxy_names_hosts_domains_addresses_and_ranges(url, no_proxy, directly):
    """IPv4 and IPv6, with or without a port; an unreadable value matches no host."""
    assert goes_directly(urlsplit(url), no_proxy) is directly


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.example.com:3128"}, "HTTPS_PROXY"),
        ({"https_proxy": "proxy.example.com:3128"}, "HTTPS_PROXY"),
        ({"ALL_PROXY": "http://proxy.example.com:3128"}, "ALL_PROXY"),
        ({"HTTP_PROXY": "http://proxy.example.com:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": "fd00::/8"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": "pinterest.com"}, None),
    ],
)
def test_proxy_is_that_of_the_urls_scheme(variables, given, variable):
    """HTTPS_PROXY for https, otherwise ALL_PROXY; a client can be created with each of these."""
    variables(**given)
    proxy = proxy_of(URL)
    assert (proxy and proxy.variable) == variable
    Client(URL, max_connections=1, timeout_seconds=1).close()


@pytest.mark.parametrize(
    ("given", "variable", "words"),
    [
        ({"HTTPS_PROXY": "http://user:s3#cret@proxy.example.com:8080"}, "HTTPS_PROXY", "%23"),
        ({"HTTPS_PROXY": "http://user:s3/cret@proxy.example.com:8080"}, "HTTPS_PROXY", "%2F"),
        ({"HTTPS_PROXY": "http://user:s3cret@proxy.example.com:port"}, "HTTPS_PROXY", "address"),
        ({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY", "address"),
        ({"HTTPS_PROXY": "http://[::1"}, "HTTPS_PROXY", "address"),
        ({"ALL_PROXY": "[s3cret]:port"}, "ALL_PROXY", "address"),
        ({"ALL_PROXY": "http://proxy.example.com:99999"}, "ALL_PROXY", "address"),
        ({"ALL_PROXY": "ftp://s3cret.example.com"}, "ALL_PROXY", "must begin with"),
        ({"ALL_PROXY": "socks5://user:s3cret@proxy.example.com:1080"}, "ALL_PROXY", "socksio"),
        ({"SSL_CERT_FILE": "/none/s3cret.pem"}, "SSL_CERT_FILE", "No such file"),
        ({"SSL_CERT_FILE": __file__}, "SSL_CERT_FILE", "there are none in it"),
    ],
)
def test_problem_names_the_variable_and_never_its_value(variables, given, variable, words):
    """A proxy's password and path are not shown; such a configuration is an error."""
    variables(**given)
    (problem,) = network_problems(URL, given)
    assert problem.path == variable
    assert words in problem.message
    assert "s3" not in problem.message.replace("%2", "")
    with pytest.raises(ConfigurationError, match=variable):
        settings_of()
    settings_of(mode="dry_run")


@pytest.mark.parametrize(
    "wrong", [{"HTTPS_PROXY": "http://[::1"}, {"ALL_PROXY": "://"}, {"SSL_CERT_FILE": "/none"}]
)
def test_dry_run_needs_no_network(variables, run_target, wrong: dict[str, str]):
    """It sends nothing, and so succeeds in any environment."""
    variables(**wrong)
    lines = [schema("visits", *visit()), record("visits", **visit(1))]
    ran = run_target(lines, mode="dry_run", api_url=URL)
    assert (ran.code, ran.outcomes) == (0, {"skipped": 1})


def test_this_machine_needs_neither(variables):
    """Requests to loopback addresses ignore all variables."""
    given = {"HTTP_PROXY": "http://", "SSL_CERT_FILE": "/none"}
    variables(**given)
    assert not list(network_problems("http://127.0.0.1:8085/v5", given))
    settings_of(api_url="http://127.0.0.1:8085/v5")


def test_file_of_certificates_is_used(variables, tmp_path: Path):
    """A file with certificates is not a problem."""
    import certifi

    variables(SSL_CERT_FILE=certifi.where())
    assert not list(network_problems(URL, {"SSL_CERT_FILE": certifi.where()}))
