"""Which built-in preset fits a stream, by columns that only its source has."""

from collections.abc import Collection, Mapping
from typing import Final

from target_pinterest_capi.expressions.analysis import roots
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.settings import MappingEntry
from target_pinterest_capi.suggestions.profile import StreamProfile

# A stream with all columns of a row fits; the first matching row decides.
MARKS: Final = (
    ("shopify", ("financial_status", "processed_at")),
    ("shopify", ("displayFinancialStatus", "processedAt")),
    ("shopify", ("totalPriceSet", "processedAt")),
    ("shopify", ("orders_count", "email", "created_at")),
    ("shopify", ("numberOfOrders", "email", "createdAt")),
    ("woocommerce", ("date_created_gmt", "billing", "status")),
    ("woocommerce", ("date_created", "billing", "line_items", "status")),
    ("bigcommerce", ("date_created", "billing_address", "total_inc_tax", "status")),
    ("magento", ("increment_id", "state", "created_at", "grand_total")),
    ("salesforce_commerce", ("orderNo", "creationDate", "customerInfo", "status")),
    ("salesforce_commerce", ("order_no", "creation_date", "customer_info", "status")),
    ("stripe", ("object", "created", "amount", "currency", "captured", "status")),
    ("stripe", ("object", "created", "amount_total", "currency", "payment_status")),
    ("posthog", ("event", "uuid", "timestamp", "distinct_id", "properties")),
    ("metarouter", ("messageId", "context", "_metarouter")),
    ("segment", ("messageId", "context", "timestamp")),
    ("ga4", ("event_name", "event_timestamp", "event_params")),
    ("snowplow", ("event_id", "collector_tstamp", "domain_userid")),
    ("snowplow", ("event_id", "derived_tstamp", "user_ipaddress")),
    ("rudderstack", ("id", "event", "context_ip")),
    ("rudderstack", ("id", "event", "original_timestamp", "sent_at")),
    ("rudderstack", ("id", "path", "context_ip")),
    ("adobe_xdm", ("_id", "timestamp", "eventType")),
    ("adobe_xdm", ("_id", "timestamp", "identityMap")),
)
IDENTIFIERS: Final = (
    "user_data.em",
    "user_data.hashed_maids",
    "user_data.client_ip_address",
)
_FEWEST_FIELDS: Final = 4  # of Pinterest's own names, for a stream to count as flat columns


def fitting_preset(stream: StreamProfile) -> tuple[str, str] | None:
    """Return a preset's name and the reason; None if no preset fits."""
    for name, columns in MARKS:
        if stream.roots.issuperset(columns):
            return name, f"it has the columns {', '.join(columns)}"
    fields = pinterest_entry(stream).fields
    if len(fields) >= _FEWEST_FIELDS and any(path in fields for path in IDENTIFIERS):
        return presets.PINTEREST, f"{len(fields)} of its columns are named like Pinterest's fields"
    return None


def pinterest_entry(stream: StreamProfile) -> MappingEntry:
    """Return the entry of preset `pinterest` for the columns of a stream."""
    return presets.load(presets.PINTEREST, stream.roots, _members(stream))


def entry_of(name: str, stream: StreamProfile) -> MappingEntry:
    """Return a preset as its entry for a stream."""
    if name == presets.PINTEREST:
        return pinterest_entry(stream)
    return presets.load(name, stream.roots)


def reads(entry: MappingEntry, field: str, columns: Collection[str]) -> bool:
    """Return whether a preset reads a field from one of the columns."""
    expressions = entry.fields.get(field)
    if not expressions:
        return False
    found = roots(*expressions)
    return found is None or not found.isdisjoint(columns)


def _members(stream: StreamProfile) -> Mapping[str, Collection[str]]:
    members: dict[str, set[str]] = {}
    for path in stream.columns:
        if len(path) == 2:  # noqa: PLR2004 - an object's column and its member
            members.setdefault(path[0], set()).add(path[1])
    return members
