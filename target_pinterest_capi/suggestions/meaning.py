"""What the rows of a stream are: which event, where it happened, and which rows count."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from target_pinterest_capi.suggestions import vocabulary
from target_pinterest_capi.suggestions.candidates import FOREIGN, HALF
from target_pinterest_capi.suggestions.lines import NOT_SURE, SuggestedLine, offered
from target_pinterest_capi.suggestions.profile import ProfiledColumn, StreamProfile
from target_pinterest_capi.suggestions.synonyms import NAMES
from target_pinterest_capi.suggestions.words import bare_key, joined, key, listed, words

LANDING_PAGES: Final = frozenset(
    map(key, listed("landing_site landing_page landing_page_url landing_url entry_page entry_url"))
)
EVENT_COLUMNS: Final = frozenset(
    map(key, (*listed(NAMES["event_name"].possible), "event_name", "event"))
)
OTHER_EVENT_COLUMNS: Final = frozenset({"type", "name"})  # if half of the values are events
STATE_COLUMNS: Final = frozenset(
    map(
        key,
        listed("""
        status state financial_status payment_status order_status estado statut stato zustand
        bestellstatus zahlungsstatus estado_pedido statut_commande situacao stato stato_ordine
        betaalstatus status_zamowienia durum siparis_durumu tila stav stav_objednavky allapot 状态
        ステータス 상태 статус κατασταση
        """),
    )
)
# Boolean columns that say whether a row counts, and the condition.
FLAGS: Final = {
    "test": ("to_string({}) != 'true'", "marks tests"),
    "istest": ("to_string({}) != 'true'", "marks tests"),
    "livemode": ("to_string({}) == 'true'", "false for tests"),
    "paid": ("to_string({}) == 'true'", "whether it was paid"),
    "captured": ("to_string({}) == 'true'", "whether the money was taken"),
    "bezahlt": ("to_string({}) == 'true'", "whether it was paid"),
    "cancelled": ("to_string({}) != 'true'", "whether it was cancelled"),
    "refunded": ("to_string({}) != 'true'", "whether it was paid back"),
    "marketingconsent": ("to_string({}) == 'true'", "whether the person agreed"),
    "consent": ("to_string({}) == 'true'", "whether the person agreed"),
}
# Columns with the ids of one system's devices, by the source that they say.
APP_IDS: Final = {
    "app_ios": frozenset(map(key, listed("idfa ios_idfa apple_idfa idfv"))),
    "app_android": frozenset(map(key, listed("gaid aaid adid android_idfa google_ad_id"))),
}
CENTS: Final = frozenset({"cents", "cent", "minor", "centimes", "pfennig", "subunits"})
CENT_AMOUNTS: Final = frozenset(
    map(key, listed("amount unit_amount amount_total amount_paid amount_due total subtotal"))
)
PAYMENT_COLUMNS: Final = frozenset(
    {"livemode", "payment_intent", "balance_transaction", "amount_money"}
)
# As a part of a column's name. Others are words as well: all, top, try.
CURRENCIES: Final = frozenset(
    listed("usd eur gbp chf cad aud nzd sek nok dkk pln czk huf ron brl mxn jpy")
)
SHOWN_WORDS: Final = 100


def event_of_stream(name: str) -> tuple[str | None, str] | None:
    """Return the event that a stream's name means, and the reason.

    The event is None if the name says that rows are not events (refunds, order_items), and the
    result is None if it says nothing. The longest name decides: product_views are not products.
    """
    found = [
        (length, event_name is None, event_name, one)
        for event_name, known in _events()
        for one in known.split()
        if (length := _length_within(one, name))
    ]
    if not found:
        return None
    *_, event_name, one = max(found, key=lambda row: row[:2])
    return event_name, f"a guess from the name of the stream: {one}"


def _events() -> Iterator[tuple[str | None, str]]:
    yield from vocabulary.EVENT_BY_STREAM.items()
    yield None, vocabulary.NO_EVENT


def _length_within(known: str, name: str) -> int:
    """Return the number of words of a known name within a stream's name; otherwise 0."""
    parts = words(name)
    count = len(words(known))
    runs = (joined(parts[start : start + count]) for start in range(len(parts) - count + 1))
    return count if any(is_plural(run, key(known)) for run in runs) else 0


def is_plural(name: str, known: str) -> bool:
    """Return whether a name is a known one, or its plural in a language of shops."""
    return name.startswith(known) and name[len(known) :] in vocabulary.PLURALS


def action_source(stream: StreamProfile, maps: Callable[[str], bool]) -> SuggestedLine:
    """Return where it happened, and the reason: a constant, or an expression of each row."""
    source, reason = _app(stream) or _web_or_store(stream, maps)
    return SuggestedLine("action_source", source, reason)


def _app(stream: StreamProfile) -> tuple[str, str] | None:
    """Return which app it was by the advertising ids that rows have; None without any."""
    columns = [column for path, column in stream.columns.items() if len(path) == 1]
    found = {
        source: column
        for source, names in APP_IDS.items()
        for column in columns
        if key(column.path[0]) in names
        and (not column.filled or column.share("uuid", "digest") >= HALF)
    }
    if len(found) == 1:
        [(source, column)] = found.items()
        return source, f"rows have {column.label}"
    choices = (f"{column.expression} && '{source}'" for source, column in found.items())
    reason = "by the advertising id that a row has"
    return (" || ".join((*choices, "'web'")), reason) if found else None


