"""What mapping expressions compute with: exact numbers, JSON text, our added functions and JMESPath's built-ins.

Owns the table FUNCTIONS (the function reference is printed from it, and every example in it is a test), the built-ins made
decimal-aware, and what two values being equal or ordered means. Promises that numbers stay exact, that an added function
gives null where it has no answer, and that a built-in fails with EvaluationError alone (or with the ArithmeticError or
RecursionError of a hostile value, which the compiled expression turns into one). Never parses an expression, never puts a
value of a record into a message, never executes text.
"""

import inspect
import json
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import lru_cache, reduce
from itertools import chain, repeat
from re import _parser as _regex_parser  # type: ignore[attr-defined]  # the pattern's tree; it has no public door
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

import msgspec
from jmespath import functions as _jmespath

DIGITS: Final = 1000  # beyond these a number is no amount but an attack: 1E+999999999 would fill the memory when written out
LONGEST_TEXT: Final = 16_384  # characters that regex_extract reads at most
REGEX_STEPS: Final = 100_000_000  # of the worst search: a tenth of a second to one and a half, measured with Python 3.11
_EXACT: Final = Context(prec=DIGITS, traps=[Inexact, InvalidOperation, Overflow])
_QUOTIENT: Final = Context(prec=28, traps=[InvalidOperation, Overflow])
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_JSON: Final = msgspec.json.Decoder(float_hook=Decimal)


class EvaluationError(ValueError):
    """An expression that fails on a record. The message names functions and types, never a value."""


# ---- values ----


def number(value: Any) -> int | Decimal | None:
    """The number exactly (a float as it is written); None for anything else, for booleans, NaN and infinities too."""
    kind_of_value = type(value)
    if kind_of_value is int:
        return value  # type: ignore[no-any-return]
    if kind_of_value is Decimal:
        return value if value.is_finite() else None
    return Decimal(repr(value)) if kind_of_value is float and math.isfinite(value) else None


def parsed_number(value: Any) -> int | Decimal | None:
    """A number, or a text that is one and nothing else ("7.50", " -3 ", "1e3"); None for anything else."""
    if not isinstance(value, str):
        return number(value)
    digits = value.strip()
    if len(digits) > DIGITS or not _NUMBER.fullmatch(digits):
        return None
    try:
        return Decimal(digits) if set(digits) & set(".eE") else int(digits)
    except ArithmeticError:  # an exponent that no Decimal holds
        return None


def number_text(value: int | Decimal) -> str | None:
    """All its digits as written, never an exponent; None for a number of over 1,000 digits."""
    if isinstance(value, int):
        return str(value) if value.bit_length() < DIGITS * 3 else None
    return format(value, "f") if abs(value.adjusted()) <= DIGITS else None


def text(value: Any) -> str | None:
    """A text as it is, a number's exact text, a date or date-time in ISO form; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    exact = number(value)
    return None if exact is None else number_text(exact)


def opened(value: Any) -> Any:
    """A text of a JSON array or object decoded, with exact numbers; anything else as it is."""
    if isinstance(value, str) and value.lstrip(" \t\r\n")[:1] in ("{", "["):
        try:
            return _JSON.decode(value)
        except (
            ValueError,
            ArithmeticError,
            RecursionError,
        ):  # no JSON, a number no Decimal holds, nested beyond reason
            return value
    return value


def kind(value: Any) -> str:
    """JMESPath's name of its type. Dates and date-times count as the text that they are in JSON."""
    return next(
        (name for types, name in _KINDS if isinstance(value, types)),
        "expref" if callable(value) else "unknown",
    )


_KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (str, "string"), (bool, "boolean"), ((int, Decimal, float), "number"),
    (list, "array"), (dict, "object"), (type(None), "null"), (date, "string"),
)  # fmt: skip


