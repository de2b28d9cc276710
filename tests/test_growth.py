"""No cost grows faster than the input that causes it.

Regular expressions are counted in steps of a backtracking matcher, everything else in instructions
of Python's interpreter: never in seconds.
"""

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any
from unicodedata import combining, normalize

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st
from regex_steps import Steps

import target_pinterest_capi
from given import examples
from target_pinterest_capi.events import characters, coerce, dates, redaction
from target_pinterest_capi.events import normalize as forms
from target_pinterest_capi.settings.problems import nearest

PACKAGE = Path(target_pinterest_capi.__file__).parent
FEW = 100  # repeats of a unit; twice as many are compared with them
MOST_GROWTH = 2.8  # times the steps for twice the text: 2 is linear, 4 quadratic
SLACK = 600

# Every regular expression of the package, and what bounds its cost. The sandbox is not among them:
# it reads test data.
LINEAR = "linear in the text"
FROM_START = "linear in the text: only a match at its beginning is asked for"
OURS = "reads only what the package itself has: presets, rendered pages, names of entries"
CONFIGURED = "reads the configuration, which its user writes"
CHECKED = "the user's own: expressions.patterns bounds the length of its strings"
BOUNDS = {
    "events.page_addresses._between_pairs": LINEAR,
    "cli.demo.view._digest": LINEAR,
    "cli.console._filling": OURS,
    "cli.console._control": LINEAR,
    "cli.main._block": OURS,
    "cli.main.match": OURS,
    "cli.forget.people._ANY_CLICK_ID": LINEAR,
    "cli.forget.people._CLICK_ID": LINEAR,
    "cli.forget.people._DIGEST": LINEAR,
    "cli.presets._label": OURS,
    "cli.presets.split": OURS,
    "cli.presets.match": OURS,
    "cli.preview.view._list_of_one": LINEAR,
    "expressions.privacy._GOOGLE_SIGNAL": LINEAR,
    "expressions.privacy._US_PRIVACY": LINEAR,
    "events.build.function_source.sub": OURS,
    "events.build.members._is_plain": LINEAR,
    "events.coerce._is_exponential": LINEAR,
    "events.coerce._ticks": LINEAR,
    "events.characters._has_wide": LINEAR,
    "events.column_names._WORD_ENDS": LINEAR,
    "events.dates._FORMS": f"the text has at most {dates.LONGEST} characters",
    "events.dates._rewritten": f"the text has at most {dates.LONGEST} characters",
    "events.dates._named": LINEAR,
    "events.dates._offset": LINEAR,
    "events.dates._utc": LINEAR,
    "events.normalize._is_day": LINEAR,
    "events.normalize._is_unix_time": LINEAR,
    "settings.problems._ODD": CONFIGURED,
    "settings.values.split": CONFIGURED,
    "settings.values.sub": CONFIGURED,
    "singer.messages._BRACKETS": LINEAR,
    "events.coerce._NOT_SIGNED": LINEAR,
    "events.coerce._grouped": LINEAR,
    "events.coerce._is_numeric": LINEAR,
    "events.coerce.is_amount": LINEAR,
    "events.coerce._is_integer": LINEAR,
    "events.coerce._is_unix": LINEAR,
    "events.coerce._iso": LINEAR,
    "events.coerce._is_day_over": LINEAR,
    "events.list_texts._elements": LINEAR,
    "events.list_texts._is_array": LINEAR,
    "events.list_texts._is_guid": LINEAR,
    "events.list_texts._is_tuple": LINEAR,
    "events.list_texts._unescaped": LINEAR,
    "events.hashing._are_digests": LINEAR,
    "events.hashing._between_digests": LINEAR,
    "events.hashing._hex_digits": LINEAR,
    "events.hashing._named_digits": LINEAR,
    "events.hashing._is_base64": LINEAR,
    "events.hashing._is_unpadded": FROM_START,
    "events.normalize._BETWEEN_EMAILS": LINEAR,
    "events.normalize._COMMENT": LINEAR,
    "events.normalize._DIGITS": LINEAR,
    "events.normalize._after_name": LINEAR,
    "events.normalize._after_prefix": LINEAR,
    "events.normalize._as_fraction": LINEAR,
    "events.normalize._between_addresses": LINEAR,
    "events.normalize._between_maids": LINEAR,
    "events.normalize._between_names": LINEAR,
    "events.normalize._in_angles": LINEAR,
    "events.normalize._is_bare_maid": LINEAR,
    "events.normalize._is_maid": LINEAR,
    "events.normalize._is_private_ipv6": LINEAR,
    "events.normalize._is_nobodys_ipv4": LINEAR,
    "events.normalize.is_public_ipv4": LINEAR,
    "events.normalize.is_global_ipv6": LINEAR,
    "events.phones._BETWEEN_NUMBERS": LINEAR,
    "events.phones._LABEL": LINEAR,
    "events.phones._as_fraction": LINEAR,
    "events.phones._as_power": LINEAR,
    "events.phones.compile": "the text has few digits, each of which is looked at once",
    "events.phones.zero_after_code": LINEAR,
    "events.warnings._is_program": LINEAR,
    "events.written_days._has_fraction": LINEAR,
    "events.written_days._is_date": LINEAR,
    "events.written_days._is_iso": LINEAR,
    "events.written_days._short_year": LINEAR,
    "events.written_days._year_is_first": FROM_START,
    "settings.values._IN_MEMORY": CONFIGURED,
    "events.normalize._NOT_DIGITS": LINEAR,
    "events.normalize._WORDS": LINEAR,
    "events.normalize._is_email": LINEAR,
    "events.normalize.is_plain_email": LINEAR,
    "events.normalize._subdivision": LINEAR,
    "events.normalize._zip_plus_4": LINEAR,
    "events.normalize._zip_in_text": LINEAR,
    "events.normalize.is_ipv4": LINEAR,
    "events.normalize._is_short_ipv6": LINEAR,
    "events.normalize._is_full_ipv6": LINEAR,
    "events.phones._TRUNK_ZERO": LINEAR,
    "events.phones._EXTENSION": LINEAR,
    "events.phones._NOT_DIGITS": LINEAR,
    "events.phones._has_plus": LINEAR,
    "events.redaction._QUOTED": f"the text has at most {redaction.MAX_READ} characters",
    "events.redaction._PERSONAL_NAME": LINEAR,
    "events.redaction._VALUES": LINEAR,
    "events.redaction._ADDRESS": LINEAR,
    "events.redaction._ESCAPED": LINEAR,
    "events.redaction.sub": f"the text has at most {redaction.MAX_READ} characters",
    "expressions.functions.findall": CONFIGURED,
    "expressions.functions.sub": LINEAR,
    "expressions.functions.search": LINEAR,
    "expressions.patterns.compile": CHECKED,
    "expressions.syntax._ARITHMETIC": CONFIGURED,
    "expressions.syntax._IS_NAME": CONFIGURED,
    "expressions.syntax._NAME_WITH_UNIT": CONFIGURED,
    "expressions.syntax._ODD_NAME": CONFIGURED,
    "expressions.syntax._QUOTED": CONFIGURED,
    "pipeline.not_found._WILDCARDS": CONFIGURED,
    "expressions.values._NUMBER": LINEAR,
    "mapping.flat_columns._NUMBERED": FROM_START,
    "mapping.flat_columns.fullmatch": LINEAR,
    "reporting.causes.findall": OURS,
    "reporting.report._quoted": LINEAR,
    "settings.entries._DIGITS": CONFIGURED,
    "settings.entries._LITERAL": CONFIGURED,
    "settings.loading.split": CONFIGURED,
    "settings.problems.sub": CONFIGURED,
    "settings.values._ACCOUNT": CONFIGURED,
    "settings.values._DATABASE": CONFIGURED,
    "settings.values._TOKEN": CONFIGURED,
    "settings.values.search": CONFIGURED,
    "settings.variables.sub": CONFIGURED,
    "singer.batch_files._SCHEME": FROM_START,
    "singer.batch_files._FILE_SCHEME": LINEAR,
    "singer.rows._is_no_member": LINEAR,
}
_CALLS = {"compile", "sub", "split", "match", "search", "fullmatch", "findall", "finditer", "subn"}


