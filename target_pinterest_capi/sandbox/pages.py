"""Pages of lists: `page_size`, `order` and `bookmark`, as in all of Pinterest's lists.

Owns the three parameters and the form of a page. Following the bookmarks returns each row once,
even if rows are added in the meantime.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import parse_qs

from target_pinterest_capi.sandbox.answers import OK, Answer, bad_request

# docs/pinterest-api.md: Customer lists (query_page_size, query_order)
PAGE_SIZE: Final = 25
MAX_PAGE_SIZE: Final = 250
ORDERS: Final = ("ASCENDING", "DESCENDING")

_WHOLE: Final = re.compile(r"[0-9]{1,9}").fullmatch
_BOOKMARK: Final = re.compile(rf"({'|'.join(ORDERS)})\|([0-9]{{1,18}})").fullmatch


class PageRow(Protocol):
    """What can be listed: anything with an id of digits."""

    @property
    def id(self) -> str:
        """Digits; a higher one is more recent."""


_Row = TypeVar("_Row", bound=PageRow)


def page(rows: Iterable[_Row], query: str, show: Callable[[_Row], Any]) -> Answer:
    """Return one page of `rows` by id, each formatted by `show`; 400 for a wrong parameter.

    A full page has a bookmark even if nothing follows: it is not known whether Pinterest's last
    page can be empty, so the sandbox's is, if the rows end with a full page.
    """
    values = {name: given[-1] for name, given in parse_qs(query, keep_blank_values=True).items()}
    size = values.get("page_size", str(PAGE_SIZE))
    if not _WHOLE(size) or not 1 <= int(size) <= MAX_PAGE_SIZE:
        return bad_request(f"page_size is not a whole number from 1 to {MAX_PAGE_SIZE}")
    order = values.get("order", ORDERS[0])
    if order not in ORDERS:
        return bad_request(f"order is not one of {list(ORDERS)}")
    after = _read(values["bookmark"], order) if "bookmark" in values else -1
    if after is None:
        return bad_request("bookmark was not returned for this order")
    rising = order == ORDERS[0]
    beyond = (
        row for row in rows if after < 0 or (int(row.id) > after if rising else int(row.id) < after)
    )
    shown = sorted(beyond, key=lambda row: int(row.id), reverse=not rising)[: int(size)]
    bookmark = _bookmark(order, shown[-1].id) if len(shown) == int(size) else None
    return Answer(OK, {"items": [show(row) for row in shown], "bookmark": bookmark})


def _bookmark(order: str, last_id: str) -> str:
    """Return a bookmark: Base64 with all of its characters, so that a client must encode it."""
    return base64.b64encode(f"{order}|{last_id}".encode()).decode()


def _read(bookmark: str, order: str) -> int | None:
    """Return the id at the end of the previous page; None if no page of this order had it."""
    try:
        found = _BOOKMARK(base64.b64decode(bookmark, validate=True).decode())
    except (binascii.Error, ValueError):
        return None
    return int(found[2]) if found and found[1] == order else None
