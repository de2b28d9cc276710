"""`pinterest-capi demo`.

The real target with the packaged sample, what it prints, and how it detects problems.
"""

import fcntl  # noqa: I001
import hashlib
import ipaddress
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from report_sample import observed, report_of

from target_pinterest_capi import settings
from target_pinterest_capi.events.outcomes import NotSent, Outcome, Rejected
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.reasons import Invalid, Dropped, Skipped, Warned
from target_pinterest_capi.reporting.counters import Counters
from target_pinterest_capi.reporting.ending import headline
from target_pinterest_capi.reporting.report import Report, decode
from target_pinterest_capi.cli.demo import command as demo
from target_pinterest_capi.cli.demo import view as demo_page
from target_pinterest_capi.sandbox.demo import run as demo_run
from target_pinterest_capi.sandbox.demo import sample as demo_sample
from target_pinterest_capi.sandbox.demo.model import Evidence, Sample, compare, find_problems

pytestmark = pytest.mark.slow  # each starts programs

RUN = [sys.executable, "-c", "from target_pinterest_capi.cli.main import main; main()", "demo"]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RECORDS = 3660
# What must not reach the target: its settings and log are the demo's own.
ENVIRONMENT = {
    **{
        name: value
        for name, value in os.environ.items()
        if name not in {"COLUMNS", "FORCE_COLOR", "TERM"}
    },
    "LOGLEVEL": "ERROR",
    "TARGET_PINTEREST_CAPI_MODE": "dry_run",
}


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def words(text):
    """The text with single spaces, independent of wrapping."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A run of the demo outside of the repository, into a pipe."""
    outside = tmp_path_factory.mktemp("outside")
    done = subprocess.run(
        [*RUN, "--keep", "kept"],
        cwd=outside,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return SimpleNamespace(
        exit_code=done.returncode, out=done.stdout, err=done.stderr, directory=outside / "kept"
    )


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """The output of a run with --json; its files are in a temporary directory."""
    place = tmp_path_factory.mktemp("temporary")
    environment = {**ENVIRONMENT, "TMPDIR": str(place)}
    done = subprocess.run(
        [*RUN, "--json"],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {**json.loads(done.stdout), "place": place}


# ---- what a person sees


def test_it_ends_well(shown):
    """On a machine with only the package it exits 0, with nothing on stderr."""
    assert (shown.exit_code, shown.err) == (0, "")


def test_every_record_has_one_outcome(shown):
    """The records of the sample are the sum of the four outcomes."""
    found = re.search(
        r"Records +([\d,]+) = ([\d,]+) delivered \+ (\d+) invalid \+ (\d+) rejected "
        r"\+ (\d+) skipped",
        shown.out,
    )
    records, *outcomes = (int(number.replace(",", "")) for number in found.groups())
    assert records == sum(outcomes) == RECORDS
    assert "every record has exactly one outcome, the report agrees" in words(shown.out)


@pytest.mark.parametrize("stream", demo_sample.STREAMS, ids=lambda stream: stream.name)
def test_each_stream_has_its_line(shown, stream):
    """The mapping of its records is shown before, and their outcomes, which add up, after."""
    plan, _, outcomes = shown.out.partition("Outcomes of the events")
    assert re.search(rf"^  {stream.name} +{stream.records:,}  \w", plan, re.MULTILINE)
    (line,) = re.findall(rf"^  {stream.name}(?: \(.*\))? +([\d, -]+)$", outcomes, re.MULTILINE)
    counts = [int(count.replace(",", "")) for count in line.replace("-", "0").split()]
    assert (len(counts), sum(counts)) == (4, stream.records)


def test_the_shop_shows_what_there_is(shown):
    """There are presets, a mapping for a table, and a stream for a customer list."""
    plan = words(shown.out.partition("A record of")[0])
    for one in (
        "preset shopify",
        "preset segment",
        "preset pinterest",
        "a mapping of its own",
        "customer list Newsletter",
    ):
        assert one in plan


@pytest.mark.parametrize(
    "reason",
    sorted(
        {reason for _, reason in demo_sample.REASONS}
        | {"no_mapping", "name_not_listed", "when", "superseded"}
    ),
)
def test_each_reason_is_explained(shown, reason):
    """Next to each reason is what to do about it."""
    members = (Invalid, Dropped, Rejected, Skipped, Warned, NotSent)
    advice = {str(member): member.advice for reasons in members for member in reasons}
    assert reason.replace("_", " ") in shown.out
    assert words(advice[reason]) in words(shown.out)


def test_the_list_is_kept(shown, summary):
    """The customer list has those who were on it or joined, without those who left."""
    people = {"subscribe": set(), "unsubscribe": set()}
    for person, action in demo_sample.CHANGES:
        people[action].add(person["mail"])
    joined, left = people.values()
    bad = sum(row.stream == "newsletter" for row in demo_sample.BAD_ROWS)
    before = len(demo_sample.EARLIER_MEMBERS)
    after = before + len(joined - left) - bad - len(left - joined)
    assert summary["customer_list"] == {
        "name": "Newsletter",
        "members_before": before,
        "members": after,
    }
    assert f"The customer list Newsletter: {before} members before, {after} now" in shown.out
    assert "READY: it can be used in ads" in words(shown.out)


def test_nothing_is_sent_twice(shown, summary):
    """A second run of the same records delivers only what was rejected.

    The ledger has the rest.
    """
    repeat = summary["second_run"]
    assert repeat["in_ledger"] == summary["report"]["delivered"]["events"]
    assert (repeat["delivered"], repeat["members_changed"], repeat["problems"]) == (2, 0, [])
    bodies = [
        json.loads(line)["data"]
        for line in (shown.directory / "received.jsonl").read_text().splitlines()
    ]
    times = Counter(event["event_id"] for events in bodies for event in events)
    assert [event_id for event_id, number in times.items() if number > 1] == [
        demo_sample.FAILED_EVENT
    ]  # failed, then delivered
    assert times[demo_sample.REFUSED_EVENT] == 1


def test_it_ends_in_the_report(shown):
    """Its last line is the page of the run report, which agrees with the terminal."""
    place = Path(shown.out.splitlines()[-1].strip())
    assert place == shown.directory / "report.html"
    report = decode((shown.directory / "report.json").read_bytes())
    assert headline(report).replace("'", "&#39;") in place.read_text()
    assert f"= {report.totals.delivered:,} delivered" in shown.out
    (checkout,) = [
        entry for entry in report.delivered.by_event_name if entry.event_name == "checkout"
    ]
    email, address = (checkout.components[name].coverage for name in ("hashed_email", "ip_address"))
    assert f"checkout {checkout.events:,} {email:.0f}% {address:.0f}% " in words(shown.out)


def test_the_end_says_where_to_look(shown):
    """It ends with the files, all of which exist, and with commands to copy."""
    files = shown.out.partition("Files in ")[2]
    assert files.startswith(f"{shown.directory}\n")
    for name in demo_page.FILES:
        assert name in files
        assert (shown.directory / name).stat().st_size > 0
    for name in demo_run.WRITTEN:
        assert (shown.directory / demo_run.AGAIN / name).stat().st_size > 0
    assert f"  cd {shown.directory}\n" in files
    assert "target-pinterest-capi --config config.yaml < sample.singer\n" in files


def test_the_last_state_is_shown(shown):
    """STATE on stdout ends with the sample's last one, which is also shown."""
    last = json.loads((shown.directory / "sample.singer").read_text().splitlines()[-1])["value"]
    assert json.loads((shown.directory / "state.jsonl").read_text().splitlines()[-1]) == last
    assert words(json.dumps(last, indent=2)) in words(shown.out)


def test_a_pipe_gets_plain_lines_of_80_columns(shown):
    """A pipe gets ASCII without colours or spaces at line ends, and 80 columns except for paths."""
    assert shown.out.isascii()
    assert "\x1b" not in shown.out
    for line in shown.out.splitlines():
        assert line == line.rstrip()
        assert len(line) <= 80 or str(shown.directory) in line or sys.prefix in line


@pytest.mark.parametrize(("width", "least"), [(60, 50), (120, 80)])
def test_a_terminal_gets_colours_and_its_width(tmp_path, width, least):
    """A terminal gets colours, no line wider than itself, and nothing shortened except digests."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        RUN, stdin=its, stdout=its, stderr=its, env=environment, close_fds=True
    ) as process:
        os.close(its)
        written = b""
        while chunk := read(ours):
            written += chunk
    os.close(ours)
    text = written.decode()
    assert process.returncode == 0
    assert re.search(r"\x1b\[32m *([\d,]+ )?delivered", text)
    lines = [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)
        for part in text.split("\n")
        for line in part.split("\r")
    ]
    longest = max(
        len(line) for line in lines if sys.prefix not in line and str(tmp_path) not in line
    )
    assert least < longest <= width
    assert not re.search(r"(?<![0-9a-f]{12})(\.\.\.|\u2026)", text)
    assert "100%" in text


def read(terminal):
    """Return what was received, or b"" once the other end is closed, which is an error on Linux."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_no_value_of_a_bad_row_is_shown(shown):
    """What is wrong with a row is shown without its values.

    On the page, in the log, in the dead letters.
    """
    written = shown.out + "".join(
        (shown.directory / name).read_text() for name in ("target.log", "dead-letters.jsonl")
    )
    values = [
        value
        for row in demo_sample.BAD_ROWS
        for name, value in row.changes.items()
        if isinstance(value, str) and row.stream != "workshop_bookings"
    ]
    assert len(values) > 10
    for value in values:
        assert value not in written
    assert "last tuesday" in (shown.directory / "sample.singer").read_text()


# ---- what is behind it


def test_dead_letters_are_the_bad_rows(shown):
    """Dead letters are for the invalid rows and for the two events that are refused."""
    letters = [
        json.loads(line)
        for line in (shown.directory / "dead-letters.jsonl").read_text().splitlines()
    ]
    ours = {str(reason) for reason in Invalid} | {"refused_event", "refused_request"}
    expected = {
        key: times
        for key, times in demo_sample.REASONS.items()
        if key[1] in ours or key[0] == "newsletter"
    }
    assert Counter((letter["stream"], letter["reason"]) for letter in letters) == expected
    refused = {letter["event"]["event_id"] for letter in letters if letter["outcome"] == "rejected"}
    assert refused == {demo_sample.FAILED_EVENT, demo_sample.REFUSED_EVENT}


def test_pinterest_received_what_is_counted(shown):
    """The accepted bodies have each delivered event once, and the failed one again."""
    bodies = [
        json.loads(line)["data"]
        for line in (shown.directory / "received.jsonl").read_text().splitlines()
    ]
    names = Counter(event["event_name"] for events in bodies for event in events)
    report = decode((shown.directory / "report.json").read_bytes())
    assert (
        names.total() == report.delivered.events + 1 + 2
    )  # and the two that the second run brings
    assert names["search"] == next(
        one.events for one in report.delivered.by_event_name if one.event_name == "search"
    )
    assert f"search {names['search']:,}" in words(shown.out)


def test_json_says_the_same(summary, shown):
    """--json is one object with everything, and the same counts."""
    report = summary["report"]
    assert summary["records"] == RECORDS == sum(report["totals"].values())
    assert (
        f"{report['totals']['delivered']:,} delivered + {report['totals']['invalid']} invalid"
        in shown.out
    )
    assert Counter(
        {(row["stream"], row["reason"]): row["values"] for row in report["values"]}
    ) + Counter(
        {
            (row["stream"], row["reason"]): row["events"]
            for row in report["reasons"]
            if row["outcome"] in ("invalid", "rejected")
        }
    ) == Counter(demo_sample.REASONS)
    assert summary["problems"] == []
    assert report["requests"]["repeated"] == 1
    assert summary["delivered_per_second"] > 0
    assert sum(row["events"] for row in report["warnings"]) > 0
    assert summary["state"]["bookmarks"].keys() == demo_sample.RECORDS.keys()


def test_files_stay_in_a_temporary_directory(summary):
    """Without --keep the files are in a new temporary directory, and stay."""
    (made,) = summary["place"].iterdir()
    assert made.name.startswith("pinterest-demo-")
    assert {Path(path).parent for path in summary["files"].values()} == {made}
    assert set(summary["files"]) == set(demo_page.FILES)
    assert all(Path(path).exists() for path in summary["files"].values())


def test_the_example_is_an_event_in_the_shops_own_words(summary):
    """The example's record has the shop's own columns, and its event Pinterest's, hashed."""
    record, event = summary["example"]["record"], summary["example"]["event"]
    names = {"Booking Confirmed": "checkout", "Trial Lesson Booked": "schedule"}
    assert event["event_name"] == names[record["action"]]
    assert event["event_id"] == record["booking_ref"]
    assert event["user_data"]["em"][0] == sha256(record["customer"]["mail"])
    assert event["user_data"]["ln"] == [sha256(record["customer"]["family_name"].lower())]
    assert event["user_data"]["click_id"] == record["landing_page"].partition("epik=")[2]
    assert [item["id"] for item in event["custom_data"]["contents"]] == [
        line["workshop"] for line in record["lines"]
    ]


def test_the_shown_event_is_cut_short(shown):
    """On the page the event's digests are shortened."""
    page = shown.out.partition("What Pinterest received of it")[2].partition(
        "Outcomes of the events"
    )[0]
    assert re.search(r'"em": \["[0-9a-f]{12}\.\.\."', page)
    assert not re.search(r"[0-9a-f]{64}", page)
    assert "@" not in page


def test_the_configuration_stands_alone(shown, tmp_path):
    """config.yaml works with the sample as it is.

    A dry run with it builds every event without a warning.
    """
    assert settings.load(settings.read_files([str(shown.directory / "config.yaml")])).warnings == ()
    (tmp_path / "dry.yaml").write_text("mode: dry_run\n")
    environment = {**ENVIRONMENT, "LOGLEVEL": "INFO"}
    files = ["--config", shown.directory / "config.yaml", "--config", "dry.yaml"]
    with (shown.directory / "sample.singer").open("rb") as sample:
        done = subprocess.run(
            [demo.find_target(), *files],
            stdin=sample,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == ""
    report = decode((tmp_path / "report.json").read_bytes())
    assert (report.run.mode, report.run.records) == ("dry_run", RECORDS)
    assert (
        report.delivered.events
        == decode((shown.directory / "report.json").read_bytes()).delivered.events + 2
    )


# ---- the sample


def test_the_sample_is_the_same_each_time():
    """The same time gives the same sample; another time changes only times."""
    assert demo_sample.lines(NOW) == demo_sample.lines(NOW)
    here, later = (list(demo_sample.messages(now)) for now in (NOW, NOW + timedelta(days=9)))
    timed = re.compile("_time|_at|timestamp").search
    timeless = [
        [
            {name: value for name, value in message.get("record", {}).items() if not timed(name)}
            for message in of
        ]
        for of in (here, later)
    ]
    assert timeless[0] == timeless[1]
    assert here != later


def test_the_sample_is_what_taps_send():
    """Each stream has its SCHEMA first, each record its key and no other columns.

    A STATE comes now and then, and last.
    """
    schemas, records, states = {}, Counter(), []
    for line in demo_sample.lines(NOW).splitlines():
        message = json.loads(line)
        if message["type"] == "SCHEMA":
            schemas[message["stream"]] = message
        elif message["type"] == "RECORD":
            schema = schemas[message["stream"]]
            assert message["record"].keys() == schema["schema"]["properties"].keys()
            assert all(message["record"][name] is not None for name in schema["key_properties"])
            records[message["stream"]] += 1
        else:
            states.append(message["value"])
    assert message["type"] == "STATE"
    assert states[-1]["bookmarks"].keys() == schemas.keys()
    assert records == demo_sample.RECORDS
    assert records.total() == RECORDS
    assert len(states) > 10


def test_keys_are_unique():
    """No two records of a stream with events share a key."""
    keys = {stream.name: stream.key for stream in demo_sample.STREAMS if stream.name != "inventory"}
    seen = Counter(
        (message["stream"], *(message["record"][name] for name in keys[message["stream"]]))
        for message in demo_sample.messages(NOW)
        if message["type"] == "RECORD" and message["stream"] in keys
    )
    assert set(seen.values()) == {1}


def test_nobody_in_the_sample_exists():
    """Every e-mail is at example.com, and every address is reserved for documentation."""
    text = demo_sample.lines(NOW).decode()
    domains = {domain.lower() for domain in re.findall(r"[\w.+-]+@([\w.-]+)", text)}
    assert domains == {"example.com"}
    nets = [
        ipaddress.ip_network(net)
        for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    ]
    addresses = set(re.findall(r'"(?:client_ip_address|browser_ip|ip)":"([0-9a-f.:]+)"', text))
    assert len(addresses) > 100
    for address in map(ipaddress.ip_address, addresses):
        assert any(address in net for net in nets if net.version == address.version)


def test_bad_rows_are_in_their_streams():
    """Every wrong row changes existing columns of a separate record of its stream."""
    rows = {
        (row.stream, row.position): next(
            stream for stream in demo_sample.STREAMS if stream.name == row.stream
        )
        for row in demo_sample.BAD_ROWS
    }
    assert len(rows) == len(demo_sample.BAD_ROWS)
    columns = {
        message["stream"]: message["schema"]["properties"].keys()
        for message in demo_sample.messages(NOW)
        if message["type"] == "SCHEMA"
    }
    for row in demo_sample.BAD_ROWS:
        assert row.position < rows[row.stream, row.position].records
        assert {name.partition(".")[0] for name in row.changes} <= columns[row.stream]
        assert row.reasons


# ---- what is wrong is noticed

LETTER = (
    '{"stream":"orders","mapping":"my orders","outcome":"invalid","reason":"missing_field",'
    '"field":"event_time"}\n'
)


def received(*event_ids):
    return [
        SimpleNamespace(event={"event_id": event_id, "event_name": "checkout"}, warning="")
        for event_id in event_ids
    ]


def update(operation, *members, changed=None):
    return SimpleNamespace(
        operation=operation, members=members, changed=len(members) if changed is None else changed
    )


def report(
    *,
    records: int = 9,
    delivered: int = 2,
    missing: int = 1,
    rejected: int = 0,
    ledger: int = 0,
    **run,
) -> Report:
    """The report of a run with nine records: five orders, three members, one of stock."""
    tally, orders, members = Counters(), Origin("orders", "my orders"), Origin("members", "VIPs")
    for origin, outcome, reason, number in (
        (orders, Outcome.DELIVERED, "", delivered),
        (orders, Outcome.INVALID, Invalid.MISSING_FIELD, missing),
        (orders, Outcome.REJECTED, Rejected.REFUSED_EVENT, rejected),
        (orders, Outcome.SKIPPED, f"{Skipped.NOT_LISTED}: Cart Seen", 2),
        (orders, Outcome.SKIPPED, Skipped.IN_LEDGER, ledger),
        (members, Outcome.DELIVERED, "", 3),
        (Origin("stock", ""), Outcome.SKIPPED, Skipped.NO_MAPPING, 1),
    ):
        if number:
            tally.count_outcome(origin, outcome, reason, number)
    return report_of(tally, observed(), records=records, **run)


SAMPLE = Sample(
    records={"orders": 5, "members": 3, "stock": 1},
    stream_of=lambda _: "orders",
    list_stream="members",
    last_state={"a": 2},
)
EVIDENCE = Evidence(
    exit_code=0,
    report=report(),
    dead_letters=LETTER,
    states=['{"a":1}', '{"a":2}'],
    received=received("x", "y"),
    updates=[update("REMOVE", "m1"), update("ADD", "m2", "m3")],
)


def test_what_adds_up_has_no_problems():
    """If report, dead letters, STATE and sandbox agree, there is no problem."""
    assert find_problems(SAMPLE, EVIDENCE) == []


ANOTHER = "What Pinterest received differs from what the report counts as delivered."
LAST_STATE = "The last STATE is not the last one in the sample."


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exit_code": 3}, "The target ended with exit code 3."),
        (
            {"exit_code": 3, "report": report(stopped="It stopped.")},
            "The target ended with exit code 3. It stopped.",
        ),
        ({"received": received("x")}, ANOTHER),
        ({"received": received("x", "x")}, "1 events were delivered more than once."),
        ({"updates": []}, ANOTHER),
        ({"report": report(delivered=3)}, ANOTHER),
        ({"report": report(delivered=1)}, "Stream orders has 5 records, and 4 outcomes."),
        ({"dead_letters": ""}, "The dead letters differ from those that the report counts."),
        (
            {"report": report(missing=2)},
            "The dead letters differ from those that the report counts.",
        ),
        ({"report": report(records=8)}, "The sample has 9 records, and the report counts 8."),
        ({"report": None}, "The target left no report."),
        ({"states": ['{"a":1}']}, LAST_STATE),
        ({"states": []}, LAST_STATE),
    ],
)
def test_what_does_not_add_up_is_said(changes, problem):
    """Each sum that is wrong is a problem."""
    assert problem in find_problems(SAMPLE, EVIDENCE._replace(**changes))


BEFORE = EVIDENCE._replace(report=report(missing=0, rejected=1))
AFTER = EVIDENCE._replace(
    report=report(ledger=2), received=received("z"), updates=[update("ADD", "m2", changed=0)]
)


def test_a_second_run_that_repeats_nothing_has_no_problems():
    """Rejected events are delivered, everything else is in the ledger, and no member changes."""
    assert compare(BEFORE, AFTER) == (2, 1, 0, [])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exit_code": 1}, "The second run ended with exit code 1."),
        ({"report": None}, "The second run left no report."),
        ({"received": received("z", "x")}, "1 events were delivered by both runs."),
        (
            {"received": received()},
            "The first run left 1 rejected events, and the second delivered 0.",
        ),
        (
            {"report": report(ledger=1)},
            "The first run delivered 2 events, and the second found 1 in the ledger.",
        ),
        (
            {"updates": [update("ADD", "m9")]},
            "The second run changed 1 members of the customer list.",
        ),
    ],
)
def test_a_second_run_that_repeats_is_said(changes, problem):
    """Anything that the second run sends again is a problem."""
    assert problem in compare(BEFORE, AFTER._replace(**changes)).problems


