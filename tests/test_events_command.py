"""`pinterest-capi events`: the names that an ad account has defined, listed and changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from given import ACCOUNT
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.oauth import App
from target_pinterest_capi.sandbox.server import Sandbox


@pytest.fixture
def events(sandbox: Sandbox, plain_terminal: None) -> Callable[..., Result]:
    """Return a function that runs a subcommand, with a configuration and changes to it."""

    def run(*arguments: str, **more: Any) -> Result:
        oauth = {"access_token": "sandbox-access-token"}
        given = {"ad_account_id": ACCOUNT, "api_url": sandbox.url, "oauth": oauth, **more}
        Path("config.json").write_text(json.dumps(given))
        return CliRunner().invoke(main, ["events", *arguments, "--config", "config.json"])

    return run


def test_names_are_defined_mapped_anew_listed_and_deleted(events, sandbox: Sandbox):
    """The same command defines and changes; the list also has the configuration's names."""
    assert events("define", "quote", "--as", "lead").exit_code == 0
    assert "already" in events("define", "quote", "--as", "LEAD").stdout
    assert events("define", "quote", "--as", "contact").exit_code == 0
    names = {"Quote": "quote", "Visit": "showroom_visit"}
    mapping = {"stream": "a", "preset": "pinterest", "event_names": names}
    listed = events("list", mappings=[mapping])
    assert listed.stdout.splitlines() == [
        "quote: contact",
        "showroom_visit: in the configuration, but not defined",
        f"1 of 15 names are defined in ad account {ACCOUNT}.",
    ]
    assert events("delete", "quote").exit_code == 0
    assert sandbox.store.defined_events(ACCOUNT) == {}
    methods = [row.method for row in sandbox.store.requests() if row.method != "GET"]
    assert methods == ["POST", "PATCH", "DELETE"]


def test_names_of_another_account(events):
    """--ad-account names it."""
    with Sandbox(SandboxConfig(tokens={"sandbox-token": (ACCOUNT, "7")})) as pinterest:
        given = {"api_url": pinterest.url}
        assert (
            events("define", "quote", "--as", "lead", "--ad-account", "7", **given).exit_code == 0
        )
        assert pinterest.store.defined_events("7") == {"quote": "LEAD"}
        assert pinterest.store.defined_events(ACCOUNT) is None


def test_account_that_is_full(events):
    """The sixteenth name is not sent."""
    with Sandbox(SandboxConfig(defined_events=[f"e{n}" for n in range(15)])) as pinterest:
        result = events("define", "quote", "--as", "lead", api_url=pinterest.url)
        assert (result.exit_code, "the maximum" in result.stderr) == (1, True)
        assert {row.method for row in pinterest.store.requests()} == {"GET"}


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "words"),
    [
        (("delete", "other"), {}, 1, "other: This event is not defined."),
        (("define", "lead", "--as", "lead"), {}, 2, "lead is Pinterest's own"),
        (("define", "a,b", "--as", "lead"), {}, 2, "without commas"),
        (("define", "a", "--as", "custom"), {}, 2, "'custom' is not one of"),
        (("list",), {"oauth": None}, 2, "oauth: is required for your own event names"),
        (("list", "--ad-account", "x"), {}, 2, "only digits"),
        (("list",), {"ad_account_id": "77"}, 1, "has no access to the ad account's events"),
        (("list",), {"oauth": {"access_token": "wrong"}}, 1, "set oauth.access_token to a new one"),
    ],
)
def test_what_goes_wrong_is_said(events, arguments, settings, code: int, words: str):
    """By name, setting or option, with its exit code."""
    result = events(*arguments, **settings)
    assert (result.exit_code, words in " ".join(result.stderr.split())) == (code, True)


def test_token_that_may_only_read(events):
    """Listing works, and a change says which scope is missing."""
    with Sandbox(SandboxConfig(app=App(scopes=("ads:read",)))) as pinterest:
        assert events("list", api_url=pinterest.url).exit_code == 0
        assert events("delete", "a", api_url=pinterest.url).exit_code == 1


def test_pinterest_out_of_order(events, sandbox: Sandbox):
    """After an error of the server it advises to wait."""
    sandbox.faults.set([Fault("status", status=503, endpoint="advertiser_defined_events")])
    assert "ask again in a few minutes" in events("list").stderr
