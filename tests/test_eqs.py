"""`pinterest-capi eqs`: Pinterest's figures next to ours, what to map, and why there are none."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from report_sample import NOW as REPORT_TIME
from report_sample import event, observed, report_of

from given import ACCOUNT, TOKEN, record, schema
from shopper import digest, seconds_ago
from target_pinterest_capi.cli.eqs import command as eqs
from target_pinterest_capi.cli.eqs import model as eqs_result
from target_pinterest_capi.cli.eqs import own_reports
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.events.components import COMPONENTS
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.reasons import Dropped
from target_pinterest_capi.pinterest.responses import ComponentQuality, QualityIssue, QualityScore
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.expectations import EXPECTED
from target_pinterest_capi.reporting.report import Report, decode, encode
from target_pinterest_capi.sandbox import quality
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.oauth import App
from target_pinterest_capi.sandbox.server import Sandbox

ACCESS = {"access_token": "sandbox-access-token"}
APP = {
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "refresh_token": "sandbox-refresh-token",
}
COLUMNS = (
    "event_id",
    "event_name",
    "event_time",
    "action_source",
    "em",
    "click_id",
    "value",
    "order_id",
)


def sales(
    count: int = 10, *, mails: int = 8, source: str = "web", name: str = "checkout", first: int = 0
) -> list[bytes]:
    """Return so many records, some with an e-mail address, every other one with an order's id."""
    rows = []
    nobody = {"client_ip_address": "192.0.2.7", "client_user_agent": "Mozilla/5.0"}
    for number in range(first, first + count):
        who = {"em": f"shopper{number}@example.com"} if number - first < mails else nobody
        order = {"order_id": f"order-{number}"} if number % 2 else {}
        row = {
            "event_id": f"{name}-{number}",
            "event_name": name,
            "event_time": seconds_ago(60),
            "action_source": source,
        }
        rows.append(record("sales", **row, **who, **order))
    return rows


SCHEMA = schema("sales", *COLUMNS, "client_ip_address", "client_user_agent", "external_id")