def equal(left: Any, right: Any) -> bool:
    """JMESPath's `==`, deep: numbers by value whatever their type, a boolean never equals a number."""
    if type(left) is str and type(right) is str:
        return left == right
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(equal(left[key], right[key]) for key in left)
        )
    exact = number(left)
    if exact is not None:
        other = number(right)
        return other is not None and exact == other
    return isinstance(left, bool) == isinstance(right, bool) and bool(_dated(left) == _dated(right))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    def ordered(left: Any, right: Any) -> bool | None:
        left, right = _rank(left), _rank(right)
        # the JMESPath specification orders numbers only; its libraries order texts too, and people rely on it
        return (
            compare(left, right)
            if left is not None and right is not None and _alike(left, right)
            else None
        )

    return ordered


def _alike(left: Any, right: Any) -> bool:
    return isinstance(left, str) == isinstance(right, str)


def _rank(value: Any) -> Any:
    """What a number or text is sorted by; None for what has no order."""
    value = _dated(value)
    return value if isinstance(value, str) else number(value)


def _dated(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool | None]]] = {
    "eq": equal,
    "ne": lambda left, right: not equal(left, right),
    "lt": _ordered(operator.lt), "lte": _ordered(operator.le),
    "gt": _ordered(operator.gt), "gte": _ordered(operator.ge),
}  # fmt: skip


# ---- added functions ----


def _changed(change: Callable[[str], str]) -> Callable[[Any], str | None]:
    def changed(value: Any) -> str | None:
        given = text(value)
        return None if given is None else change(given)

    return changed


def _concat(first: Any, *others: Any) -> str | None:
    given = [value for value in (first, *others) if value is not None]
    texts = [joined for value in given if (joined := text(value)) is not None]
    return "".join(texts) if texts and len(texts) == len(given) else None


def _split(value: Any, separator: Any) -> list[str] | None:
    given, between = text(value), text(separator)
    return given.split(between) if given is not None and between else None


def _replace(value: Any, old: Any, new: Any) -> str | None:
    given, before, after = text(value), text(old), text(new)
    if given is None or before is None or after is None:
        return None
    return given.replace(before, after) if before else given


def _regex_extract(value: Any, pattern: Any) -> str | None:
    given = text(value)
    if given is None or not isinstance(pattern, str):
        return None
    compiled, longest, _ = _pattern(pattern)
    found = compiled.search(given) if compiled is not None and len(given) <= longest else None
    return found.group(1 if found.re.groups else 0) if found else None


def _query_param(url: Any, name: Any) -> str | None:
    given = text(url)
    if (
        given is None
        or not isinstance(name, str)
        or (name not in given and "%" not in given and "+" not in given)
    ):
        return None
    path, mark, query = given.partition("#")[0].partition("?")
    for pair in (query if mark else path).split("&"):
        key, equals, value = pair.partition("=")
        if (mark or equals) and unquote_plus(key) == name:
            return unquote_plus(value)
    return None


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
        moment = datetime.strptime(given.strip(), form)  # noqa: DTZ007 - without an offset it is read in the setting timezone
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None and "%Z" in form.replace("%%", ""):
        # strptime drops the zone's name: UTC and GMT are the same everywhere, the machine's own names are not
        return (
            moment.replace(tzinfo=UTC).isoformat()
            if re.search(r"\b(?:utc|gmt)\b", given, re.IGNORECASE)
            else None
        )
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
            total = _EXACT.add(total, _EXACT.multiply(price, quantity))
        except ArithmeticError:
            return None
    return total if rows else None


# ---- constant arguments, checked before the first record ----


class _Pattern(NamedTuple):
    """A usable pattern, or `problem`. A text longer than `longest` characters could take too long: it gives null."""

    compiled: re.Pattern[str] | None
    longest: int = 0
    problem: str | None = None


