"""Parts of a mapping entry that are valid but probably wrong: without effect, or in plain text.

Judged only by the text of the configuration, before any record.
"""

from collections.abc import Iterator
from typing import Final

from target_pinterest_capi.events.column_names import snake_case
from target_pinterest_capi.events.fields import BY_PATH, ITEM_FIELDS, FieldKind
from target_pinterest_capi.expressions.analysis import members_made
from target_pinterest_capi.settings.objects import MappingEntry
from target_pinterest_capi.settings.problems import Problem, did_you_mean

# Identifies a person by itself; an external_id may also be an order number.
PERSONAL: Final = tuple(f"user_data.{leaf}" for leaf in ("em", "ph", "fn", "ln", "db"))
CONTENTS: Final = "custom_data.contents"
_ITEM_MEMBERS: Final = tuple(field.leaf for field in ITEM_FIELDS)
_NO_EVENT_NAME: Final = (
    "has no effect: nothing reads an event's name. Map event_name in fields to the column with "
    "the names"
)


def odd_entry(entry: MappingEntry, where: str) -> Iterator[Problem]:
    """Yield what has no effect in an entry, and plain fields that read what another one hashes."""
    if entry.event_names and entry.preset is None and not entry.fields.get("event_name"):
        yield Problem(f"{where}.event_names", _NO_EVENT_NAME)
    hashed = {source: path for path in PERSONAL for source in entry.fields.get(path) or ()}
    for path, field in BY_PATH.items():  # in an order that does not depend on the configuration's
        if field.kind is FieldKind.TEXT:
            for source in entry.fields.get(path) or ():
                if source in hashed:
                    what = (
                        f"is sent in plain text, but reads what {hashed[source]} hashes: remove it"
                    )
                    yield Problem(f"{where}.fields.{path}", what)
    for source in entry.fields.get(CONTENTS) or ():
        for name in members_made(source):
            if snake_case(name) not in _ITEM_MEMBERS:
                near = did_you_mean(name, _ITEM_MEMBERS)
                advice = f"sets the member {name}, which an item does not have{near}"
                yield Problem(f"{where}.fields.{CONTENTS}", advice)
