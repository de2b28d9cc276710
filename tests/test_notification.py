"""A webhook gets the outcome of a run: once, in few words, and without effect on the run."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from report_sample import ordinary

from given import record, schema, state
from shopper import visit
from target_pinterest_capi.delivery.webhook import ATTEMPTS, post
from target_pinterest_capi.reporting.notification import encode_notification, form_of
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import ConfigurationError, load

TARGET = Path(sys.executable).with_name("target-pinterest-capi")
VISITS = schema("visits", *visit(), key_properties=("event_id",))
SECRET = "T0000-secret-path"


class Receiver:
    """A webhook on loopback: keeps bodies, and answers with the statuses in turn, then the last.

    A status of 0 closes the connection without a response; None never responds.
    """

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.statuses: list[int | None] = [200]
        self._released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append(body)
                statuses = receiver.statuses
                status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
                if status is None:
                    receiver._released.wait()
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Location", f"{receiver.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/{SECRET}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def posted(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def visits(*numbers: int, **columns: Any) -> list[bytes]:
    return [record("visits", **visit(number, **columns)) for number in numbers]


GOOD = [VISITS, *visits(1, 2), state({"n": 2})]
BAD = [VISITS, *visits(3, em=None), state({"n": 3})]  # nothing gets through: exit code 3


# ---- which runs ----


@pytest.mark.parametrize(
    ("notify_on", "outcomes"),
    [
        ("always", ["done", "failed", "failed", "done", "done"]),
        ("failure", ["failed", "failed"]),
        ("change", ["failed", "done"]),
    ],
)
def test_which_runs_are_posted(
    run_target, receiver: Receiver, tmp_path: Path, notify_on: str, outcomes: list[str]
):
    """All runs, only failed ones, or only those with another outcome than the one before."""
    given = {
        "notify_url": receiver.url,
        "notify_on": notify_on,
        "results_url": f"sqlite:///{tmp_path}/results.db",
    }
    codes = [run_target(lines, **given).code for lines in (GOOD, BAD, BAD, GOOD, GOOD)]
    assert codes == [0, 3, 3, 0, 0]
    assert [posted["outcome"] for posted in receiver.posted()] == outcomes


@pytest.mark.parametrize(
    ("notify_format", "member"),
    [("auto", "outcome"), ("json", "outcome"), ("slack", "text"), ("teams", "attachments")],
)
def test_format_can_be_named(run_target, receiver: Receiver, notify_format: str, member: str):
    """Your own relay can forward the form of Slack or Teams, on any host."""
    run_target(BAD, notify_url=receiver.url, notify_format=notify_format)
    (posted,) = receiver.posted()
    assert member in posted


def test_first_run_that_fails_is_a_change(run_target, receiver: Receiver, tmp_path: Path):
    """If no run is on record, a failure is reported and a success is not."""
    url = f"sqlite:///{tmp_path}/results.db"
    run_target(BAD, notify_url=receiver.url, notify_on="change", results_url=url)
    assert [posted["outcome"] for posted in receiver.posted()] == ["failed"]


def test_change_needs_a_memory():
    """Without results the previous run is unknown: a configuration error is reported."""
    given = {"ad_account_id": "1", "conversion_token": "x", "notify_on": "change"}
    with pytest.raises(ConfigurationError, match="notify_on: change needs results_url"):
        load(given)


def test_signal_is_posted(config, receiver: Receiver, sandbox: Sandbox, tmp_path: Path):
    """A run that SIGTERM stops sends its message before it ends."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config, "notify_url": receiver.url, "batch_wait_seconds": 0.1}))
    target = subprocess.Popen(
        [TARGET, "--config", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert target.stdin is not None
    target.stdin.write(b"\n".join(GOOD) + b"\n")
    target.stdin.flush()
    while len(sandbox.store.event_ids()) < 2:
        threading.Event().wait(0.05)  # another process is awaited, and it cannot wake us
    target.send_signal(signal.SIGTERM)
    target.communicate(timeout=60)
    assert target.returncode == 128 + signal.SIGTERM
    (posted,) = receiver.posted()
    assert (posted["exit_code"], posted["stopped"]) == (143, "SIGTERM came.")


# ---- what it says ----


def test_what_is_posted(run_target, receiver: Receiver, sandbox: Sandbox, tmp_path: Path):
    """Counts, reasons with advice, and the report's path; no value of a record, and no token."""
    sandbox.faults.set([Fault("fail_event", event_id="visit-2")])
    report = str(tmp_path / "run.html")
    lines = [*GOOD, *visits(3, em=None)]
    ran = run_target(lines, notify_url=receiver.url, notify_on="always", report_path=report)
    (posted,) = receiver.posted()
    assert posted["totals"] == {"delivered": 1, "invalid": 1, "rejected": 1, "skipped": 0}
    assert {row["reason"] for row in posted["reasons"]} == {"refused_event", "no_identifier"}
    assert all(row["advice"] for row in posted["reasons"])
    assert (posted["run_id"], posted["report"]) == (ran.target.run.run_id, report)
    text = receiver.bodies[0].decode()
    for value in ("shopper", "example.com", "visit-", "sandbox-token", SECRET):
        assert value not in text


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "slack"),
        ("https://shop.webhook.office.com/webhookb2/x", "teams"),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/x", "teams"),
        ("https://hooks.slack.com.example.com/x", "json"),
        ("https://notwebhook.office.com/x", "json"),
        ("https://hooks.example.com/x", "json"),
    ],
)
def test_host_decides_the_form(url: str, form: str):
    """The hosts of Slack and Teams get their own form, and any other host plain JSON."""
    assert form_of(url) == form


