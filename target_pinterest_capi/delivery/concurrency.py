"""How many requests may be in flight at once: additive increase, multiplicative decrease."""


class ConcurrencyLimit:
    """Starts at the maximum, is halved when the server asks to slow down, and grows on success.

    It grows by one request after as many successes as requests are allowed at once.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = float(maximum)
        self._limit = self._maximum

    def allows(self, in_flight: int) -> bool:
        """Return whether one more request may start beside those in flight."""
        return in_flight < int(self._limit)

    def grow(self) -> None:
        """Raise the limit after a success."""
        self._limit = min(self._maximum, self._limit + 1.0 / self._limit)

    def halve(self) -> None:
        """Halve the limit, but never below one request."""
        self._limit = max(1.0, self._limit / 2)
