"""Which column could be which field: by its name first, and by the shape of its values.

A candidate is certain, or only suggested. Its reason says how it was found, for a comment.
"""

from collections.abc import Collection, Container, Iterator
from functools import cache
from typing import Final, NamedTuple

from target_pinterest_capi.events.fields import BY_PATH
from target_pinterest_capi.settings.paths import COMMON_NAMES
from target_pinterest_capi.suggestions.profile import ProfiledColumn
from target_pinterest_capi.suggestions.shapes import WORDS
from target_pinterest_capi.suggestions.synonyms import NAMES
from target_pinterest_capi.suggestions.words import joined, key, listed, words


class Rule(NamedTuple):
    """What values of a field look like.

    `must`: a column with other values is only suggested. `alone`: such values are enough, whatever
    the column's name. `lone`: they are enough for the only column that has them.
    """

    shapes: tuple[str, ...]
    must: bool = True
    alone: bool = False
    lone: bool = False


TEXT: Final = Rule(("text", "country", "gender", "currency"), must=False)
RULES: Final = {
    "event_time": Rule(("time",), lone=True),
    "event_source_url": Rule(("url",)),
    "user_data.em": Rule(("email", "digest"), alone=True),
    "user_data.ph": Rule(("phone", "digest", "whole")),
    "user_data.ge": Rule(("gender", "digest")),
    "user_data.db": Rule(("time", "digest")),
    "user_data.ln": TEXT,
    "user_data.fn": TEXT,
    "user_data.ct": TEXT,
    "user_data.st": TEXT,
    "user_data.zp": Rule(("whole", "text"), must=False),
    "user_data.country": Rule(("country", "digest")),
    "user_data.external_id": Rule(("whole", "uuid", "text", "digest"), must=False),
    "user_data.hashed_maids": Rule(("uuid", "digest")),
    "user_data.client_ip_address": Rule(("ip_address",)),
    "user_data.client_user_agent": Rule(("user_agent",), alone=True),
    "user_data.click_id": Rule(("text",), must=False),
    "language": Rule(("text", "country", "gender"), must=False),
    "custom_data.currency": Rule(("currency",), lone=True),
    "custom_data.value": Rule(("amount", "comma_amount")),
    "custom_data.num_items": Rule(("whole",)),
    "custom_data.order_id": Rule(("whole", "text", "uuid"), must=False),
    "custom_data.search_string": Rule(("text",), must=False),
    "custom_data.content_name": TEXT,
    "custom_data.content_category": TEXT,
    "custom_data.content_brand": TEXT,
    "event_id": Rule(("uuid", "whole", "text"), must=False),
}
# Words in a name that change nothing: whose it is, and that it was hashed.
NEUTRAL: Final = frozenset(
    listed("""
    customer kunde kunden client cliente user buyer payer subscriber shopper person contact kontakt
    billing bill invoice rechnung facturacion facturation fattura order bestell bestellung purchase
    commande pedido ordine zamowienie siparis transaction checkout lead profile event primary main
    default raw details info properties props property traits context payload attributes metadata
    meta hidden mailing location address adresse adres direccion indirizzo endereco cust bill tbl
    hashed hash sha256 lower usd eur gbp chf gross brutto net netto incl ttc grand total set
    presentment money cents cent minor de la le du del der des the di da do van nr no numero http
    mp current local musteri asiakas zakaznik zakaznika vevo celkova 1 0
    """)
)
# Words that mean another person's, another time's, or another amount.
FOREIGN: Final = frozenset(
    listed("""
    shipping ship delivery deliver liefer lieferung lieferadresse envio livraison spedizione
    recipient gift seller vendor merchant store shop staff employee agent support company supplier
    sender from to cc bcc reply referrer partner warehouse product item line tax discount refund
    refunded fee tip weight updated modified cancelled closed deleted expires expiry due parent
    previous verified fulfilled steuer rabatt versand impuesto envio taxe remise quantity count
    transfer application outcome fraud card rep assigned assignee manager owner creator author by
    admin operator driver affiliate organizer host other destination duties duty inventory stock
    error excl frete porto kosten
    """)
)
_MORE_NEUTRAL: Final = {"custom_data.currency": listed("amount price value code iso")}
CERTAIN: Final = 3.0
AROUND: Final = 2.6  # a certain name among neutral words
SURE: Final = 2.5  # from here on a candidate is mapped
POSSIBLE: Final = 1.25
LOOSE: Final = 1.0  # a certain name among unknown words
OFFERED: Final = 1.0  # from here on a candidate is a comment
MOST_OF: Final = 0.8  # of the values that have the shape
HALF: Final = 0.5
_A_RANK: Final = 0.001
_NO_STATES: Final = frozenset({"user_data.st", "user_data.ct"})
_SHORTEST_PART: Final = 5  # characters of a name that is searched within a word