def expressions_of(path: Path) -> Iterator[tuple[str, str, list[re.Pattern[Any]]]]:
    """Yield the regular expressions of a module: their name, how they are used, the patterns."""
    module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    named = set()
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        calls = [one for one in ast.walk(node) if _is_expression(one)]
        if calls:
            named.update(map(ast.unparse, calls))
            target = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            value = getattr(importlib.import_module(f"target_pinterest_capi.{module}"), target)
            values = value if isinstance(value, tuple) else (value,)
            how = "search" if isinstance(values[0], re.Pattern) else values[0].__name__
            yield f"{module}.{target}", how, [getattr(one, "__self__", one) for one in values]
    for node in ast.walk(ast.parse(path.read_text())):
        if _is_expression(node) and ast.unparse(node) not in named:
            assert isinstance(node, ast.Call)
            assert isinstance(node.func, ast.Attribute)
            source = node.args[0]
            patterns = [re.compile(source.value)] if isinstance(source, ast.Constant) else []
            yield f"{module}.{node.func.attr}", node.func.attr, patterns


def _is_expression(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "re"
        and node.func.attr in _CALLS
    )


FOUND = {
    name: (how, patterns)
    for path in sorted(PACKAGE.rglob("*.py"))
    if "sandbox" not in path.parts
    for name, how, patterns in expressions_of(path)
}