@lru_cache(maxsize=256)
def _pattern(source: str) -> _Pattern:
    """Compile a pattern, with the text length up to which its worst case stays below REGEX_STEPS.

    Python's engine backtracks, and visitors choose the texts (URLs, user agents). Repeats within repeats are exponential and
    refused. k repeats in a row can split n characters in about n^k/k! ways, from each of n starts: hence the length.
    """
    try:
        with warnings.catch_warnings():  # they would print the pattern
            warnings.simplefilter("ignore")
            tree, compiled = _regex_parser.parse(source), re.compile(source)
        ways, degree = _ways(tree)
    except (re.error, OverflowError, RecursionError) as error:
        return _Pattern(
            None, problem=f"the pattern is wrong: {getattr(error, 'msg', 'it is too large')}"
        )
    if not ways:
        return _Pattern(
            None,
            problem="the pattern repeats what repeats or branches, like (a+)+ or (a|ab)*: it could run for ever",
        )
    anchored = (
        bool(tree)
        and str(tree[0][1]).startswith("AT_BEGINNING")
        and not compiled.flags & re.MULTILINE
    )
    power = max(1, degree) + (not anchored)
    longest = min(LONGEST_TEXT, int((REGEX_STEPS * math.factorial(power) / ways) ** (1 / power)))
    if longest < 64:  # noqa: PLR2004 - shorter texts are not worth a pattern
        return _Pattern(None, problem="the pattern has too many repeats: it could run for hours")
    return _Pattern(compiled, longest)


def _ways(tree: Iterable[Any]) -> tuple[int, int]:
    """In how many ways a pattern can match from one start, as (c, k) of c times n^k; c is 0 where that is exponential."""
    ways, degree = 1, 0
    for code, argument in tree:
        name = str(code)
        if name.endswith("_REPEAT"):
            low, high, body = argument
            more, power = _ways(body)
            if (more, power) == (1, 0):
                more, power = (1, 1) if high - low >= 64 else (high - low + 1, 0)  # noqa: PLR2004 - as good as unbounded
            else:
                more = more + 1 if high <= 1 and more else 0
        elif name == "BRANCH":
            more, power = _branch_ways(argument[1])
        elif name == "GROUPREF_EXISTS":
            more, power = _branch_ways([part or () for part in argument[1:]])
        else:
            body = {"SUBPATTERN": -1, "ASSERT": 1, "ASSERT_NOT": 1}.get(name)
            more, power = _ways(
                argument if name == "ATOMIC_GROUP" else () if body is None else argument[body]
            )
            power += name == "GROUPREF"  # compares up to n characters
        ways, degree = ways * more, degree + power
    return ways, degree


def _branch_ways(branches: Iterable[Any]) -> tuple[int, int]:
    counted = [_ways(branch) for branch in branches]
    firsts = {
        chr(branch[0][1]).casefold()
        for branch in branches
        if branch and str(branch[0][0]) == "LITERAL"
    }
    if len(firsts) == len(counted) and set(counted) == {(1, 0)}:
        return 1, 0  # the first character decides
    return (sum(ways for ways, _ in counted) if all(ways for ways, _ in counted) else 0), max(
        power for _, power in counted
    )


def _pattern_problem(pattern: Any) -> str | None:
    return (
        _pattern(pattern).problem
        if isinstance(pattern, str)
        else "the pattern is no text: write it as 'text'"
    )


def _date_form_problem(form: Any) -> str | None:
    if not isinstance(form, str):
        return "the format is no text: write it as 'text'"
    directives = re.findall(r"%(.?)", form, re.DOTALL)
    unknown = next(
        (
            directive
            for directive in directives
            if directive not in set("aAwdbBmyYHIMSfzpZjUWcxXGuV%")
        ),
        None,
    )
    if unknown is not None:
        return f"%{unknown} is no directive of a date format"
    return None if set(directives) & set("yYGcx") else "the format has no year (%Y)"


def _separator_problem(separator: Any) -> str | None:
    return None if text(separator) else "the separator is empty or no text"


