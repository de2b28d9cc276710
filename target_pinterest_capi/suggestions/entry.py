"""A stream's mapping entry: lines with a reason each, which are certain or only suggested.

Never invents a value: if no column has what a field needs, a comment says what to supply.
"""

from collections.abc import Iterable
from glob import escape
from typing import Any, Final

from target_pinterest_capi.events.fields import ACTION_SOURCES, FIELDS
from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.expressions.analysis import roots
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.mapping.flat_columns import quoted
from target_pinterest_capi.suggestions import candidates, meaning, preset_fit, unmapped
from target_pinterest_capi.suggestions.candidates import Candidate
from target_pinterest_capi.suggestions.items import (
    CONTENTS,
    amount,
    find_items,
    flat_item,
)
from target_pinterest_capi.suggestions.lines import NOT_SURE, SuggestedLine, offered
from target_pinterest_capi.suggestions.profile import ProfiledColumn, StreamProfile
from target_pinterest_capi.suggestions.words import key

VALUE: Final = "custom_data.value"
CURRENCY: Final = "custom_data.currency"
ORDER_ID: Final = "custom_data.order_id"
EMAIL: Final = "user_data.em"
EXTERNAL_ID: Final = "user_data.external_id"
CLICK_ID: Final = "user_data.click_id"
MOST_OF_ONE_FIELD: Final = 3  # columns of one field
SEVERAL: Final = frozenset({EMAIL, "user_data.ph", "user_data.hashed_maids"})
# Looked for in a table of one's own. The rest of the fields is for those who know them.
OWN_FIELDS: Final = tuple(candidates.RULES)
IDENTITY: Final = (
    EMAIL,
    "user_data.ph",
    "user_data.hashed_maids",
    "user_data.client_ip_address",
    "user_data.client_user_agent",
)


class Entry:
    """The suggestion for a stream; `problem` says why the whole entry is only a comment."""

    def __init__(self, stream: StreamProfile) -> None:
        self.stream = stream
        self.preset: SuggestedLine | None = None
        self.when: list[SuggestedLine] = []
        self.event_names: list[SuggestedLine] = []
        self.fields: list[SuggestedLine] = []
        self.defaults: list[SuggestedLine] = []
        self.notes: list[str] = []
        self.problem = ""
        self.list_lines: list[SuggestedLine] = []

    @property
    def is_active(self) -> bool:
        """Whether the entry can be used as it is."""
        return not self.problem

    @property
    def pattern(self) -> str:
        """The pattern that matches only the stream's name, as far as the name may be shown."""
        return escape(shown_name(self.stream.name))

    def mapping(self) -> dict[str, Any]:
        """Return the certain lines, as in a configuration."""
        made: dict[str, Any] = {"stream": self.pattern}
        if self.preset:
            made["preset"] = self.preset.value
        made |= {line.name: line.value for line in self.when if line.is_sure}
        for name in ("event_names", "fields", "defaults"):
            lines = [line for line in getattr(self, name) if line.is_sure]
            if lines:
                made[name] = {line.name: line.value for line in lines}
        return made

    def maps(self, field: str) -> bool:
        """Return whether a certain line maps the field."""
        return any(line.name == field and line.is_sure for line in (*self.fields, *self.defaults))


def suggest_entry(stream: StreamProfile) -> Entry:
    """Return the entry for a stream."""
    entry = Entry(stream)
    fit = preset_fit.fitting_preset(stream)
    sure = _sure_candidates(stream)
    if fit is None:
        _add_own_fields(entry, sure)
    else:
        _add_preset(entry, fit, sure)
    _add_list(entry, sure)
    if not stream.name or shown_name(stream.name) != stream.name:
        entry.problem = "its name may be a value and is not shown: write it as stream"
    return entry


