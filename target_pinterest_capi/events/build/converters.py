"""From a raw value to a field's final value: coerced, normalized, hashed.

A converter gets a value that is not None and returns the final value, or None if nothing usable is
left. Why a value was dropped goes to `note`.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, tzinfo
from functools import partial
from typing import Any, Final, NamedTuple, cast

from target_pinterest_capi.events import coerce, hashing, page_addresses
from target_pinterest_capi.events.build.members import (
    FORM_PATHS,
    ITEMS,
    CompiledField,
    Items,
)
from target_pinterest_capi.events.build.normal_forms import (
    LONGEST_AGENT,
    MAY_BE_TOKENS,
    MAY_LOOK_LIKE_DIGESTS,
    BoundedCache,
    Form,
    normal_forms,
    split_texts,
)
from target_pinterest_capi.events.build.plan import FieldPlan, Selection
from target_pinterest_capi.events.column_names import respelled
from target_pinterest_capi.events.event import Item
from target_pinterest_capi.events.fields import (
    ITEM_FIELDS,
    ITEM_MEMBERS,
    Field,
    FieldKind,
)
from target_pinterest_capi.events.list_texts import is_list_text
from target_pinterest_capi.events.normalize import is_private, is_public_ipv4
from target_pinterest_capi.events.null_values import DEFAULT_NULL_VALUES, null_words, spellings_of
from target_pinterest_capi.events.reasons import Dropped, Warned

PAGE: Final = "event_source_url"
CLICK_ID: Final = "user_data.click_id"
USER_AGENT: Final = "user_data.client_user_agent"  # long, and the same in many events
Note = Callable[[str, str], None]
Convert = Callable[[Any], Any]


class Options(NamedTuple):
    """The settings that affect values, with the configuration's names."""

    zone: tzinfo = UTC
    default_country: str | None = None
    date_format: str | None = None
    postal_code_digits: bool = False
    external_id_lower: bool = False
    drop_url_query: bool = False
    max_event_age_days: float | None = 7
    plain_keys: bool = False
    null_values: tuple[str, ...] = DEFAULT_NULL_VALUES
    has_statistics: bool = False  # so that events say what a report counts
    in_plain: bool = False  # nothing is hashed, for a preview in one's own terminal


