"""What the CSV file of Ads Manager calls things, as far as it is documented, and may not lose.

docs/pinterest-api.md: Events that are too old.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from target_pinterest_capi.events.fields import ACTION_SOURCES, EVENT_NAMES

MOST_DAYS: Final = 30  # that an upload goes back

# Columns by field path, and kinds of events and sources by Pinterest's name in the API.
NAMES: Final[Mapping[str, str]] = {
    "event_time": "event_time",
    "event_name": "event_type",
    "action_source": "source_type",
    "checkout": "Checkout",
    "offline": "offline",
}
SEVERAL_EMAILS: Final = ("email_1", "email_2", "email_3", "email_4")
FIXED_COLUMNS: Final = ("madid", "email", *SEVERAL_EMAILS)

ALWAYS: Final = ("event_time", "event_name", "action_source")

# What a row may have besides, once its column's name is known.
OTHER_COLUMNS: Final = (
    "event_id",
    "opt_out",
    "user_data.ph",
    "user_data.st",
    "user_data.zp",
    "user_data.country",
    "user_data.external_id",
    "custom_data.currency",
    "custom_data.value",
    "custom_data.num_items",
    "custom_data.order_id",
    "custom_data.opt_out_type",
)
NAMEABLE: Final = (
    *ALWAYS,
    *OTHER_COLUMNS,
    *EVENT_NAMES,
    *ACTION_SOURCES,
)
# What a template may be without, so that its owner can say so; never anybody's choice.
MAY_BE_NULL: Final = frozenset({"custom_data.value", "custom_data.currency"})


def must_not_be_lost(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths that a row of this event has to have: its amount, and any opting out."""
    if body.get("opt_out"):
        yield "opt_out"
    custom, user = body.get("custom_data", {}), body.get("user_data", {})
    if "opt_out_type" in custom:
        yield "custom_data.opt_out_type"
        yield from (f"user_data.{name}" for name in ("st", "country") if name in user)
    yield from (f"custom_data.{name}" for name in ("value", "currency") if name in custom)
