"""`pinterest-capi check`.

A line per step, what is wrong and where to correct it, and an exit code.
"""

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from given import ACCOUNT, TOKEN, record, schema, settings_of, state
from shopper import digest, seconds_ago
from target_pinterest_capi.checks import mappings
from target_pinterest_capi.checks.configuration import check_event_names
from target_pinterest_capi.checks.result import CheckResult, CheckStatus, place_of
from target_pinterest_capi.cli.check import view as check_page
from target_pinterest_capi.cli.check.model import check_settings
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    CustomerListBody,
)
from target_pinterest_capi.pipeline.previewed_lists import ADVICE
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

STEPS = (
    "configuration",
    "mappings",
    "event names",
    "files",
    "address",
    "connection",
    "test request",
    "token",
    "ad account",
)
PROGRAM = Path(sys.executable).with_name("pinterest-capi")


@pytest.fixture
def check(sandbox: Sandbox, plain_terminal: None) -> Callable[..., Result]:
    """Return a function that runs the command with a configuration for the sandbox and changes."""

    def run(*arguments: str, sample: list[bytes] | None = None, **settings: Any) -> Result:
        given = {
            "ad_account_id": ACCOUNT,
            "conversion_token": TOKEN,
            "api_url": sandbox.url,
            **settings,
        }
        Path("config.json").write_text(
            json.dumps({name: value for name, value in given.items() if value is not None})
        )
        if sample is not None:
            Path("sample.singer").write_bytes(b"\n".join(sample))
            arguments = ("--sample", "sample.singer", *arguments)
        return CliRunner().invoke(main, ["check", "--config", "config.json", *arguments])

    return run


def found(result: Result) -> dict[str, dict[str, Any]]:
    """Return the steps of `--json` by name."""
    made = json.loads(result.stdout)
    assert made["exit_code"] == result.exit_code
    return {step["step"]: step for step in made["steps"]}


def marks(result: Result) -> list[tuple[str, str]]:
    return [(step["step"], step["mark"]) for step in json.loads(result.stdout)["steps"]]


def visits(*names: str, **columns: Any) -> list[bytes]:
    """Return the messages of a tap with a visit for each event name."""
    row = {
        "event_time": seconds_ago(60),
        "action_source": "web",
        "em": "shopper@example.com",
        **columns,
    }
    rows = [
        record("visits", event_id=f"visit-{number}", event_name=name, **row)
        for number, name in enumerate(names)
    ]
    return [schema("visits", "event_id", "event_name", *row), *rows, state({"n": 1})]


# No errors


def test_all_is_well(check, sandbox):
    """Every step in order, exit 0, and Pinterest has recorded nothing."""
    result = check("--json", sample=visits("page_visit"))
    assert (result.exit_code, marks(result)) == (0, [(step, "ok") for step in STEPS])
    assert [request.test for request in sandbox.store.requests()] == [True]
    assert sandbox.store.events() == []


def test_page_has_a_line_a_step(check):
    """Each step is a line with a tick, and the last line has the overall result."""
    result = check(sample=visits("page_visit"))
    lines = result.stdout.splitlines()
    assert [(line[0], line[2:17].strip()) for line in lines[:-2]] == [("✓", step) for step in STEPS]
    assert lines[-2:] == ["", "No errors."]


def test_without_a_sample_that_is_said(check):
    """What was not checked is counted and listed, and is not a failure."""
    result = check()
    assert result.exit_code == 0
    assert "- mappings       preset pinterest for every stream; --sample FILE" in result.stdout
    assert result.stdout.endswith("No errors, 1 not checked: mappings.\n")


# What Pinterest's side says


