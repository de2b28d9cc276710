"""The components of Pinterest's event quality score, and their fields in an event."""

from typing import Final, NamedTuple


class Component(NamedTuple):
    """A component: Pinterest's `name` for it, a `title` for people, and its use.

    An event has it if it has one of the `fields`.
    """

    name: str
    title: str
    fields: tuple[str, ...]
    about: str


# docs/pinterest-api.md: Event quality score (QualityComponents, in its order)
COMPONENTS: Final = (
    Component("hashed_email", "E-mail", ("user_data.em",), "The strongest match key."),
    Component(
        "hashed_maid", "Mobile ad id", ("user_data.hashed_maids",), "Matches people in apps."
    ),
    Component(
        "ip_address",
        "IP address",
        ("user_data.client_ip_address",),
        "Matches together with the user agent.",
    ),
    Component(
        "user_agent",
        "User agent",
        ("user_data.client_user_agent",),
        "Matches together with the IP address.",
    ),
    Component(
        "click_id_epik",
        "Click id (epik)",
        ("user_data.click_id",),
        "Identifies the click on the ad.",
    ),
    Component(
        "advertiser_external_id",
        "Customer id",
        ("user_data.external_id",),
        "Connects the events of one customer.",
    ),
    Component(
        "external_event_id",
        "Event id",
        ("event_id",),
        "Removes duplicates of the browser tag. Every event has one.",
    ),
    Component("order_id", "Order id", ("custom_data.order_id",), "For purchases."),
    Component(
        "order_value",
        "Order value",
        ("custom_data.value",),
        "For purchases: the basis of return on ad spend.",
    ),
    Component(
        "product_id",
        "Product ids",
        ("custom_data.content_ids", "custom_data.contents"),
        "For catalogue and shopping ads.",
    ),
    Component("source_url", "Page address", ("event_source_url",), "For events on the web."),
)
