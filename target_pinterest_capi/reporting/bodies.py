"""What a report counts of an event, read from its bytes.

Most events have it from when they were built. Those that come from elsewhere, such as dead letters
that are sent again, are read here. Members stay raw JSON: nothing of an event is kept.
"""

from typing import Final

import msgspec

from target_pinterest_capi.events.event import Event
from target_pinterest_capi.events.traits import traits_of

Present = msgspec.Raw | msgspec.UnsetType


class _User(msgspec.Struct, gc=False):
    """`user_data`: what an event is matched by."""

    em: Present = msgspec.UNSET
    hashed_maids: Present = msgspec.UNSET
    client_ip_address: Present = msgspec.UNSET
    client_user_agent: Present = msgspec.UNSET
    click_id: Present = msgspec.UNSET
    external_id: Present = msgspec.UNSET


class _Custom(msgspec.Struct, gc=False):
    """`custom_data`: what was bought or seen, and what it was worth."""

    order_id: Present = msgspec.UNSET
    value: str | msgspec.UnsetType = msgspec.UNSET
    currency: str | msgspec.UnsetType = msgspec.UNSET
    content_ids: Present = msgspec.UNSET
    contents: Present = msgspec.UNSET


class _Body(msgspec.Struct, gc=False):
    """An event's members that are counted."""

    user_data: _User
    action_source: str = ""
    custom_data: _Custom = msgspec.field(default_factory=_Custom)
    event_source_url: Present = msgspec.UNSET


_decode: Final = msgspec.json.Decoder(_Body).decode


def examined(event: Event) -> Event:
    """Return an event with its `traits` and `value`. A body does not say that an id was derived."""
    if event.traits is not None:
        return event
    body = _decode(event.body)
    user, custom, absent = body.user_data, body.custom_data, msgspec.UNSET
    components = (
        user.em is not absent,
        user.hashed_maids is not absent,
        user.client_ip_address is not absent,
        user.client_user_agent is not absent,
        user.click_id is not absent,
        user.external_id is not absent,
        True,  # event_id, which is required
        custom.order_id is not absent,
        custom.value is not absent,
        custom.content_ids is not absent or _has_id(custom.contents),
        body.event_source_url is not absent,
    )
    return msgspec.structs.replace(
        event,
        traits=traits_of[body.action_source, custom.currency or None, False, *components],
        value=custom.value or None,
    )


def _has_id(contents: Present) -> bool:
    """Return whether an item has an id.

    No text in JSON contains an unescaped quote, so these bytes can only be a member's name.
    """
    return isinstance(contents, msgspec.Raw) and b'"id":' in bytes(contents)
