"""The normal forms, one row each: what makes the form, the fast path to it, and what remembers it.

A cache holds the forms of low-cardinality fields only, never what identifies a person by itself.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events import normalize
from target_pinterest_capi.events.reasons import LeftOut

Form = Callable[[str], str | LeftOut]

CACHE_SIZE: Final = 16_384  # converted texts that are kept for each field
CACHED_LENGTH: Final = 64  # longer texts are not kept
LONGEST_AGENT: Final = 512  # but user agents are
# An id may look like any digest: a UUID without its dashes does.
MAY_LOOK_LIKE_DIGESTS: Final = ("external_id", "maid")
MAY_BE_TOKENS: Final = ("external_id",)
CACHED_REGIONS: Final = 4  # countries whose postal codes are kept


class NormalForm(NamedTuple):
    """One normal form.

    `normalize` makes it of a text; `fast_path` names a row of `members.FAST_PATHS`. A field of the
    form keeps its converted texts in a `cache`, if there is one. The converter of a `regional`
    form takes the record's country as well. `split` returns the values of a text that holds
    several; those of a `bracketed` form are known in brackets that are no JSON, too.
    """

    normalize: Callable[..., Any]
    fast_path: str
    cache: Callable[[Callable[..., Any]], Any] | None = None
    regional: bool = False
    split: Callable[[str], list[str]] | None = None
    bracketed: bool = False


def normal_forms(
    *, date_format: str | None, external_id_lower: bool, postal_code_digits: bool
) -> dict[str, NormalForm]:
    """Return the rows, by the names that the field table uses."""
    birth_date = partial(normalize.birth_date, date_format=date_format)
    external_id = partial(normalize.external_id, lower=external_id_lower)
    postal_code = partial(normalize.postal_code, digits_only=postal_code_digits)
    return {
        "email": NormalForm(normalize.email, "email", split=normalize.split_emails, bracketed=True),
        "phone": NormalForm(normalize.phone, "phone", regional=True, split=normalize.split_phones),
        "gender": NormalForm(normalize.gender, "cached", BoundedCache),
        "birth_date": NormalForm(birth_date, "cached", BoundedCache),
        "name": NormalForm(normalize.name, "cached", BoundedCache),
        "city": NormalForm(normalize.city, "cached", BoundedCache),
        "state": NormalForm(normalize.state, "cached", BoundedCache),
        "postal_code": NormalForm(postal_code, "postal code", RegionalCache, regional=True),
        "country": NormalForm(normalize.country, "cached", BoundedCache),
        "external_id": NormalForm(external_id, "digest" if external_id_lower else "id"),
        "maid": NormalForm(normalize.maid, "maid", split=normalize.split_maids, bracketed=True),
        "ip_address": NormalForm(normalize.ip_address, "ip address"),
        "currency": NormalForm(normalize.currency, "cached", BoundedCache),
        "language": NormalForm(normalize.language, "cached", BoundedCache),
        "customer_type": NormalForm(normalize.customer_type, "cached", BoundedCache),
    }


def split_texts(values: list[Any], split: Callable[[str], list[str]] | None) -> list[Any]:
    """Return the values, a text that holds several as those."""
    if split is None:
        return values
    return [part for value in values for part in (split(value) if type(value) is str else (value,))]


class BoundedCache(dict[str, Any]):
    """What a function makes of short texts, up to `size` of them; index it by any text.

    None is not kept. The first texts stay: where many come in turn, replacing them keeps none.
    """

    def __init__(
        self, make: Callable[[str], Any], size: int = CACHE_SIZE, longest: int = CACHED_LENGTH
    ) -> None:
        super().__init__()
        self._make = make
        self._size = size
        self._longest = longest

    def __missing__(self, text: str) -> Any:
        made = self._make(text)
        if made is not None and len(self) < self._size and len(text) <= self._longest:
            self[text] = made
        return made


class RegionalCache(dict[str | None, BoundedCache]):
    """A cache for each of the first countries; together as large as another field's one cache."""

    def __init__(self, make: Callable[[str, str | None], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, region: str | None) -> BoundedCache:
        size = CACHE_SIZE // CACHED_REGIONS
        if len(self) >= CACHED_REGIONS:
            size = 0
        cache = BoundedCache(lambda text: self._make(text, region), size)
        self[region] = cache
        return cache