class Function(NamedTuple):
    """One added function: how it is written, what it gives, examples as (expression, record, result), and how it works.

    `constants` checks arguments that are literals, by place: from the value to what is wrong with it, or None.
    """

    name: str
    signature: str
    about: str
    examples: tuple[tuple[str, dict[str, Any], Any], ...]
    implementation: Callable[..., Any]
    constants: Mapping[int, Callable[[Any], str | None]] = {}


_LANDING: Final = {"landing": "https://shop.example.com/p?utm_term=blue+shoes&epik=dj0y%3D#top"}
_LINES: Final = {"lines": [{"price": "19.90", "qty": 2}, {"price": Decimal("0.10")}]}

FUNCTIONS: Final[Mapping[str, Function]] = {function.name: function for function in (
    Function("lower", "lower(text)", "The text in lower case", (
        ("lower(status)", {"status": "PAID"}, "paid"), ("lower(status)", {}, None)), _changed(str.lower)),
    Function("upper", "upper(text)", "The text in upper case", (
        ("upper(currency)", {"currency": "eur"}, "EUR"), ("upper(currency)", {"currency": ["eur"]}, None)), _changed(str.upper)),
    Function("trim", "trim(text)", "The text without white space around it", (
        ("trim(name)", {"name": " Jane\n"}, "Jane"),), _changed(str.strip)),
    Function("concat", "concat(a, b, ...)", "Texts and numbers joined, numbers with their exact digits; nulls are left out", (
        ("concat(store, '-', number)", {"store": "eu", "number": 1001}, "eu-1001"),
        ("concat(prefix, price)", {"prefix": None, "price": Decimal("7.50")}, "7.50"),
        ("concat(first, last)", {}, None)), _concat),
    Function("split", "split(text, separator)", "An array of the texts between the separators", (
        ("split(tags, ',')", {"tags": "a,b"}, ["a", "b"]), ("split(name, ' ')[0]", {"name": "Jane Doe"}, "Jane")),
        _split, {1: _separator_problem}),
    Function("replace", "replace(text, old, new)", "The text with every occurrence of old replaced", (
        ("replace(sku, '-', '')", {"sku": "a-b-c"}, "abc"),), _replace),
    Function("regex_extract", "regex_extract(text, pattern)",
             "The first group (without groups the whole) of the first match of a Python regular expression. A repeat of what"
             " repeats or branches is refused. Longer texts than 14,142 characters give null; 843 with two repeats in the pattern,"
             " 221 with three (a ^ in front counts for one): a search ends in time whatever the text", (
        ("regex_extract(path, '/products/([0-9]+)')", {"path": "/en/products/42?x=1"}, "42"),
        ("regex_extract(path, '[0-9]+')", {"path": "/en/products/42"}, "42"),
        ("regex_extract(path, '[0-9]+')", {"path": "/en"}, None)), _regex_extract, {1: _pattern_problem}),
    Function("query_param", "query_param(url, name)",
             "The decoded value of a query parameter, the first of its name, of a full or partial URL", (
        ("query_param(landing, 'epik')", _LANDING, "dj0y="), ("query_param(landing, 'utm_term')", _LANDING, "blue shoes"),
        ("query_param(query, 'epik')", {"query": "utm_source=pinterest&epik=dj0y"}, "dj0y"),
        ("query_param(landing, 'gclid')", _LANDING, None)), _query_param),
    Function("cookie", "cookie(header, name)", "The value of a cookie in a Cookie header (RFC 6265), without its quotes", (
        ("cookie(cookies, '_epik')", {"cookies": 'cart=1; _epik="dj0y"'}, "dj0y"),), _cookie),
    Function("to_date", "to_date(text, format)",
             "An ISO date-time from Python's strptime format; an offset (%z) is kept, and the zone names UTC and GMT (%Z)", (
        ("to_date(at, '%d/%m/%Y %H:%M')", {"at": "31/01/2026 13:05"}, "2026-01-31T13:05:00"),
        ("to_date(at, '%d %b %Y %H:%M:%S %z')", {"at": "05 Jan 2026 10:00:00 +0200"}, "2026-01-05T10:00:00+02:00"),
        ("to_date(at, '%d/%m/%Y')", {"at": "yesterday"}, None)), _to_date, {1: _date_form_problem}),
    Function("items_value", "items_value(items, price_key, quantity_key)",
             "The exact sum of price times quantity; a missing quantity counts 1; null where a price is missing or no number", (
        ("items_value(lines, 'price', 'qty')", _LINES, Decimal("39.90")),
        ("items_value(lines, 'price', 'qty')", {"lines": '[{"price": 5, "qty": "3"}]'}, 15),
        ("items_value(lines, 'price', 'qty')", {"lines": [{"qty": 2}]}, None)), _items_value),
)}  # fmt: skip


