"""`pinterest-capi demo`: the real target on the packaged sample, what it prints, and how it notices that something is wrong."""

import fcntl
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
from hypothesis import given
from hypothesis import strategies as st

from target_pinterest_capi import settings
from target_pinterest_capi.cli import demo, demo_page, demo_result, demo_sample
from target_pinterest_capi.cli.demo_result import Evidence, collect
from target_pinterest_capi.events.reasons import Invalid, LeftOut, Skipped, Warned

RUN = [sys.executable, "-c", "from target_pinterest_capi.cli.main import main; main()", "demo"]
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RECORDS = 3160
# What must not reach the target: its settings and log are the demo's own.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR", "TERM"}},
    "LOGLEVEL": "ERROR",
    "TARGET_PINTEREST_CAPI_MODE": "dry_run",
}


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def words(text):
    """The text with every run of white space as one space: as it reads, however it was wrapped."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A run of the demo outside of the repository, into a pipe."""
    outside = tmp_path_factory.mktemp("outside")
    done = subprocess.run(
        [*RUN, "--keep", "kept"], cwd=outside, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
    )
    return SimpleNamespace(exit_code=done.returncode, out=done.stdout, err=done.stderr, directory=outside / "kept")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a run with --json says; its files are in a temporary directory of their own."""
    place = tmp_path_factory.mktemp("temporary")
    environment = {**ENVIRONMENT, "TMPDIR": str(place)}
    done = subprocess.run([*RUN, "--json"], cwd=place, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return {**json.loads(done.stdout), "place": place}


# ---- what a person sees


def test_it_ends_well(shown):
    """On a machine with nothing but the package it exits 0, with nothing on stderr."""
    assert (shown.exit_code, shown.err) == (0, "")


def test_every_record_has_one_outcome(shown):
    """The records of the sample are the sum of the four outcomes."""
    found = re.search(r"Records +([\d,]+) = ([\d,]+) delivered \+ (\d+) invalid \+ (\d+) rejected \+ (\d+) skipped", shown.out)
    records, *outcomes = (int(number.replace(",", "")) for number in found.groups())
    assert records == sum(outcomes) == RECORDS
    assert "every record has exactly one outcome, and no event was delivered twice" in words(shown.out)


@pytest.mark.parametrize("stream", demo_sample.STREAMS, ids=lambda stream: stream.name)
def test_each_stream_has_its_section(shown, stream):
    """The table's counts of each stream sum up to its records."""
    section = re.search(rf"^  {stream.name}: ([\d,]+) records, .+\n((?:   .*\n)+)", shown.out, re.MULTILINE)
    counts = re.findall(r"^ {2,7}([\d,]+) {2}(?:delivered|invalid|rejected|skipped)\b", section[2], re.MULTILINE)
    assert int(section[1].replace(",", "")) == stream.records
    assert sum(int(count.replace(",", "")) for count in counts) == stream.records


@pytest.mark.parametrize(
    "reason", sorted({reason for _, reason in demo_sample.REASONS} | {"no_mapping", "name_not_listed", "when"})
)
def test_each_reason_is_explained(shown, reason):
    """Beside each reason stands what to do about it, or what Pinterest said."""
    advice = {str(member): member.advice for reasons in (Invalid, LeftOut, Skipped, Warned) for member in reasons}
    assert reason in shown.out
    if reason in advice:
        columns = [line[-45:] for line in shown.out.splitlines()]  # the last column of each line, or more than it
        assert words(advice[reason])[-15:] in words(" ".join(columns))
    else:
        assert "Pinterest's answer: " in shown.out


def test_the_end_says_where_to_look(shown):
    """It ends with the files, all of them there, and with commands to copy."""
    files = shown.out.partition("Files in ")[2]
    assert files.startswith(f"{shown.directory}\n")
    for name in demo_page.FILES:
        assert name in files
        assert (shown.directory / name).stat().st_size > 0
    assert f"  cd {shown.directory}\n" in files
    assert "target-pinterest-capi --config config.yaml < sample.singer\n" in files


