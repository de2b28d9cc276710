"""Rejections that are held until something was accepted: only then are the events the cause.

If Pinterest refuses everything, the settings are wrong and not the data: the run stops, and nothing
is written to the dead letters.
"""

from typing import Final, Generic, TypeVar

REJECTIONS_BEFORE_STOP: Final = 3  # of single events or members, while none was accepted

Rejection = TypeVar("Rejection")


class UnconfirmedRejections(Generic[Rejection]):
    """Rejections of single events or members, held until one was accepted."""

    def __init__(self) -> None:
        self._held: list[Rejection] = []
        self._is_confirmed = False

    def __len__(self) -> int:
        return len(self._held)

    @property
    def are_too_many(self) -> bool:
        """Whether so many were rejected and none accepted that the run must stop."""
        return len(self._held) >= REJECTIONS_BEFORE_STOP

    def hold(self, rejection: Rejection) -> bool:
        """Hold a rejection; return False if it is already confirmed, because one was accepted."""
        if not self._is_confirmed:
            self._held.append(rejection)
        return not self._is_confirmed

    def confirm(self) -> list[Rejection]:
        """Return those held, now confirmed; from now on none is held."""
        self._is_confirmed = True
        return self.release()

    def release(self) -> list[Rejection]:
        """Return those held, because nothing will come that could confirm them."""
        held, self._held = self._held, []
        return held
