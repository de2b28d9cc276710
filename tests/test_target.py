"""The target from messages to outcomes: records, bad input, STATE and exit codes."""

import gzip
import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import fsspec
import members
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from given import ACCOUNT, TOKEN, line, record, schema, settings_of, state
from shopper import digest, seconds_ago, visit
from target_pinterest_capi.events.event import encode
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.target import TargetPinterestCapi

VISITS = schema("visits", *visit(), "currency", "value", key_properties=("event_id",))


def visits(*numbers: int, **columns: Any) -> list[bytes]:
    return [record("visits", **visit(number, **columns)) for number in numbers]


def test_records_become_events_at_pinterest(run_target, sandbox):
    """Records with Pinterest's column names are delivered, hashed, once, and STATE follows."""
    at = seconds_ago(60)
    ran = run_target([VISITS, *visits(*range(25), event_time=at), state({"n": 25})])
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 25}, ['{"n": 25}'])
    assert sandbox.store.event_ids() == {f"visit-{number}": 1 for number in range(25)}
    assert sandbox.store.events()[0].event == {
        "event_name": "page_visit",
        "action_source": "web",
        "event_time": at,
        "event_id": "visit-0",
        "user_data": {"em": [digest("shopper0@example.com")]},
    }
    assert sandbox.store.counters()["requests"] == 1


def test_constants_beside_columns(run_target, sandbox):
    """A mapping of only columns and constants makes an event of every record."""
    defaults = {"event_time": "now", "action_source": "web", "event_name": "checkout"}
    columns = ["order", "email"]
    entry = {
        "stream": "orders",
        "fields": {"event_id": "order", "user_data.em": "email"},
        "defaults": defaults,
    }
    orders = [
        record("orders", order=f"order-{number}", email="jane@example.com") for number in range(3)
    ]
    done = run_target([schema("orders", *columns), *orders], mappings=[entry])
    assert (done.code, done.outcomes) == (0, {"delivered": 3})


def test_nothing_to_do(run_target, sandbox):
    """No input is not a failure: nothing is sent, no file is created, exit 0."""
    ran = run_target([])
    assert (ran.code, ran.outcomes, ran.states, ran.dead_letters) == (0, {}, [], [])
    assert sandbox.store.requests() == []


def test_state_without_records_goes_out(run_target):
    """A STATE with no records before it is still written, byte for byte; an empty one never is."""
    assert run_target([b'{"type":"STATE","value":{ "a": 1.50 }}']).states == ['{ "a": 1.50 }']
    assert run_target([state({})]).states == []


def test_blank_lines_and_a_cut_newline_are_nothing(run_target):
    """Blank lines between messages are ignored."""
    assert run_target([b"", VISITS, b"  ", *visits(1), b""]).outcomes == {"delivered": 1}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"no json of shopper@example.com", "line 3: it is not JSON (column 1)"),
        (
            b'{"type": "RECORD", "stream": "visits", "record": {"em": "shopper@exam',
            "line 3: it is not JSON",
        ),
        (
            record("carts", em="shopper@example.com"),
            "line 3: a RECORD of stream 'carts' came before its SCHEMA",
        ),
        (line(type="PRAYER", stream="visits"), "line 3: 'PRAYER' is not a message type"),
        (line(type="shopper@example.com"), "line 3: its type is not a message type"),
        (line(stream="visits", record={}), "line 3: its type is not a message type"),
        (
            line(type="RECORD", record={"em": "shopper@example.com"}),
            "line 3: the RECORD message has no `stream`",
        ),
        (
            line(type="RECORD", stream="visits"),
            "line 3: the RECORD message of stream 'visits' has no `record`",
        ),
        (line(type="STATE"), "line 3: the STATE message has no `value`"),
        (
            line(type="SCHEMA", stream="carts"),
            "line 3: the SCHEMA message of stream 'carts' has no `schema`",
        ),
        (
            line(type="SCHEMA", stream="carts", schema=[]),
            "line 3: SCHEMA of stream 'carts': the schema is not an object",
        ),
        (
            schema("carts", a={"type": "banana"}),
            "line 3: SCHEMA of stream 'carts': the schema is not a JSON Schema: at properties/a/type",
        ),
        (
            line(type="BATCH", stream="visits"),
            "line 3: the BATCH message of stream 'visits' has no `manifest`",
        ),
    ],
)
def test_bad_input_stops_after_what_came_before_is_settled(
    run_target, sandbox, bad: bytes, words: str
):
    """Bad input ends with 1, line and stream, not content; records before it are delivered."""
    ran = run_target([VISITS, *visits(1), bad, *visits(2), state({"n": 2})])
    assert ran.code == 1
    assert words in ran.log
    assert "shopper@exam" not in ran.log
    assert ran.outcomes == {"delivered": 1}
    assert ran.states == []
    again = run_target([VISITS, *visits(1), state({"n": 1}), bad])
    assert (again.code, again.states) == (1, ['{"n": 1}'])


def test_record_that_makes_no_event_is_a_dead_letter(run_target):
    """It is written with reason, field and hashed key, without values; the rest is delivered."""
    ran = run_target(
        [
            VISITS,
            *visits(1),
            *visits(2, em=None),
            *visits(3, event_time="soon"),
            *visits(4),
            state({"n": 4}),
        ]
    )
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 2, "invalid": 2}, ['{"n": 4}'])
    first, second = ran.dead_letters
    assert first | {"at": "", "run_id": ""} == {
        "at": "",
        "run_id": "",
        "stream": "visits",
        "mapping": "pinterest",
        "outcome": "invalid",
        "reason": "no_identifier",
        "field": "user_data",
        "key": {"event_id": digest("visit-2")},
    }
    assert (second["reason"], second["field"], second["detail"]) == (
        "bad_field",
        "event_time",
        "not_a_time",
    )
    assert "soon" not in json.dumps(ran.dead_letters) + ran.log