class Candidate(NamedTuple):
    """A column for a field."""

    field: str
    column: ProfiledColumn
    score: float
    reason: str

    @property
    def is_sure(self) -> bool:
        """Whether it is mapped; otherwise it is only suggested."""
        return self.score >= SURE


class _Table(NamedTuple):
    """The names of a field as keys, each with its rank."""

    certain: dict[str, int]
    possible: dict[str, int]
    partner: str
    beside: frozenset[str]


@cache
def _table(field: str) -> _Table:
    names = NAMES.get(field)
    common = [name for name, path in COMMON_NAMES.items() if path == field]
    certain = [*(names.certain.split() if names else ()), *common]
    possible = names.possible.split() if names else []
    partner, beside = names.beside if names else ("", "")
    keys = {key(name): rank for rank, name in reversed(list(enumerate(certain)))}
    for name in (*beside.split(), *possible):
        keys.pop(key(name), None)
    others = [*possible, *beside.split()]
    ranks = {key(name): rank for rank, name in reversed(list(enumerate(others)))}
    return _Table(keys, ranks, partner, frozenset(map(key, beside.split())))


def candidates(
    field: str,
    columns: Collection[ProfiledColumn],
    sure_partners: frozenset[str] = frozenset(),
    named: Container[tuple[str, ...]] = (),
) -> list[Candidate]:
    """Return the columns that could have a field, the best first.

    `sure_partners` are the fields that other columns of the stream certainly have, and `named` the
    paths of columns whose names certainly say a field.
    """
    found = [_candidate(field, column, sure_partners) for column in columns]
    usable = [one for one in found if one is not None and one.score >= OFFERED]
    if RULES[field].lone and not any(one.is_sure for one in usable):
        usable += _lone(field, [column for column in columns if column.path not in named])
    return sorted(usable, key=lambda one: (not one.is_sure, not one.column.filled, -one.score))


def _lone(field: str, columns: Collection[ProfiledColumn]) -> list[Candidate]:
    """Return the only column with values of the field's shape, unless its name says otherwise."""
    rule = RULES[field]
    ones = [one for one in columns if _is_lone(field, one)]
    if len(ones) != 1:
        return []
    seen = _reason("", ones[0], rule, ones[0].share(*rule.shapes))
    return [Candidate(field, ones[0], SURE, f"the only column of {seen}")]


def _is_lone(field: str, column: ProfiledColumn) -> bool:
    """Return whether a column has the shape; digits are numbers as well as times."""
    score, by_name = _by_name(field, column.path, frozenset())
    is_named_otherwise = by_name is None or LOOSE < score < SURE
    has_shape = column.share(*RULES[field].shapes) >= MOST_OF and not column.share("whole")
    return has_shape and not is_named_otherwise and _fits_type(field, column)