def _sure_candidates(stream: StreamProfile) -> dict[str, list[Candidate]]:
    """Return the candidates of each field; a column is certain only for its best field."""
    columns = stream.columns.values()
    found = {field: candidates.candidates(field, columns) for field in OWN_FIELDS}
    sure = [(field, one) for field, ones in found.items() for one in ones if one.is_sure]
    partners = frozenset(field for field, _ in sure)
    named = {one.column.path for _, one in sure if one.score > candidates.SURE}
    found = {field: candidates.candidates(field, columns, partners, named) for field in OWN_FIELDS}
    best: dict[tuple[str, ...], Candidate] = {}
    for one in (one for ones in found.values() for one in ones):
        if one.column.path not in best or best[one.column.path].score < one.score:
            best[one.column.path] = one
    return {
        field: [one for one in ones if best[one.column.path] is one]
        for field, ones in found.items()
    }


def _add_preset(entry: Entry, fit: tuple[str, str], found: dict[str, list[Candidate]]) -> None:
    """Use a preset, and note what it does not read of the stream."""
    name, reason = fit
    stream = entry.stream
    entry.preset = SuggestedLine("preset", name, reason)
    preset = preset_fit.entry_of(name, stream)
    is_pinterest = name == presets.PINTEREST
    for field in OWN_FIELDS if is_pinterest else IDENTITY:
        if not preset_fit.reads(preset, field, stream.roots):
            used = {path for path in stream.roots if _is_read(path, preset.fields.values())}
            entry.fields += _lines(
                field, [one for one in found[field] if one.column.path[0] not in used]
            )
    if is_pinterest:
        _add_event(entry, given=preset.fields)
        if not (entry.maps("event_time") or "event_time" in preset.fields):
            entry.problem = "no column is the time of the event: map one to event_time"
    _sort(entry)


def _is_read(column: str, fields: Iterable[tuple[str, ...] | None]) -> bool:
    sources = [source for expressions in fields for source in expressions or ()]
    found = roots(*sources)
    return found is None or column in found


def _add_own_fields(entry: Entry, found: dict[str, list[Candidate]]) -> None:
    """Map the columns of a table without a preset."""
    stream = entry.stream
    for field in OWN_FIELDS:
        if field != "event_id":
            entry.fields += _lines(field, found[field])
    _write_amounts(entry)
    _add_items(entry)
    _add_landing_page(entry)
    event_name = _add_event(entry, given={})
    if event_name == "checkout" and not entry.maps(ORDER_ID) and len(stream.keys) == 1:
        entry.fields.append(
            SuggestedLine(ORDER_ID, _quoted_key(stream), "the key of a stream of orders")
        )
    if event_name == "signup" and not entry.maps(EXTERNAL_ID) and len(stream.keys) == 1:
        entry.fields.append(
            SuggestedLine(EXTERNAL_ID, _quoted_key(stream), "the key of a stream of people")
        )
    _add_event_id(entry, found["event_id"])
    is_sale = "checkout" in {event_name, *(line.value for line in entry.event_names)}
    entry.when += meaning.conditions(stream, is_sale=is_sale)
    _add_missing(entry)
    _sort(entry)
    used = [str(line.value) for line in (*entry.fields, *entry.when, *entry.defaults)]
    entry.notes += unmapped.notes(stream, used, entry.maps)


def _lines(field: str, ones: list[Candidate]) -> list[SuggestedLine]:
    """Return the line of a field's best column, or of several for a list."""
    sure = _sure(ones)
    if not sure:
        return [
            SuggestedLine(field, one.column.expression, NOT_SURE + one.reason, is_sure=False)
            for one in ones[:1]
        ]
    if field not in SEVERAL or len(sure) == 1:
        return [SuggestedLine(field, sure[0].column.expression, sure[0].reason)]
    several = sure[:MOST_OF_ONE_FIELD]
    return [SuggestedLine(field, [one.column.expression for one in several], several[0].reason)]


def _sure(ones: list[Candidate]) -> list[Candidate]:
    """Return those that are mapped: never a second one next to others that fit better.

    `sales_mail` is the customer's if it is the only address, and somebody else's next to `email`.
    """
    strong = [one for one in ones if one.score > candidates.SURE]
    just = [one for one in ones if one.score == candidates.SURE]
    return strong or (just if len(just) == 1 else [])