def test_event_that_pinterest_fails_is_a_rejected_dead_letter(run_target, sandbox):
    """The others are delivered once; the dead letter has the event and Pinterest's message."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-2")])
    ran = run_target([VISITS, *visits(1, 2, 3), state({"n": 3})])
    assert (ran.code, ran.outcomes, ran.states) == (
        0,
        {"delivered": 2, "rejected": 1},
        ['{"n": 3}'],
    )
    (letter,) = ran.dead_letters
    assert (letter["outcome"], letter["reason"], letter["ad_account_id"]) == (
        "rejected",
        "refused_event",
        ACCOUNT,
    )
    assert letter["event"]["event_id"] == "visit-2"
    assert letter["event"]["user_data"]["em"] == [digest("shopper2@example.com")]
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-3": 1}


def test_event_that_poisons_its_request_is_found_by_bisecting(run_target, sandbox):
    """An event that makes Pinterest refuse the request is rejected; the others arrive once."""
    sandbox.faults.set([Fault("poison", event_id="visit-77")])
    ran = run_target([VISITS, *visits(*range(200)), state({"n": 1})])
    assert (ran.code, ran.outcomes, ran.states) == (
        0,
        {"delivered": 199, "rejected": 1},
        ['{"n": 1}'],
    )
    assert [letter["reason"] for letter in ran.dead_letters] == ["refused_request"]
    assert set(sandbox.store.event_ids().values()) == {1}
    assert sandbox.store.counters()["requests"] <= 20


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503, times=2),
        Fault("status", status=429, times=1, retry_after=0),
        Fault("status", status=500, html=True, times=1),
    ],
)
def test_failure_that_passes_is_retried(run_target, sandbox, fault: Fault):
    """A temporary failure is retried, and every event is delivered once."""
    sandbox.faults.set([fault])
    ran = run_target([VISITS, *visits(1, 2), state({"n": 2})])
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 2}, ['{"n": 2}'])
    assert set(sandbox.store.event_ids().values()) == {1}


@pytest.mark.parametrize(
    "fault", ["drop_after", "truncated", "wrong_count", "empty_body", "not_json"]
)
def test_unknown_outcome_is_never_success(run_target, sandbox, fault: str):
    """After an uncertain response the events are sent again: Pinterest removes the duplicate."""
    sandbox.faults.set([Fault(fault, times=1)])
    ran = run_target([VISITS, *visits(1, 2), state({"n": 2})])
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 2}, ['{"n": 2}'])
    assert sandbox.store.event_ids() == {"visit-1": 2, "visit-2": 2}


def test_unknown_outcome_of_offline_events_may_be_let_go(run_target, sandbox):
    """With `on_uncertain: reject` an event that cannot be deduplicated is a dead letter."""
    sandbox.faults.set([Fault("drop_after", times=1)])
    ran = run_target(
        [VISITS, *visits(1), *visits(2, action_source="offline")], on_uncertain="reject"
    )
    assert ran.outcomes == {"delivered": 1, "rejected": 1}
    assert [letter["reason"] for letter in ran.dead_letters] == ["uncertain"]
    assert sandbox.store.event_ids() == {"visit-1": 2, "visit-2": 1}


@pytest.mark.parametrize("times", [2, 4])
def test_repeats_of_an_event_that_may_have_been_counted_are_let_go(
    run_target, sandbox, tmp_path, times: int
):
    """With `on_uncertain: reject` no duplicate is sent in place of an event of unknown outcome."""
    sandbox.faults.set([Fault("drop_after", times=1)])
    ran = run_target(
        [VISITS, *visits(*[1] * times, action_source="offline"), *visits(2), state({"n": 1})],
        on_uncertain="reject",
        ledger_url=f"sqlite:///{tmp_path}/ledger.db",
        max_rejected_ratio=1,
    )
    assert ran.outcomes == {"delivered": 1, "rejected": times}
    assert [letter["reason"] for letter in ran.dead_letters] == ["uncertain"] * times
    assert sandbox.store.event_ids() == {"visit-1": 1, "visit-2": 2}
    assert ran.states == ['{"n": 1}']


def test_bug_leaves_what_was_read_settled(config, sandbox, capfd, caplog):
    """Work that an unexpected error interrupts is acknowledged; its message is not shown."""

    def lines() -> Iterator[bytes]:
        yield from (VISITS, *visits(*range(498)), state({"n": 498}))  # read at once
        raise ZeroDivisionError(visit())

    target = TargetPinterestCapi(config=config)
    assert target.read_to_exit_code(lines()) == 1  # type: ignore[arg-type]
    assert "An unexpected ZeroDivisionError, raised by:" in caplog.text
    assert "shopper0@" not in caplog.text
    assert capfd.readouterr().out == '{"n": 498}\n'
    assert len(sandbox.store.event_ids()) == 498
    assert target.run.is_interrupted


class _StoreError(Exception):
    """An error of an object store: not an `OSError`, and its message may contain anything."""


class _FailingStore(MemoryFileSystem):
    protocol = "failing"

    def open(self, *_: Any, **__: Any) -> Any:
        raise _StoreError("shopper9@example.com")


def test_object_store_that_fails_by_an_error_of_its_own_stops_the_run(run_target, sandbox):
    """If a store does not accept dead letters, STATE stays, and the run says so."""
    fsspec.register_implementation("failing", _FailingStore, clobber=True)
    lines = [VISITS, *visits(1), *visits(2, event_time="x"), state({"n": 2})]
    ran = run_target(lines, dead_letter_path="failing://letters")
    assert (ran.code, ran.states) == (1, [])
    assert "dead letters cannot be written to dead_letter_path" in ran.log
    assert "_StoreError" in ran.log
    assert "shopper9" not in ran.log


@pytest.mark.parametrize(
    ("settings", "status", "words"),
    [
        ({"conversion_token": "wrong"}, 401, "conversion_token"),
        ({"ad_account_id": "1"}, 403, "ad_account_id"),
        ({"api_url": "{origin}/v4"}, 404, "api_url"),
    ],
)
def test_refused_token_stops_with_words(run_target, sandbox, settings, status, words):
    """Exit 1 names the setting and keeps STATE; no dead letters, and no token in any output."""
    ran = run_target(
        [VISITS, *visits(1, 2), state({"n": 2})],
        **{name: value.format(origin=sandbox.origin) for name, value in settings.items()},
    )
    assert (ran.code, ran.outcomes, ran.states, ran.dead_letters) == (1, {}, [], [])
    assert f"Pinterest returned {status}" in ran.log
    assert words in ran.log
    assert TOKEN not in ran.log
    assert "wrong" not in ran.log


def test_exhausted_retries_stop_the_run(run_target, sandbox):
    """Without a response for max_retry_seconds the run exits with 1, and STATE stays."""
    sandbox.faults.set([Fault("status", status=503, skip=1)])
    ran = run_target(
        [VISITS, *visits(1), state({"n": 1}), *visits(2), state({"n": 2})],
        batch_size_rows=1,
        max_in_flight=1,
        max_retry_seconds=1,
    )
    assert (ran.code, ran.outcomes, ran.states) == (1, {"delivered": 1}, ['{"n": 1}'])
    assert "max_retry_seconds" in ran.log


def test_nothing_through_is_never_exit_0(run_target):
    """If every event is invalid the run ends with 3, and STATE does not pass them."""
    ran = run_target([state({"n": 0}), VISITS, *visits(1, 2, em=None), state({"n": 2})])
    assert (ran.code, ran.outcomes, ran.states) == (3, {"invalid": 2}, ['{"n": 0}'])
    assert "max_rejected_ratio" in ran.log


def test_ratio_of_failures(run_target):
    """At the end a share of failures at or over max_rejected_ratio is exit 3; null never is."""
    lines = [VISITS, *visits(1, 2, 3), *visits(4, em=None), state({"n": 4})]
    assert run_target(lines, max_rejected_ratio=0.25).code == 3
    assert run_target(lines, max_rejected_ratio=0.25).states == []
    assert run_target(lines, max_rejected_ratio=0.26).code == 0
    assert run_target(
        [VISITS, *visits(4, em=None), state({"n": 4})], max_rejected_ratio=None
    ).states == ['{"n": 4}']


def test_ratio_stops_a_long_run_early(run_target, sandbox):
    """With a thousand acknowledged the run stops at once instead of at the end."""
    rows = [
        record("visits", **visit(number, em=None if number % 2 else f"shopper{number}@example.com"))
        for number in range(20_000)
    ]
    ran = run_target([VISITS, *rows, state({"n": 1})], max_rejected_ratio=0.4)
    assert (ran.code, ran.states) == (3, [])
    assert len(sandbox.store.events()) < 10_000


def test_invalid_rows_are_not_ahead_of_good_ones_that_wait(run_target):
    """At the default limit one good row among thousands of invalid ones is delivered."""
    ran = run_target([VISITS, *visits(0), *visits(*range(1, 3000), em=None), state({"n": 3000})])
    assert (ran.code, ran.states) == (0, ['{"n": 3000}'])
    assert ran.outcomes == {"delivered": 1, "invalid": 2999}


def test_row_that_a_tap_repeats_until_it_is_too_old_is_no_failure(run_target):
    """An event that is too old is a dead letter, counts for no limit, and STATE passes it."""
    ran = run_target(
        [VISITS, *visits(1, event_time=seconds_ago(30 * 86400)), state({"n": 1})],
        on_invalid="fail",
        max_rejected_ratio=0,
    )
    assert (ran.code, ran.reasons, ran.states) == (0, {"event_too_old": 1}, ['{"n": 1}'])


def test_on_invalid_fail_stops_before_its_state(run_target, sandbox):
    """The first invalid record ends the run with 3; earlier ones are delivered."""
    ran = run_target(
        [VISITS, *visits(1), state({"n": 1}), *visits(2, em=None), *visits(3), state({"n": 3})],
        on_invalid="fail",
    )
    assert (ran.code, ran.outcomes, ran.states, ran.dead_letters) == (
        3,
        {"delivered": 1},
        ['{"n": 1}'],
        [],
    )
    assert "no_identifier" in ran.log
    assert "record 2 of the input" in ran.log


def test_dead_letters_that_cannot_be_written_stop_the_run(run_target, tmp_path: Path):
    """Without a place for dead letters STATE stays before the first; the setting is named."""
    (tmp_path / "file").write_text("")
    ran = run_target(
        [VISITS, *visits(1), state({"n": 1}), *visits(2, em=None), state({"n": 2})],
        dead_letter_path=str(tmp_path / "file/dead.jsonl"),
    )
    assert (ran.code, ran.outcomes, ran.states) == (1, {"delivered": 1}, ['{"n": 1}'])
    assert "dead_letter_path" in ran.log


@pytest.mark.parametrize(
    ("mode", "requests", "outcomes"),
    [("test", 2, {"delivered": 25}), ("dry_run", 0, {"skipped": 25})],
)
def test_modes_that_write_no_state(
    run_target, sandbox, mode: str, requests: int, outcomes: dict[str, int]
):
    """`test` sends 20 events per request, `dry_run` sends nothing, and neither writes STATE."""
    ran = run_target([VISITS, *visits(*range(25)), state({"n": 25})], mode=mode)
    assert (ran.code, ran.outcomes, ran.states) == (0, outcomes, [])
    assert [row.test for row in sandbox.store.requests()] == [True] * requests
    assert sandbox.store.events() == []


def test_streams_that_no_entry_names_are_skipped_once(run_target):
    """With `mappings` set, other streams are skipped, warned about once, and acknowledged for STATE."""
    lines = [
        schema("carts", "id"),
        *[record("carts", id=number) for number in range(3)],
        schema("orders", "id"),
        state({"n": 3}),
    ]
    ran = run_target(lines, mappings=[{"stream": "orders", "preset": "pinterest"}])
    assert (ran.code, ran.outcomes, ran.states) == (0, {"skipped": 3}, ['{"n": 3}'])
    assert ran.log.count("No entry of mappings selects stream 'carts'") == 1


def test_no_events_and_no_token(run_target):
    """`mappings: []` beside customer lists makes no events and needs no token."""
    ran = run_target([VISITS, *visits(1), members.SCHEMA], **members.list_settings())
    assert (ran.code, ran.outcomes) == (0, {"skipped": 1})


def test_columns_that_the_schema_does_not_declare_are_used(run_target, sandbox):
    """A column that the schema does not declare is read from the first record that has it."""
    ran = run_target(
        [
            schema("visits"),
            record("visits", **visit(1, em_1="second@example.com")),
            record("visits", **visit(2)),
        ]
    )
    assert ran.outcomes == {"delivered": 2}
    assert len(sandbox.store.events()[0].event["user_data"]["em"]) == 2


def test_changed_schema_is_used_at_once(run_target, sandbox):
    """A new SCHEMA replaces the old one; earlier records are not lost or reordered."""
    numbered = schema("visits", *visit(), "em_1", key_properties=("event_id",))
    ran = run_target(
        [
            VISITS,
            *visits(1),
            numbered,
            *visits(2, em_1="second@example.com"),
            VISITS,
            *visits(3),
            state({"n": 3}),
        ]
    )
    assert (ran.outcomes, ran.states) == ({"delivered": 3}, ['{"n": 3}'])
    assert [row.event["event_id"] for row in sandbox.store.events()] == [
        "visit-1",
        "visit-2",
        "visit-3",
    ]


def test_several_streams_share_requests(run_target, sandbox):
    """Events of one account are sent together, from any stream."""
    others = schema("others", *visit(), key_properties=("event_id",))
    run_target([VISITS, others, *visits(1, 2), record("others", **visit(3))])
    assert sandbox.store.counters()["requests"] == 1


def test_stream_maps_and_flattening_work(run_target, sandbox):
    """Stream maps and flattening come before our mapping; filtered records are skipped."""
    nested = schema(
        "raw",
        event_id={"type": "string"},
        kind={"type": "string"},
        user={"type": "object", "properties": {"mail": {"type": "string"}}},
    )
    maps = {
        "raw": {
            "event_name": "'checkout'",
            "event_time": f"{seconds_ago(5)}",
            "action_source": "'web'",
            "em": "record['user']['mail']",
            "__filter__": "kind == 'order'",
        }
    }
    rows = [
        record("raw", event_id=f"e{number}", kind=kind, user={"mail": "a@example.com"})
        for number, kind in enumerate(["order", "cart", "order"])
    ]
    ran = run_target([nested, *rows, state({"n": 3})], stream_maps=maps)
    assert (ran.outcomes, ran.reasons, ran.states) == (
        {"delivered": 2, "skipped": 1},
        {"stream_map": 1},
        ['{"n": 3}'],
    )
    flat = run_target(
        [nested, *rows, state({"n": 3})],
        flattening_enabled=True,
        flattening_max_depth=1,
        mappings=[
            {
                "stream": "raw",
                "fields": {"event_id": "concat('f', event_id)", "user_data.em": "user__mail"},
                "defaults": {"event_name": "lead", "action_source": "web", "event_time": "now"},
            }
        ],
    )
    assert (flat.outcomes, flat.states) == ({"delivered": 3}, ['{"n": 3}'])
    assert sandbox.store.events()[-1].event["user_data"] == {"em": [digest("a@example.com")]}


def test_stream_map_that_fails_shows_no_record(run_target):
    """A stream map that cannot be evaluated stops the run with its stream and no value."""
    ran = run_target([VISITS, *visits(1)], stream_maps={"visits": {"x": "int(em)"}})
    assert ran.code == 1
    assert "stream_maps or flattening failed on a RECORD of stream 'visits'" in ran.log
    assert "shopper1" not in ran.log


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_batch_files_are_read(run_target, tmp_path: Path, sandbox, compression: str):
    """A BATCH of JSON lines, compressed or not, is read line by line before later messages."""
    rows = b"".join(json.dumps(visit(number)).encode() + b"\n" for number in range(1500))
    path = tmp_path / "batch.jsonl"
    path.write_bytes(gzip.compress(rows) if compression == "gzip" else rows)
    batch = line(
        type="BATCH",
        stream="visits",
        encoding={"format": "jsonl", "compression": compression},
        manifest=[path.as_uri()],
    )
    for settings in ({}, {"stream_maps": {"visits": {"currency": "'EUR'"}}}):
        sandbox.store.reset()
        ran = run_target([VISITS, batch, state({"n": 1500})], **settings)
        assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 1500}, ['{"n": 1500}'])
        assert set(sandbox.store.event_ids().values()) == {1}


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (
            b'{"em": "shopper@example.com"\n',
            {"format": "jsonl", "compression": "none"},
            "file 1 of 1, line 2: it is not JSON",
        ),
        (
            b"shopper@example.com",
            {"format": "jsonl", "compression": "gzip"},
            "file 1 of 1: it cannot be read (BadGzipFile)",
        ),
        (
            gzip.compress(b"{}", mtime=0)[:10] + b"\xff" * 20,
            {"format": "jsonl", "compression": "gzip"},
            "line 4: BATCH of stream 'visits', file 1 of 1: it cannot be read (damaged gzip data)",
        ),
        (
            gzip.compress(b'{"em": "shopper@example.com"}', mtime=0)[:-9],
            {"format": "jsonl", "compression": "gzip"},
            "file 1 of 1: it cannot be read (EOFError)",
        ),
        (b"", {"format": "avro"}, "its encoding is not supported"),
        (
            b"",
            {"format": "jsonl", "compression": "zstd"},
            "file 1 of 1: its encoding is not supported: use jsonl, with or without gzip,",
        ),
        (None, {"format": "jsonl", "compression": "none"}, "file 1 of 1: it cannot be read"),
    ],
    ids=["cut", "no-gzip", "damaged", "cut-gzip", "avro", "zstd", "absent"],
)
def test_batch_file_that_cannot_be_read_stops_the_run(
    run_target, tmp_path: Path, content, encoding, words: str
):
    """Stream, file and line are named, never the content; earlier records have their outcome."""
    path = tmp_path / "batch.jsonl"
    if content is not None:
        path.write_bytes(
            json.dumps(visit(9)).encode() + b"\n" + content
            if encoding.get("compression") == "none"
            else content
        )
    ran = run_target(
        [
            VISITS,
            *visits(1),
            state({"n": 1}),
            line(type="BATCH", stream="visits", encoding=encoding, manifest=[path.as_uri()]),
        ]
    )
    assert (ran.code, ran.states) == (1, ['{"n": 1}'])
    assert "BATCH of stream 'visits'" in ran.log
    assert words in ran.log
    assert "shopper@example" not in ran.log


def test_columns_that_a_batch_file_brings_leave_the_rows_after_it_as_they_are(
    run_target, tmp_path: Path, sandbox
):
    """A new column in a BATCH is used there, and later records keep their own columns."""
    path = tmp_path / "batch.jsonl"
    path.write_bytes(json.dumps(visit(50, client_ip_address="192.0.2.1")).encode())
    encoding = {"format": "jsonl", "compression": "none"}
    batch = line(type="BATCH", stream="visits", encoding=encoding, manifest=[str(path)])
    ran = run_target([VISITS, *visits(*range(3)), batch, *visits(*range(3, 6))])
    assert (ran.code, ran.outcomes) == (0, {"delivered": 7}), ran.log
    events = {row.event["event_id"]: row.event for row in sandbox.store.events()}
    for number in range(6):
        assert events[f"visit-{number}"]["user_data"] == {"em": [digest(visit(number)["em"])]}
    assert events["visit-50"]["user_data"]["client_ip_address"] == "192.0.2.1"


@pytest.mark.parametrize("name", ["batch.jsonl", "a batch.jsonl", "100%.jsonl", "a::b.jsonl"])
@pytest.mark.parametrize(
    "form",
    [str, os.path.relpath, Path.as_uri, "file://{}".format, "file:{}".format],
)
def test_batch_file_by_path_or_url(run_target, tmp_path: Path, form, name: str):
    """A file is found by its path or its URL, absolute or not, and none is created."""
    path = tmp_path / name
    path.write_bytes(json.dumps(visit(1)).encode())
    before = sorted(tmp_path.rglob("*"))
    encoding = {"format": "jsonl", "compression": "none"}
    batch = line(type="BATCH", stream="visits", encoding=encoding, manifest=[form(path)])
    ran = run_target([VISITS, batch])
    assert (ran.code, ran.outcomes) == (0, {"delivered": 1}), ran.log
    assert sorted(tmp_path.rglob("*")) == before


def test_batch_file_in_an_object_store(run_target):
    """A file in an object store is read by the fsspec package that the user has installed."""
    fsspec.register_implementation("oss", InMemoryStore, clobber=True)
    with fsspec.open("oss://bucket/folder/batch.jsonl", "wb") as file:
        file.write(json.dumps(visit(1)).encode())
    encoding = {"format": "jsonl", "compression": "none"}
    manifest = ["oss://bucket/folder/batch.jsonl"]
    batch = line(type="BATCH", stream="visits", encoding=encoding, manifest=manifest)
    ran = run_target([VISITS, batch])
    assert (ran.code, ran.outcomes) == (0, {"delivered": 1}), ran.log


class InMemoryStore(MemoryFileSystem):
    """An object store without a network."""

    protocol = "oss"
    root_marker = ""


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("http://{}/batch.jsonl", "http:// is not supported"),
        ("HTTP://{}/batch.jsonl", "http:// is not supported"),
        ("https://{}/batch.jsonl", "https:// is not supported"),
        ("ftp://{}/batch.jsonl", "ftp:// is not supported"),
        ("sftp://{}/batch.jsonl", "sftp:// is not supported"),
        ("webhdfs://{}/batch.jsonl", "webhdfs:// is not supported"),
        ("simplecache::http://{}/batch.jsonl", "it cannot be read (FileNotFoundError)"),
        ("s3://bucket/batch.jsonl::http://{}/batch.jsonl", "chained URLs (::) are not supported"),
        ("file:///tmp/batch.jsonl::http://{}/batch.jsonl", "it cannot be read (FileNotFoundError)"),
        ("zip://batch.jsonl::http://{}/batch.zip", "zip:// is not supported"),
        ("file:http://{}/batch.jsonl", "it cannot be read (FileNotFoundError)"),
        ("http:/{}/batch.jsonl", "it cannot be read (FileNotFoundError)"),  # a path like any other
        ("//{}/batch.jsonl", "it cannot be read (FileNotFoundError)"),
        ("file://{}/batch.jsonl", "it cannot be read (FileNotFoundError)"),
        ("data:,{}", "it cannot be read (FileNotFoundError)"),
        ("", "it cannot be read (FileNotFoundError)"),
        ("unheard-of://{}/batch.jsonl", "unheard-of:// is not supported"),
        ("oci://{}/batch.jsonl", "it needs a package that is not installed: Install ocifs"),
    ],
)
def test_batch_file_of_the_web_is_not_fetched(run_target, web_host, form: str, words: str):
    """Files and object stores are read: any other URL stops the run without a connection."""
    url = form.format(web_host.url.removeprefix("http://"))
    encoding = {"format": "jsonl", "compression": "none"}
    batch = line(type="BATCH", stream="visits", encoding=encoding, manifest=[url])
    ran = run_target([VISITS, *visits(1), state({"n": 1}), batch])
    assert (ran.code, ran.states) == (1, ['{"n": 1}'])
    assert "line 4: BATCH of stream 'visits', file 1 of 1: " in ran.log
    assert words in ran.log
    assert web_host.requests == []


SHAPES = {
    "as it is": {},
    "stream maps": {"stream_maps": {name: {"currency": "'EUR'"} for name in ("visits", "orders")}},
    "flattening": {"flattening_enabled": True, "flattening_max_depth": 2},
}


@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("address", ["{}/x.json", "file:///etc/hostname", "other.json"])
def test_schema_elsewhere_does_no_harm(run_target, web_host, settings, address: str):
    """A reference to another document stops no run without validation, and is not fetched."""
    referring = schema("visits", *visit(), currency={"$ref": address.format(web_host.url)})
    ran = run_target([referring, *visits(1), state({"n": 1})], **settings)
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 1}, ['{"n": 1}']), ran.log
    assert web_host.requests == []


@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("address", ["{}/x.json", "file:///etc/hostname", "other.json"])
def test_schema_elsewhere_stops_validation(run_target, web_host, settings, address: str):
    """With validate_records it ends the run with line, stream and advice; nothing is fetched."""
    reference = {"$ref": address.format(web_host.url)}
    referring = schema("orders", *visit(), currency={"type": "string"}, value=reference)
    ran = run_target([VISITS, state({"n": 1}), referring], validate_records=True, **settings)
    assert web_host.requests == []
    if (
        "flattening_enabled" in settings
    ):  # the SDK's makes a string of what has no type: no reference is left
        assert ran.code == 0
        return
    assert (ran.code, ran.states) == (1, ['{"n": 1}'])
    assert "line 3: SCHEMA of stream 'orders': a `$ref` leads to nothing in the schema" in ran.log
    assert "other documents are not fetched" in ran.log


def test_activate_version_is_let_go(run_target):
    """Versions have no meaning for events: the message changes nothing."""
    ran = run_target(
        [
            VISITS,
            *visits(1),
            line(type="ACTIVATE_VERSION", stream="visits", version=7),
            state({"n": 1}),
        ]
    )
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 1}, ['{"n": 1}'])


def test_validate_records_makes_dead_letters(run_target):
    """With validate_records a record that violates the schema is a dead letter, otherwise sent."""
    strict = schema(
        "visits", **{name: {} for name in visit()}, value={"type": "number", "multipleOf": 0.01}
    )
    lines = [strict, *visits(1, value=9.99), *visits(2, value="nine")]
    ran = run_target(lines, validate_records=True)
    assert (ran.code, ran.outcomes) == (0, {"delivered": 1, "invalid": 1})
    assert [(one["reason"], one["field"], one["detail"]) for one in ran.dead_letters] == [
        ("schema_violation", "value", "type")
    ]
    assert run_target(lines).outcomes == {"delivered": 2}


def test_event_that_is_too_large_is_a_dead_letter(run_target):
    """A single event over batch_max_bytes is never sent."""
    ran = run_target(
        [VISITS, *visits(1), *visits(2, search_string="x" * 2000)], batch_max_bytes=1500
    )
    assert (ran.outcomes, ran.reasons) == ({"delivered": 1, "invalid": 1}, {"event_too_large": 1})


@pytest.mark.parametrize(("spare", "outcome"), [(0, "delivered"), (-1, "invalid")])
def test_event_may_fill_a_request_to_the_byte(run_target, sandbox, spare, outcome):
    """An event that just fits batch_max_bytes is sent; one byte less, and it is too large."""
    columns = visits(1, search_string="x" * 2000)
    run_target([VISITS, *columns])
    (sent,) = sandbox.store.events()
    size = len(encode({"data": [sent.event]}))
    ran = run_target([VISITS, *columns], batch_max_bytes=size + spare)
    assert ran.outcomes == {outcome: 1}


def test_accounts_of_records_get_their_own_requests(run_target, sandbox):
    """Events for an account that an expression names are sent in separate requests."""
    entry = {"stream": "visits", "preset": "pinterest", "ad_account_id": "account"}
    ran = run_target(
        [VISITS, *visits(1, account=ACCOUNT), *visits(2, account=None)], mappings=[entry]
    )
    assert (ran.outcomes, ran.reasons) == ({"delivered": 1, "invalid": 1}, {"bad_account": 1})
    assert [row.ad_account_id for row in sandbox.store.requests()] == [ACCOUNT]


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_no_personal_data_in_any_log(run_target, sandbox, level: str):
    """For any error, at any level: no value of a record, no digest of one, no token."""
    sandbox.faults.set(
        [Fault("fail_event", event_id="visit-3"), Fault("status", status=503, times=1)]
    )
    private = {
        "em": "secret.person@example.com",
        "ph": "+12025550134",
        "fn": "Secretname",
        "client_ip_address": "192.0.2.99",
        "db": "03/04/1990",
    }
    rows = [
        *visits(1, 3, **private),
        *visits(4, **{**private, "event_time": "secret-time"}),
        *visits(5, **{**private, "em": "secretmail"}),
    ]
    ran = run_target(
        [
            schema(
                "visits", *visit(), *private, event_time={"type": "string", "format": "date-time"}
            ),
            *rows,
        ],
        validate_records=True,
    )
    assert ran.log
    for value in (*private.values(), "secret-time", "secretmail", TOKEN, digest(private["em"])):
        assert value not in ran.log


FORGED = "orders\n2026-01-01 00:00:00 | ERROR | forged\x1b[2J\u2028canary.person@example.com"
NAMED = {"mappings": [{"stream": "*", "preset": "pinterest", "event_names": {"Paid": "checkout"}}]}
AMOUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ([schema("visits", *visit()), *visits(1, event_name=FORGED)], NAMED),
        ([schema("visits", *visit()), *visits(1, event_name="canary.person@example.com")], NAMED),
        ([schema("visits", *visit()), *visits(1, event_name="x" * 2_000_000)], NAMED),
        ([schema("visits", *visit()), *visits(1, event_name=FORGED)], {}),
        ([schema(FORGED, *visit()), record(FORGED, **visit(1))], {}),
        ([schema("s" * 2_000_000, *visit()), record("s" * 2_000_000, **visit(1))], {}),
        ([schema(FORGED, *visit()), record(FORGED, **visit(1))], members.list_settings()),
        ([record(FORGED, **visit(1))], {}),
        ([line(type="SCHEMA", stream=FORGED, schema={"properties": 5})], {}),
        ([line(type="SCHEMA", stream=FORGED)], {}),
        ([line(type=FORGED, stream=FORGED)], {}),
        (
            [
                schema("visits", *visit(), amounts=AMOUNTS),
                *visits(1, amounts={FORGED: "canary"}),
            ],
            {"validate_records": True},
        ),
        (
            [
                schema(FORGED, *visit()),
                line(type="BATCH", stream=FORGED, manifest=["/none"], encoding={"format": "jsonl"}),
            ],
            {},
        ),
        ([schema(FORGED, *visit()), record(FORGED, **visit(1, event_time="soon"))], {}),
        (
            [schema(FORGED, *visit()), record(FORGED, **visit(1, event_time="soon"))],
            {"on_invalid": "fail"},
        ),
    ],
)
def test_name_that_is_data_is_shown_short_and_on_its_line_or_not_at_all(
    run_target, tmp_path: Path, lines: list[bytes], settings: dict[str, Any]
):
    """No name of a stream, an event, a column or a key forges a line, or shows personal data."""
    report = tmp_path / "report.json"
    ran = run_target(lines, report_path=str(report), **settings)
    for text in (ran.log, report.read_text()):
        assert "canary" not in text
        assert "\x1b" not in text
        assert all(len(row) < 4_000 for row in text.splitlines())
    assert not [row for row in ran.log.splitlines() if row.startswith("2026-01-01")]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=400, message="Red Coat of Canary Lane, A-4711 and 0.1 are wrong"),
        Fault("status", status=401, message=f"the token {TOKEN} of Canary Lane is wrong"),
        Fault("status", status=503, message="canary%40example.com is busy", times=1),
    ],
)
def test_values_that_pinterest_repeats_without_quotes_are_cut(run_target, sandbox, fault: Fault):
    """A response is shown without the values of its events."""
    sandbox.faults.set([fault])
    values = {"custom_data": {"content_name": "Red Coat of Canary Lane", "order_id": "A-4711"}}
    page = {"event_source_url": "canary lane"}
    ran = run_target(
        [
            schema("visits", *visit(), *values, *page),
            *visits(1, 2, **values, **page),
        ],
    )
    for text in (ran.log, json.dumps(ran.dead_letters)):
        message = text.partition('"event"')[0]
        for value in ("canary lane", "a-4711", "canary%40", TOKEN):
            assert value not in message.lower()


def test_sdk_keeps_no_token(run_target):
    """The SDK's own configuration has only its own options."""
    assert dict(run_target([], flattening_enabled=False).target.config) == {
        "flattening_enabled": False
    }