@pytest.fixture
def deliver(run_target: Callable[..., Any], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that delivers records to the sandbox, and returns the run's report."""

    def run(*rows: bytes, name: str = "report.json", **settings: Any) -> Path:
        path = tmp_path / name
        assert run_target([SCHEMA, *rows], report_path=str(path), **settings).code == 0
        return path

    return run


@pytest.fixture
def ask(sandbox: Sandbox, plain_terminal: None) -> Callable[..., Result]:
    """Return a function that runs the command with a configuration for the sandbox and changes."""

    def run(*arguments: object, **settings: Any) -> Result:
        given = {
            "ad_account_id": ACCOUNT,
            "conversion_token": TOKEN,
            "api_url": sandbox.url,
            "oauth": ACCESS,
            **settings,
        }
        Path("config.json").write_text(
            json.dumps({name: value for name, value in given.items() if value is not None})
        )
        return CliRunner().invoke(main, ["eqs", "--config", "config.json", *map(str, arguments)])

    return run


def printed(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    made: dict[str, Any] = json.loads(result.stdout)
    return made


def figures(
    made: dict[str, Any], platform: str = "WEB", name: str = "checkout"
) -> dict[str, tuple[Any, Any, Any]]:
    """Return (Pinterest's, ours, difference) by component."""
    (score,) = [one for one in made["scores"] if one["source_platform"] == platform]
    (rows,) = [one["components"] for one in score["event_names"] if one["event_name"] == name]
    return {row["component"]: (row["pinterest"], row["ours"], row["difference"]) for row in rows}


def words(text: str) -> str:
    return " ".join(text.split())


# Both sides


def test_both_sides_of_the_same_events_agree(deliver, ask):
    """Of one run's events Pinterest's figures and the report's are equal, by component."""
    report = deliver(*sales())
    found = figures(printed(ask("--json", "--report", report)))
    assert list(found) == [component.name for component in COMPONENTS]
    assert {pair[:2] for pair in found.values()} == {
        (0.0, 0.0),
        (20.0, 20.0),
        (50.0, 50.0),
        (80.0, 80.0),
        (100.0, 100.0),
    }
    assert {difference for _, _, difference in found.values()} == {0.0}


def test_what_others_sent_shows_as_a_difference(deliver, ask):
    """Pinterest counts every event of the account, the report those of its run.

    The difference is ours less Pinterest's.
    """
    deliver(*sales(10, mails=0), name="first.json")
    second = deliver(*sales(10, mails=10, first=10), name="second.json")
    assert figures(printed(ask("--json", "--report", second)))["hashed_email"] == (
        50.0,
        100.0,
        50.0,
    )


def test_several_reports_are_put_together(deliver, ask):
    """Given reports, and those of a directory, add up to one coverage."""
    for number in range(2):
        deliver(*sales(10, mails=10 * number, first=10 * number), name=f"runs/{number}.json")
    Path("runs/notes.json").write_text("{}")
    for given in (("--report", "runs"), ("--report", "runs/0.json", "--report", "runs/1.json")):
        made = printed(ask("--json", *given))
        assert figures(made)["hashed_email"] == (50.0, 50.0, 0.0)
        assert [one["events"] for one in made["reports"]] == [10, 10]


def test_report_path_of_the_configuration_is_ours(deliver, ask):
    """Without --report the newest one is the file at report_path."""
    report = deliver(*sales())
    assert figures(printed(ask("--json", report_path=str(report))))["hashed_email"] == (
        80.0,
        80.0,
        0.0,
    )


@pytest.mark.parametrize(
    ("path", "note"),
    [
        (None, own_reports.NO_REPORT),
        ("gone.json", own_reports.NO_REPORT),
        ("page.html", own_reports.PAGE_REPORT),
    ],
)
def test_without_a_report_the_score_stands_alone(deliver, ask, path, note):
    """Pinterest's figures are shown anyway, with what to set to see ours next to them."""
    deliver(*sales())
    Path("page.html").write_text("<p>")
    made = printed(ask("--json", report_path=path))
    assert figures(made)["hashed_email"] == (80.0, None, None)
    assert (made["reports"], made["notes"]) == ([], [note])


def test_platforms_have_a_score_each(deliver, ask):
    """Pinterest distinguishes platforms and a report does not, which a note says."""
    report = deliver(*sales(10, mails=10), *sales(10, mails=0, source="offline", first=10))
    made = printed(ask("--json", "--report", report))
    assert figures(made)["hashed_email"] == (100.0, 50.0, -50.0)
    assert figures(made, "OFFLINE")["hashed_email"] == (0.0, 50.0, 50.0)
    assert made["notes"] == [
        "The figures for checkout from the report cover all platforms together."
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ((), [("OFFLINE", ["checkout"]), ("WEB", ["signup", "checkout"])]),
        (("--platform", "web"), [("WEB", ["signup", "checkout"])]),
        (("--event", "signup"), [("WEB", ["signup"])]),
        (
            ("--source", "all", "--lookback", "1d", "--event", "checkout"),
            [("OFFLINE", ["checkout"]), ("WEB", ["checkout"])],
        ),
    ],
)
def test_filters(deliver, ask, filters, found):
    """Period, platform and source are Pinterest's filters.

    Event names are chosen here, those we sent most of first.
    """
    report = deliver(*sales(4), *sales(6, name="signup"), *sales(1, source="offline", first=10))
    made = printed(ask("--json", "--report", report, *filters))
    assert [
        (one["source_platform"], [name["event_name"] for name in one["event_names"]])
        for one in made["scores"]
    ] == found


def test_choices_are_those_of_the_sandbox():
    """The periods, platforms and sources that can be chosen are those that Pinterest has."""
    assert eqs.LOOKBACK_SECONDS == quality.LOOKBACK_SECONDS
    assert eqs.PLATFORMS == quality.PLATFORMS
    assert set(eqs.SOURCES) == set(quality.SOURCES)


@pytest.mark.parametrize(
    ("settings", "changes", "note"),
    [
        ({}, {"ad_account_id": "77"}, "a run for ad account 77"),
        ({}, {"mode": "dry_run"}, "in mode dry_run"),
        ({}, {"ended_at": datetime(2020, 1, 1, tzinfo=UTC)}, "before the period"),
    ],
)
def test_reports_that_do_not_match_are_reported(deliver, ask, settings, changes, note):
    """A report of another account, of a trial, or of another time is used, with a note on it."""
    path = deliver(*sales())
    made = decode(path.read_bytes())
    path.write_bytes(
        encode(msgspec.structs.replace(made, run=msgspec.structs.replace(made.run, **changes)))
    )
    (found,) = printed(ask("--json", "--report", path, **settings))["notes"]
    assert note in found


def test_event_names_that_are_not_in_the_report_are_reported(deliver, ask):
    """An event name that Pinterest has and the report does not is shown with one side."""
    deliver(*sales(3, name="signup"), name="first.json")
    made = printed(ask("--json", "--report", deliver(*sales())))
    assert figures(made, name="signup")["hashed_email"] == (100.0, None, None)
    assert made["notes"] == ["The report counts no events of signup."]


@pytest.mark.parametrize("name", ["jane@example.com", "+12025550134"])
def test_event_name_that_may_be_a_value_is_not_shown(deliver, ask, name: str):
    """A column that was mapped to event_name by mistake makes names of addresses at Pinterest."""
    report = deliver(*sales(3, name=name))
    for options in ((), ("--json",)):
        done = ask(*options, "--report", report)
        assert done.exit_code == 0
        assert name not in done.output
        assert "…" in done.output or "\\u2026" in done.output


# The token


def test_conversion_token_is_never_sent(deliver, ask, sandbox):
    """Only OAuth works for an account.

    A conversion token as access token is refused, and one is not required.
    """
    deliver(*sales())
    assert ask(conversion_token=None).exit_code == 0
    assert ask(oauth={"access_token": TOKEN}).exit_code == 1


def test_app_has_its_token_refreshed(deliver, ask, tmp_path):
    """An app's refresh token is exchanged as in a run, and its replacement is stored and used."""
    deliver(*sales())
    oauth = {**APP, "token_path": str(tmp_path / "oauth.json")}
    assert [ask(oauth=oauth).exit_code for _ in range(2)] == [0, 0]
    assert (
        json.loads((tmp_path / "oauth.json").read_text())["refresh_token"]
        == "sandbox-refresh-token-2"
    )


# No score


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "said"),
    [
        ((), {"oauth": None}, 2, ("oauth: is required", "oauth.access_token", "oauth.token_path")),
        ((), {"ad_account_id": "x"}, 2, ("ad_account_id",)),
        (("--ad-account", "x"), {}, 2, ("only digits",)),
        (("--lookback", "7d"), {}, 2, ("'1d', '14d'",)),
        (("--report", "none.json"), {}, 2, ("does not exist",)),
        (("--report", "config.json"), {}, 1, ("config.json cannot be used", "report_path")),
        (("--report", "."), {}, 1, ("has no report of a run within the period",)),
        (
            (),
            {"oauth": {"access_token": "wrong-token"}},
            1,
            ("401", "oauth.access_token", "My apps"),
        ),
        (("--ad-account", "77"), {}, 1, ("403", "ads:read", "ad account 77", "Ads Manager")),
        (
            (),
            {"oauth": {**APP, "client_secret": "wrong-token", "token_path": "o.json"}},
            1,
            ("oauth.client_secret", "My apps"),
        ),
        (
            (),
            {"api_url": "http://127.0.0.1:9/v5"},
            1,
            ("no response from Pinterest", "Check the network"),
        ),
        ((), {}, 1, ("no score for ad account", "the last 14 days", "--source CONVERSIONS_API")),
        (
            ("--platform", "OFFLINE", "--source", "ALL"),
            {},
            1,
            ("in the last 14 days with --platform OFFLINE.",),
        ),
    ],
)
def test_no_score_is_explained(ask, arguments, settings, code, said):
    """Each way to get no score ends with its exit code, says what to change, and shows no token."""
    done = ask(*arguments, **settings)
    assert (done.exit_code, done.stdout) == (code, "")
    for one in said:
        assert one in words(done.stderr).replace("│ ", "")
    assert "wrong-token" not in done.stderr


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("status", status=429, retry_after=7, endpoint="conversion_eqs"), "wait 7 seconds"),
        (Fault("status", status=503, endpoint="conversion_eqs"), "ask again in a few minutes"),
        (Fault("status", status=400, endpoint="conversion_eqs"), "refused the request itself"),
        (Fault("status", status=404, endpoint="conversion_eqs"), "check ad_account_id"),
        (Fault("status", status=503, endpoint="oauth"), "no access token"),
        (Fault("not_json", endpoint="conversion_eqs"), "not a response of Pinterest: check api_url"),
    ],
)  # fmt: skip
def test_what_may_pass_differs_from_what_will_not(ask, sandbox, fault, said):
    """A limit, an outage and an odd response are exit 1 with what to do, after one attempt."""
    sandbox.faults.set([fault])
    done = ask(oauth={**APP, "token_path": "oauth.json"})
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in words(done.stderr)
    asked = [request for request in sandbox.store.requests() if request.endpoint == fault.endpoint]
    assert len(asked) == 1