@pytest.mark.parametrize(
    ("settings", "step", "words", "place"),
    [
        ({"conversion_token": "wrong-token"}, "token", "it returned 401", "Generate new token"),
        (
            {"ad_account_id": "77"},
            "ad account",
            "77 (ad_account_id) is not accessible with the token",
            "address of Ads Manager",
        ),
        ({"api_url": "{origin}/v4"}, "test request", "returned 404", ""),
    ],
)
def test_what_is_refused_is_told_apart(check, sandbox, settings, step, words, place):
    """Exit 1; the token, the account or the address failed, and no step before it."""
    given = {name: value.format(origin=sandbox.origin) for name, value in settings.items()}
    result = check("--json", **given)
    assert result.exit_code == 1
    steps = found(result)
    assert [name for name, one in steps.items() if one["mark"] == "failed"] == [step]
    assert words in steps[step]["message"]
    assert place in steps[step].get("place", "")
    assert steps[step]["advice"]
    assert "wrong-token" not in result.stdout


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("redirect"), "set api_url to the final address"),
        (Fault("status", status=503), "check again in a few minutes"),
        (Fault("status", status=429, retry_after=7), "wait 7 seconds"),
        (Fault("status", status=500, html=True), "check again in a few minutes"),
        (Fault("drop_before"), "network between here and api_url"),
        (Fault("truncated"), "network between here and api_url"),
        (Fault("not_json"), "a response of Pinterest has a status for each event"),
        (Fault("empty_body"), "a response of Pinterest has a status for each event"),
    ],
)
def test_answer_that_tells_nothing(check, sandbox, fault, words):
    """Exit 1; the test request failed with advice, and token and account are not judged.

    A redirect is not followed.
    """
    sandbox.faults.set([fault])
    result = check("--json")
    steps = found(result)
    assert result.exit_code == 1
    assert [steps[name]["mark"] for name in STEPS[-3:]] == ["failed", "skipped", "skipped"]
    assert words in steps["test request"]["advice"].replace("Set", "set").replace("Check", "check")
    assert len(sandbox.store.requests()) == 1


def test_host_that_cannot_be_reached(check):
    """If nothing listens, no request is tried, and the connection step says so."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    result = check("--json", api_url=f"http://127.0.0.1:{port}/v5")
    assert result.exit_code == 1
    assert marks(result)[4:] == [
        ("address", "ok"),
        ("connection", "failed"),
        ("test request", "skipped"),
    ]
    assert f"no connection to 127.0.0.1:{port}" in found(result)["connection"]["message"]


def test_host_without_an_address(check):
    """A host that does not resolve fails the address, and ends the check."""
    result = check("--json", api_url="https://nowhere.invalid/v5")
    assert result.exit_code == 1
    assert marks(result)[4:] == [
        ("address", "failed"),
        ("connection", "skipped"),
        ("test request", "skipped"),
    ]


def test_dry_run_sends_nothing(check, sandbox):
    """`mode: dry_run` looks nothing up and sends nothing; the rest is checked."""
    result = check(
        "--json", mode="dry_run", conversion_token=None, api_url="https://nowhere.invalid/v5"
    )
    assert result.exit_code == 0
    assert marks(result)[4:] == [("address", "skipped"), ("test request", "skipped")]
    assert sandbox.store.requests() == []


# Configuration


def test_every_problem_of_the_configuration(check, sandbox):
    """Exit 2 with all problems at once and where to find what is missing; nothing else is tried."""
    result = check("--json", ad_account_id=None, conversion_token=None, mode="life")
    assert result.exit_code == 2
    (step,) = json.loads(result.stdout)["steps"]
    assert {detail.partition(":")[0] for detail in step["details"]} == {"ad_account_id", "mode"}
    assert "address of Ads Manager" in step["place"]
    assert sandbox.store.requests() == []


def test_missing_token_says_where_tokens_are(check):
    """A configuration without a token is exit 2, with the page on which to create one."""
    result = check(conversion_token=None)
    assert result.exit_code == 2
    assert "✗ configuration  1 problem; nothing else can be checked" in result.stdout
    assert "In Pinterest: Ads > Conversions > Set up API > Generate new token" in " ".join(
        result.stdout.split()
    )
    assert result.stdout.endswith("The configuration must be corrected first.\n")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("conversion_token", "new token"),
        ("mappings[1].conversion_token_file", "new token"),
        ("ad_account_id", "Ads Manager"),
        ("customer_lists[0].ad_account_id", "Ads Manager"),
        ("oauth.client_id", "My apps"),
        ("mappings[0].fields.user_data.em", ""),
    ],
)
def test_place_of_a_setting(path, words):
    """A setting with a value from Pinterest has a place there; others have none."""
    assert words in place_of(path)
    assert bool(words) == bool(place_of(path))


def test_odd_settings_are_warnings(check):
    """Settings that are allowed but probably wrong are shown, and do not change the exit code."""
    result = check("--json", defaults={"event_id": "always-the-same"})
    steps = found(result)
    assert (result.exit_code, steps["configuration"]["mark"]) == (0, "warning")
    assert steps["configuration"]["details"][0].startswith(
        "defaults.event_id: makes all events of one name duplicates"
    )


def test_configuration_of_the_environment(sandbox, tmp_path, monkeypatch):
    """Without `--config` the settings are the environment's and `.env`'s, as Meltano passes them.

    If there are none, the output says so.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARGET_PINTEREST_CAPI_AD_ACCOUNT_ID", ACCOUNT)
    monkeypatch.setenv("TARGET_PINTEREST_CAPI_API_URL", sandbox.url)
    assert "No --config was given" in CliRunner().invoke(main, ["check", "--json"]).stdout
    (tmp_path / ".env").write_text(f"TARGET_PINTEREST_CAPI_CONVERSION_TOKEN={TOKEN}\n")
    assert CliRunner().invoke(main, ["check", "--json"]).exit_code == 0