def test_a_target_that_fails_fails_the_demo(tmp_path):
    """If the target ends unexpectedly, the demo says so and exits 1."""
    python, target = tmp_path / "python3", tmp_path / "target-pinterest-capi"
    python.symlink_to(sys.executable)
    target.write_text("#!/bin/sh\nexit 3\n")
    target.chmod(0o755)
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [python, *RUN[1:]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "The target ended with exit code 3." in done.stdout
    assert "target.log" in done.stdout
    assert "Play on" not in done.stdout


def test_a_missing_target_is_said(monkeypatch, tmp_path):
    """If the target's program cannot be found, the message says how to install it."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(click.ClickException, match="pip install"):
        demo.find_target()


def test_a_missing_extra_is_said(tmp_path):
    """Without the sandbox's packages the message says how to install them, and exits 1."""
    script = f"import sys; sys.modules['starlette'] = None; {RUN[2]}"
    environment = {**ENVIRONMENT, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script, "demo"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'target-pinterest-capi[sandbox]'" in done.stderr


def test_files_of_others_are_left_alone(tmp_path):
    """A directory for --keep that is not empty is refused with exit code 2 and not changed."""
    (tmp_path / "config.yaml").write_text("mine")
    done = subprocess.run(
        [*RUN, "--keep", tmp_path], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "is not empty" in words(done.stderr)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("config.yaml", "mine")
    ]


def test_the_demo_does_without_the_sdk():
    """The demo's own process imports no singer_sdk: the target runs in another process."""
    script = (
        "import sys; from target_pinterest_capi.cli.demo import command; "
        "from target_pinterest_capi.sandbox.demo import run; "
        "sys.exit('singer_sdk' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