def _web_or_store(stream: StreamProfile, maps: Callable[[str], bool]) -> tuple[str, str]:
    found = vocabulary.IN_STORE.intersection(words(stream.name)) or {
        part
        for column in stream.roots
        for part in vocabulary.TILL_COLUMNS.intersection(words(column))
        if not is_payment(stream)
    }
    if maps("user_data.hashed_maids"):
        return (
            "web",
            "a guess; rows have advertising ids: if they are an app's, app_ios or app_android",
        )
    if maps("user_data.client_user_agent") or maps("event_source_url"):
        return "web", "rows have a browser or a page; app_ios, app_android and offline are others"
    if found:
        return "offline", f"a guess from a name: {min(found)}; web for sales in an online shop"
    return "web", "a guess: nothing says offline (sales in a store), app_ios or app_android"


def event_column(stream: StreamProfile) -> ProfiledColumn | None:
    """Return the column with the event of a row; None unless its values or name show it."""
    for column in stream.columns.values():
        name = key(column.path[-1])
        known = sum(count for *_, count in event_names(column))
        share = known / column.filled if column.filled else 0.0
        if len(column.path) == 1 and (
            (known and name in EVENT_COLUMNS) or (share >= HALF and name in OTHER_EVENT_COLUMNS)
        ):
            return column
    return None


def event_names(column: ProfiledColumn) -> Iterator[tuple[str, str, int]]:
    """Yield the names of events in the sample, Pinterest's names, and their number."""
    for name, count in column.known_words.most_common(SHOWN_WORDS):
        target = vocabulary.known_events().get(vocabulary.word(name))
        if target is not None:
            yield name, target, count


def conditions(stream: StreamProfile, *, is_sale: bool) -> list[SuggestedLine]:
    """Return possible conditions for rows: at most one is certain."""
    found = []
    for column in stream.columns.values():
        above = {part for name in column.path[:-1] for part in words(name)}
        if column.types & {"object", "array"} or FOREIGN.intersection(above):
            continue
        has_words = bool(column.known_words) or len(column.path) == 1
        if is_sale and has_words and (_is_named_state(column) or _has_only_states(column)):
            found += _state(column)
        flag = FLAGS.get(bare_key(column.path[-1]))
        if flag and len(column.path) == 1 and _is_flag(column):
            condition = flag[0].format(column.expression)
            found.append(SuggestedLine("when", condition, f"{NOT_SURE}{flag[1]}", is_sure=False))
    sure = [line for line in found if line.is_sure]
    return [offered(line) if line in sure[1:] else line for line in found]


def _is_named_state(column: ProfiledColumn) -> bool:
    return bare_key(column.path[-1]) in STATE_COLUMNS


def _has_only_states(column: ProfiledColumn) -> bool:
    """Return whether the values are states, some of sales and some of others, in any language."""
    words_of = [vocabulary.is_bought(name) for name in column.known_words]
    return len(set(words_of)) > 1 and sum(column.known_words.values()) == column.filled


def _is_flag(column: ProfiledColumn) -> bool:
    return "boolean" in column.types or column.share("boolean") > 0


def _state(column: ProfiledColumn) -> list[SuggestedLine]:
    """Return the condition on a column of states: certain if every value is a known word."""
    seen = sorted(name for name in column.known_words if vocabulary.is_state(name))
    bought = [name for name in seen if vocabulary.is_bought(name)]
    if not bought:
        words_of = (
            f"its values seen: {', '.join(seen)}" if seen else "it has none of the usual words"
        )
        condition = f"{column.expression} == 'paid'"
        return [SuggestedLine("when", condition, f"{NOT_SURE}a state; {words_of}", is_sure=False)]
    condition = (
        f"{column.expression} == '{bought[0]}'"
        if len(bought) == 1
        else f"contains(`{json.dumps(bought)}`, {column.expression})"
    )
    is_sure = sum(column.known_words.values()) == column.filled and len(bought) < len(seen)
    reason = f"states seen: {', '.join(seen)}; any other is skipped"
    return [SuggestedLine("when", condition, reason if is_sure else NOT_SURE + reason, is_sure)]


def is_in_cents(stream: StreamProfile, column: ProfiledColumn) -> bool:
    """Return whether amounts are whole numbers of the smallest unit, by names and types."""
    if not is_whole(column):
        return False
    if any(name.endswith("_money") for name in column.path):  # Square
        return True
    if CENTS.intersection(part for name in column.path for part in words(name)):
        return True
    return is_payment(stream) and key(column.path[-1]) in CENT_AMOUNTS


def is_whole(column: ProfiledColumn) -> bool:
    """Return whether all known values of a column are whole numbers."""
    if "number" in column.types:
        return False
    return column.share("whole") == 1.0 if column.filled else "integer" in column.types


def is_payment(stream: StreamProfile) -> bool:
    """Return whether rows are payments as Stripe has them."""
    return not PAYMENT_COLUMNS.isdisjoint(stream.roots)


def currency_of(stream: StreamProfile, lines: Iterable[SuggestedLine]) -> str | None:
    """Return the currency in the name of the column of the amount: `total_eur` is in EUR."""
    values = [str(line.value) for line in lines if line.name == "custom_data.value"]
    for column in stream.columns.values():
        if any(column.expression in value for value in values):
            for part in words(column.path[-1])[1:]:
                if part in CURRENCIES:
                    return part.upper()
    return None


def is_list(stream: StreamProfile) -> bool:
    """Return whether a stream's name means people on a list."""
    parts = words(stream.name)
    return any(
        is_plural(key(part), key(name)) for part in parts for name in vocabulary.LIST_STREAMS
    )


def action_column(stream: StreamProfile) -> ProfiledColumn | None:
    """Return the column that says who joins and who leaves, or None."""
    for column in stream.columns.values():
        if any(vocabulary.is_join_or_leave(name) for name in column.known_words):
            return column
    return None