def test_settings_of_helper_matches_the_target(run_target):
    """The helper of these tests returns the settings of a target."""
    assert run_target([]).target.settings.ad_account_id == settings_of().ad_account_id


def test_sdk_path_gives_the_same_events(run_target, sandbox):
    """Records through the SDK's stream maps give the same events, byte for byte."""
    odd = [
        {"value": 19.90, "contents": [{"id": 1, "item_price": 0.1, "quantity": 3}]},
        {"value": "7", "contents": '[{"id": "a"}]', "em": ["a@example.com", None]},
        {
            "value": None,
            "ph": "020 7946 0123",
            "country": "GB",
            "fn": " Émile ",
            "zp": 2134,
            "opt_out": "no",
        },
        {
            "event_time": datetime.fromtimestamp(
                seconds_ago(60), timezone(timedelta(hours=1))
            ).isoformat(),
            "value": 10**20,
            "undeclared": {"a": [1]},
        },
    ]
    columns = sorted({name for columns in odd for name in columns} | set(visit()) - {"undeclared"})
    lines = [schema("visits", *columns, key_properties=("event_id",))]
    lines += [record("visits", **visit(number, **given)) for number, given in enumerate(odd)]
    fast = run_target(lines)
    ours = [row.event for row in sandbox.store.events(None)]
    sandbox.store.reset()
    mapped = run_target(lines, stream_maps={"visits": {}})
    assert [row.event for row in sandbox.store.events(None)] == ours
    assert len(ours) == len(odd)
    assert mapped.outcomes == fast.outcomes