def test_event_that_has_no_score(deliver, ask):
    """A name that Pinterest has no score for is an error that lists those it has."""
    done = ask("--report", deliver(*sales(2), *sales(2, name="signup")), "--event", "chekout")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no score for chekout. It has for: checkout, signup" in words(done.stderr)


def test_scope_is_needed(tmp_path, monkeypatch):
    """A token without ads:read is refused, and the scope is named."""
    monkeypatch.chdir(tmp_path)
    with Sandbox(SandboxConfig(app=App(scopes=("ads:write",)))) as narrow:
        given = {"ad_account_id": ACCOUNT, "api_url": narrow.url, "oauth": ACCESS}
        Path("config.json").write_text(json.dumps(given))
        done = CliRunner().invoke(main, ["eqs", "--config", "config.json"])
    assert done.exit_code == 1
    assert "ads:read" in done.stderr


# What to do


def score(platform: str = "WEB", **components: dict[str, float | ComponentQuality]) -> QualityScore:
    """Return a score with these figures by component and event name."""
    held = {
        component: {
            name: one if isinstance(one, ComponentQuality) else ComponentQuality(coverage=one)
            for name, one in names.items()
        }
        for component, names in components.items()
    }
    return QualityScore(dict(held), "FAIR", platform, "CONVERSIONS_API", "14d")