def test_every_regular_expression_has_its_bound():
    """A new one must be examined, and gets its row in the table."""
    assert set(FOUND) == set(BOUNDS)


LINEAR_ONES = [
    name for name, bound in BOUNDS.items() if bound in {LINEAR, FROM_START} and name in FOUND
]
PIECES = st.sampled_from(
    [
        *"a1 .,:;-/+#%()[]{}@&'\"`xT_é\n\\=é",
        "0",
        "T ",
        "//",
        "::",
        "ab",
        "\u0301",
        "\x1b",
        "st",
        "00",
    ]
)


def steps_of(name: str, text: str) -> int:
    how, patterns = FOUND[name]
    taken = 0
    for pattern in patterns:
        steps = Steps(pattern)
        if how in {"match", "fullmatch"} or BOUNDS[name] is FROM_START:
            steps.match_at(text, 0)
        else:
            steps.find_all(text)
        taken += steps.taken
    return taken


@pytest.mark.parametrize("name", LINEAR_ONES)
@tried(max_examples=examples(40))
@given(
    head=st.lists(PIECES, max_size=2),
    unit=st.lists(PIECES, min_size=1, max_size=3),
    tail=st.lists(PIECES, max_size=2),
)
def test_regular_expression_takes_twice_the_steps_for_twice_the_text(name, head, unit, tail):
    """For strings made of what it looks for."""
    few, more = (
        steps_of(name, "".join([*head, *unit * number, *tail])) for number in (FEW, 2 * FEW)
    )
    assert more <= few * MOST_GROWTH + SLACK


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\S+@\S+", "a" * 30 + "@b c@d"),
        (r"(?:[0-9a-f]{0,4}:){2,}[0-9a-f.:]+", "x ::1 2001:db8::7 y"),
        (r"(?<![\w.])\+?\d[\d ().-]{5,}\d", "call +1 (202) 555-0134, or 1"),
        (r"(?<!\w)([\"'])(.*?)\1(?!\w)", "'Jane O'Brien' and \"x\""),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "192.0.2.1 and 1.2.3"),
        (r"(?i)ABC|^d$", "abc aBc"),
    ],
)
def test_counting_matcher_finds_what_re_finds(pattern: str, text: str):
    """Otherwise its steps would say nothing."""
    compiled = re.compile(pattern)
    assert Steps(compiled).find_all(text) == [match.span() for match in compiled.finditer(text)]