def test_offline_events_without_a_ledger_are_advised_about_once(run_target):
    """A run with offline events and no ledger warns about it once."""
    assert "set ledger_url" not in run_target([VISITS, *visits(1)]).log
    assert (
        run_target(
            [VISITS, *visits(*range(5), action_source="offline")], batch_size_rows=2
        ).log.count("set ledger_url")
        == 1
    )


@pytest.mark.parametrize(
    "settings",
    [{"mode": "test"}, {"mode": "dry_run"}, {"ledger_url": "sqlite:///{directory}/ledger.db"}],
)
def test_no_advice_where_it_is_not_needed(run_target, tmp_path: Path, settings: dict[str, str]):
    """A run that records nothing, or has a ledger, gets no advice to use one."""
    given = {name: value.format(directory=tmp_path) for name, value in settings.items()}
    assert (
        "set ledger_url"
        not in run_target([VISITS, *visits(1, action_source="offline")], **given).log
    )


@pytest.mark.parametrize(
    "maps",
    [
        {"visits": {"x": "event_id +"}},
        {"visits": {"__filter__": "event_id ="}},
        {"visits": 5},
    ],
)
def test_wrong_stream_map_is_a_wrong_configuration(run_target, maps: dict[str, Any]):
    """Exit 2 names the setting and the stream, without a traceback."""
    ran = run_target([schema("visits", *visit()), *visits(1)], stream_maps=maps)
    assert ran.code == 2
    assert "stream_maps: cannot be used for stream 'visits'" in ran.log
    assert "unexpected" not in ran.log


