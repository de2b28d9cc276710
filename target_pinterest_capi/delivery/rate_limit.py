"""Requests in a window of time: our own count, and the server's headers, which take precedence.

Never sleeps; the clock is an argument.
"""

from collections import deque
from typing import Final

WINDOW_SECONDS: Final = 60.0


class RateLimit:
    """The requests of one account or app in a sliding window, by default of a minute.

    Any window that the server uses, fixed or sliding, then has at most the limit.
    """

    def __init__(self, calls: int, window_seconds: float = WINDOW_SECONDS) -> None:
        self._starts: deque[float] = deque(maxlen=calls)
        self._window_seconds = window_seconds
        self._blocked_until = 0.0

    def free_at(self, now: float) -> float:
        """Return the time, on the clock of `now`, from which the next request may start."""
        full = len(self._starts) == self._starts.maxlen
        return max(
            now, self._blocked_until, self._starts[0] + self._window_seconds if full else 0.0
        )

    def count_call(self, now: float) -> None:
        """Count a request that starts."""
        self._starts.append(now)

    def block(self, until: float) -> None:
        """Hold every request of the account until then, as the server asked."""
        self._blocked_until = max(self._blocked_until, until)