def test_the_last_state_is_shown(shown):
    """STATE on stdout ends with the sample's last one, and that is what is shown."""
    last = json.loads((shown.directory / "sample.singer").read_text().splitlines()[-1])["value"]
    assert json.loads((shown.directory / "state.jsonl").read_text().splitlines()[-1]) == last
    assert words(json.dumps(last["bookmarks"]["orders"])) in words(shown.out)


def test_a_pipe_gets_plain_lines_of_80_columns(shown):
    """A pipe gets ASCII without colours, no spaces at the ends of lines, and 80 columns but for paths that are to be copied."""
    assert shown.out.isascii()
    assert "\x1b" not in shown.out
    for line in shown.out.splitlines():
        assert line == line.rstrip()
        assert len(line) <= 80 or str(shown.directory) in line or sys.prefix in line


def test_a_terminal_gets_colours_and_its_width(tmp_path):
    """A terminal of 120 columns gets colours and no longer line."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "TMPDIR": str(tmp_path)}
    with subprocess.Popen(RUN, stdin=its, stdout=its, stderr=its, env=environment, close_fds=True) as process:
        os.close(its)
        written = b""
        while chunk := read(ours):
            written += chunk
    os.close(ours)
    text = written.decode()
    assert process.returncode == 0
    assert "\x1b[32mdelivered" in text
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for part in text.split("\n") for line in part.split("\r")]
    assert 80 < max(len(line) for line in lines if sys.prefix not in line and str(tmp_path) not in line) <= 120


def read(terminal):
    """What came, b"" once the other end is closed: Linux gives an error there."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_no_value_of_a_bad_row_is_shown(shown):
    """What is wrong with a row is told without its values: on the page, in the log, in the dead letters."""
    told = shown.out + "".join((shown.directory / name).read_text() for name in ("target.log", "dead-letters.jsonl"))
    values = [
        value for row in demo_sample.BAD_ROWS for name, value in row.changes.items() if value and name not in {"action", "state"}
    ]
    assert len(values) > 10
    for value in values:
        assert value not in told
    assert "last tuesday" in (shown.directory / "sample.singer").read_text()


# ---- what is behind it


def test_dead_letters_are_the_bad_rows(shown):
    """Dead letters are exactly those of the rows that no event can be made of, and of the two events that Pinterest refuses."""
    letters = [json.loads(line) for line in (shown.directory / "dead-letters.jsonl").read_text().splitlines()]
    ours = {str(reason) for reason in Invalid} | {"refused_event", "refused_request"}
    expected = {key: times for key, times in demo_sample.REASONS.items() if key[1] in ours}
    assert Counter((letter["stream"], letter["reason"]) for letter in letters) == expected
    refused = {letter["event"]["event_id"] for letter in letters if letter["outcome"] == "rejected"}
    assert refused == {demo_sample.FAILED_EVENT, demo_sample.REFUSED_EVENT}


def test_pinterest_received_what_is_counted(shown):
    """The bodies that the sandbox took hold each delivered event once, and the one that it failed."""
    bodies = [json.loads(line)["data"] for line in (shown.directory / "received.jsonl").read_text().splitlines()]
    names = Counter(event["event_name"] for events in bodies for event in events)
    delivered = int(re.search(r"= ([\d,]+) delivered", shown.out)[1].replace(",", ""))
    assert names.total() == delivered + 1
    assert names["signup"] == next(stream.records for stream in demo_sample.STREAMS if stream.name == "signups") - 1
    assert f"{names['page_visit']:,} page_visit" in words(shown.out)
    assert demo_sample.REFUSED_EVENT not in {event["event_id"] for events in bodies for event in events}


