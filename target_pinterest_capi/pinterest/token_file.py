"""The file of `oauth.token_path`: the newest refresh token, which Pinterest replaces on use.

Private (0600) and written atomically, by one process at a time. It has the digest of the configured
token from which its own is derived, so that a newly configured one takes precedence; a sign-in
stays valid with any configured token. Never shows a token. Every problem is a `FlowStopped`, with
what to do about it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.files.durable import replacement
from target_pinterest_capi.files.locks import locked_beside
from target_pinterest_capi.pinterest.calls import FlowStopped

LOGIN: Final = "sign in with `pinterest-capi login`"
# An exchange takes one request; the processes of a host wait for each other.
LOCK_WAIT_SECONDS: Final = 60.0
_FILE_BYTES: Final = 4096  # more than a token file ever has
_NOT_OURS: Final = "it is not a file of this program"


class TokenFile:
    """The file at a path; `configured` is the refresh token of the settings, if they have one."""

    def __init__(self, path: str, configured: str | None) -> None:
        self._path = Path(path).expanduser()
        self._configured = configured
        self._put: Callable[[bytes], None]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the file's lock, and reserve disk space for a new token, which is stored within.

        Raises `OSError` if there is no space, and `TimeoutError` if another process holds the lock.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with (
            locked_beside(self._path, LOCK_WAIT_SECONDS),
            replacement(self._path, room=_FILE_BYTES, is_private=True) as put,
        ):
            self._put = put
            yield

    def newest(self) -> str:
        """Return the refresh token to use.

        That is the file's if it is derived from the configured one or if none is configured;
        otherwise the configured one.
        """
        kept = self._read()
        if kept is None or not self._is_ours(kept):
            if self._configured is None:
                raise FlowStopped(
                    "there is no refresh token: oauth.refresh_token is not set, and the file of "
                    f"oauth.token_path does not exist yet. To get one, {LOGIN}."
                )
            return self._configured
        token = kept.get("refresh_token")
        if isinstance(token, str) and token:
            return token
        if self._configured is None:
            raise _unreadable(_NOT_OURS)
        return self._configured

    def keep_refreshed(self, refresh_token: str, exchanged: str) -> None:
        """Store the token that replaces the `exchanged` one, while the file is locked.

        On a file system without locks, a token that another process has stored in the meantime is
        kept: it is not older.
        """
        try:
            newest = self.newest()
        except FlowStopped:  # it was removed or damaged in the meantime
            newest = exchanged
        if newest == exchanged:
            self.keep(refresh_token)

    def keep(self, refresh_token: str) -> None:
        """Store a refresh token, replacing any existing one, while the file is locked."""
        content = {
            "descends_from": None if self._configured is None else digest(self._configured),
            "refresh_token": refresh_token,
            "refreshed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            self._put(json.dumps(content).encode() + b"\n")
        except OSError as error:
            raise FlowStopped(
                "the new refresh token could not be stored in oauth.token_path: "
                f"{error.strerror}. The old one is no longer valid: make room, and {LOGIN}."
            ) from None

    def _read(self) -> dict[str, Any] | None:
        """Return the file's contents; None if there is no file."""
        try:
            kept: Any = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(error.strerror or type(error).__name__) from None
        except (ValueError, RecursionError):
            raise _unreadable(_NOT_OURS) from None
        return kept if isinstance(kept, dict) else {}

    def _is_ours(self, kept: dict[str, Any]) -> bool:
        if self._configured is None:
            return True
        return bool(kept.get("descends_from") == digest(self._configured))


def no_place(error: OSError) -> FlowStopped:
    """Return the message for when the new token could not be stored, so nothing is exchanged."""
    return FlowStopped(
        f"the folder of oauth.token_path cannot be written: {error.strerror}. Pinterest replaces "
        "a refresh token when it is used, and the new one must be stored: make it writable. "
        "Nothing was refreshed."
    )


def _unreadable(reason: str) -> FlowStopped:
    return FlowStopped(
        f"the file of oauth.token_path cannot be read: {reason}. Repair or remove it."
    )
