"""Values that are sent as they are, but may not have the intended effect.

Each rule decides one `Warned` reason and drops nothing. What runs for every event takes nanoseconds
if there is nothing to warn about.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Final

import msgspec

from target_pinterest_capi.events.hashing import digest
from target_pinterest_capi.events.normalize import is_private
from target_pinterest_capi.events.reasons import Warned

LIMITED: Final = "LDP"  # docs/pinterest-api.md: custom_data
_UNITED_STATES: Final = frozenset({digest("us"), "us"})  # plain in a preview with plain values

# of a value's whole part: from 1,000,000,000, which is high in any currency
HIGH_DIGITS: Final = 10


def amount_warning(amount: str) -> Warned | None:
    """Return the warning about an event's value in its normal form."""
    if amount[0] == "-" or not amount.strip("0."):
        return Warned.VALUE_NOT_POSITIVE
    is_high = len(amount.partition(".")[0]) >= HIGH_DIGITS
    return Warned.VALUE_UNUSUALLY_HIGH if is_high else None


# Programs that name themselves. Cubot makes phones.
_is_program: Final = re.compile(
    r"(?<!cu)bot\b|crawler|spider|slurp|bingpreview|facebookexternalhit|headless|phantomjs"
    r"|lighthouse|scrapy|curl/|wget/|python-|aiohttp/|httpx/|libwww|go-http-client|java/|axios/"
    r"|node-fetch|postmanruntime|insomnia/",
    re.IGNORECASE,
).search


def user_agent_warning(agent: str) -> Warned | None:
    """Return the warning about a user agent: that of a program, or not a user agent at all."""
    if _is_program(agent):
        return Warned.BOT_USER_AGENT
    return None if "/" in agent else Warned.IMPOSSIBLE_USER_AGENT


class Home(msgspec.Struct, gc=False):
    """Where a customer lives: these members of `user_data`."""

    st: list[str] | None = None
    country: list[str] | None = None


decode_home: Final = msgspec.json.Decoder(Home).decode  # from an encoded `user_data`


def limited_warning(opt_out_type: str, home: Home) -> Warned | None:
    """Return the warning about limited data processing without effect."""
    if opt_out_type != LIMITED:
        return Warned.UNKNOWN_OPT_OUT_TYPE
    if home.st is None or home.country is None:
        return Warned.LDP_INCOMPLETE
    is_elsewhere = _UNITED_STATES.isdisjoint(home.country)
    return Warned.LDP_WITHOUT_EFFECT if is_elsewhere else None


SAMPLED: Final = 8  # the first of so many events is examined
FEWEST: Final = 50  # examined, before a share means anything
LARGE_SHARE: Final = 0.2
COUNTERS: Final = 32  # for each field: any identifier with over 1/33 of the events has one
_WATCHED: Final = ("em", "ph", "hashed_maids", "external_id", "client_ip_address")


class RepeatedIdentifiers:
    """Finds identifiers in a large share of events, in bounded memory (Misra and Gries).

    `is_due` says for each event whether to examine it. Counts digests, and public IP addresses.
    """

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note
        self._shares = [(name, _LargeShares()) for name in _WATCHED]
        self.is_due = cycle((True,) + (False,) * (SAMPLED - 1)).__next__

    def look_at(self, customer: Mapping[str, Sequence[str]]) -> None:
        """Count an event's identifiers, and note what may be wrong with them."""
        for name, shares in self._shares:
            found = customer.get(name)
            if found is None:
                continue
            identifiers: Sequence[str] = (found,) if isinstance(found, str) else found
            for identifier in identifiers:
                is_large = shares.count(identifier)
                if is_large and not (identifier is found and is_private(identifier)):
                    self._note(f"user_data.{name}", Warned.REPEATED_IDENTIFIER)
        if "fn" in customer and customer["fn"] == customer.get("ln"):
            self._note("user_data.ln", Warned.SAME_NAMES)


class _LargeShares:
    """Counts the identifiers of one field."""

    def __init__(self) -> None:
        self._seen = 0
        self._counts: dict[str, int] = {}

    def count(self, identifier: str) -> bool:
        """Count an identifier; return whether it is a large share of all so far."""
        self._seen += 1
        counts = self._counts
        if identifier in counts:
            counts[identifier] += 1
            return self._seen >= FEWEST and counts[identifier] > LARGE_SHARE * self._seen
        if len(counts) < COUNTERS:
            counts[identifier] = 1
        else:
            self._counts = {known: count - 1 for known, count in counts.items() if count > 1}
        return False