def test_json_says_the_same(told, shown):
    """--json is one object with all of it, and the same counts."""
    assert told["records"] == RECORDS == sum(told["totals"].values())
    assert f"{told['totals']['delivered']:,} delivered + {told['totals']['invalid']} invalid" in shown.out
    assert Counter({(row["stream"], row["reason"]): row["times"] for row in told["values"]}) + Counter(
        {(row["stream"], row["reason"]): row["events"] for row in told["outcomes"] if row["outcome"] in ("invalid", "rejected")}
    ) == Counter(demo_sample.REASONS)
    assert told["problems"] == []
    assert told["repeated_requests"] == 1
    assert told["delivered_per_second"] > 0
    assert sum(told["warnings"].values()) > 0
    assert told["state"]["bookmarks"].keys() == demo_sample.RECORDS.keys()


def test_files_stay_in_a_temporary_directory(told):
    """Without --keep the files are in a new directory of the place for temporary ones, and stay."""
    (made,) = told["place"].iterdir()
    assert made.name.startswith("pinterest-demo-")
    assert {Path(path).parent for path in told["files"].values()} == {made}
    assert set(told["files"]) == set(demo_page.FILES)
    assert all(Path(path).is_file() for path in told["files"].values())


def test_the_example_is_an_event_in_the_shops_own_words(told):
    """The example's record has the shop's own columns, and its event Pinterest's, hashed."""
    record, event = told["example"]["record"], told["example"]["event"]
    names = {"Booking Confirmed": "checkout", "Trial Lesson Booked": "schedule"}
    assert event["event_name"] == names[record["action"]]
    assert event["event_id"] == record["booking_ref"]
    assert event["user_data"]["em"][0] == sha256(record["customer"]["mail"])
    assert event["user_data"]["ln"] == [sha256(record["customer"]["family_name"].lower())]
    assert event["user_data"]["click_id"] == record["landing_page"].partition("epik=")[2]
    assert [item["id"] for item in event["custom_data"]["contents"]] == [line["workshop"] for line in record["lines"]]


def test_the_shown_event_is_cut_short(shown):
    """On the page the event's digests are cut short, and none is left whole."""
    page = shown.out.partition("What Pinterest received of it")[2].partition("Values left out")[0]
    assert re.search(r'"em": \["[0-9a-f]{12}\.\.\."', page)
    assert not re.search(r"[0-9a-f]{64}", page)
    assert "@" not in page