def _add_items(entry: Entry) -> None:
    items = find_items(entry.stream)
    if items is not None:
        mark = "" if items.is_sure else NOT_SURE
        entry.fields.append(
            SuggestedLine(CONTENTS, items.expression, mark + items.reason, items.is_sure)
        )
        if items.sum and not entry.maps(VALUE):
            entry.fields = [line for line in entry.fields if line.name != VALUE]
            total = SuggestedLine(
                VALUE, items.sum, "no column has the total: the sum of the products' prices"
            )
            entry.fields.append(total if items.is_sure else offered(total))
        return
    flat = flat_item(entry.stream)
    if flat:
        price = next((line.value for line in entry.fields if line.name == VALUE), None)
        members = {name: column.expression for name, column in flat.items()}
        if "quantity" not in members and isinstance(price, str):
            members["item_price"] = price
        shown = ", ".join(f"{name}: {expression}" for name, expression in members.items())
        reason = "one product per row: " + ", ".join(column.label for column in flat.values())
        entry.fields.append(SuggestedLine(CONTENTS, f"[{{{shown}}}]", reason))


def _add_landing_page(entry: Entry) -> None:
    """Map the ad click from the page on which a visit began."""
    if entry.maps(CLICK_ID):
        return
    for column in entry.stream.columns.values():
        if key(column.path[-1]) in meaning.LANDING_PAGES and not column.types & {"object", "array"}:
            expression = f"query_param({column.expression}, 'epik')"
            reason = "a page on which visits start: its parameter epik identifies the ad click"
            entry.fields.append(SuggestedLine(CLICK_ID, expression, reason))
            return


def _write_amounts(entry: Entry) -> None:
    """Divide amounts in the smallest unit, and turn those with a comma into numbers."""
    for number, line in enumerate(entry.fields):
        column = _column_of(entry, line) if line.name == VALUE else None
        if column is None:
            continue
        expression = amount(entry.stream, column)
        reason = line.reason
        if meaning.is_in_cents(entry.stream, column):
            reason += "; in the smallest unit: divided by 100 (not for yen and won)"
        elif line.is_sure and meaning.is_whole(column):
            entry.notes.append(
                "The amounts are whole numbers. If they are cents, write"
                f" custom_data.value: divide({column.expression}, `100`)"
            )
        entry.fields[number] = line._replace(value=expression, reason=reason)


def _column_of(entry: Entry, line: SuggestedLine) -> ProfiledColumn | None:
    columns = entry.stream.columns.values()
    return next((one for one in columns if one.expression == line.value), None)


def _add_event(entry: Entry, given: Iterable[str]) -> str | None:
    """Map what the rows are, and where it happened; return the event's name if it is one."""
    stream = entry.stream
    event_name = None
    if "event_name" not in given:
        column = meaning.event_column(stream)
        if column is not None:
            reason = "words that many systems have for events"
            entry.fields.append(SuggestedLine("event_name", column.expression, reason))
            names = list(meaning.event_names(column))
            entry.event_names += [
                SuggestedLine(name, target, f"{count:,} in the sample")
                for name, target, count in names
            ]
            others = column.filled - sum(count for _, _, count in names)
            if others:
                entry.notes.append(
                    f"{others:,} of {column.filled:,} records have another {column.label}: they are"
                    " skipped, unless event_names lists it."
                )
        else:
            entry.defaults += _event_default(entry)
            event_name = next((str(line.value) for line in entry.defaults if line.is_sure), None)
    if "action_source" not in given:
        line = meaning.action_source(stream, entry.maps)
        (entry.defaults if line.value in ACTION_SOURCES else entry.fields).append(line)
        if line.value == "offline":
            entry.notes.append(
                "Pinterest never removes a repeated offline event: set ledger_url, such as"
                " ledger_url: sqlite:///ledger.db"
            )
    return event_name