def own(coverage: float | None) -> list[Report]:
    """Return a report of 100 events of which this share has a customer's id; None: no report."""
    if coverage is None:
        return []
    tally = Counters()
    tally.count_value(Origin("orders", ""), "user_data.external_id", Dropped.UNMATCHABLE_DIGEST, 3)
    carrying = {"external_id": [digest("C-1")]}
    events = [event(number, **(carrying if number < coverage else {})) for number in range(100)]
    return [report_of(tally, observed(*events))]


@pytest.mark.parametrize(
    ("theirs", "ours", "said"),
    [
        (0.0, None, "Map user_data.external_id: your customer id"),
        (0.0, 0.0, "Map user_data.external_id: your customer id"),
        (30.0, 30.0, "Map user_data.external_id for more of the events"),
        (30.0, 90.0, "It is sent: Pinterest's figure also counts earlier runs"),
        (90.0, 30.0, "Check user_data.external_id: at Pinterest, more events have it"),
        (60.0, 45.0, None),
        (50.0, 50.0, None),
        (90.0, None, None),
    ],
)
def test_what_a_pair_of_figures_calls_for(theirs, ours, said):
    """Nothing if it is enough.

    Otherwise map the field, fill it more often, wait, or see where it was lost.
    """
    found = eqs_result.compare(
        [score(advertiser_external_id={"checkout": theirs})], eqs_result.ours(own(ours))
    ).advice
    assert [one.component for one in found] == (["advertiser_external_id"] if said else [])
    if said:
        assert found[0].words.startswith(said)
        assert found[0].fields == ("user_data.external_id",)
        assert (
            "3 values of user_data.external_id dropped as unmatchable_digest" in found[0].words
        ) is (ours is not None)


@pytest.mark.parametrize(
    ("component", "platform", "name", "expected"),
    [
        ("order_id", "WEB", "checkout", True),
        ("order_id", "WEB", "page_visit", False),
        ("order_value", "OFFLINE", "checkout", True),
        ("source_url", "WEB", "page_visit", True),
        ("source_url", "OFFLINE", "checkout", False),
        ("hashed_maid", "WEB", "checkout", False),
        ("hashed_maid", "MOBILE_IOS", "checkout", True),
        ("click_id_epik", "OFFLINE", "checkout", False),
        ("product_id", "WEB", "add_to_cart", True),
        ("product_id", "WEB", "signup", False),
        ("hashed_email", "OFFLINE", "page_visit", True),
    ],
)
def test_only_what_an_event_can_have_is_asked_for(component, platform, name, expected):
    """A page visit needs no order, and an event in a store no page."""
    found = eqs_result.compare(
        [score(platform, **{component: {name: 0.0}})], eqs_result.ours([])
    ).advice
    assert [one.component for one in found] == ([component] if expected else [])


