"""The advertiser's own event names in the settings: does Pinterest have them defined?

One attempt to read them, with the access token of `oauth`. An event of a name that is not defined
is processed, with a warning that Pinterest does not know the name.
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
    f"An ad account has room for {defined_events.MOST_NAMES}: delete some, or map several to one."
)


def skip_own_event_names(settings: Settings, why: str) -> Iterator[CheckResult]:
    """Yield that names of one's own, where the settings have any, were not looked up, and why."""
    if own_event_names(settings):
        about = f"names of your own are not looked up at Pinterest: {why}"
        yield CheckResult(OWN_NAMES, CheckStatus.SKIPPED, about)


def check_own_event_names(settings: Settings, client: Client, token: str) -> Iterator[CheckResult]:
    """Yield for each name of one's own whether it is defined in the ad account."""
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
            f"{len(together)} names, with those that are defined, are more than there is room for"
        )
        yield CheckResult(OWN_NAMES, CheckStatus.WARNING, about, NO_ROOM)