def test_later_files_win(check, tmp_path):
    """`--config` can be repeated, and can be ENV."""
    (tmp_path / "later.json").write_text(json.dumps({"conversion_token": "wrong-token"}))
    assert check("--config", "later.json").exit_code == 1
    assert check("--config", "ENV").exit_code == 0


# A sample


@pytest.mark.parametrize(
    ("lines", "mark", "code", "words"),
    [
        (lambda: visits("page_visit", "checkout"), "ok", 0, "2 records of the sample: 2 events"),
        (
            lambda: visits("page_visit", "checkout", phone=5),
            "ok",
            0,
            "2 records of the sample: 2 events",
        ),
        (visits, "warning", 0, "the sample has no records"),
        (
            lambda: visits("page_visit", em="nobody"),
            "failed",
            1,
            "1 invalid: no_identifier in stream visits",
        ),
        (
            lambda: visits("page_visit", em="nobody") + visits("page_visit"),
            "warning",
            0,
            "2 records of the sample: 1 event",
        ),
        (
            lambda: visits("page_visit", event_time=seconds_ago(30 * 86400)),
            "warning",
            0,
            "too old to be sent",
        ),
        (
            lambda: visits("page_visit", "checkout", event_time=seconds_ago(7_000)),
            "ok",
            0,
            "2 web or app events happened over an hour ago",
        ),
        (lambda: [b"no json of shopper@example.com"], "failed", 1, "line 1: it is not JSON"),
        (lambda: [record("visits", em="shopper@example.com")], "failed", 1, "before the SCHEMA"),
    ],
)
def test_sample(check, lines, mark, code, words):
    """Records that become events are OK; some that do not are a warning, none that do a failure.

    No value is shown.
    """
    result = check("--json", sample=lines())
    step = found(result)["mappings"]
    assert (step["mark"], result.exit_code) == (mark, code)
    assert words in " ".join([step["message"], *step.get("details", [])])
    assert "shopper" not in result.stdout
    assert "nobody" not in result.stdout


def test_sample_that_no_mapping_takes(check):
    """A stream that no entry names makes no events, which is a failure here.

    A sample's author meant it to be sent.
    """
    result = check(
        "--json",
        sample=visits("page_visit"),
        mappings=[{"stream": "orders", "preset": "pinterest"}],
    )
    step = found(result)["mappings"]
    assert (step["mark"], result.exit_code) == ("failed", 1)
    no_stream, reason = step["details"]
    assert no_stream == "No stream 'orders' came. (mappings[0].stream)"
    assert "no_mapping" in reason


LISTS = {
    "mappings": [],
    "customer_lists": [
        {"stream": "vips", "list_name": "VIPs", "member": "email", "operation": "action"}
    ],
}