class Converters:
    """Creates the converters of one mapping entry, with the same options and the same `note`."""

    def __init__(self, options: Options, note: Note) -> None:
        self._note = note
        self._in_plain = options.in_plain
        self._digest = _as_it_is if options.in_plain else hashing.digest
        self._null_values = options.null_values
        self.null_words = null_words(options.null_values)
        self._forms = normal_forms(
            date_format=options.date_format,
            external_id_lower=options.external_id_lower,
            postal_code_digits=options.postal_code_digits,
        )
        country: Form = self._forms["country"].normalize
        self.regions = BoundedCache(lambda text: _usable(country(text)))  # for texts of countries
        self._zone, self._date_format = options.zone, options.date_format
        self._makers: dict[FieldKind, Callable[[Field], Any]] = {
            FieldKind.TEXT: self._text_field,
            FieldKind.HASHED: self._hashed_field,
            FieldKind.AMOUNT: lambda field: self._scalar(field, coerce.amount),
            FieldKind.INTEGER: lambda field: self._scalar(field, coerce.integer),
            FieldKind.BOOLEAN: lambda field: self._scalar(field, coerce.boolean),
            FieldKind.TIME: lambda field: self._scalar(field, self.unix_time(field.path)),
            FieldKind.CHOICE: self._choice,
            FieldKind.ITEMS: self._items,
        }

    def convert(self, field: Field) -> Any:
        """Return the field's converter; that of a regional form also gets the record's country."""
        return self._makers[field.kind](field)

    def is_regional(self, field: Field) -> bool:
        """Return whether the field's values depend on the record's country."""
        return field.form is not None and self._forms[field.form].regional

    def region(self, value: Any) -> str | None:
        """Return the record's country as ISO alpha-2, lower case, for phones and postal codes."""
        text = value if type(value) is str else coerce.text(coerce.first(value))
        region: str | None = self.regions[text] if type(text) is str else None
        return region

    def compiled(self, field: Field, plan: FieldPlan) -> CompiledField:
        """Return what is needed to write the field's lines in the generated function."""
        convert = self.convert(field)
        fast_path, helper = self._fast_path(field, convert, plan.selection)
        if self.null_words.in_any_form and fast_path in FORM_PATHS:
            fast_path, helper = "", None
        constant = plan.constant
        is_only = constant is not None and plan.column is None and not plan.codes
        text = self._plain_text(constant, fast_path, helper) if is_only else None
        return CompiledField(
            path=field.path,
            convert=convert,
            column=plan.column or "",
            get=plan.get if plan.column is None else None,
            regional=self.is_regional(field),
            fast_path=fast_path,
            helper=helper,
            codes=plan.codes,
            constant=plan.constant if text is None else text,
            failed=partial(self._note, field.path, Dropped.EXPRESSION_ERROR),
            collects=plan.collects,
            is_constant=text is not None,
        )

    def _plain_text(self, constant: Any, fast_path: str, helper: Any) -> str | None:
        """Return what every event has of a constant; None if it has to be converted for each."""
        text = constant.strip() if type(constant) is str else ""
        fits = fast_path == "text" or (fast_path == "short text" and len(text) <= helper)
        is_plain = bool(text) and text.isprintable() and text not in self.null_words.spellings
        return text if fits and is_plain else None

    def condition(self, plan: FieldPlan) -> CompiledField:
        """Return what is needed to write the lines of a condition."""
        failed = partial(self._note, "when", Dropped.EXPRESSION_ERROR)
        return CompiledField("when", _unread, get=plan.get, codes=plan.codes, failed=failed)

    def _fast_path(
        self, field: Field, convert: Any, selection: Selection | None
    ) -> tuple[str, Any]:
        """Return the name of the field's fast path and its helper; `""` if it has none."""
        if self._in_plain and field.kind is FieldKind.HASHED:
            return "", None
        if field.kind is FieldKind.ITEMS:
            return ITEMS, self._items_helper(field, selection)
        if field.kind is FieldKind.TEXT and (field.many or field.form is None):
            return _text_path(field, convert)
        if field.form is not None:
            form = self._forms[field.form]
            return form.fast_path, form.cache(convert) if form.cache else form.normalize
        return {
            FieldKind.AMOUNT: ("amount", None),
            FieldKind.INTEGER: ("integer", _range(field)),
            FieldKind.BOOLEAN: ("boolean", None),
            FieldKind.CHOICE: ("choice", frozenset(field.choices) - self.null_words.spellings),
        }.get(field.kind, ("", None))

    # What a value is, before it is coerced

    def _given(self, field: Field) -> Convert:
        """Return the reader of one value: visible text, and the first of a list for a single field.

        A word for a missing value is noted, and is None. The text of a list is parsed if no text of
        the field can look like one.
        """
        path, note, is_null = field.path, self._note, self._is_null(field)
        is_free_text = field.kind is FieldKind.TEXT and field.form is None

        def given(value: Any) -> Any:
            if not field.many and not (is_free_text and type(value) is str):
                value = self._one_of(field, value)
            if type(value) is str:
                value = coerce.text(value)
                if value is not None and is_null(value):
                    note(path, Dropped.NULL_VALUE)
                    return None
            return value

        return given

    def _is_null(self, field: Field) -> Callable[[str], bool]:
        return spellings_of(self._null_values, field.form).__contains__

    def _one_of(self, field: Field, value: Any) -> Any:
        """Return the first of a list's values, and count if there are more; else the value."""
        if type(value) is not list and not (type(value) is str and is_list_text(value)):
            return value
        values = coerce.array(value)
        if type(values) is not list:
            return value if values else None
        values = [one for one in values if not coerce.is_nothing(one)]
        if field.form == "ip_address" and {*map(type, values)} == {str}:
            return ",".join(values)  # of which one is the user's
        if len(values) > 1:
            self._note(field.path, Warned.SEVERAL_VALUES)
        return values[0] if values else None

    # Scalars

    def _text_field(self, field: Field) -> Convert:
        if field.many:
            return self._texts(field)
        if field.form == "ip_address":
            return self._address(field)
        return self._page(field) if field.path == PAGE else self._text(field)

    def unix_time(self, path: str) -> Callable[[Any], int | Dropped | None]:
        """Return the reader of a time; one that is doubtful because of a clock change is noted."""
        note, zone, date_format = self._note, self._zone, self._date_format

        def unix_time(value: Any) -> int | Dropped | None:
            seconds = coerce.unix_time(value, zone, date_format)
            if type(seconds) is coerce.LocalTime:
                note(path, seconds.warning)
                return int(seconds)
            return seconds

        return unix_time

    def _scalar(self, field: Field, coerced: Callable[[Any], Any]) -> Convert:
        path, note, given = field.path, self._note, self._given(field)
        allowed = _range(field)

        def convert(value: Any) -> Any:
            value = coerced(given(value))
            kind = type(value)
            if kind is int:
                if value in allowed:
                    return value
                value = Dropped.OUT_OF_RANGE
            elif kind is str or kind is bool or value is None:
                return value
            note(path, value)
            return None

        return convert

    def _text(self, field: Field) -> Convert:
        path, note, limit = field.path, self._note, field.max_length
        given, text = self._given(field), coerce.text
        form = self._form(field)

        def usable(value: Any) -> str | None:
            if type(value) is str and (limit is None or len(value) <= limit):
                return value
            if value is not None:
                note(path, str(value) if isinstance(value, Dropped) else Dropped.TOO_LONG)
            return None

        def plain(value: Any) -> str | None:
            return usable(text(given(value)))

        def formed(value: Any) -> str | None:
            value = text(given(value))
            return usable(form(value) if type(value) is str and form is not None else value)

        return plain if form is None else formed

    def _form(self, field: Field) -> Form | None:
        if field.path == CLICK_ID:
            return page_addresses.click_id
        return self._forms[field.form].normalize if field.form else None

    def _address(self, field: Field) -> Convert:
        """Return the reader of an IP address; a private one is noted."""
        read, given, path, note = self._text(field), self._given(field), field.path, self._note

        def address(value: Any) -> str | None:
            value = given(value)
            if type(value) is str and is_public_ipv4(value):  # nearly every one
                return value
            ip_address: str | None = read(value)
            if ip_address is not None and is_private(ip_address):
                note(path, Warned.PRIVATE_ADDRESS)
            return ip_address

        return address

    def _page(self, field: Field) -> Convert:
        """Return the reader of a page's address; one that is not a full one is noted."""
        read, path, note = self._text(field), field.path, self._note

        def page(value: Any) -> str | None:
            url: str | None = read(value)
            if url is not None and not page_addresses.is_full_address(url):
                note(path, Warned.PARTIAL_ADDRESS)
            return url

        return page

    def _choice(self, field: Field) -> Convert:
        path, note, choices = field.path, self._note, frozenset(field.choices)
        given, text = self._given(field), coerce.text

        def convert(value: Any) -> str | None:
            written = text(given(value))
            if written is None or written in choices:
                return written
            if isinstance(written, Dropped):
                note(path, written)
                return None
            if written.lower() in choices:
                return written.lower()
            note(path, Dropped.UNKNOWN_CHOICE)
            return None

        return convert

    # Lists

    def _texts(self, field: Field) -> Convert:
        one, path, note, limit = self._text(field), field.path, self._note, field.max_items

        def convert(value: Any) -> list[str] | None:
            texts = _distinct(map(one, coerce.listed(value))) or []
            if limit is not None and len(texts) > limit:
                note(path, Dropped.TOO_LONG)
                del texts[limit:]
            return texts or None

        return convert

    def _hashed_field(self, field: Field) -> Any:
        form = self._forms[field.form or ""]
        return (
            self._hashed_regional(field) if form.regional else self._hashed(field, form.normalize)
        )

    def _hashed(self, field: Field, form: Form) -> Convert:
        one = self._hash_one(field, form)
        row = self._forms[field.form or ""]

        def convert(value: Any) -> list[str] | None:
            is_short = type(value) is str and len(value) <= hashing.LIST_DIGITS[0]
            if row.split is None and is_short and not is_list_text(value):
                hashed = one(value)
                return None if hashed is None else [hashed]
            values = coerce.listed(value, bracketed=row.bracketed)
            return _distinct(map(one, split_texts(values, row.split)))

        return convert

    def _hash_one(self, field: Field, form: Form) -> Callable[[Any], str | None]:
        path, note, given = field.path, self._note, self._given(field)
        digest = self._digest
        recognize = partial(
            hashing.recognize,
            refuse_others=field.form not in MAY_LOOK_LIKE_DIGESTS,
            is_token=field.form in MAY_BE_TOKENS,
        )

        def one(value: Any) -> str | None:
            value = coerce.text(given(value))
            if type(value) is not str:
                if value is not None:
                    note(path, value)
                return None
            if len(value) >= hashing.SHORTEST_DIGEST:
                known = recognize(value)
                if known is not None:
                    if type(known) is str:
                        return known
                    note(path, str(known))
                    return None
            normal = form(value)
            if type(normal) is str:
                return digest(normal)
            note(path, str(normal))
            return None

        return one

    def _hashed_regional(self, field: Field) -> Callable[[Any, str | None], Any]:
        form = self._phone if field.form == "phone" else self._forms[field.form or ""].normalize
        of_region: dict[str | None, Convert] = {}

        def convert(value: Any, region: str | None) -> list[str] | None:
            regional = of_region.get(region)
            if regional is None:
                regional = of_region[region] = self._hashed(field, lambda text: form(text, region))
            hashed: list[str] | None = regional(value)
            return hashed

        return convert

    def _phone(self, text: str, region: str | None) -> str | Dropped:
        phone: str | Dropped
        phone, warning = self._forms["phone"].normalize(text, region)
        if warning is not None:
            self._note("user_data.ph", warning)
        return phone

    # Items

    def _items(self, field: Field) -> Convert:
        """Return the converter of a list of objects, whose unknown members are dropped."""
        open_list, as_item = self._open_list(field), self._as_item(field)
        members = [(member.leaf, self.convert(member)) for member in _members_of(field)]
        empty = self._empty_item(field)

        def converted(entry: Any) -> Item | None:
            given, made = as_item(entry), {}
            if given is None:
                return None
            for leaf, convert in members:
                value = given.get(leaf)
                if value is not None and (value := convert(value)) is not None:
                    made[leaf] = value
            if not made:
                empty(given)
                return None
            return Item(**made)

        def convert(value: Any) -> list[Item] | None:
            return [item for item in map(converted, open_list(value) or ()) if item] or None

        return convert

    def _items_helper(self, field: Field, selection: Selection | None) -> Items:
        open_list, as_item = self._open_list(field), self._as_item(field)
        plans = {member.leaf: FieldPlan(_unread, member.leaf) for member in ITEM_FIELDS}
        if selection is not None:
            plans = dict(selection.members)
        members = [
            self.compiled(member, plans[member.leaf])
            for member in _members_of(field)
            if member.leaf in plans
        ]
        if selection is not None:  # of an object that it finds nothing in, all members are null
            return Items(members, open_list, as_item, _unread, selection.base, selection.left_out)
        return Items(members, open_list, as_item, self._empty_item(field))

    def _open_list(self, field: Field) -> Callable[[Any], list[Any] | None]:
        """Return what turns a value into a list; one that cannot be a list is noted."""
        path, note = field.path, self._note

        def open_list(value: Any) -> list[Any] | None:
            entries = coerce.items(value)
            if isinstance(entries, Dropped):
                note(path, entries)
                return None
            return entries

        return open_list

    def _as_item(self, field: Field) -> Callable[[Any], dict[str, Any] | None]:
        """Return what turns an entry into an object; one that cannot be an object is noted."""
        path, note = field.path, self._note

        def as_item(entry: Any) -> dict[str, Any] | None:
            read = coerce.item(entry)
            if type(read) is dict:
                return respelled(read, ITEM_MEMBERS)
            if not coerce.is_nothing(read):
                note(path, Dropped.NOT_AN_ITEM)
            return None

        return as_item

    def _empty_item(self, field: Field) -> Callable[[Any], None]:
        """Return what notes an object that comes to no item, unless its members tell why.

        A value of an item's member is noted by itself if it is dropped.
        """
        path, note = field.path, self._note

        def empty(given: Any) -> None:
            others = given.keys() - ITEM_MEMBERS if type(given) is dict else ()
            if not all(coerce.is_nothing(given[name]) for name in others):
                note(path, Dropped.NOT_AN_ITEM)

        return empty