def test_the_configuration_stands_alone(shown, tmp_path):
    """config.yaml takes the sample by itself: a dry run with it makes every event, and nothing warns."""
    assert settings.load(settings.read_files([str(shown.directory / "config.yaml")])).warnings == ()
    (tmp_path / "dry.yaml").write_text("mode: dry_run\n")
    environment = {**ENVIRONMENT, "LOGLEVEL": "INFO"}
    files = ["--config", shown.directory / "config.yaml", "--config", "dry.yaml"]
    with (shown.directory / "sample.singer").open("rb") as sample:
        done = subprocess.run(
            [demo.find_target(), *files], stdin=sample, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
    log = demo_result.read_log(done.stderr)
    assert done.stdout == ""
    assert log.records == RECORDS == sum(row.events for row in log.outcomes)


# ---- the sample


def test_the_sample_is_the_same_each_time():
    """One time gives one sample; another time changes nothing but times."""
    assert demo_sample.lines(NOW) == demo_sample.lines(NOW)
    here, later = (list(demo_sample.messages(now)) for now in (NOW, NOW + timedelta(days=9)))
    timeless = [
        [{name: value for name, value in message.get("record", {}).items() if not re.search("_time|_at", name)} for message in of]
        for of in (here, later)
    ]
    assert timeless[0] == timeless[1]
    assert here != later


def test_the_sample_is_what_taps_send():
    """Each stream has its SCHEMA first, each record its key and no other columns; a STATE comes now and then, and last."""
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
    """No two records of a stream that makes events share a key."""
    keys = {stream.name: stream.key for stream in demo_sample.STREAMS if stream.name != "inventory"}
    seen = Counter(
        (message["stream"], *(message["record"][name] for name in keys[message["stream"]]))
        for message in demo_sample.messages(NOW)
        if message["type"] == "RECORD" and message["stream"] in keys
    )
    assert set(seen.values()) == {1}


def test_nobody_in_the_sample_exists():
    """Every e-mail is of example.com, and every address one of those kept for documentation."""
    text = demo_sample.lines(NOW).decode()
    domains = {domain.lower() for domain in re.findall(r"[\w.+-]+@([\w.-]+)", text)}
    assert domains == {"example.com"}
    nets = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
    addresses = set(re.findall(r'"client_ip_address":"([0-9a-f.:]+)"', text))
    assert len(addresses) > 100
    for address in map(ipaddress.ip_address, addresses):
        assert any(address in net for net in nets if net.version == address.version)


def test_bad_rows_are_in_their_streams():
    """Every row that is wrong has a record of its stream to itself, and changes columns that are there."""
    rows = {
        (row.stream, row.position): next(stream for stream in demo_sample.STREAMS if stream.name == row.stream)
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
        assert row.changes.keys() <= columns[row.stream]
        assert row.reasons


# ---- what is wrong is noticed

LOG = """\
2026-05-01 12:00:00,000 | INFO     | target-pinterest-capi          | target-pinterest-capi v0.1.0, Meltano SDK v0.54.9
2026-05-01 12:00:00,100 | WARNING  | target-pinterest-capi.stock    | No entry of mappings takes stream 'stock': it is skipped.
2026-05-01 12:00:00,200 | INFO     | target-pinterest-capi          | orders (my orders): invalid missing_field 1
2026-05-01 12:00:00,200 | INFO     | target-pinterest-capi          | orders (my orders): skipped name_not_listed: Cart Seen 2
2026-05-01 12:00:00,200 | INFO     | target-pinterest-capi          | stock: skipped no_mapping 1
2026-05-01 12:00:00,200 | INFO     | target-pinterest-capi          | orders: user_data.em not_an_email 3
2026-05-01 12:00:00,300 | INFO     | target-pinterest-capi          | Done after 6 records: 2 delivered, 1 invalid, 0 rejected, \
3 skipped, dead letters in d.jsonl; 4 requests, 1 of them repeats, 0 to isolate refused events; 2 STATE written; run 0123.
"""
LETTER = '{"stream":"orders","mapping":"my orders","outcome":"invalid","reason":"missing_field","field":"event_time"}\n'


def received(*event_ids):
    return tuple(SimpleNamespace(event={"event_id": event_id, "event_name": "checkout"}, warning="") for event_id in event_ids)


EVIDENCE = Evidence(
    records={"orders": 5, "stock": 1},
    reasons={("orders", "missing_field"): 1, ("orders", "not_an_email"): 3},
    stream_of=lambda _: "orders",
    exit_code=0,
    log=LOG,
    dead_letters=LETTER,
    states='{"a":1}\n{"a":2}\n',
    last_state={"a": 2},
    received=received("x", "y"),
)


def test_a_log_is_read():
    """Outcomes, values and numbers are read from the log's lines, and lines that are none of these are passed over."""
    log = demo_result.read_log("Traceback (most recent call last):\n" + LOG)
    assert [(row.stream, row.mapping, row.outcome, row.reason, row.events) for row in log.outcomes] == [
        ("orders", "my orders", "invalid", "missing_field", 1),
        ("orders", "my orders", "skipped", "name_not_listed: Cart Seen", 2),
        ("stock", "", "skipped", "no_mapping", 1),
    ]
    assert [(row.stream, row.field, row.reason, row.times) for row in log.values] == [("orders", "user_data.em", "not_an_email", 3)]
    assert (log.records, log.requests, log.repeats, log.errors) == (6, 4, 1, ())


def test_what_adds_up_has_no_problems():
    """Outcomes come by stream and kind, with their advice, and nothing is wrong."""
    result = collect(EVIDENCE)
    assert result.problems == ()
    assert [(row.stream, row.outcome, row.reason, row.events) for row in result.outcomes] == [
        ("orders", "delivered", "checkout", 2),
        ("orders", "invalid", "missing_field", 1),
        ("orders", "skipped", "name_not_listed: Cart Seen", 2),
        ("stock", "skipped", "no_mapping", 1),
    ]
    assert {row.advice for row in result.outcomes if row.outcome != "delivered"} == {
        Invalid.MISSING_FIELD.advice,
        Skipped.NOT_LISTED.advice,
        Skipped.NO_MAPPING.advice,
    }
    assert result.outcomes[0].mapping == "my orders"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exit_code": 3}, "The target ended with exit code 3."),
        ({"received": received("x")}, "Stream orders has 5 records, and 4 outcomes."),
        ({"received": received("x", "x")}, "1 events were delivered more than once."),
        ({"dead_letters": ""}, "The dead letters are not those that the target's log counts."),
        ({"log": LOG.replace("after 6", "after 7")}, "The sample has 6 records, and the target's log counts 7."),
        ({"log": LOG.partition("2026-05-01 12:00:00,300")[0]}, "The sample has 6 records, and the target's log counts 0."),
        (
            {"log": LOG.replace("not_an_email 3", "not_an_email 2")},
            "Stream orders has 3 of reason not_an_email, and 2 were counted.",
        ),
        ({"states": '{"a":1}\n'}, "The last STATE is not the one that the sample ends with."),
        ({"states": ""}, "The last STATE is not the one that the sample ends with."),
    ],
)
def test_what_does_not_add_up_is_said(changes, problem):
    """Each sum that does not hold is a problem of its own."""
    assert problem in collect(EVIDENCE._replace(**changes)).problems