# ---- JMESPath's built-ins ----


class BuiltIns(_jmespath.Functions):
    """JMESPath's functions with exact numbers, and ours. A JSON text is read where an array or object is asked for."""

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """The result of a function on evaluated arguments, whose number was checked before; raises EvaluationError."""
        if function_name in FUNCTIONS:
            return FUNCTIONS[function_name].implementation(*resolved_args)
        spec = self.FUNCTION_TABLE[function_name]
        wanted = chain(spec["signature"], repeat(spec["signature"][-1]))
        checked = [
            _accepted(function_name, value, row["types"])
            for value, row in zip(resolved_args, wanted, strict=False)
        ]
        return spec["function"](self, *checked)

    @_jmespath.signature({"types": ["number"]})
    def _func_abs(self, arg: Any) -> Any:
        return (
            abs(arg) if isinstance(arg, int) else arg.copy_abs()
        )  # abs() would round to the context's 28 digits

    @_jmespath.signature({"types": ["number"]})
    def _func_ceil(self, arg: Any) -> int:
        return math.ceil(_written_out(arg))

    @_jmespath.signature({"types": ["number"]})
    def _func_floor(self, arg: Any) -> int:
        return math.floor(_written_out(arg))

    @_jmespath.signature({"types": ["array-number"]})
    def _func_sum(self, arg: list[Any]) -> int | Decimal:
        nothing: int | Decimal = 0
        return reduce(_added, arg, nothing)

    @_jmespath.signature({"types": ["array-number"]})
    def _func_avg(self, arg: list[Any]) -> Decimal | None:
        return _QUOTIENT.divide(self._func_sum(arg), len(arg)) if arg else None

    @_jmespath.signature({"types": ["array-number", "array-string"]})
    def _func_max(self, arg: list[Any]) -> Any:
        return max(arg, default=None)

    @_jmespath.signature({"types": ["array-number", "array-string"]})
    def _func_min(self, arg: list[Any]) -> Any:
        return min(arg, default=None)

    @_jmespath.signature({"types": ["array-number", "array-string"]})
    def _func_sort(self, arg: list[Any]) -> list[Any]:
        return sorted(arg)

    @_jmespath.signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_sort_by(self, array: list[Any], expref: Callable[[Any], Any]) -> list[Any]:
        ranks = _ranks("sort_by", array, expref)
        return [array[place] for place in sorted(range(len(array)), key=ranks.__getitem__)]

    @_jmespath.signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_max_by(self, array: list[Any], expref: Callable[[Any], Any]) -> Any:
        ranks = _ranks("max_by", array, expref)
        return array[max(range(len(array)), key=ranks.__getitem__)] if array else None

    @_jmespath.signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_min_by(self, array: list[Any], expref: Callable[[Any], Any]) -> Any:
        ranks = _ranks("min_by", array, expref)
        return array[min(range(len(array)), key=ranks.__getitem__)] if array else None

    @_jmespath.signature({"types": ["expref"]}, {"types": ["array"]})
    def _func_map(self, expref: Callable[[Any], Any], arg: list[Any]) -> list[Any]:
        return [expref(element) for element in arg]

    @_jmespath.signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject: Any, search: Any) -> bool:
        if isinstance(subject, str):
            return isinstance(search, str) and search in subject
        return any(equal(element, search) for element in subject)

    @_jmespath.signature({"types": []})
    def _func_to_number(self, arg: Any) -> int | Decimal | None:
        return parsed_number(arg)

    @_jmespath.signature({"types": []})
    def _func_to_string(self, arg: Any) -> str:
        return arg if isinstance(arg, str) else _written(arg)

    @_jmespath.signature({"types": []})
    def _func_type(self, arg: Any) -> str:
        return kind(arg)


