"""The sandbox on a real socket: uvicorn in a thread, as a context manager.

Owns the thread and the socket. The address answers as soon as the block is entered, and nothing is
left after the block: requests that wait or drip are dropped. Never touches the process's signals.
"""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from target_pinterest_capi.sandbox.app import SandboxConfig, create_app
from target_pinterest_capi.sandbox.fault_plans import Faults
from target_pinterest_capi.sandbox.store import Store


class _Protocol(H11Protocol):
    """HTTP/1.1 that lets the application end its connection.

    `drop` and `hang_up` are in the state of each request.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "drop": transport.abort, "hang_up": transport.close}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """uvicorn's server, woken instead of polling, so that it stops at once."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self.stopping = stopping
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        await self.on_tick(0)
        self.loop = asyncio.get_running_loop()
        self.ready.set()
        await self.stopping.wait()

    def stop(self) -> None:
        """End it, from any thread."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.stopping.set)


class Sandbox:
    """Pinterest on loopback, for the length of a `with` block.

    `with Sandbox() as pinterest: ... pinterest.url`.

    Attributes:
        store: what it received (requests, events, counters).
        faults: what goes wrong on purpose; change it at any time.
    """

    store: Store
    faults: Faults

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config or SandboxConfig()
        self._address: tuple[Any, ...] = ("", 0)
        self._failure: BaseException | None = None

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self._address[1])

    @property
    def origin(self) -> str:
        """Return scheme, host and port, with a host to which this machine can connect.

        `/_sandbox/` is below it.
        """
        bound = str(self._address[0])
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, bound)  # noqa: S104 - replaced
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        """Return the value for the setting `api_url`."""
        return f"{self.origin}/v5"

    def __enter__(self) -> Self:
        listener = _listen(self.config.host, self.config.port)
        try:
            app = create_app(self.config)
        except OSError:
            listener.close()
            raise
        self._address = listener.getsockname()
        self.store, self.faults = app.state.store, app.state.faults
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config, app.state.stopping)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="pinterest-sandbox", daemon=True
        )
        self._thread.start()
        self._server.ready.wait()
        if self._failure is not None:
            self.__exit__(None, None, None)
            raise RuntimeError("the sandbox did not start") from self._failure
        return self

    def _run(self, listener: socket.socket) -> None:
        try:
            with listener:
                self._server.run(sockets=[listener])
        except BaseException as failure:  # noqa: BLE001 - raised in the thread that waits for it
            self._failure = failure
        finally:
            self._server.ready.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._thread.join()
        self.store.close()


def _listen(host: str, port: int) -> socket.socket:
    """Bind and listen, so that no connection is refused while the server starts.

    Raises: OSError: the address is not available.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    # With the protocol: asyncio sets TCP_NODELAY only if it is named, otherwise an answer takes 40
    # ms
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