def _usable(value: str | Dropped) -> str | None:
    return value if type(value) is str else None


def _text_path(field: Field, convert: Convert) -> tuple[str, Any]:
    """Return the fast path of free text and its helper."""
    if field.path == USER_AGENT:
        return "cached", BoundedCache(convert, longest=LONGEST_AGENT)
    if field.form or field.max_items or (field.many and field.max_length):
        return "", None
    if field.max_length:
        return "short text", field.max_length
    if field.many:
        return "texts", None
    return {CLICK_ID: "click id", PAGE: "page"}.get(field.path, "text"), None


def _unread(_: Any) -> None:
    """Return nothing: stands for what is never asked for, such as the reader of a member."""


def _members_of(field: Field) -> list[Field]:
    """Return the fields of an item, with full paths."""
    return [member._replace(path=f"{field.path}.{member.leaf}") for member in ITEM_FIELDS]


def _distinct(texts: Iterable[str | None]) -> list[str] | None:
    """Return the texts, each once, in order."""
    once = dict.fromkeys(texts)
    once.pop(None, None)
    return cast("list[str]", list(once)) or None


def _range(field: Field) -> range:
    """Return the whole numbers that a field accepts: within its limits and Pinterest's int64."""
    minimum = -(2**63) if field.minimum is None else field.minimum
    maximum = 2**63 - 1 if field.maximum is None else field.maximum
    return range(minimum, maximum + 1)


def _as_it_is(normal: str) -> str:
    """Return a normal form instead of its digest."""
    return normal
