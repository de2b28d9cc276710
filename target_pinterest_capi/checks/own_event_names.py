"""The advertiser's own event names in the settings: are they defined at Pinterest?

One attempt to read them, with the access token of `oauth`. An event with a name that is not defined
is processed with a warning.
"""

from collections.abc import Iterator
from typing import Final

from target_pinterest_capi.checks.result import CheckResult, CheckStatus
from target_pinterest_capi.pinterest import defined_events
from target_pinterest_capi.pinterest.client import Client
from target_pinterest_capi.pinterest.responses import DefinedEvents, NoResponse
from target_pinterest_capi.pinterest.retries import describe
from target_pinterest_capi.settings import Settings
from target_pinterest_capi.settings.event_names import own_event_names
from target_pinterest_capi.settings.problems import did_you_mean

OWN_NAMES: Final = "own names"
ADVICE: Final = (
    "Define it with `pinterest-capi events define`, or map it to one of Pinterest's names."
)
NO_ROOM: Final = (
    f"An ad account can have {defined_events.MOST_NAMES} names: delete some, or map several to one."
)


def skip_own_event_names(settings: Settings, why: str) -> Iterator[CheckResult]:
    """Yield that one's own event names, if the settings have any, were not looked up, and why."""
    if own_event_names(settings):
        about = f"your own event names are not looked up at Pinterest: {why}"
        yield CheckResult(OWN_NAMES, CheckStatus.SKIPPED, about)


def check_own_event_names(settings: Settings, client: Client, token: str) -> Iterator[CheckResult]:
    """Yield for each of one's own event names whether it is defined in the ad account."""
    names = own_event_names(settings)
    if not names:
        return
    account = settings.ad_account_id
    reply = defined_events.read_events(client, token, account)
    if isinstance(reply, NoResponse) or not isinstance(reply.body, DefinedEvents):
        yield from skip_own_event_names(settings, describe(reply))
        return
    defined = {event.name for event in reply.body.items}
    for name in names:
        if name in defined:
            about = f"{name} is defined in ad account {account}"
            yield CheckResult(OWN_NAMES, CheckStatus.OK, about)
        else:
            about = f"{name} is not defined in ad account {account}{did_you_mean(name, defined)}"
            yield CheckResult(OWN_NAMES, CheckStatus.WARNING, about, ADVICE)
    together = defined.union(names)
    if len(together) > defined_events.MOST_NAMES and not defined.issuperset(names):
        about = (
            f"{len(together)} names, including those that are defined, are more than an account "
            "can have"
        )
        yield CheckResult(OWN_NAMES, CheckStatus.WARNING, about, NO_ROOM)
