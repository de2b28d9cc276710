"""Which components events of a kind should have, in which share, and how to map them."""

from typing import Final, NamedTuple

WEB: Final = frozenset({"WEB"})
APPS: Final = frozenset({"MOBILE", "MOBILE_ANDROID", "MOBILE_IOS"})
PURCHASES: Final = frozenset({"checkout"})
OF_PRODUCTS: Final = frozenset(
    {"add_to_cart", "add_to_wishlist", "checkout", "initiate_checkout", "view_content"}
)


class Expected(NamedTuple):
    """How much of a component is enough, in per cent, and how to map it.

    `platforms` and `event_names` are those for which it is expected; None: all.
    """

    enough: float
    platforms: frozenset[str] | None
    event_names: frozenset[str] | None
    how: str


# Our own limits, because Pinterest's figures have no scale. Only visits from ads have a click id,
# so any share will do.
EXPECTED: Final = {
    "hashed_email": Expected(
        70, None, None, "all e-mail addresses of the customer in the source"
    ),
    "hashed_maid": Expected(50, APPS, None, "the phone's advertising id"),
    "ip_address": Expected(
        70,
        WEB | APPS,
        None,
        "the shopper's own address, not your server's; it counts only with the user agent",
    ),
    "user_agent": Expected(
        70, WEB | APPS, None, "the shopper's browser; it counts only with the IP address"
    ),
    "click_id_epik": Expected(
        1, WEB, None, "the cookie _epik; or the page's full URL, from which it is derived"
    ),
    "advertiser_external_id": Expected(
        50, None, None, "your customer id, the same that your browser tag sends"
    ),
    "external_event_id": Expected(90, None, None, "an id that your browser tag also sends"),
    "order_id": Expected(90, None, PURCHASES, "the order's number"),
    "order_value": Expected(90, None, PURCHASES, "the order's total, with custom_data.currency"),
    "product_id": Expected(70, None, OF_PRODUCTS, "the products' ids as in your catalogue"),
    "source_url": Expected(70, WEB, None, "the page on which it happened"),
}  # fmt: skip


# Pinterest's name of the platform for each action_source.
PLATFORMS: Final = {
    "web": "WEB",
    "app_android": "MOBILE_ANDROID",
    "app_ios": "MOBILE_IOS",
    "offline": "OFFLINE",
}


def is_expected(component: str, source_platform: str, event_name: str) -> bool:
    """Return whether an event of this platform and name can be expected to have a component."""
    rule = EXPECTED.get(component)
    return rule is not None and (
        (rule.platforms is None or source_platform in rule.platforms)
        and (rule.event_names is None or event_name in rule.event_names)
    )
