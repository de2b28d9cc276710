"""The normal forms, one row each: the function, its fast path, and its cache.

A cache has only forms of fields with few distinct values, never what identifies a person by itself.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events import normalize
from target_pinterest_capi.events.hashing import split_digests
from target_pinterest_capi.events.reasons import Dropped

Form = Callable[[str], str | Dropped]

CACHE_SIZE: Final = 16_384  # converted texts that are cached for each field
CACHED_LENGTH: Final = 64  # longer texts are not cached
LONGEST_AGENT: Final = 512  # except user agents
# An id may look like a digest: a UUID without its dashes does.
MAY_LOOK_LIKE_DIGESTS: Final = ("external_id", "maid")
MAY_BE_TOKENS: Final = ("external_id",)
CACHED_REGIONS: Final = 4  # countries whose postal codes are cached


class NormalForm(NamedTuple):
    """One normal form.

    `normalize` makes it from a text; `fast_path` names a row of `members.FAST_PATHS`. A field with
    the form stores its converted texts in a `cache`, if there is one. The converter of a `regional`
    form also gets the record's country. `split` returns the values of a text that has several;
    those of a `bracketed` form are also recognized in brackets that are not JSON.
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
    """Return the rows, by their names in the field table."""
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
    """Return the values; a text with several values, or several digests, is replaced by them."""
    parts: list[Any] = []
    for value in values:
        if type(value) is not str:
            parts.append(value)
        elif digests := split_digests(value):
            parts += digests
        elif split is None:
            parts.append(value)
        else:
            parts += split(value)
    return parts


class BoundedCache(dict[str, Any]):
    """The results of a function for short texts, up to `size` of them; index it by any text.

    None is not stored. The first texts are kept: if many are used in turn, replacing them would be
    useless.
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
    """A cache for each of the first countries; together as large as the cache of another field."""

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