def _candidate(field: str, column: ProfiledColumn, partners: frozenset[str]) -> Candidate | None:
    if not _fits_type(field, column):
        return None
    rule = RULES[field]
    score, by_name = _by_name(field, column.path, partners)
    if by_name is None:
        return None
    if field in _NO_STATES and column.known_words:
        return None  # the state of an order
    share = column.share(*rule.shapes)
    return Candidate(
        field,
        column,
        _score(score, rule, column, share),
        _reason(by_name, column, rule, share),
    )


def _score(by_name: float, rule: Rule, column: ProfiledColumn, share: float) -> float:
    """Return how well name and values fit a field together."""
    if not column.filled:
        return by_name
    if share >= MOST_OF:
        is_enough = rule.alone and _shape(column, rule) != "digest"
        return max(by_name, SURE) if is_enough else by_name
    if share < HALF and (rule.must or by_name <= LOOSE):
        return POSSIBLE if by_name >= SURE else 0.0
    return by_name


def _shape(column: ProfiledColumn, rule: Rule) -> str:
    return max(rule.shapes, key=lambda name: column.shapes[name])


def _reason(by_name: str, column: ProfiledColumn, rule: Rule, share: float) -> str:
    if not column.filled:
        return f"{by_name or 'its type'}; the sample has no value of it"
    if share < HALF and not rule.must:
        return by_name
    shape = "text" if rule is TEXT else _shape(column, rule)
    count = max(column.shapes[name] for name in rule.shapes)
    words_of = WORDS[shape] if share >= HALF else f"few {WORDS[shape]}"
    seen = f"{words_of} ({count:,} of {column.filled:,} values)"
    return f"{by_name}; {seen}" if by_name else seen


def _fits_type(field: str, column: ProfiledColumn) -> bool:
    types = column.types - {"null"}
    if "array" in types:
        return BY_PATH[field].many and not column.members and bool(column.shapes)
    if "object" in types and not column.filled:
        return False
    is_boolean = bool(types) and types <= {"boolean"}
    return not is_boolean and column.share("boolean") < HALF


def _by_name(
    field: str, path: tuple[str, ...], partners: frozenset[str]
) -> tuple[float, str | None]:
    """Return how well a name fits a field, and how; None if it does not fit."""
    table = _table(field)
    parts = [part for name in path for part in words(name)]
    depth = _A_RANK * (len(path) - 1)
    for run, rest in _runs(parts):
        if run in table.certain:
            neutral = NEUTRAL.union(table.certain, _MORE_NEUTRAL.get(field, ()))
            return _certain(table.certain[run] * _A_RANK + depth, rest, neutral)
    for run, rest in _runs(parts):
        if run in table.possible and NEUTRAL.issuperset(rest):
            if run in table.beside and table.partner in partners:
                return SURE, f"its name, next to {table.partner}"
            return POSSIBLE - table.possible[run] * _A_RANK - depth, "perhaps its name"
    if FOREIGN.intersection(parts):
        return 0.0, None
    whole = joined(tuple(parts))
    is_within = any(len(name) >= _SHORTEST_PART and name in whole for name in table.certain)
    return (LOOSE, "a part of its name") if is_within else (0.0, "")


def _certain(rank: float, rest: list[str], neutral: frozenset[str]) -> tuple[float, str | None]:
    """Return the same for a certain name among the other words."""
    if not rest:
        return CERTAIN - rank, "its name"
    if FOREIGN.intersection(rest):
        return 0.0, None
    if all(_says_nothing(part, neutral) for part in rest):
        return AROUND - rank, "its name"
    return LOOSE, "a part of its name"


def _says_nothing(part: str, neutral: frozenset[str]) -> bool:
    """Return whether a word changes nothing: a neutral one, a number, a letter as in `cMail`."""
    return len(part) == 1 or part.isdigit() or part in neutral or joined((part,)) in neutral


def _runs(parts: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the runs of words, the longest first and the last of them first, and the others."""
    count = len(parts)
    for length in range(count, 0, -1):
        for start in range(count - length, -1, -1):
            end = start + length
            yield joined(tuple(parts[start:end])), parts[:start] + parts[end:]