def vips(*actions: str | None) -> list[bytes]:
    """Return the messages of a tap with a person for each action."""
    rows = [
        record("vips", id=number, email="shopper@example.com", action=action)
        for number, action in enumerate(actions)
    ]
    return [schema("vips", "id", "email", "action"), *rows]


@pytest.mark.parametrize(
    ("lines", "mark", "words"),
    [
        (
            vips("add", "add", "left"),
            "ok",
            "3 records of the sample: 2 list additions, 1 list removal",
        ),
        (vips("left"), "ok", "1 record of the sample: 1 list removal"),
        (
            vips("add", "perhaps"),
            "warning",
            f"1 invalid: bad_field: operation in stream vips. {ADVICE['bad_field']}",
        ),
        (vips("perhaps", None), "failed", "2 records of the sample: 0 events"),
        (
            vips(None),
            "failed",
            f"1 invalid: missing_field: operation in stream vips. {ADVICE['missing_field']}",
        ),
    ],
)
def test_sample_of_a_list(lines, mark, words):
    """Records that are added to a list or removed are OK without any event.

    An unusable one is reported with its reason.
    """
    settings = settings_of(**LISTS, oauth={"access_token": "a-token"})
    finding, (names, _) = mappings.sample(settings, lines)
    assert (finding.status, names) == (mark, {})
    assert words in " ".join([finding.message, *finding.details])
    assert ("customer_lists" in finding.advice) is (mark == "failed")
    assert "no_mapping" not in str(finding)
    assert "shopper" not in str(finding)
    (named,) = check_event_names(settings, names)
    assert "--sample" not in named.message


def test_sample_with_events_and_a_list():
    """Both are counted separately for a record that becomes an event and feeds a list."""
    settings = settings_of(
        mappings=[{"stream": "visits", "preset": "pinterest"}],
        oauth={"access_token": "a-token"},
        customer_lists=[{"stream": "visits", "list_id": "42", "member": "em"}],
    )
    finding, (names, _) = mappings.sample(settings, visits("page_visit", "checkout"))
    assert (finding.status, finding.message) == (
        CheckStatus.OK,
        "2 records of the sample: 2 events, 2 list additions",
    )
    assert names == {"page_visit": 1, "checkout": 1}
    assert (
        mappings.no_sample(settings).message
        == "1 mapping, 1 customer list; --sample FILE tests them with your records"
    )


def test_sample_from_stdin_and_one_that_is_not_there(check):
    """`-` is standard input, and a missing file is a failure with the system's message."""
    missing = check("--json", "--sample", "nowhere.singer")
    assert (missing.exit_code, "No such file" in found(missing)["mappings"]["message"]) == (1, True)
    piped = CliRunner().invoke(
        main,
        ["check", "--json", "--config", "config.json", "--sample", "-"],
        input=b"\n".join(visits("page_visit")),
    )
    assert found(piped)["mappings"]["message"] == "1 record of the sample: 1 event"


def test_what_only_the_target_does_is_said():
    """Stream maps and flattening change records before they are mapped, but not a sample's."""
    settings = settings_of(stream_maps={"visits": {"em": "em"}})
    finding, (names, _) = mappings.sample(settings, visits("page_visit"))
    assert finding.details == ("stream_maps is applied only by the target, and not to this sample",)
    assert names == {"page_visit": 1}


# Event names


@pytest.mark.parametrize(
    "settings",
    [
        {"defaults": {"event_name": "chekout"}},
        {
            "mappings": [
                {"stream": "*", "preset": "pinterest", "defaults": {"event_name": "chekout"}}
            ]
        },
        {
            "mappings": [
                {
                    "stream": "*",
                    "preset": "pinterest",
                    "event_names": {"Order Completed": "chekout"},
                }
            ]
        },
        {
            "mappings": [
                {"stream": "*", "preset": "pinterest", "fields": {"event_name": "'chekout'"}}
            ]
        },
    ],
)
def test_misspelt_name_of_the_configuration(check, settings):
    """A constant similar to one of Pinterest's names is a warning with setting and name."""
    result = check("--json", **settings)
    step = found(result)["event names"]
    assert (step["mark"], result.exit_code) == ("warning", 0)
    assert "did you mean checkout?" in step["message"]
    assert "event_name" in step["message"]