def test_forms_of_slack_and_teams():
    """Slack gets text with markup escaped, Teams a card with a block for each line."""
    report = ordinary()
    text = json.loads(encode_notification(report, "<run>&.html", "slack"))["text"]
    assert "report: &lt;run&gt;&amp;.html" in text
    assert report.run.id in text
    posted = json.loads(encode_notification(report, None, "teams"))
    (attachment,) = posted["attachments"]
    blocks = attachment["content"]["body"]
    assert (posted["type"], attachment["content"]["type"]) == ("message", "AdaptiveCard")
    assert len(blocks) >= 3
    assert {block["type"] for block in blocks} == {"TextBlock"}


# ---- what a webhook does ----


@pytest.mark.parametrize(
    ("statuses", "attempts", "words"),
    [
        ([200], 1, ""),
        ([204], 1, ""),
        ([500, 200], 2, ""),
        ([429, 503, 202], 3, ""),
        ([0, 200], 2, ""),
        ([500], ATTEMPTS, "it returned 500"),
        ([0], ATTEMPTS, "it cannot be reached"),
        ([404], 1, "it returned 404"),
        ([302], 1, "it returned 302"),
        ([307], 1, "it returned 307"),
    ],
)
def test_what_may_pass_is_tried_again(
    receiver: Receiver, statuses: list[int | None], attempts: int, words: str
):
    """A server error is retried, a refusal is not, and no redirect is followed."""
    receiver.statuses = statuses
    problem = post(receiver.url, b"{}", 30, pause_seconds=0.01)
    assert problem.startswith(words)
    assert bool(problem) == bool(words)
    assert SECRET not in problem
    assert len(receiver.bodies) == attempts


def test_silent_webhook_is_given_up(receiver: Receiver):
    """A host that never responds delays a run no longer than the limit."""
    receiver.statuses = [None]
    began = time.monotonic()
    assert post(receiver.url, b"{}", 0.3).startswith("it ")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("scheme", "answer", "words"),
    [
        ("http", b"", "it "),  # never a word
        ("http", b"HTTP/1.1 200 OK\r\nContent-Le", "it "),  # never the end of its head
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", ""),  # nor of its body
        ("http", b"SSH-2.0-OpenSSH_9.6\r\n", "it "),
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "it cannot be reached (ConnectError)"),
    ],
)
def test_server_that_stalls_or_speaks_something_else(scheme: str, answer: bytes, words: str):
    """What counts is the status: a body is not waited for, and TLS that fails is said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_answer_each, args=(server, answer))
        answering.start()
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}/{SECRET}"
        problem = post(url, b"{}", 2, pause_seconds=0.01)
        server.shutdown(socket.SHUT_RDWR)
        answering.join()
    assert problem.startswith(words)
    assert bool(problem) == bool(words)
    assert SECRET not in problem


def _answer_each(server: socket.socket, answer: bytes) -> None:
    """Send every connection the same bytes, and keep it open, until the server is closed."""
    with contextlib.ExitStack() as connections, contextlib.suppress(OSError):
        while True:
            connection = connections.enter_context(server.accept()[0])
            connection.recv(65536)
            connection.sendall(answer)


def test_nobody_there():
    """A port without a listener is a problem with a message."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/{SECRET}"
        problem = post(url, b"{}", 10, pause_seconds=0.01)
    assert problem == "it cannot be reached (ConnectError)"


@pytest.mark.parametrize("status", [500, 404, 0])
def test_webhook_that_fails_changes_no_exit_code(
    run_target: Callable[..., Any], receiver: Receiver, status: int
):
    """The log has its host, never its path, which is secret; STATE is unchanged."""
    receiver.statuses = [status]
    ran = run_target(GOOD, notify_url=receiver.url, notify_on="always")
    assert (ran.code, ran.states) == (0, ['{"n": 2}'])
    assert "The notification did not arrive at 127.0.0.1 of notify_url" in ran.log
    assert SECRET not in ran.log
