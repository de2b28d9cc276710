"""A loopback server in a separate process that receives events as fast as it can.

It responds with `processed` for each one. It replaces Pinterest in benchmarks only: the sandbox
checks every event, and on two cores it would be the bottleneck instead of the target. This server
reads a body by its Content-Length, counts its events and responds with as many statuses, after
`latency` milliseconds. Owns the times of the requests. As a program it prints its port and serves
until it is killed; `GET` returns its counts since the last `GET`, as JSON.
"""

import asyncio
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

MARKS: Final = tuple(10**power for power in range(3, 8))  # events
_AN_EVENT: Final = b'"event_name":"'  # once in each event, as the target encodes it
_A_STATUS: Final = b'{"status":"processed","error_message":null,"warning_message":null}'


class Counts(NamedTuple):
    """What a server received: `marks` has the times at which numbers of events were reached.

    Times are the machine's monotonic ones.
    """

    events: int = 0
    requests: int = 0
    bytes: int = 0
    first_request_at: float | None = None
    marks: Mapping[str, float] = {}


class _Responder(asyncio.Protocol):
    """One connection: bodies in, statuses out.

    It implements only the HTTP that the target's client sends.
    """

    def __init__(self, received: "_Received", latency_seconds: float) -> None:
        self._received = received
        self._latency_seconds = latency_seconds
        self._pieces: list[bytes] = []
        self._size = 0
        self._needed = 0  # bytes of head and body; 0 while the head is not complete

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if not self._needed:
            head, end, _ = b"".join(self._pieces).partition(b"\r\n\r\n")
            if not end:
                return
            self._needed = len(head) + len(end) + _content_length(head)
        if self._size >= self._needed:
            self._answer(b"".join(self._pieces))
            self._pieces, self._size, self._needed = [], 0, 0

    def _answer(self, request: bytes) -> None:
        if request.startswith(b"GET"):
            self._transport.write(_response(json.dumps(self._received.take()._asdict()).encode()))
            return
        events = request.count(_AN_EVENT)
        self._received.add(events, len(request))
        answer = _response(b'{"num_events_received":%d,"num_events_processed":%d,"events":[%b]}' % (
            events, events, b",".join([_A_STATUS] * events)
        ))  # fmt: skip
        if self._latency_seconds:
            asyncio.get_running_loop().call_later(
                self._latency_seconds, self._transport.write, answer
            )
        else:
            self._transport.write(answer)


class _Received:
    """The current counts."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._marks: dict[str, float] = {}

    def add(self, events: int, size: int) -> None:
        now, before = time.monotonic(), self._counts
        self._counts = Counts(
            before.events + events,
            before.requests + 1,
            before.bytes + size,
            now if before.first_request_at is None else before.first_request_at,
        )
        for mark in MARKS:
            if before.events < mark <= self._counts.events:
                self._marks[str(mark)] = now

    def take(self) -> Counts:
        counts = self._counts._replace(marks=self._marks)
        self._counts, self._marks = Counts(), {}
        return counts


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


class Server:
    """The server's process, for the duration of a `with` block."""

    def __init__(self, latency_ms: int = 0) -> None:
        self._latency_ms = latency_ms

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.server", str(self._latency_ms)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - this very module
        self.port = int(self._process.stdout.readline()) if self._process.stdout else 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def url(self) -> str:
        """Return the value of the target's `api_url`."""
        return f"http://127.0.0.1:{self.port}/v5"

    def take(self) -> Counts:
        """Return the counts since the last call."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/")
        counts = Counts(**json.loads(connection.getresponse().read()))
        connection.close()
        return counts


async def _serve(latency_seconds: float) -> None:
    received = _Received()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Responder(received, latency_seconds), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the caller waits for it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]) / 1000))