def test_misspelt_name_of_a_sample(check):
    """Names in records are compared and counted, and never shown, because they may be values."""
    result = check(
        "--json", sample=visits("page_visit", "chekout", "chekout", "shopper7@example.com")
    )
    shown = [
        step["message"]
        for step in json.loads(result.stdout)["steps"]
        if step["step"] == "event names"
    ]
    assert shown[0].startswith(
        "a name, 2 times in the sample, is not one of Pinterest's event names"
    )
    assert "did you mean checkout?" in shown[0]
    assert shown[1].startswith("a name, 1 time in the sample,")
    assert "shopper7" not in result.stdout
    assert "chekout" not in result.stdout


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("", {"defaults": {"event_name": "chekout"}}),
        ("x", {"event_names": {"page_visit": "page_visit", "x": "chekout"}}),
        ("x", {"fields": {"event_name": "'chekout'"}}),
    ],
)
def test_a_name_is_reported_once(check, name, level):
    """A misspelt constant that a sample also has is one warning."""
    result = check(
        "--json",
        sample=visits("page_visit", name),
        mappings=[{"stream": "*", "preset": "pinterest", **level}],
    )
    assert [step for step, _ in marks(result)].count("event names") == 1


# OAuth and lists

APP = {
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "refresh_token": "sandbox-refresh-token",
}


@pytest.fixture
def make_list(sandbox: Sandbox) -> Iterator[Callable[[str], str]]:
    """Yield a function that creates a customer list with a name, and returns its id."""
    client = Client(sandbox.url, max_connections=1, timeout_seconds=10)

    def make(name: str) -> str:
        reply = client.create_list(
            "sandbox-access-token", ACCOUNT, name, [digest("shopper@example.com")]
        )
        assert isinstance(reply, ApiResponse)
        assert isinstance(reply.body, CustomerListBody)
        return reply.body.id

    yield make
    client.close()


def lists(*entries: dict[str, str]) -> dict[str, Any]:
    """Return settings with an access token and these customer lists."""
    return {
        "oauth": {"access_token": "sandbox-access-token"},
        "customer_lists": [{"stream": "members", "member": "em", **entry} for entry in entries],
    }


def lines_of(result: Result, step: str) -> list[tuple[str, str]]:
    return [
        (one["mark"], one["message"])
        for one in json.loads(result.stdout)["steps"]
        if one["step"] == step
    ]


def test_lists_are_looked_up(check, make_list):
    """An existing list is OK, by name and by id, and so is a new name."""
    made = make_list("VIPs")
    result = check(
        "--json", **lists({"list_name": "VIPs"}, {"list_id": made}, {"list_name": "New ones"})
    )
    assert result.exit_code == 0
    assert lines_of(result, "oauth") == [
        ("ok", f"Pinterest accepts oauth.access_token for ad account {ACCOUNT}")
    ]
    assert lines_of(result, "customer lists") == [
        ("ok", f"VIPs exists: list {made}"),
        ("ok", f"list {made} exists"),
        ("ok", "New ones does not exist yet; it is created with its first members"),
    ]


def test_lists_that_cannot_be_used(check, make_list):
    """An unknown id, and a name of two lists, are failures that say what to write."""
    first, second = make_list("VIPs"), make_list("VIPs")
    result = check("--json", **lists({"list_id": "123"}, {"list_name": "VIPs"}))
    assert result.exit_code == 1
    missing, several = lines_of(result, "customer lists")
    assert missing == ("failed", "there is no list 123 in the ad account")
    assert several[0] == "failed"
    assert first in several[1]
    assert second in several[1]


def test_all_pages_of_lists_are_read(check, make_list):
    """A list beyond the first page is found."""
    ids = [make_list(f"list {number}") for number in range(255)]
    result = check("--json", **lists({"list_id": ids[0]}, {"list_id": ids[-1]}))
    assert [mark for mark, _ in lines_of(result, "customer lists")] == ["ok", "ok"]


