"""Mutated input: lines of a tap, configurations, and Pinterest's responses.

For any input, the program ends with its own message, a documented exit code, and no value. `make
fuzz` runs many times as many examples, and hypothesis repeats what failed.
"""

import json
import os
import random
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError

from given import ACCOUNT, TOKEN, examples, schema, state
from given import record as record_line
from shopper import ACCOUNT as EVENT_ACCOUNT
from shopper import event, visit
from target_pinterest_capi.delivery.batches import Batch
from target_pinterest_capi.events.event import Account
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.defined_events import (
    delete_events,
    read_events,
    write_events,
)
from target_pinterest_capi.pinterest.deletion_requests import (
    cancel_request,
    create_request,
    read_requests,
)
from target_pinterest_capi.pinterest.list_records import ListRow
from target_pinterest_capi.pinterest.responses import ApiResponse, Credentials, NoResponse
from target_pinterest_capi.pinterest.retries import (
    Decision,
    classify,
    classify_call,
    describe,
    pause_seconds,
)
from target_pinterest_capi.pinterest.sign_in import exchange_code, make_conversion_token
from target_pinterest_capi.settings import ConfigurationError, load, read_files

TIMES = int(os.environ.get("FUZZ", "1"))  # as many examples as usual
CANARY = "canary-7f3a"  # in values alone, so that no name may be shown for it
SECRET = "secret-9c41"
WORDS_OF_BUGS = ("unexpected", "Traceback", "Exception ignored")