def test_counting_matcher_sees_what_is_quadratic():
    """The expression that blocked the process for 77 seconds would be found."""
    few, more = (Steps(re.compile(r"\S+@\S+")) for _ in range(2))
    few.find_all("x" * 100)
    more.find_all("x" * 200)
    assert more.taken > few.taken * MOST_GROWTH + SLACK


# Conversions. msgspec, hashlib, phonenumberslite (250 characters at most), jsonschema_rs and
# SQLAlchemy are not counted: they are other people's, and their cost is documented as linear.
CONVERSIONS: dict[str, Callable[[str], Any]] = {
    "birth_date": lambda text: forms.birth_date(text, None),
    "city": forms.city,
    "country": forms.country,
    "currency": forms.currency,
    "customer_type": forms.customer_type,
    "email": forms.email,
    "external_id": lambda text: forms.external_id(text, lower=True),
    "gender": forms.gender,
    "ip_address": forms.ip_address,
    "language": forms.language,
    "maid": forms.maid,
    "name": forms.name,
    "phone": lambda text: forms.phone(text, None),
    "postal_code": lambda text: forms.postal_code(text, "us", digits_only=True),
    "state": forms.state,
    "text": coerce.text,
    "amount": coerce.amount,
    "integer": coerce.integer,
    "boolean": coerce.boolean,
    "array": coerce.array,
    "items": coerce.items,
    "unix_time": lambda text: coerce.unix_time(text, UTC),
    "redact": redaction.redact,
    "redact a value": lambda text: redaction.redact(text, ["secret"], ["a b", "1"]),
    "shown_name": redaction.shown_name,
    "one_line": redaction.one_line,
    "nearest": lambda text: nearest(text, ["checkout"]),
}
UNITS = [
    "a",
    "1",
    " ",
    ".",
    "é",
    "e\u0301",
    "\u0301\u0323",
    "\u0f73",
    "@",
    ":",
    "a@",
    "[",
    "'",
    '"',
    "1e",
    "%25",
    "x ",
    "\ud800",
]


def instructions_of(function: Callable[[str], Any], text: str) -> int:
    """Count the interpreter's instructions for a call."""
    taken = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal taken
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        taken += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(text)
    finally:
        sys.settrace(before)
    return taken


@pytest.mark.parametrize("name", CONVERSIONS)
def test_conversion_takes_twice_the_instructions_for_twice_the_text(name: str):
    """For every form of values and messages."""
    function = CONVERSIONS[name]
    function("a")  # what it imports or makes once is not counted
    for unit in UNITS:
        few, more = (instructions_of(function, unit * number) for number in (300, 600))
        assert more <= few * MOST_GROWTH + SLACK, repr(unit)


@given(st.text(st.sampled_from("aé\u0301\u0323\u0f73\u0344\u1100\u1161\u11a8İ"), min_size=257))
def test_long_texts_have_the_form_that_the_library_gives(text: str):
    """What makes many marks fast changes no form."""
    assert characters.nfc(text) == normalize("NFC", text)


@pytest.mark.parametrize("unit", ["\u0301\u0323", "\u0f73", "\u0344\u0323", "a\u0301"])
def test_library_gets_marks_that_are_sorted(unit: str):
    """It compares each mark of a letter with each earlier one that is out of order."""
    ordered = characters._ordered(unit * 300)
    classes = [combining(char) for char in ordered]
    assert not [pair for pair in pairwise(classes) if pair[0] > pair[1] > 0]
