"""The functions that are added to JMESPath's.

Owns the table FUNCTIONS: the function reference is generated from it, and every example in it is a
test. An added function returns null if it has no answer, and never raises; only arithmetic raises
EvaluationError. Never parses an expression, never executes text.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from target_pinterest_capi.events.column_names import find_member
from target_pinterest_capi.events.page_addresses import query_values
from target_pinterest_capi.expressions import arithmetic, privacy
from target_pinterest_capi.expressions.patterns import pattern, pattern_problem
from target_pinterest_capi.expressions.truth import means_true
from target_pinterest_capi.expressions.values import EXACT, opened, parsed_number, text


def _changed(change: Callable[[str], str]) -> Callable[[Any], str | None]:
    def changed(value: Any) -> str | None:
        if type(value) is str:
            return change(value)
        given = text(value)
        return None if given is None else change(given)

    return changed


def _concat(first: Any, *others: Any) -> str | None:
    texts = [joined for value in (first, *others) if (joined := text(value))]
    return "".join(texts) if len(texts) == 1 + len(others) else None


def _is_true(value: Any) -> bool | None:
    return None if value is None else means_true(value)


def _split(value: Any, separator: Any) -> list[str] | None:
    given, between = text(value), text(separator)
    return given.split(between) if given is not None and between else None


def _replace(value: Any, old: Any, new: Any) -> str | None:
    given, before, after = text(value), text(old), text(new)
    if given is None or before is None or after is None:
        return None
    return given.replace(before, after) if before else given


def _regex_extract(value: Any, source: Any) -> str | None:
    return _extractor(source)(value) if isinstance(source, str) else None


@lru_cache(maxsize=256)
def _extractor(source: str) -> Callable[[Any], str | None]:
    """Return the function that extracts what a pattern finds in a string."""
    compiled, longest, _ = pattern(source)
    if compiled is None:
        return lambda _: None
    search, group = compiled.search, 1 if compiled.groups else 0

    def extract(value: Any) -> str | None:
        if type(value) is not str and (value is None or (value := text(value)) is None):
            return None
        found = search(value) if len(value) <= longest else None
        return found[group] if found else None

    return extract


def _query_param(url: Any, name: Any) -> str | None:
    given = url if type(url) is str else text(url)
    if given is None or not isinstance(name, str):
        return None
    return next(query_values(given, name), None)


def _query_reader(name: Any) -> Callable[[Any], str | None]:
    """Return the function of a URL that returns its parameter with this name."""
    if not isinstance(name, str) or not name.replace("_", "").isalnum():
        return lambda url: _query_param(url, name)
    begin = f"&{name}="

    def parameter(url: Any) -> str | None:
        if type(url) is not str or "%" in url or "+" in url:
            return _query_param(url, name)
        if name not in url:
            return None
        path, mark, query = url.partition("#")[0].partition("?")
        before, found, value = f"&{query if mark else path}".partition(begin)
        if not found or name in before:  # perhaps it is there without a value
            return _query_param(url, name)
        return value.partition("&")[0]

    return parameter


def _cookie(header: Any, name: Any) -> str | None:
    if not isinstance(header, str) or not isinstance(name, str):
        return None
    for pair in re.sub(r"^\s*cookie:", "", header, flags=re.IGNORECASE).split(";"):
        key, equals, value = pair.partition("=")
        if equals and key.strip() == name:
            value = value.strip()
            return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    return None


def _to_date(value: Any, form: Any) -> str | None:
    given = text(value)
    if given is None or _date_form_problem(form) is not None:
        return None
    try:
        # Without an offset it is read in the setting timezone.
        moment = datetime.strptime(given.strip(), form)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None and "%Z" in form.replace("%%", ""):
        # strptime drops the zone's name. UTC and GMT are the same on every machine, others are not.
        if not re.search(r"\b(?:utc|gmt)\b", given, re.IGNORECASE):
            return None
        moment = moment.replace(tzinfo=UTC)
    return moment.isoformat()


def _items_value(items: Any, price_key: Any, quantity_key: Any) -> int | Decimal | None:
    if not isinstance(price_key, str) or not isinstance(quantity_key, str | None):
        return None
    rows = opened(items)
    rows = [opened(row) for row in rows if row is not None] if isinstance(rows, list) else []
    total: int | Decimal = 0
    for row in rows:
        if not isinstance(row, dict):
            return None
        price, count = parsed_number(row.get(price_key)), row.get(quantity_key)
        quantity = 1 if count is None or count == "" else parsed_number(count)
        if price is None or quantity is None:
            return None  # a part of the sum would be a wrong amount, and look right
        try:
            total = EXACT.add(total, EXACT.multiply(price, quantity))
        except ArithmeticError:
            return None
    return total if rows else None


def _constant() -> None:
    """Return null: the compiler replaces the call by its value if there is a stream and a run."""


def _member(value: Any, name: Any) -> Any:
    if type(value) is not dict:
        value = opened(value)
    if not isinstance(value, dict) or not isinstance(name, str):
        return None
    return find_member(value, name)


# Constant arguments, checked before the first record


_DIRECTIVES: Final = frozenset("aAwdbBmyYHIMSfzpZjUWcxXGuV%")


def _date_form_problem(form: Any) -> str | None:
    if not isinstance(form, str):
        return "the format is not a string: write it as 'text'"
    directives = re.findall(r"%(.?)", form, re.DOTALL)
    unknown = [one for one in directives if one not in _DIRECTIVES]
    if unknown:
        return f"%{unknown[0]} is not a directive of a date format"
    repeated = [one for one in directives if one != "%" and directives.count(one) > 1]
    if repeated:
        return f"the format has %{repeated[0]} twice"
    return None if set(directives) & set("yYGcx") else "the format has no year (%Y)"


def _separator_problem(separator: Any) -> str | None:
    return None if text(separator) else "the separator is empty or not a string"


class Function(NamedTuple):
    """One added function.

    `signature` is how it is written, `about` what it returns; each of the `examples` has an
    expression, a record and the result. `constants` has checks for literal arguments, by position:
    they return what is wrong with the value, or None. A function that `fails` raises
    EvaluationError for some values; others never raise. `prepare` takes a literal second argument
    and returns a function of the first argument only.
    """

    signature: str
    about: str
    examples: tuple[tuple[str, dict[str, Any], Any], ...]
    implementation: Callable[..., Any]
    constants: Mapping[int, Callable[[Any], str | None]] = {}
    fails: bool = False
    prepare: Callable[[Any], Callable[[Any], Any]] | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.signature.partition("(")[0]


_LANDING: Final = {"landing": "https://shop.example.com/p?utm_term=blue+shoes&epik=dj0y%3D#top"}
_LINES: Final = {"lines": [{"price": "19.90", "qty": 2}, {"price": Decimal("0.10")}]}

FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function
    for function in (
        Function(
            signature="lower(text)",
            about="The text in lower case",
            examples=(
                ("lower(status)", {"status": "PAID"}, "paid"),
                ("lower(status)", {}, None),
            ),
            implementation=_changed(str.lower),
        ),
        Function(
            signature="upper(text)",
            about="The text in upper case",
            examples=(
                ("upper(currency)", {"currency": "eur"}, "EUR"),
                ("upper(currency)", {"currency": ["eur"]}, None),
            ),
            implementation=_changed(str.upper),
        ),
        Function(
            signature="is_true(value)",
            about=(
                "Whether a value means true, as `when` asks: not empty, false or 0, nor a string "
                "that says so, such as false, no, off, 0 or N/A"
            ),
            examples=(
                ("is_true(consent)", {"consent": "yes"}, True),
                ("is_true(consent)", {"consent": "No"}, False),
                ("is_true(paid)", {"paid": 0}, False),
                ("is_true(coupon)", {"coupon": "SALE10"}, True),
            ),
            implementation=_is_true,
        ),
        Function(
            signature="trim(text)",
            about="The text without white space around it",
            examples=(("trim(name)", {"name": " Jane\n"}, "Jane"),),
            implementation=_changed(str.strip),
        ),
        Function(
            signature="concat(a, b, ...)",
            about=(
                "The parts joined, numbers with their exact digits; null if a part is null or "
                "empty, so that no id is incomplete. For a part that may be missing, write "
                "an alternative with ||"
            ),
            examples=(
                ("concat(store, '-', number)", {"store": "eu", "number": 1001}, "eu-1001"),
                ("concat('order-', id)", {"id": None}, None),
                ("concat('order-', id)", {"id": ""}, None),
                ("concat('order-', id, '-', part || '1')", {"id": Decimal("7.50")}, "order-7.50-1"),
            ),
            implementation=_concat,
        ),
        Function(
            signature="split(text, separator)",
            about="An array of the strings between the separators",
            examples=(
                ("split(tags, ',')", {"tags": "a,b"}, ["a", "b"]),
                ("split(name, ' ')[0]", {"name": "Jane Doe"}, "Jane"),
            ),
            implementation=_split,
            constants={1: _separator_problem},
        ),
        Function(
            signature="replace(text, old, new)",
            about="The text with every occurrence of old replaced",
            examples=(("replace(sku, '-', '')", {"sku": "a-b-c"}, "abc"),),
            implementation=_replace,
        ),
        Function(
            signature="regex_extract(text, pattern)",
            about=(
                "The first match of a Python regular expression: its first group, or all of it "
                "without groups. To limit the search time, nested repeats are refused, and long "
                "strings return null: more than 14,142 characters, 843 with two repeats in the "
                "pattern, 221 with three (a ^ at the start saves one)"
            ),
            examples=(
                (
                    "regex_extract(path, '/products/([0-9]+)')",
                    {"path": "/en/products/42?x=1"},
                    "42",
                ),
                ("regex_extract(path, '[0-9]+')", {"path": "/en/products/42"}, "42"),
                ("regex_extract(path, '[0-9]+')", {"path": "/en"}, None),
            ),
            implementation=_regex_extract,
            constants={1: pattern_problem},
            prepare=_extractor,
        ),
        Function(
            signature="query_param(url, name)",
            about=(
                "The decoded value of the first query parameter with this name, from a full or "
                "partial URL"
            ),
            examples=(
                ("query_param(landing, 'epik')", _LANDING, "dj0y="),
                ("query_param(landing, 'utm_term')", _LANDING, "blue shoes"),
                ("query_param(query, 'epik')", {"query": "utm_source=pinterest&epik=dj0y"}, "dj0y"),
                ("query_param(landing, 'gclid')", _LANDING, None),
            ),
            implementation=_query_param,
            prepare=_query_reader,
        ),
        Function(
            signature="cookie(header, name)",
            about="The value of a cookie in a Cookie header (RFC 6265), without its quotes",
            examples=(("cookie(cookies, '_epik')", {"cookies": 'cart=1; _epik="dj0y"'}, "dj0y"),),
            implementation=_cookie,
        ),
        Function(
            signature="to_date(text, format)",
            about=(
                "An ISO date-time, parsed with a format of Python's strptime; an offset (%z) and "
                "the zone names UTC and GMT (%Z) are kept"
            ),
            examples=(
                (
                    "to_date(at, '%d/%m/%Y %H:%M')",
                    {"at": "31/01/2026 13:05"},
                    "2026-01-31T13:05:00",
                ),
                (
                    "to_date(at, '%d %b %Y %H:%M:%S %z')",
                    {"at": "05 Jan 2026 10:00:00 +0200"},
                    "2026-01-05T10:00:00+02:00",
                ),
                ("to_date(at, '%d/%m/%Y')", {"at": "yesterday"}, None),
            ),
            implementation=_to_date,
            constants={1: _date_form_problem},
        ),
        Function(
            signature="member(object, name)",
            about=(
                "The object's member with this name, also in another case or in camelCase; the "
                "exact name is preferred"
            ),
            examples=(
                ("member(user, 'click_id')", {"user": {"clickId": "dj0y"}}, "dj0y"),
                ("member(user, 'click_id')", {"user": '{"CLICK_ID": "dj0y"}'}, "dj0y"),
                ("member(user, 'click_id')", {"user": {"email": "a@example.com"}}, None),
            ),
            implementation=_member,
        ),
        Function(
            signature="us_opt_out(text)",
            about=(
                "Whether a US Privacy string (1YNN) or the US sections of a GPP string say that "
                "somebody opted out of sale, sharing or targeted advertising, or switched Global "
                "Privacy Control on; null if they do not say"
            ),
            examples=(
                ("us_opt_out(usp)", {"usp": "1YYN"}, True),
                ("us_opt_out(usp)", {"usp": "1YNN"}, False),
                ("us_opt_out(gpp)", {"gpp": "DBABVg~BVVVVVVg"}, True),
                ("us_opt_out(usp) && 'LDP' || `null`", {"usp": "1YNN"}, None),
                ("us_opt_out(usp)", {"usp": "unknown"}, None),
            ),
            implementation=privacy.us_opt_out,
        ),
        Function(
            signature="consented(state, purpose)",
            about=(
                "Whether a purpose is allowed: by its number in a TC string (TCF v2, also inside a "
                "GPP string), or by its name in the object or the parameter gcs of Google's "
                "consent mode; null if the state does not say"
            ),
            examples=(
                ("consented(tc, `1`)", {"tc": "CAAAAAAAAAAAAAAAAAAAAAAAAKAAAAAAAAAA"}, True),
                ("consented(tc, `2`)", {"tc": "CAAAAAAAAAAAAAAAAAAAAAAAAKAAAAAAAAAA"}, False),
                ("consented(modes, 'ad_storage')", {"modes": {"ad_storage": "granted"}}, True),
                ("consented(gcs, 'ad_storage')", {"gcs": "G101"}, False),
                ("consented(modes, 'ad_storage')", {"modes": {}}, None),
            ),
            implementation=privacy.consented,
        ),
        Function(
            signature="items_value(items, price_key, quantity_key)",
            about=(
                "The exact sum of price times quantity; a missing quantity is 1; null if a price "
                "is missing or not a number"
            ),
            examples=(
                ("items_value(lines, 'price', 'qty')", _LINES, Decimal("39.90")),
                ("items_value(lines, 'price', 'qty')", {"lines": '[{"price": 5, "qty": "3"}]'}, 15),
                ("items_value(lines, 'price', 'qty')", {"lines": [{"qty": 2}]}, None),
            ),
            implementation=_items_value,
        ),
        Function(
            signature="add(a, b, ...)",
            about="The exact sum of numbers or numeric strings; null if one is null",
            examples=(
                (
                    "add(total, shipping, tip)",
                    {"total": "0.1", "shipping": Decimal("0.2"), "tip": 5},
                    Decimal("5.3"),
                ),
                ("add(total, shipping)", {"total": "19.90", "shipping": None}, None),
                ("add(total, shipping || `0`)", {"total": "19.90"}, Decimal("19.90")),
            ),
            implementation=arithmetic.add,
            fails=True,
        ),
        Function(
            signature="subtract(a, b)",
            about="The exact difference of two numbers or numeric strings",
            examples=(
                ("subtract(total, tax)", {"total": "23.80", "tax": "3.80"}, Decimal("20.00")),
            ),
            implementation=arithmetic.subtract,
            fails=True,
        ),
        Function(
            signature="multiply(a, b, ...)",
            about="The exact product of numbers or numeric strings; null if one is null",
            examples=(("multiply(price, count)", {"price": "9.95", "count": 3}, Decimal("29.85")),),
            implementation=arithmetic.multiply,
            fails=True,
        ),
        Function(
            signature="divide(a, b)",
            about=(
                "The quotient of two numbers or numeric strings, exact up to 40 digits; use "
                "round() if it may have more"
            ),
            examples=(
                ("divide(amount, `100`)", {"amount": 1999}, Decimal("19.99")),
                ("divide(amount, `100`)", {"amount": 2000}, 20),
                ("round(divide(gross, '1.19'), `2`)", {"gross": "23.80"}, Decimal("20.00")),
            ),
            implementation=arithmetic.divide,
            fails=True,
        ),
        Function(
            signature="round(number, digits)",
            about=(
                "The number with 0 to 9 digits after the decimal point, halves rounded away from "
                "zero: 2.675 to 2 digits is 2.68, and -0.5 to 0 digits is -1"
            ),
            examples=(
                ("round(price, `2`)", {"price": "2.675"}, Decimal("2.68")),
                ("round(price, `2`)", {"price": Decimal("59.980000000000004")}, Decimal("59.98")),
                ("round(price, `0`)", {"price": "-0.5"}, -1),
            ),
            implementation=arithmetic.rounded,
            fails=True,
            constants={1: arithmetic.places_problem},
        ),
        Function(
            signature="stream()",
            about="The name of the record's stream, for entries that match several streams",
            examples=(("concat('Lytics ', stream() || 'unknown')", {}, "Lytics unknown"),),
            implementation=_constant,
        ),
        Function(
            signature="run_time()",
            about="The ISO time, in UTC, at which the run started: the same for all its records",
            examples=(("run_time() >= today()", {}, True),),
            implementation=_constant,
        ),
        Function(
            signature="today()",
            about="The ISO date of run_time(), in UTC",
            examples=(("starts_with(run_time(), today())", {}, True),),
            implementation=_constant,
        ),
    )
}
