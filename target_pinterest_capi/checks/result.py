"""The result of a check: a step, its status, and what to do about it. Nothing is checked here.

A message has names of settings, hosts, ad accounts and statuses, never a token or a value of a
record.
"""

from enum import StrEnum
from typing import Final, NamedTuple

# Where to find a setting's value. docs/getting-a-token.md explains it.
TOKEN_PLACE: Final = "In Pinterest: Ads > Conversions > Set up API > Generate new token"  # noqa: S105 - a menu
ACCOUNT_PLACE: Final = (
    "In Pinterest: the number in the address of Ads Manager; also under Ads > Conversions > Set"
    " up API"
)
APP_PLACE: Final = "In Pinterest: developers.pinterest.com > My apps"
PLACES: Final = {
    "conversion_token": TOKEN_PLACE,
    "ad_account_id": ACCOUNT_PLACE,
    "oauth": APP_PLACE,
}  # by the first name of a path


class CheckStatus(StrEnum):
    """The status of a step."""

    OK = "ok"
    WARNING = "warning"  # it works, but may not do what was intended
    FAILED = "failed"
    SKIPPED = "skipped"  # not checked; the message says why


class CheckResult(NamedTuple):
    """One line of a check.

    `advice` is what to do, `place` where it is in Pinterest's pages, `details` are further lines.
    """

    step: str
    status: CheckStatus
    message: str
    advice: str = ""
    place: str = ""
    details: tuple[str, ...] = ()


def has_failed(results: list[CheckResult]) -> bool:
    """Return whether any step failed."""
    return any(result.status is CheckStatus.FAILED for result in results)


def place_of(path: str) -> str:
    """Return where in Pinterest's pages a setting's value is found, by its path, or ""."""
    names = {name.removesuffix("_file") for name in path.replace("[", ".").split(".")}
    return next((place for name, place in PLACES.items() if name in names), "")