_PLAIN: Final = 10**30  # far below where the number of digits is looked at


def whole_sum(values: Any) -> int | None:
    """The sum of a list of whole numbers of common size; None for anything else."""
    if type(values) is not list:
        return None
    total = 0
    for value in values:
        if type(value) is not int or not -_PLAIN < value < _PLAIN:
            return None
        total += value
    return total


def _accepted(name: str, value: Any, types: list[str]) -> Any:
    """The argument as its function takes it: floats exact, dates as text, JSON text read where text is not asked for."""
    value = _dated(value)
    if not types:
        return value
    if isinstance(value, str) and "string" not in types:
        value = opened(value)
    given = kind(value)
    for wanted, _, inner in (row.partition("-") for row in types):
        if wanted != given or (given == "number" and number(value) is None):
            continue
        if not inner:
            return number(value) if given == "number" else value
        ranks = [_rank(element) for element in value]
        if all(rank is not None and isinstance(rank, str) == (inner == "string") for rank in ranks):
            return ranks
    expected = " or ".join(
        "an array of {1}s".format(*row.split("-")) if "-" in row else row for row in types
    )
    raise EvaluationError(f"{name}() takes {expected}, not this {given}")


def _ranks(name: str, array: list[Any], expref: Callable[[Any], Any]) -> list[Any]:
    ranks = [_rank(expref(element)) for element in array]
    if any(rank is None or not _alike(rank, ranks[0]) for rank in ranks):
        raise EvaluationError(
            f"{name}() needs a number for every element, or a text for every element"
        )
    return ranks


def _added(total: int | Decimal, more: int | Decimal) -> int | Decimal:
    return (
        total + more
        if isinstance(total, int) and isinstance(more, int)
        else _EXACT.add(total, more)
    )


def _written_out(exact: int | Decimal) -> int | Decimal:
    if number_text(exact) is None:
        raise EvaluationError(f"a number has more than {DIGITS:,} digits")
    return exact


def _written(value: Any) -> str:
    """Compact JSON with exact numbers, members in their order."""
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{_written(str(key))}:{_written(member)}" for key, member in value.items())
            + "}"
        )
    exact = number(value)
    if exact is not None:
        return format(_written_out(exact), "f" if isinstance(exact, Decimal) else "d")
    return json.dumps(_dated(value), ensure_ascii=False, default=kind)


NAMES: Final = tuple(sorted({*FUNCTIONS, *BuiltIns.FUNCTION_TABLE}))


def arity(name: str) -> tuple[int, int | None]:
    """How many arguments a function of NAMES takes: at least, and at most (None: any number)."""
    if name not in FUNCTIONS:
        rows = BuiltIns.FUNCTION_TABLE[name]["signature"]
        return len(rows), None if rows[-1].get("variadic") else len(rows)
    parameters = inspect.signature(FUNCTIONS[name].implementation).parameters.values()
    single = sum(parameter.kind is not parameter.VAR_POSITIONAL for parameter in parameters)
    return single, single if single == len(parameters) else None


def takes_reference(name: str, place: int) -> bool:
    """Whether the argument at this place is an expression after `&`."""
    rows = BuiltIns.FUNCTION_TABLE[name]["signature"] if name not in FUNCTIONS else ()
    return place < len(rows) and "expref" in rows[place]["types"]