def test_what_pinterest_finds_wrong_is_reported():
    """An issue of Pinterest's is a reason by itself, however high the figure."""
    odd = ComponentQuality(
        coverage=95.0, issues=[QualityIssue("i", "Odd ids", "Many are the same.")]
    )
    compared = eqs_result.compare(
        [score(order_id={"checkout": odd, "page_visit": odd})], eqs_result.ours([])
    )
    (found,) = compared.advice
    assert (found.component, [place.event_name for place in found.places]) == (
        "order_id",
        ["checkout"],
    )
    assert found.words == "Look at custom_data.order_id. Pinterest says: Many are the same."


def test_figures_of_several_platforms_are_no_reason():
    """A figure of ours is for all platforms of a name, so nothing is concluded from it."""
    scores = [
        score(platform, advertiser_external_id={"checkout": 10.0})
        for platform in ("OFFLINE", "WEB")
    ]
    (found,) = eqs_result.compare(scores, eqs_result.ours(own(90.0))).advice
    assert found.words.startswith("Map user_data.external_id: ")
    assert [(place.source_platform, place.ours) for place in found.places] == [
        ("OFFLINE", 90.0),
        ("WEB", 90.0),
    ]


def test_every_component_has_its_rule_and_its_field():
    """Each of the eleven has a sufficient share, and names a field that can be mapped."""
    assert list(EXPECTED) == [component.name for component in COMPONENTS]


@pytest.mark.parametrize("component", EXPECTED)
def test_the_measure_is_documented(component):
    """docs/eqs.md names how much of each component is enough."""
    page = (Path(__file__).parent.parent / "docs" / "eqs.md").read_text()
    (row,) = [
        line
        for line in page.splitlines()
        if line.startswith("| `") and f"`{component}`" in line.split("|")[1]
    ]
    assert row.split("|")[2].strip().startswith(f"{EXPECTED[component].enough:g} %")


def test_components_that_are_not_known_are_shown():
    """A component that Pinterest adds later comes last, with only Pinterest's figure."""
    compared = eqs_result.compare(
        [score(hashed_phone={"checkout": 12.5})], eqs_result.ours(own(50.0))
    )
    row = compared.platforms[0].names[0].rows[-1]
    assert (row.component, row.title, row.pinterest, row.ours, row.difference) == (
        "hashed_phone",
        "hashed_phone",
        12.5,
        None,
        None,
    )


def test_an_answer_without_figures_is_no_mistake():
    """Members that are absent or null in the response are missing figures."""
    compared = eqs_result.compare(
        [QualityScore({"hashed_email": None, "order_id": {"checkout": ComponentQuality()}})],
        eqs_result.ours([]),
    )
    assert {row.pinterest for row in compared.platforms[0].names[0].rows} == {None}
    assert compared.advice == ()


# The page


def test_page_shows_both_sides_and_what_to_map(deliver, ask):
    """80 columns: a line per component with figures and difference, and below it what to map."""
    deliver(*sales(10, mails=0), name="first.json")
    done = ask("--report", deliver(*sales(10, mails=10, first=10)))
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    assert any(words(line) == "E-mail 50.0 % 100.0 % +50.0" for line in lines)
    assert (
        "Mobile ad id" not in done.stdout
    )  # of no use to a checkout on the web, and nobody sent one
    assert "WEB, CONVERSIONS_API: Pinterest says" in done.stdout
    assert "checkout, 10 of ours" in words(done.stdout)
    assert "Click id (epik): checkout (WEB 0.0 %)" in words(done.stdout)
    assert "Map user_data.click_id: the cookie _epik" in words(done.stdout)


def test_page_says_when_nothing_is_weak(ask, deliver):
    """If no component is missing, the output says so instead of advice."""
    deliver(
        *[
            record(
                "sales",
                event_id=f"s-{number}",
                event_name="signup",
                event_time=seconds_ago(60),
                action_source="offline",
                em=f"shopper{number}@example.com",
                external_id=f"c-{number}",
            )
            for number in range(3)
        ]
    )
    assert "Nothing to improve" in ask().stdout


def test_report_times_are_shown(deliver, ask):
    """It says how many runs ours is from, and until when."""
    path = deliver(*sales())
    made = decode(path.read_bytes())
    other = msgspec.structs.replace(
        made, run=msgspec.structs.replace(made.run, ended_at=REPORT_TIME)
    )
    Path("other.json").write_bytes(encode(other))
    shown = ask("--report", path, "--report", "other.json").stdout
    assert f"Ours: 20 events of 2 runs, to {made.run.ended_at:%Y-%m-%d %H:%M} UTC" in shown
