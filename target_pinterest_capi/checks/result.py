"""What a check found: a step, how it went, and what a person does about it. Plain values; nothing is checked here.

A message holds names of settings, hosts, ad accounts and statuses, never a token or a value of a record.
"""

from enum import StrEnum
from typing import Final, NamedTuple

# Where a setting's value is found. docs/getting-a-token.md has the way in full.
TOKEN_PLACE: Final = "In Pinterest: Ads > Conversions > Set up API > Generate new token"  # noqa: S105 - a menu
ACCOUNT_PLACE: Final = "In Pinterest: the number in the address of Ads Manager; also under Ads > Conversions > Set up API"
APP_PLACE: Final = "In Pinterest: developers.pinterest.com > My apps"
PLACES: Final = {
    "conversion_token": TOKEN_PLACE,
    "ad_account_id": ACCOUNT_PLACE,
    "oauth": APP_PLACE,
}  # by a path's first name


class CheckStatus(StrEnum):
    """How a step went."""

    OK = "ok"
    WARNING = "warning"  # it works, and may not do what was meant
    FAILED = "failed"
    SKIPPED = "skipped"  # not checked; the message says why


class CheckResult(NamedTuple):
    """One line of a check: `advice` is what to do, `place` where in Pinterest's pages, `details` further lines, each one thing."""

    step: str
    mark: CheckStatus
    message: str
    advice: str = ""
    place: str = ""
    details: tuple[str, ...] = ()


def has_failed(findings: list[CheckResult]) -> bool:
    """Tell whether any step failed."""
    return any(finding.mark is CheckStatus.FAILED for finding in findings)


def place_of(path: str) -> str:
    """Give where the value of a setting is found, by its path; empty where that is no page of Pinterest's."""
    names = {name.removesuffix("_file") for name in path.replace("[", ".").split(".")}
    return next((place for name, place in PLACES.items() if name in names), "")