def test_path_of_a_batch_that_no_file_can_have(run_target):
    """A null character in it is an error that names line and file."""
    manifest = ["a\0b"]
    encoding = {"format": "jsonl", "compression": "none"}
    batch = line(type="BATCH", stream="visits", encoding=encoding, manifest=manifest)
    ran = run_target([schema("visits", *visit()), batch])
    assert ran.code == 1
    assert "line 2: BATCH of stream 'visits', file 1 of 1: its path has a null character" in ran.log


DEEP = {
    "lists": "[" * 1000 + "]" * 1000,
    "objects": '{"a":' * 1000 + "1" + "}" * 1000,
    "not so deep": "[" * 900 + "]" * 900,
    "very deep": "[" * 100_000 + "]" * 100_000,
}
STRANGE = {
    **DEEP,
    "large": "1e99999999999999999999",
    "small": "1e-99999999999999999999",
    "NaN": "NaN",
}


@pytest.mark.parametrize("value", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("column", ["not_mapped", "fn", "custom_data", "contents", "value"])
@pytest.mark.parametrize("keys", [("event_id",), ()], ids=["key", "no key"])
def test_strange_value_costs_at_most_its_field(run_target, value: str, column: str, keys: Any):
    """A column nested a thousand deep, or a number beyond any decimal, stops nothing."""
    made = [record("visits", **visit(number), **{column: "X"}) for number in range(15)]
    made = [one.replace(b'"X"', value.encode()) for one in made]
    ran = run_target([schema("visits", *visit(), key_properties=keys), *made, state({"n": 1})])
    assert (ran.code, ran.outcomes, ran.states) == (0, {"delivered": 15}, ['{"n": 1}'])


@pytest.mark.parametrize("value", DEEP.values(), ids=DEEP)
def test_event_id_of_deep_records_is_derived_or_missing(run_target, value: str):
    """Without key and id the whole record becomes one, or the record is invalid: no run stops."""
    columns = {name: one for name, one in visit().items() if name != "event_id"}
    made = record("visits", **columns, x="X").replace(b'"X"', value.encode())
    ran = run_target([schema("visits", *columns), made, *visits(1)])
    assert ran.log.count("unexpected") == 0
    assert ran.outcomes.get("delivered", 0) >= 1
    assert sum(ran.outcomes.values()) == 2


@pytest.mark.parametrize("depth", [900, 1000, 100_000])
@pytest.mark.parametrize("message", ["STATE", "SCHEMA"])
def test_deep_state_or_schema_is_an_error_with_its_line(run_target, depth: int, message: str):
    """It ends the run with a message, after earlier records."""
    nested = '{"properties":{"a":' * depth + "{}" + "}}" * depth
    bad = {
        "STATE": f'{{"type":"STATE","value":{nested}}}',
        "SCHEMA": f'{{"type":"SCHEMA","stream":"s","schema":{nested},"key_properties":[]}}',
    }[message]
    ran = run_target([VISITS, *visits(1), bad.encode()])
    assert (ran.code, ran.outcomes) == (1, {"delivered": 1})
    assert "line 3: " in ran.log
    assert "nested too deeply" in ran.log


def test_byte_order_mark_before_the_first_line(run_target):
    """A file of messages may begin with one, and an empty file may have nothing else."""
    mark = "\ufeff".encode()
    assert run_target([mark + VISITS, *visits(1)]).outcomes == {"delivered": 1}
    assert run_target([mark]).code == 0


def test_input_in_utf_16_is_an_error_in_words(run_target):
    """A redirection on Windows writes UTF-16: the error says so."""
    ran = run_target(["\ufeff".encode("utf-16-le") + VISITS.decode().encode("utf-16-le")])
    assert ran.code == 1
    assert "line 1: it is UTF-16 or UTF-32 instead of UTF-8" in ran.log