def test_access_token_that_is_wrong(check):
    """A token that Pinterest does not know fails oauth, with the page of apps, and is not shown."""
    result = check("--json", oauth={"access_token": "wrong-token"})
    step = found(result)["oauth"]
    assert (result.exit_code, step["mark"]) == (1, "failed")
    assert "oauth.access_token" in step["advice"]
    assert "My apps" in step["place"]
    assert "wrong-token" not in result.stdout


def test_conversion_token_is_no_access_token(check):
    """The events' token is refused for lists, and the check says so before a run does."""
    result = check("--json", **lists({"list_name": "VIPs"}) | {"oauth": {"access_token": TOKEN}})
    assert (result.exit_code, found(result)["oauth"]["mark"]) == (1, "failed")
    assert lines_of(result, "customer lists") == [
        ("skipped", f"not looked up: lists of ad account {ACCOUNT}")
    ]


def test_lists_of_another_account(check):
    """An ad account that the user may not manage fails the lists, not the token."""
    result = check("--json", **lists({"list_name": "VIPs", "ad_account_id": "77"}))
    steps = found(result)
    assert (result.exit_code, steps["oauth"]["mark"], steps["customer lists"]["mark"]) == (
        1,
        "ok",
        "failed",
    )
    assert "ad account 77" in steps["customer lists"]["message"]


def test_refresh_token_is_exchanged_and_what_replaces_it_kept(check, tmp_path):
    """An app's token is refreshed as in a run, and a second check continues with the new one."""
    oauth = {**APP, "token_path": str(tmp_path / "oauth.json")}
    first, second = check("--json", oauth=oauth), check("--json", oauth=oauth)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert (
        found(second)["oauth"]["message"]
        == f"Pinterest accepts the token of oauth for ad account {ACCOUNT}"
    )
    kept = json.loads((tmp_path / "oauth.json").read_text())["refresh_token"]
    assert kept != APP["refresh_token"]
    assert kept not in first.stdout + second.stdout


@pytest.mark.parametrize("wrong", APP)
def test_app_that_is_refused(check, tmp_path, wrong):
    """A wrong id, secret or refresh token is a failure with the settings' names and no values."""
    result = check(
        "--json", oauth={**APP, wrong: "wrong-value", "token_path": str(tmp_path / "oauth.json")}
    )
    step = found(result)["oauth"]
    assert (result.exit_code, step["mark"]) == (1, "failed")
    assert "oauth.client_id" in step["message"]
    assert "wrong-value" not in result.stdout


@pytest.mark.parametrize("endpoint", ["oauth", "customer_lists"])
def test_oauth_when_pinterest_does_not_answer(check, sandbox, tmp_path, endpoint):
    """A temporary failure is reported as such, and does not blame the refresh token."""
    sandbox.faults.set([Fault("status", status=503, endpoint=endpoint)])
    result = check("--json", oauth={**APP, "token_path": str(tmp_path / "oauth.json")})
    step = found(result)["oauth"]
    assert (result.exit_code, step["mark"]) == (1, "failed")
    assert "check again in a few minutes" in step["advice"]


@pytest.mark.parametrize(
    "settings", [{"mode": "dry_run"}, {"api_url": "https://nowhere.invalid/v5"}]
)
def test_lists_are_not_passed_over(check, sandbox, settings):
    """If nothing is or can be sent, OAuth and lists still have their lines."""
    result = check("--json", **lists({"list_name": "VIPs"}), **settings)
    assert [found(result)[step]["mark"] for step in ("oauth", "customer lists")] == [
        "skipped",
        "skipped",
    ]
    assert sandbox.store.requests() == []


# The page


def shown(finding: CheckResult, encoding: str = "utf-8", width: int = 60) -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    check_page.show(Console(file=file, width=width, highlight=False), finding)
    file.seek(0)
    return file.read().splitlines()