def test_a_target_that_fails_fails_the_demo(tmp_path):
    """Where the target ends otherwise than it should, the demo says so and exits 1."""
    python, target = tmp_path / "python3", tmp_path / "target-pinterest-capi"
    python.symlink_to(sys.executable)
    target.write_text("#!/bin/sh\nexit 3\n")
    target.chmod(0o755)
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [python, *RUN[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "The target ended with exit code 3." in done.stdout
    assert "target.log" in done.stdout
    assert "Play on" not in done.stdout


def test_a_missing_target_is_said(monkeypatch, tmp_path):
    """Where the target's program is not to be found, the message says how to install it."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(click.ClickException, match="pip install"):
        demo.find_target()


def test_a_missing_extra_is_said(tmp_path):
    """Without the sandbox's packages the message says how to install them, and exits 1."""
    script = f"import sys; sys.modules['starlette'] = None; {RUN[2]}"
    environment = {**ENVIRONMENT, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script, "demo"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'target-pinterest-capi[sandbox]'" in done.stderr


def test_files_of_others_are_left_alone(tmp_path):
    """A directory for --keep that is not empty is refused with exit code 2, and nothing in it is touched."""
    (tmp_path / "config.yaml").write_text("mine")
    done = subprocess.run([*RUN, "--keep", tmp_path], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is not empty" in words(done.stderr)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("config.yaml", "mine")]


def test_the_demo_does_without_the_sdk():
    """The demo's own process imports no singer_sdk: the target has a process to itself."""
    script = "import sys; from target_pinterest_capi.cli import demo; sys.exit('singer_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# ---- layout of JSON

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(categories=["Ll"]), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON, st.integers(1, 100))
def test_a_layout_is_the_same_json(value, width):
    """Whatever the width, the text is JSON of the same value."""
    assert json.loads(demo_page.layout(value, width)) == value


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (40, '{"a": [1, 2], "b": {"c": "d"}}'),
        (20, '{\n  "a": [1, 2],\n  "b": {"c": "d"}\n}'),
        (12, '{\n  "a": [\n    1,\n    2\n  ],\n  "b": {\n    "c": "d"\n  }\n}'),
    ],
)
def test_a_layout_breaks_what_does_not_fit(width, text):
    """What fits the width stands on one line; of the rest each member has its own."""
    assert demo_page.layout({"a": [1, 2], "b": {"c": "d"}}, width) == text