def many(number: int) -> Any:
    """Return the settings of a property with so many examples, times those that are asked for."""
    return settings(
        max_examples=TIMES * examples(number),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


# Pieces that readers stumble over, put in or in the place of something.
PIECES = (
    b"",
    b"\n",
    b"\r\n",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b"\\",
    b"\\ud800",
    b"{",
    b"}",
    b"[" * 2000,
    b"null",
    b"NaN",
    b"-0",
    b"1e999",
    b"1e99999999999999999999",
    b"9" * 400,
    b'{"type": "STATE"}',
    b'{"type":"STATE","value":{}}\n',
    b"\xe2\x80\xa8",
    b"\x1b[31m",
)
mutations = st.lists(
    st.tuples(
        st.integers(0, 2**16), st.integers(0, 40), st.sampled_from(PIECES) | st.binary(max_size=3)
    ),
    min_size=1,
    max_size=6,
)


def mutate(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Replace some bytes at each place by others."""
    for place, length, new in changes:
        at = place % (len(data) + 1)
        data = data[:at] + new + data[at + length :]
    return data


# A tap's lines

FIELDS = ("event_id", "event_name", "event_time", "action_source", "em", "ph", "client_ip_address")


def good_stream() -> bytes:
    """Return a stream of events with personal data, and a STATE after every second one."""
    lines = [schema("visits", *FIELDS, "order", key_properties=("event_id",))]
    for number in range(8):
        row = visit(
            number,
            em=f"{CANARY}-{number}@example.com",
            ph=f"{CANARY} 030 901820",
            client_ip_address="192.0.2.7",
            order={"name": CANARY, "lines": [{"price": 1.5, "note": CANARY}]},
        )
        lines.append(record_line("visits", **row))
        if number % 2:
            lines.append(state({"n": number + 1}))
    return b"\n".join(lines)


def names_in(stream: bytes) -> Iterator[str]:
    """Yield names in a stream, which may be shown."""
    for line in stream.split(b"\n"):
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(message, dict):
            yield json.dumps([message.get("stream"), message.get("type"), message.get("schema")])
            yield json.dumps(list(message.get("record") or {}))


@many(150)
@given(changes=mutations, validates=st.booleans())
def test_lines_of_a_tap(run_target, caplog, tmp_path_factory, changes, validates: bool):
    """A mutated stream ends with a message, and its STATEs are those of the stream, in order."""
    caplog.clear()
    stream = mutate(good_stream(), changes)
    folder = tmp_path_factory.mktemp("fuzz")
    ran = run_target(
        [stream],
        dead_letter_path=str(folder / "rejected.jsonl"),
        validate_records=validates,
        max_rejected_ratio=None,
    )
    assert ran.code in {0, 1}, ran.log
    assert not any(words in ran.log for words in WORDS_OF_BUGS), ran.log
    shown = "\n".join([ran.log, *map(json.dumps, ran.dead_letters)])
    if not any(CANARY in names for names in names_in(stream)):
        assert CANARY not in shown
    assert len(ran.states) == len(set(ran.states))
    rest = stream
    for value in ran.states:
        _, found, rest = rest.partition(value.encode())
        assert found, "a STATE that the tap did not send, or out of order"
    if ran.code == 0:
        assert sum(ran.outcomes.values()) == ran.target.run.sequence


# Configurations

GOOD_TREES: tuple[dict[str, Any], ...] = (
    {
        "ad_account_id": ACCOUNT,
        "conversion_token": SECRET,
        "mappings": [
            {
                "stream": "orders",
                "when": "status == 'paid'",
                "fields": {
                    "event_id": "id",
                    "em": "[email, mail]",
                    "event_time": "at",
                    "value": "total",
                },
                "defaults": {"event_name": "checkout", "action_source": "web"},
            },
            {"stream": "tracks_*", "preset": "segment", "event_names": {"Order": "checkout"}},
        ],
        "default_country": "DE",
        "max_rejected_ratio": 0.5,
    },
    {
        "ad_account_id": ACCOUNT,
        "oauth": {"access_token": SECRET},
        "mappings": [],
        "customer_lists": [
            {"stream": "vips", "list_name": "VIPs", "member": ["email"], "operation": "action"}
        ],
        "ledger_url": f"postgresql://user:{SECRET}@localhost/shop",
        "ledger_retention_days": 30,
        "old_events_path": "old",
        "old_events_names": {"custom_data.value": "value", "custom_data.currency": None},
        "results_url": f"postgresql://user:{SECRET}@localhost/shop",
        "notify_url": f"https://hooks.example.com/{SECRET}",
    },
    {
        "ad_account_id": ACCOUNT,
        "conversion_token": SECRET,
        "stream_maps": {"visits": {"name": "record['first'] + 'x'"}},
        "flattening_enabled": True,
        "flattening_max_depth": 2,
        "batch_size_rows": "200",
        "timezone": "Europe/Berlin",
        "defaults": {"currency": "EUR"},
    },
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "",
            "a.b[",
            "to_date(a, '%q')",
            "@",
            "x" * 3000,
            "*",
            "1e400",
            "2026-13-01",
            "\x00",
            "[" * 500,
        ]
    )
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def change(tree: Any, rng: random.Random, value: Any) -> Any:
    """Return a tree with one node replaced, removed, renamed or put into another."""
    if not isinstance(tree, dict | list) or not tree or rng.random() < 0.2:
        return rng.choice(
            [value, [tree], {"a": tree}, str(tree) if not isinstance(tree, str) else 7]
        )
    if isinstance(tree, list):
        position = rng.randrange(len(tree))
        return [change(one, rng, value) if at == position else one for at, one in enumerate(tree)]
    name = rng.choice(list(tree))
    rest = {key: one for key, one in tree.items() if key != name}
    match rng.randrange(4):
        case 0:
            return rest
        case 1:
            return {**rest, f"{name}s": tree[name]}
        case _:
            return {**tree, name: change(tree[name], rng, value)}


@many(400)
@given(
    tree=st.sampled_from(GOOD_TREES),
    rng=st.randoms(use_true_random=False),
    changes=st.lists(values, min_size=1, max_size=3),
)
def test_configurations(tmp_path_factory, tree, rng, changes):
    """A mutated configuration is accepted, or refused with a message, without its secrets."""
    for value in changes:
        tree = change(tree, rng, value)
    path = tmp_path_factory.mktemp("fuzz") / "config.yml"
    try:
        path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    except (yaml.YAMLError, UnicodeError):
        assume(False)
    problems = []
    try:
        load(read_files([str(path)]))
    except ConfigurationError as error:
        problems = error.problems
        assert problems, "refused without a reason"
    assert all(problem.message for problem in problems)
    assert not any(SECRET in f"{problem.path}: {problem.message}" for problem in problems)


@many(60)
@given(rng=st.randoms(use_true_random=False), changes=st.lists(values, min_size=1, max_size=2))
def test_configurations_that_run(run_target, caplog, tmp_path_factory, rng, changes):
    """A run with a mutated mapping ends with a message, whatever becomes of the records."""
    caplog.clear()
    tree = GOOD_TREES[rng.randrange(2) * 2]
    for value in changes:
        tree = change(tree, rng, value)
    assume(isinstance(tree, dict))
    given_tree = {
        name: value
        for name, value in tree.items()
        if name in {"mappings", "defaults", "stream_maps", "default_country", "flattening_enabled"}
    }
    folder = tmp_path_factory.mktemp("fuzz")
    given_tree |= {"mode": "dry_run", "dead_letter_path": str(folder / "rejected.jsonl")}
    try:
        load({"ad_account_id": ACCOUNT, "conversion_token": TOKEN, **given_tree})
    except ConfigurationError:
        return
    try:
        ran = run_target(good_stream().split(b"\n"), **given_tree)
    except ConfigValidationError:  # as the command takes it: the SDK checks some by itself
        return
    assert ran.code in {0, 1, 3}
    assert not any(words in ran.log for words in WORDS_OF_BUGS), ran.log


# Answers

EVENTS_BODY = {
    "num_events_received": 2,
    "num_events_processed": 1,
    "events": [
        {"status": "processed", "error_message": None, "warning_message": f"em {CANARY}"},
        {"status": "failed", "error_message": f"'{CANARY}' is not valid"},
    ],
}
LIST_BODY = {"items": [{"id": "1", "name": "VIPs", "status": "READY"}], "bookmark": "next"}
TOKEN_BODY = {"access_token": "one", "refresh_token": "two", "token_type": "bearer"}
DELETION_BODY = {
    "request_id": "549755885175900001",
    "status": "PENDING",
    "created_time": "2026-11-20T10:00:00Z",
    "processed_time": None,
}
DEFINED_BODY = {"items": [{"name": "Trial", "mapped_conversion_type": "SIGNUP"}]}
CHANGED_BODY = {"items": [{"name": "Trial", "status": "failure", "exceptions": [{"code": 1}]}]}
AUDIENCE_BODY = {"items": [{"id": "7", "audience_type": "CUSTOMER_LIST", "status": "READY"}]}
BODIES = (
    EVENTS_BODY,
    LIST_BODY,
    TOKEN_BODY,
    DELETION_BODY,
    {"items": [DELETION_BODY], "bookmark": None},
    DEFINED_BODY,
    CHANGED_BODY,
    AUDIENCE_BODY,
    {"code": 1, "message": f"Invalid '{CANARY}'"},
    [],
)
HEADERS = (
    "Retry-After: 5",
    "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT",
    "X-RateLimit-Remaining: 0",
    "X-RateLimit-Reset: 30",
    "X-RateLimit-Limit: 100, 100;w=1",
    "Content-Encoding: gzip",
    "Location: http://example.com/",
    "Set-Cookie: a=b",
)


class Answering:
    """A server that answers each connection once, with given bytes."""

    def __init__(self) -> None:
        self.answer = b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                try:
                    _read_request(connection)
                    connection.sendall(self.answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(1)  # until the client has read it
                except OSError:
                    continue

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def _read_request(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65_536)


@pytest.fixture(scope="module")
def answering() -> Iterator[Answering]:
    server = Answering()
    yield server
    server.close()


def _answer(status: int, headers: list[str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Content-Type: application/json"]
    lines += [*headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@many(200)
@given(
    status=st.sampled_from([200, 201, 204, 302, 400, 401, 403, 422, 429, 500, 503]),
    headers=st.lists(st.sampled_from(HEADERS), max_size=3),
    body=st.sampled_from(BODIES),
    changes=st.just([]) | mutations,
    spoils_head=st.booleans(),
)
def test_answers(answering: Answering, status, headers, body, changes, spoils_head: bool):
    """A mutated response is parsed or not, has a decision, and shows no secret."""
    raw = json.dumps(body).encode()
    answer = _answer(status, headers, raw if spoils_head else mutate(raw, changes))
    answering.answer = mutate(answer, changes) if spoils_head else answer
    client = Client(answering.url, max_connections=1, timeout_seconds=20)
    account = Account(EVENT_ACCOUNT.ad_account_id, SECRET)
    batch = Batch(account, 0.0)
    batch.append(event(0), 1)
    batch.append(event(1), 2)
    try:
        answers = [
            client.send_events(account, batch.body(), test=False),
            client.customer_lists(SECRET, ACCOUNT, None),
            client.refresh_token(Credentials("app", SECRET, SECRET)),
            client.update_list(SECRET, ACCOUNT, "1", "ADD", [ListRow(email="a" * 64)]),
            client.audiences(SECRET, ACCOUNT, None),
            create_request(client, SECRET, ACCOUNT, [f"{CANARY}@example.com"], [CANARY]),
            read_requests(client, SECRET, ACCOUNT, None),
            cancel_request(client, SECRET, ACCOUNT, "549755885175900001"),
            read_events(client, SECRET, ACCOUNT),
            write_events(client, SECRET, ACCOUNT, "POST", {"Trial": "SIGNUP"}),
            delete_events(client, SECRET, ACCOUNT, ["Trial"]),
            make_conversion_token(client, SECRET),
            exchange_code(client, "app", SECRET, SECRET, "http://127.0.0.1:8085/"),
        ]
    finally:
        client.close()
    assert isinstance(classify(answers[0], 2), Decision)
    for one in answers:
        assert isinstance(one, ApiResponse | NoResponse)
        assert isinstance(classify_call(one), Decision)
        assert 0 <= pause_seconds(one) < 10**9
        assert SECRET not in describe(one)
        if not spoils_head and not changes:
            assert CANARY not in describe(one)
