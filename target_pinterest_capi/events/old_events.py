"""Names in Ads Manager's CSV file, as far as they are documented, and what it must not lose.

docs/pinterest-api.md: Events that are too old.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from target_pinterest_capi.events.fields import ACTION_SOURCES, EVENT_NAMES

MOST_DAYS: Final = 30  # the maximum age in an upload

# Columns by field path, and event types and sources by Pinterest's name in the API.
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

# What a row may also have, once its column's name is known.
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
# Columns that a template may lack, so that its owner can say so; never a person's choice.
MAY_BE_NULL: Final = ("custom_data.value", "custom_data.currency")
OPT_OUT_TYPE: Final = "custom_data.opt_out_type"
BESIDE_OPT_OUT_TYPE: Final = ("user_data.st", "user_data.country")
NEVER_LOST: Final = (*MAY_BE_NULL, "opt_out", OPT_OUT_TYPE)


def must_not_be_lost(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths that a row of this event must have: its amount, and any opt-out."""
    if body.get("opt_out"):
        yield "opt_out"
    custom, user = body.get("custom_data", {}), body.get("user_data", {})
    if "opt_out_type" in custom:
        yield "custom_data.opt_out_type"
        yield from (f"user_data.{name}" for name in ("st", "country") if name in user)
    yield from (f"custom_data.{name}" for name in ("value", "currency") if name in custom)
