"""Identifiers of members: from values as taps send them to what Pinterest's lists accept.

The normal forms are those of events. Digests are hashed here as soon as a value is read; external
ids, IP addresses and user agents stay plain, as Pinterest requires. Never reads a record.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events import coerce, hashing
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.build.normal_forms import (
    MAY_BE_TOKENS,
    MAY_LOOK_LIKE_DIGESTS,
    NormalForm,
    normal_forms,
    split_texts,
)
from target_pinterest_capi.events.normalize import is_private
from target_pinterest_capi.events.null_values import spellings_of
from target_pinterest_capi.events.reasons import Dropped, Warned

Warn = Callable[[Warned], None]


class IdentifierKind(NamedTuple):
    """A kind of identifier: the name of its normal form, and its field in a row."""

    form: str
    row_field: str
    is_hashed: bool = True


# By their names in the configuration. docs/pinterest-api.md: Customer lists
KINDS: Final = {
    "email": IdentifierKind("email", "email"),
    "maid": IdentifierKind("maid", "maid"),
    "phone": IdentifierKind("phone", "hashed_phone_number"),
    "external_id": IdentifierKind("external_id", "external_id", is_hashed=False),
    "ip_address": IdentifierKind("ip_address", "ip_address", is_hashed=False),
    "user_agent": IdentifierKind("text", "user_agent", is_hashed=False),
}
KIND_OF_LIST_TYPE: Final = {"EMAIL": "email", "MAID": "maid", "IDFA": "maid"}

_TEXT: Final = NormalForm(str, "", bracketed=True)


class IdentifierReader:
    """Reads identifiers with the settings for values."""

    def __init__(self, options: Options) -> None:
        forms = normal_forms(
            date_format=options.date_format,
            external_id_lower=options.external_id_lower,
            postal_code_digits=options.postal_code_digits,
        )
        self._forms = {**forms, "text": _TEXT}
        self._region = options.default_country
        self._null_words = spellings_of(options.null_values)
        self._digest = str if options.in_plain else hashing.digest

    def is_null(self, value: Any) -> bool:
        """Return whether a value is a word for a missing one."""
        return type(value) is str and value.strip() in self._null_words

    def read(self, value: Any, kind: IdentifierKind, warn: Warn) -> Iterator[str | Dropped]:
        """Yield each identifier in a value as a list accepts it, or why it cannot be used.

        A value may be a list, or a string with several. `warn` gets warnings about identifiers that
        are sent nevertheless.
        """
        form = self._forms[kind.form]
        for one in split_texts(coerce.listed(value, bracketed=form.bracketed), form.split):
            found = self._read_one(one, kind, warn)
            if found is not None:
                yield found

    def _read_one(self, value: Any, kind: IdentifierKind, warn: Warn) -> str | Dropped | None:
        """Return one identifier as a list accepts it; None for a missing value.

        Digests are passed on in lower case: SHA-256, and for lists also SHA-1 and MD5
        (docs/pinterest-api.md: Customer lists). If the list has device ids, the 32 hex digits of an
        MD5 are an advertising id without dashes.
        """
        text = coerce.text(value)
        if text is None or isinstance(text, Dropped):
            return text
        if text in self._null_words:
            return Dropped.NULL_VALUE
        known = hashing.recognize(
            text,
            refuse_others=kind.form not in MAY_LOOK_LIKE_DIGESTS,
            is_token=kind.form in MAY_BE_TOKENS,
        )
        if kind.is_hashed and type(known) is str:
            return known
        normal: str | Dropped
        if isinstance(known, Dropped) and (kind.is_hashed or known is Dropped.EMPTY_DIGEST):
            normal = known
        else:
            normal = self._normalize(text, kind, warn)
        if normal is Dropped.UNMATCHABLE_DIGEST:
            digits = hashing.hex_digest(text, is_id=True) or ""
            return digits if len(digits) in hashing.LIST_DIGITS else normal
        if isinstance(normal, Dropped):
            return None if normal is Dropped.EMPTY else normal
        return self._digest(normal) if kind.is_hashed else normal

    def _normalize(self, text: str, kind: IdentifierKind, warn: Warn) -> str | Dropped:
        normalize = self._forms[kind.form].normalize
        normal: str | Dropped
        warning: Warned | None = None
        if kind.form == "phone":
            normal, warning = normalize(text, self._region)
        else:
            normal = normalize(text)
        if kind.form == "ip_address" and type(normal) is str and is_private(normal):
            warning = Warned.PRIVATE_ADDRESS
        if warning is not None:
            warn(warning)
        return normal