def test_cause_advice_and_place_stand_below():
    """A failure's cause is beside the step, details, advice and place below, within the width."""
    finding = CheckResult(
        "token",
        CheckStatus.FAILED,
        "it is not taken",
        "Copy it whole.",
        "In Pinterest: Ads",
        ("one thing", "another thing"),
    )
    indent = " " * 17
    assert shown(finding) == [
        "✗ token          it is not taken",
        f"{indent}- one thing",
        f"{indent}- another thing",
        f"{indent}Copy it whole.",
        f"{indent}In Pinterest: Ads",
    ]
    assert all(
        len(line) <= 60
        for line in shown(finding._replace(message="words " * 40, advice="more " * 40))
    )


@pytest.mark.parametrize(
    ("mark", "unicode", "ascii_"),
    [("ok", "✓", "ok"), ("failed", "✗", "X"), ("warning", "!", "!"), ("skipped", "-", "-")],
)
def test_marks_where_the_terminal_has_none(mark, unicode, ascii_):
    """Ticks, crosses and text are ASCII if the terminal supports nothing else."""
    assert shown(CheckResult("token", CheckStatus(mark), "cut …"))[0].split() == [
        unicode,
        "token",
        "cut",
        "…",
    ]
    assert shown(CheckResult("token", CheckStatus(mark), "cut … ß"), "ascii")[0].split() == [
        ascii_,
        "token",
        "cut",
        "...",
        "?",
    ]


def test_no_control_characters():
    """A name from a tap cannot control the terminal."""
    assert (
        "\x1b" not in shown(CheckResult("mappings", CheckStatus.WARNING, "stream \x1b[31mred"))[0]
    )


def test_the_program_in_a_plain_terminal(sandbox, tmp_path):
    """The installed program prints ASCII in a plain locale, and does not import singer_sdk."""
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps(
            {"ad_account_id": ACCOUNT, "conversion_token": "wrong-token", "api_url": sandbox.url}
        )
    )
    done = subprocess.run(
        [sys.executable, "-X", "importtime", PROGRAM, "check", "--config", config],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "X  token" in done.stdout
    assert done.stdout.isascii()
    assert "singer_sdk" not in done.stderr


# ---- what a run would meet on this machine


@pytest.mark.parametrize(
    ("settings", "step", "words"),
    [
        (
            {"dead_letter_path": "config.json/x.jsonl"},
            "files",
            "dead_letter_path cannot be written",
        ),
        ({"report_path": "config.json/report.html"}, "files", "report_path cannot be written"),
        ({"metrics_path": "config.json/run.prom"}, "files", "metrics_path cannot be written"),
        ({"ledger_url": "sqlite:///nowhere/ledger.db"}, "ledger", "its folder does not exist"),
        ({"ledger_url": "sqlite:///config.json"}, "ledger", "file is not a database"),
        ({"ledger_url": "postgresql+nodriver://127.0.0.1/x"}, "ledger", "ledger_url"),
        (
            {"ledger_url": "postgresql+psycopg://user:secret@127.0.0.1:9/x"},
            "ledger",
            "ledger_url cannot be used",
        ),
        ({"results_url": "sqlite:///nowhere/results.db"}, "results", "its folder does not exist"),
        (
            {"results_url": "postgresql+psycopg://user:secret@127.0.0.1:9/x", "mode": "test"},
            "results",
            "results_url cannot be used",
        ),
    ],
)
def test_places_that_a_run_cannot_write(check, settings: dict[str, Any], step: str, words: str):
    """A file, a folder, a database or its driver that a run would lack is found before it."""
    result = check("--json", **settings)
    assert "secret" not in result.stdout
    if "nodriver" in str(settings):
        assert result.exit_code in {1, 2}
        return
    assert (found(result)[step]["mark"], result.exit_code) == ("failed", 1)
    assert words in found(result)[step]["message"]


def test_places_are_left_as_they_are(check, tmp_path: Path):
    """Nothing is created where a run could write: no file, no folder, no database."""
    before = {"config.json"}
    result = check(
        "--json",
        dead_letter_path="rejected.jsonl",
        report_path="reports/run.html",
        ledger_url="sqlite:///ledger.db",
        results_url="sqlite:///results.db",
    )
    assert found(result)["files"]["message"] == "dead_letter_path, report_path can be written"
    assert [found(result)[step]["mark"] for step in ("ledger", "results")] == ["ok", "ok"]
    assert {path.name for path in tmp_path.iterdir()} == before


def test_what_is_not_tried(check):
    """An object store, and the ledger unless mode is live, are listed as not checked."""
    result = check(
        "--json", dead_letter_path="memory://letters", ledger_url="sqlite:///x.db", mode="test"
    )
    steps = found(result)
    assert (steps["files"]["mark"], steps["ledger"]["mark"]) == ("skipped", "skipped")


def test_what_a_run_sends_elsewhere_is_not_tried(check):
    """Messages and telemetry are listed as not checked, and nothing is sent to their places."""
    result = check("--json", notify_url="http://127.0.0.1:9/", telemetry="otlp")
    steps = found(result)
    assert (steps["notify_url"]["mark"], steps["telemetry"]["mark"]) == ("skipped", "skipped")
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("entry", "missing"),
    [
        ({}, "event_name, action_source, event_time, user_data.em, or another identifier"),
        ({"fields": {"user_data.em": "email"}}, "event_name, action_source, event_time"),
        ({"preset": "shopify"}, None),
        ({"preset": "shopify", "fields": {"event_time": None}}, "event_time"),
        ({"preset": "pinterest"}, None),
        (
            {
                "fields": {"user_data.client_ip_address": "ip"},
                "defaults": {"event_name": "checkout", "action_source": "web", "event_time": "now"},
            },
            "user_data.em, or another identifier",
        ),
    ],
)
def test_mappings_that_can_make_no_event(check, entry: dict[str, Any], missing: str | None):
    """An entry without a required field is found without a sample."""
    result = check("--json", mappings=[{"stream": "orders", **entry}])
    failed = [
        step["message"] for step in json.loads(result.stdout)["steps"] if step["mark"] == "failed"
    ]
    said = f"mappings[0] makes no event: it does not map {missing}"
    assert failed == ([said] if missing else [])


