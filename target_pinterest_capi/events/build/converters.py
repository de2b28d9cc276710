"""From a raw value to the field's wire value: one converter for each kind of field, made of coercion, normal form and hash.

A converter takes a value that is not None and gives the wire value, or None where nothing usable is left; why is told to `note`.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, tzinfo
from functools import cache, partial
from typing import Any, Final, NamedTuple, cast

from target_pinterest_capi.events import coerce, hashing, normalize
from target_pinterest_capi.events.fields import ITEM_FIELDS, Field, FieldKind
from target_pinterest_capi.events.hashing import SHORTEST_DIGEST
from target_pinterest_capi.events.build.function_source import (
    ITEMS,
    Items,
    CompiledField,
    Selection,
    compile_members,
)
from target_pinterest_capi.events.reasons import LeftOut

Note = Callable[[str, str], None]
Convert = Callable[[Any], Any]
Form = Callable[[str], str | LeftOut]

MEMO_LENGTH: Final = 64  # longer texts are not remembered
MEMO_REGIONS: Final = 4  # regions whose postal codes are remembered
MEMO_SIZE: Final = 16384  # normal forms kept a field; low-cardinality fields only, never what identifies a person by itself


class Options(NamedTuple):
    """The settings that shape values; names are the configuration's."""

    zone: tzinfo = UTC
    default_country: str | None = None
    date_format: str | None = None
    postal_code_digits: bool = False
    external_id_lower: bool = False
    drop_url_query: bool = False
    max_event_age_days: float | None = 7
    plain_keys: bool = False