def _event_default(entry: Entry) -> list[SuggestedLine]:
    found = meaning.event_of_stream(entry.stream.name)
    if found is not None and found[0] is not None:
        return [SuggestedLine("event_name", found[0], found[1])]
    if found is None and entry.maps(VALUE) and entry.maps(ORDER_ID):
        return [
            SuggestedLine(
                "event_name", "checkout", "rows have an amount and the number of an order"
            )
        ]
    entry.problem = "neither its name nor a column says what its rows are: choose an event_name"
    if found is not None:
        entry.problem = f"its rows are not events of people, {found[1]}"
    return [offered(SuggestedLine("event_name", "custom", "nothing says what the rows are"))]


def _add_event_id(entry: Entry, found: list[Candidate]) -> None:
    """Find what identifies the event of a row."""
    sure = _sure(found)
    order = next((line for line in entry.fields if line.name == ORDER_ID and line.is_sure), None)
    if sure:
        entry.fields.append(SuggestedLine("event_id", sure[0].column.expression, sure[0].reason))
    elif order is not None:
        is_key = order.value == "id"
        reason = "the order's number, which a browser tag can send too"
        entry.fields.append(
            order._replace(name="event_id", reason="the key of the stream" if is_key else reason)
        )
    elif len(entry.stream.keys) == 1:
        entry.fields.append(
            SuggestedLine("event_id", _quoted_key(entry.stream), "the key of the stream")
        )
    else:
        entry.notes.append("event_id: none is mapped, so it is derived from the record.")


def _quoted_key(stream: StreamProfile) -> str:
    return quoted(stream.keys[0])


def _add_missing(entry: Entry) -> None:
    """Note what an event needs and no column has."""
    stream = entry.stream
    if not _identifies(entry):
        entry.problem = (
            "no column identifies a person: an event needs an e-mail address, an advertising id, or"
            " an IP address with a user agent"
        )
    if not entry.maps("event_time"):
        entry.problem = entry.problem or (
            "no column is the time of the event: supply one as event_time"
        )
    if entry.maps(VALUE) and not entry.maps(CURRENCY):
        code = meaning.currency_of(stream, entry.fields)
        if code:
            entry.defaults.append(
                SuggestedLine(CURRENCY, code, "the name of the column of the amount")
            )
        else:
            reason = "no column has it: supply the currency of your amounts"
            entry.defaults.append(SuggestedLine(CURRENCY, "EUR", reason, is_sure=False))
    phone = next((line for line in entry.fields if line.name == "user_data.ph"), None)
    is_plain = phone is not None and phone.is_sure and "digests" not in phone.reason
    if is_plain and not entry.maps("user_data.country"):
        entry.notes.append(
            "Phones without a country code need the setting default_country, such as"
            " default_country: DE."
        )


def _identifies(entry: Entry) -> bool:
    return (
        entry.maps(EMAIL)
        or entry.maps("user_data.hashed_maids")
        or (entry.maps("user_data.client_ip_address") and entry.maps("user_data.client_user_agent"))
    )


def _add_list(entry: Entry, found: dict[str, list[Candidate]]) -> None:
    """Suggest a customer list for a stream of people."""
    stream = entry.stream
    if not meaning.is_list(stream) or entry.preset is not None:
        return
    sure, maids = _sure(found[EMAIL]), _sure(found["user_data.hashed_maids"])
    if not (sure or maids):
        return
    best = (sure or maids)[0]
    entry.list_lines = [
        SuggestedLine("list_name", shown_name(stream.name), "the stream's name"),
        SuggestedLine("list_type", "EMAIL" if sure else "MAID", "what its members are named by"),
        SuggestedLine("member", best.column.expression, best.reason),
    ]
    action = meaning.action_column(stream)
    if action is not None:
        entry.list_lines.append(
            SuggestedLine("operation", action.expression, "who joins and who leaves")
        )
    entry.problem = "its rows are people on a list, as it seems: see customer_lists below"


def _sort(entry: Entry) -> None:
    """Sort fields as in events, without suggestions that another line has."""
    entry.fields = [line for line in entry.fields if line.is_sure or not entry.maps(line.name)]
    order = {field.path: number for number, field in enumerate(FIELDS)}
    entry.fields.sort(key=lambda line: order[line.name])
    entry.defaults.sort(key=lambda line: order[line.name])