# ---- names of one's own, asked for at Pinterest


OWN_NAMES = {"Quote asked": "quote_request", "Viewed": "showroom_vist", "Paid": "checkout"}


@pytest.mark.parametrize("oauth", [None, {"access_token": "sandbox-access-token"}])
def test_names_of_ones_own_are_looked_up(plain_terminal, oauth: dict[str, str] | None):
    """With OAuth, Pinterest is asked whether a name is defined; without, it is not checked."""
    entry = {"stream": "orders", "preset": "pinterest", "event_names": OWN_NAMES}
    with Sandbox(SandboxConfig(defined_events=("quote_request", "showroom_visit"))) as running:
        settings = settings_of(api_url=running.url, oauth=oauth, mappings=[entry])
        results = [one for one in check_settings(settings, None) if one.step == "own names"]
    said = {one.message: one.status for one in results}
    if oauth is None:
        open_question = "your own event names are not looked up at Pinterest: there is no oauth in"
        assert [words for words in said if words.startswith(open_question)]
        return
    assert said[f"quote_request is defined in ad account {ACCOUNT}"] == CheckStatus.OK
    missing = f"showroom_vist is not defined in ad account {ACCOUNT}; did you mean showroom_visit?"
    assert said[missing] == CheckStatus.WARNING


def test_more_names_than_there_is_room_for(plain_terminal):
    """More names than can be defined are reported before somebody tries."""
    names = {f"Event {number}": f"event_{number}" for number in range(16)}
    entry = {"stream": "orders", "preset": "pinterest", "event_names": names}
    with Sandbox(SandboxConfig(defined_events=("event_1", "other"))) as running:
        oauth = {"access_token": "sandbox-access-token"}
        settings = settings_of(api_url=running.url, oauth=oauth, mappings=[entry])
        results = [one for one in check_settings(settings, None) if one.step == "own names"]
    assert results[-1].message.startswith("17 names, including those that are defined,")
    assert "can have 15 names" in results[-1].advice