class Converters:
    """Makes the converters of one mapping entry, all with the same options and ear."""

    regional_forms: Final = frozenset({"phone", "postal_code"})
    # Never what identifies a person by itself.
    _memoized: Final = frozenset(
        {"gender", "birth_date", "name", "city", "state", "country", "currency", "language"}
    )

    def __init__(self, options: Options, note: Note, *, fast: bool = True) -> None:
        self._options = options
        self._note = note
        self._fast = fast
        self._forms: dict[str, Form] = {
            "email": normalize.email,
            "gender": normalize.gender,
            "birth_date": partial(normalize.birth_date, date_format=options.date_format),
            "name": normalize.name,
            "city": normalize.city,
            "state": normalize.state,
            "country": normalize.country,
            "external_id": partial(normalize.external_id, lower=options.external_id_lower),
            "maid": normalize.maid,
            "currency": normalize.currency,
            "language": normalize.language,
            "ip_address": normalize.ip_address,
        }
        self.regions = BoundedCache(_region)  # of texts
        self._makers: dict[FieldKind, Callable[[Field], Any]] = {
            FieldKind.TEXT: lambda field: self._texts(field) if field.many else self._text(field),
            FieldKind.HASHED: lambda field: (
                self._hashed_regional(field)
                if field.form in self.regional_forms
                else self._hashed(field, self._forms[field.form or ""])
            ),
            FieldKind.ITEMS: self._items,
            FieldKind.CHOICE: self._choice,
            FieldKind.TIME: lambda field: self._scalar(
                field, partial(coerce.unix_time, zone=options.zone)
            ),
            FieldKind.AMOUNT: lambda field: self._scalar(field, coerce.amount),
            FieldKind.INTEGER: lambda field: self._scalar(field, coerce.integer),
            FieldKind.BOOLEAN: lambda field: self._scalar(field, coerce.boolean),
        }

    def convert(self, field: Field) -> Any:
        """Give the field's converter; those of `regional_forms` also take the record's country."""
        return self._makers[field.kind](field)

    def region(self, value: Any) -> str | None:
        """Give the record's country as ISO alpha-2, lower case, for its phones and postal codes."""
        text = value if type(value) is str else coerce.text((coerce.array(value) or [None])[0])
        region: str | None = self.regions[text] if type(text) is str else None
        return region

    def member(
        self,
        field: Field,
        column: str | None,
        get: Callable[[Any], Any] | None,
        selection: Selection | None = None,
    ) -> CompiledField:
        """Give what compiles the field: its converter, and the snippet for its common case; `selection` is what `get` does."""
        convert = self.convert(field)
        is_regional = field.form in self.regional_forms
        fast, helper = self._common_case(field, convert, selection)
        return CompiledField(
            field.leaf,
            convert,
            column or "",
            None if column is not None else get,
            is_regional,
            fast,
            helper,
        )

    def _common_case(
        self, field: Field, convert: Any, selection: Selection | None
    ) -> tuple[str, Any]:
        """Give the snippet for the field's common case and what it calls; nothing where there is none."""
        is_plain = not (field.many or field.form or field.max_length)
        for applies, name, helper in (
            (field.form == "phone", "phone", normalize.phone),
            (field.form == "postal_code", "postal code", _RegionalCache(convert)),
            (field.form == "email", "email", normalize.email),
            (field.form == "ip_address", "ip address", None),
            (field.form == "maid", "maid", normalize.maid),
            (
                field.form in self._memoized and not (field.many and field.kind is FieldKind.TEXT),
                "memo",
                BoundedCache(convert),
            ),
            (field.form == "external_id" and not self._options.external_id_lower, "id", None),
            (field.kind is FieldKind.HASHED, "digest", self._forms.get(field.form or "")),
            (field.kind is FieldKind.TEXT and is_plain, "text", None),
            (
                field.kind is FieldKind.TEXT
                and field.many
                and not (field.max_length or field.max_items),
                "texts",
                _are_plain_texts,
            ),
            (field.kind is FieldKind.CHOICE, "choice", frozenset(field.choices)),
            (field.kind is FieldKind.BOOLEAN, "boolean", None),
            (field.kind is FieldKind.AMOUNT, "amount", None),
            (field.kind is FieldKind.INTEGER, "integer", _range(field)),
        ):
            if applies:
                return name, helper
        if field.kind is FieldKind.ITEMS:
            return ITEMS, self._items_of(field, selection)
        return "", None

    # Scalars

    def _scalar(self, field: Field, coerced: Callable[[Any], Any]) -> Convert:
        path, note = field.path, self._note
        allowed = _range(field)

        def convert(value: Any) -> Any:
            value = coerced(value)
            kind = type(value)
            if kind is int:
                if value in allowed:
                    return value
                value = LeftOut.OUT_OF_RANGE
            elif kind is str or kind is bool or value is None:
                return value
            note(path, value)
            return None

        return convert

    def _text(self, field: Field) -> Convert:
        path, note, limit, text = field.path, self._note, field.max_length, coerce.text
        form = self._forms[field.form] if field.form else None

        def usable(value: Any) -> str | None:
            """Note a text that was refused, or give it."""
            if type(value) is str and (limit is None or len(value) <= limit):
                return value
            if value is not None and value is not LeftOut.EMPTY:
                note(path, str(value) if isinstance(value, LeftOut) else LeftOut.TOO_LONG)
            return None

        def plain(value: Any) -> str | None:
            return usable(text(value))

        def formed(value: Any) -> str | None:
            value = text(value)
            return usable(form(value) if type(value) is str and form is not None else value)

        return plain if form is None else formed

    def _choice(self, field: Field) -> Convert:
        path, note, choices, text = field.path, self._note, frozenset(field.choices), coerce.text

        def convert(value: Any) -> str | None:
            written = text(value)
            if written is None or written in choices:
                return written
            if isinstance(written, LeftOut):
                note(path, written)
                return None
            if written.lower() in choices:
                return written.lower()
            note(path, LeftOut.UNKNOWN_CHOICE)
            return None

        return convert

    # Lists

    def _texts(self, field: Field) -> Convert:
        one, path, note, limit = self._text(field), field.path, self._note, field.max_items

        def convert(value: Any) -> list[str] | None:
            texts = _all([one(text) for text in coerce.array(value) or ()]) or []
            if limit is not None and len(texts) > limit:
                note(path, LeftOut.TOO_LONG)
                del texts[limit:]
            return texts or None

        return convert

    def _hashed(self, field: Field, form: Form) -> Convert:
        one = self._hash_one(field, form)

        def convert(value: Any) -> list[str] | None:
            if type(value) is str and value[:1] != "[":
                hashed = one(value)
                return None if hashed is None else [hashed]
            return _all(map(one, coerce.array(value) or ()))

        return convert

    def _hash_one(self, field: Field, form: Form) -> Callable[[Any], str | None]:
        path, note = field.path, self._note
        only_sha256 = (
            field.form == "external_id"
        )  # an id may look like any digest: a UUID without its dashes does

        def one(value: Any) -> str | None:
            if type(value) is not str:
                value = coerce.text(value)
                if type(value) is not str:
                    if value is not None:
                        note(path, value)
                    return None
            if len(value) >= SHORTEST_DIGEST:
                known = hashing.recognize(value, refuse_others=not only_sha256)
                if known is not None:
                    if type(known) is str:
                        return known
                    note(path, str(known))
                    return None
            normal = form(value)
            if type(normal) is str:
                return hashing.digest(normal)
            if normal is not LeftOut.EMPTY:
                note(path, str(normal))
            return None

        return one

    def _hashed_regional(self, field: Field) -> Callable[[Any, str | None], Any]:
        form = self._phone if field.form == "phone" else self._postal_code
        of_region: dict[str | None, Convert] = {}

        def convert(value: Any, region: str | None) -> list[str] | None:
            regional = of_region.get(region)
            if regional is None:
                regional = of_region[region] = self._hashed(field, lambda text: form(text, region))
            hashed: list[str] | None = regional(value)
            return hashed

        return convert

    def _phone(self, text: str, region: str | None) -> str | LeftOut:
        phone, warning = normalize.phone(text, region)
        if warning is not None:
            self._note("user_data.ph", warning)
        return phone

    def _postal_code(self, text: str, region: str | None) -> str | LeftOut:
        return normalize.postal_code(text, region, digits_only=self._options.postal_code_digits)

    # Items

    def _items(self, field: Field) -> Convert:
        path, note = field.path, self._note
        as_item = self._as_item(field)
        compiled = cache(
            lambda: compile_members(self._item_members(field), fast=self._fast)
        )  # few streams ever come here

        def convert(value: Any) -> list[dict[str, Any]] | None:
            raw = coerce.items(value)
            if raw is None:
                return None
            if isinstance(raw, LeftOut):
                note(path, raw)
                return None
            fill, items = compiled(), []
            for entry in raw:
                if (given := as_item(entry)) is not None:
                    item: dict[str, Any] = {}
                    fill(item, given, None)
                    if item:
                        items.append(item)
            return items or None

        return convert

    def _items_of(self, field: Field, selection: Selection | None) -> Items:
        members, as_item = self._item_members(field), self._as_item(field)
        if selection is None:
            return Items(members, as_item)
        columns = dict(selection.columns)
        return Items(
            [
                member._replace(column=columns[member.leaf])
                for member in members
                if member.leaf in columns
            ],
            as_item,
            selection.base,
        )

    def _item_members(self, field: Field) -> list[CompiledField]:
        """Give the members of one item; those that Pinterest does not know are left behind."""
        return [
            self.member(member._replace(path=f"{field.path}.{member.leaf}"), member.leaf, None)
            for member in ITEM_FIELDS
        ]

    def _as_item(self, field: Field) -> Callable[[Any], dict[str, Any] | None]:
        """Give what makes a list's entry an object: one in JSON text too, nothing of nothing, and a note of all else."""
        path, note = field.path, self._note

        def as_item(entry: Any) -> dict[str, Any] | None:
            read = coerce.item(entry)
            if type(read) is dict:
                return read
            if not coerce.is_nothing(read):
                note(path, LeftOut.NOT_AN_ITEM)
            return None

        return as_item


