"""Customer lists in a preview: a stream's entries, compiled by the target's own reader.

It is not known here which members stay on a list: Pinterest is not asked, and a run sends only the
last operation for a member. Has no value of a record except digests, as they would be sent.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from target_pinterest_capi.customer_lists.members import (
    Action,
    MemberResult,
    Record,
    compile_members,
)
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.reasons import Invalid
from target_pinterest_capi.events.redaction import shown_name, without_addresses
from target_pinterest_capi.mapping.entries import OriginNote
from target_pinterest_capi.settings import CustomerListEntry, Settings

OUTCOMES: Final = {Action.ADD: "added", Action.REMOVE: "removed"}
# What to do in an entry of customer_lists, for reasons whose own advice is about an event's field.
ADVICE: Final = {
    str(Invalid.MISSING_FIELD): (
        "The entry's `member`, `operation` or `list_name` has no value for the record, or only "
        "an IP address or a user agent: check its expressions."
    ),
    str(Invalid.BAD_FIELD): (
        "The value of the entry's `operation` is not a word for adding or removing: use add or "
        "remove, true or false."
    ),
}


class PreviewedListEntry(NamedTuple):
    """An entry of customer_lists for one stream.

    `read` returns what a record does; `shown` names the list and its type.
    """

    origin: Origin
    ad_account_id: str
    shown: dict[str, Any]
    read: Callable[[Record], MemberResult]

    def of_list(self, name: str) -> "PreviewedListEntry":
        """Return the entry for a list that a record names."""
        shown = {"list_name": shown_name(name), **self.shown}
        origin = self.origin._replace(mapping=shown_name(name))
        return self._replace(origin=origin, shown=shown)


def compile_lists(
    settings: Settings,
    stream: str,
    key_properties: tuple[str, ...],
    note: OriginNote,
    began_at: datetime,
    *,
    in_plain: bool = False,
) -> tuple[PreviewedListEntry, ...]:
    """Compile every entry of customer_lists for the stream, in the configuration's order.

    With `in_plain` members are shown before hashing.
    """
    return tuple(
        _compile(settings, entry, stream, key_properties, note, began_at, in_plain=in_plain)
        for entry in _entries(settings, stream)
    )


def list_sources(settings: Settings, stream: str) -> Iterator[str]:
    """Yield the expressions of the entries that select a stream's records."""
    for entry in _entries(settings, stream):
        yield from (source for _, source in entry.expressions())


def _entries(settings: Settings, stream: str) -> list[CustomerListEntry]:
    if not settings.customer_lists:
        return []
    # Imports httpx, which a preview of events does not need.
    from target_pinterest_capi.customer_lists.list_delivery import entries_of  # noqa: PLC0415

    return entries_of(settings, stream)


def _compile(
    settings: Settings,
    entry: CustomerListEntry,
    stream: str,
    key_properties: tuple[str, ...],
    note: OriginNote,
    began_at: datetime,
    *,
    in_plain: bool,
) -> PreviewedListEntry:
    # Imports httpx, as above.
    from target_pinterest_capi.customer_lists.list_delivery import configured_list  # noqa: PLC0415

    configured = configured_list(settings, entry)
    origin = Origin(stream, entry.label)
    named = {"list_id": configured.list_id, "list_name": configured.list_name}
    name = {key: without_addresses(value) for key, value in named.items() if value is not None}
    options = settings.options._replace(plain_keys=False, in_plain=in_plain)
    read = compile_members(entry, origin, key_properties, note, options, began_at)
    if configured.list_type is not None:
        name["list_type"] = configured.list_type
    return PreviewedListEntry(origin, configured.ad_account_id, name, read)
