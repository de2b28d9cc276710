"""Records and events for tests: an invented shopper at example.com."""

import hashlib
import time
from typing import Any

from target_pinterest_capi.events.event import Account, Event, Origin, encode


def seconds_ago(seconds: float = 0) -> int:
    """Return the current whole Unix time at each call, because a suite may take long."""
    return int(time.time() - seconds)


def digest(text: str) -> str:
    """Return the SHA-256 of a normal form."""
    return hashlib.sha256(text.encode()).hexdigest()


def visit(number: int = 0, **columns: Any) -> dict[str, Any]:
    """Return a record with columns named like Pinterest's fields that becomes a valid event."""
    return {
        "event_id": f"visit-{number}",
        "event_name": "page_visit",
        "event_time": seconds_ago(60),
        "action_source": "web",
        "em": f"shopper{number}@example.com",
        **columns,
    }


def event(
    number: int = 0, account: Account | None = None, *, offline: bool = False, at: int | None = None
) -> Event:
    """Return an event ready to be sent, of a minute ago or another time."""
    source = "offline" if offline else "web"
    at = seconds_ago(60) if at is None else at
    body = {
        "event_name": "page_visit",
        "action_source": source,
        "event_time": at,
        "event_id": f"visit-{number}",
        "user_data": {"em": [digest(f"shopper{number}@example.com")]},
    }
    return Event(
        encode(body),
        account or ACCOUNT,
        Origin("visits", "pinterest"),
        "page_visit",
        f"visit-{number}",
        not offline,
        at,
        "event_id",
    )


ACCOUNT = Account("549755885175", "sandbox-token")