def _are_plain_texts(values: list[Any]) -> bool:
    """Say whether the list holds distinct ASCII texts without white space and nothing else, so that it is sent as it is."""
    try:
        joined = "".join(values)
    except TypeError:
        return False
    if not joined.isascii() or not joined.isprintable() or " " in joined:
        return False
    return (
        joined != "" and "" not in values and (len(values) == 1 or len(set(values)) == len(values))
    )


def _all(texts: Iterable[str | None]) -> list[str] | None:
    """Give what is there, once each, in order."""
    once = dict.fromkeys(texts)
    once.pop(None, None)
    return cast("list[str]", list(once)) or None


def _range(field: Field) -> range:
    """Give the whole numbers that a field takes: its own limits, within 64 bits, as Pinterest's int64 has."""
    return range(
        -(2**63) if field.minimum is None else field.minimum,
        (2**63 if field.maximum is None else field.maximum + 1),
    )


def _region(text: str) -> str | None:
    country = normalize.country(text)
    return country if type(country) is str else None


class _RegionalCache(dict[str | None, "BoundedCache"]):
    """A memo for each of the first regions that come; all of them together are as large as another field's one."""

    def __init__(self, convert: Callable[[Any, str | None], Any]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, region: str | None) -> "BoundedCache":
        size = MEMO_SIZE // MEMO_REGIONS if len(self) < MEMO_REGIONS else 0
        memo = self[region] = BoundedCache(lambda text: self._convert(text, region), size)
        return memo


class BoundedCache(dict[str, Any]):
    """Remembers what a function makes of up to `MEMO_SIZE` short texts: index it by a text. None is made again each time."""

    def __init__(self, make: Callable[[str], Any], size: int | None = None) -> None:
        super().__init__()
        self._make = make
        self._size = MEMO_SIZE if size is None else size

    def __missing__(self, text: str) -> Any:
        made = self._make(text)
        if made is not None and len(self) < self._size and len(text) <= MEMO_LENGTH:
            self[text] = (
                made  # the first to come stay: making room by turns would keep none where many come in turn
            )
        return made
