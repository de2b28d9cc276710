"""Generated functions return what the oracle returns: the same results, bytes and notes."""

import json
from collections import Counter
from datetime import UTC
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from oracle import Oracle

from given import examples
from shopper import ACCOUNT
from target_pinterest_capi.events.build.builder import compile_builder
from target_pinterest_capi.events.build.columns import RecordColumns
from target_pinterest_capi.events.build.converters import Converters, Options
from target_pinterest_capi.events.build.customer_cache import CustomerCache
from target_pinterest_capi.events.build.function_source import FunctionSource
from target_pinterest_capi.events.build.members import FAST_PATHS, CompiledField, write_members
from target_pinterest_capi.events.build.normal_forms import CACHE_SIZE, BoundedCache
from target_pinterest_capi.events.build.plan import NOW as AT_BUILDING
from target_pinterest_capi.events.build.plan import EventPlan, FieldPlan
from target_pinterest_capi.events.build.readings import Readings
from target_pinterest_capi.events.build.shapes import ANY, ANY_USE, Kind, Shape, usable_shapes
from target_pinterest_capi.events.event import Origin
from target_pinterest_capi.events.fields import BY_PATH, FIELDS, ITEM_FIELDS, FieldKind
from target_pinterest_capi.events.null_values import DEFAULT_NULL_VALUES, null_words
from target_pinterest_capi.singer.rows import compile_rows, record_of

NOW = 1_780_000_000  # 2026-05-28T20:26:40Z; what is tested goes by the clock that it is given
ORIGIN = Origin("s", "m")
TEXTS = (
    "", " ", "a", " padded ", "Jane@Example.com", '["a@example.com", "b@example.com"]', "[",
    "São Paulo", "[null]", '["x", 1]', "+1 (202) 555-0134", "555-0134", "020 7946 0123", "f",
    "Female", "1990-03-04", "03/04/1990", "US", "GB", "Atlantis", "94110", "2134", "SW1A 1AA",
    "https://", " https://shop.example.com/?epik=dj0y ", "http://shop.example.com", "/p/1",
    "_epik=dj0y; x=y", "dj0y==", "epik=a&epik=b", "a=b",
    "usd", "XXY", "en-US", "192.0.2.7", "10.0.0.1, 192.0.2.7", "web", "WEB", "offline", "true",
    "19.99", "007", "1e3", "3", "-3", "99999999999999999999", "a" * 64,
    "d41d8cd98f00b204e9800998ecf8427e", "x" * 300, "\x00", "e\u0301", "\u0130", "\u017f",
    "\uff11\uff12", '[{"id": "a", "quantity": 2}]', "2026-11-20T10:00:00Z",
    "00000000-0000-0000-0000-000000000000", "6D92078A-8246-4BA4-AE5B-76104861E7DC",
    # nothing, by words and by digests
    "null", " N/A ", "(not set)", "\\N", "NA", "nil", "-", "[object Object]",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "1B2M2Y8AsgTpgAmY7PhCfg==",
    # digests in other writings
    "\\x" + "A1" * 32, "0x" + "a1" * 32, "\\x" + "a1" * 16,
    "oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE=", "oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE",
    "oaG1oaGhoaGhoaGhoaGhoQ", "oaG1oaGhoaGhoaGhoaGhoaGhoaE", "oaG1oaGhoaGhoaGhoaGhoQ==",
    # what nobody sees
    "Jane\x00", "\x7f", "a\x7fb", "a\u00ad@example.com", "\u202aa@example.com\u202c", "a\tb", "\u200b",
    "c1\x00", "\x00c1", "Jos\udc81",
    # several, and lists in strings
    "a@example.com;b@example.com", "['a@example.com', 'b']", "[a@example.com, b@example.com]",
    "[1 , , 3]", '["web"]', '["9.5"]', '["us", "de"]', "+12025550134 / +12025550135",
    "5550132 / 5550199", "{a,b}", "{a@example.com,B@example.com}", "('a', 'b')", "{'a', 'b'}", "{}",
    '{"a b",NULL}', "{id:1}", "(a)", "{6D92078A-8246-4BA4-AE5B-76104861E7DC}", "{9.5}", "{US}",
    "{+12025550134,+12025550135}",
    # nearly an address, a phone, a code
    "Jane <a@example.com>", "mailto:a@example.com", "'a@example.com'", "'a@example.com", "a@example.com/",
    "+1", "+ 49", "+1 415", "+12345", "+123456", "+1234567", "+" + "1" * 15, "+" + "1" * 16,
    "ab" * 16 + ";", "ab" * 20 + ",", "ab" * 32 + ",", ", ".join(["ab" * 32, "cd" * 32]),
    "ab" * 16 + "|" + "cd" * 16, "19900304.0", "1010102400", ".", "--", "?",
    "14155550132.0", "+14155550132.0", "+4407911123456", "+44 020 7946 0958", "1.41556E+10",
    "1.4155550132E10", "+39 06 6982", "United States (US)", "California (CA)", "10.0.0.5",
    "10.0.0.5, 203.0.113.9", "unknown, 203.0.113.9", "127.0.0.1", "[2001:db8::1]:443", "::1", "123456",
    "94110.0", "94110-123", "59.980000000000004", "0.30000000000000004", "2.9999999999999996",
    "6d92078a82464ba4ae5b76104861e7dc",
    # addresses of the internet, national phones, ids as long as digests in Base64
    "2001:db8::7", "2001:db8::", "2001:DB8::7", "2001:db8:0:1:2:3:4:5", "2001:db8:0:1:2:3:4::",
    "2001:db8:1:2:3:4:5:6::", "2001:db8::1::2", "2001:db8::192.0.2.7", "3ffe::ffff:1", "fe80::1",
    "06172 555012", "(415) 555-0134", "507f191e810c19729de860ea", "507f191e810c19729de86=",
    "507f191e810c19729de8600000==", "ab" * 22, "ab" * 14,
)  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=40),
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.floats(),
)
ITEM = st.dictionaries(
    st.sampled_from([*(field.leaf for field in ITEM_FIELDS), "other"]), SCALARS, max_size=5
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=4), st.lists(st.one_of(ITEM, SCALARS), max_size=3), ITEM
)
RECORDS = st.dictionaries(st.sampled_from([field.path for field in FIELDS]), VALUES, max_size=25)
NEEDED: dict[str, Any] = {
    "event_name": "checkout",
    "action_source": "web",
    "event_time": NOW - 60,
    "event_id": "1",
    "user_data.em": "shopper@example.com",
}


KEYS = st.sampled_from(
    [
        (),
        ("event_id",),
        ("custom_data.order_id",),
        ("custom_data.order_id", "other"),
        ("event_id", "absent"),
    ]
)
OPTIONS = st.builds(
    Options,
    default_country=st.sampled_from([None, "us", "gb"]),
    date_format=st.sampled_from([None, "dmy", "mdy"]),
    postal_code_digits=st.booleans(),
    has_statistics=st.booleans(),
    external_id_lower=st.booleans(),
    drop_url_query=st.booleans(),
    max_event_age_days=st.sampled_from([None, 7]),
    plain_keys=st.booleans(),
    null_values=st.sampled_from(
        [DEFAULT_NULL_VALUES, (), ("a", "web"), ("a@example.com", "94110", "192.0.2.7", "usd")]
    ),
)
DERIVABLE = ("event_id", "user_data.click_id", "custom_data.content_ids", "custom_data.num_items")
EVENT_NAMES = [None, {"checkout": "purchase", "a": "lead", "": "custom"}]


def reader(path: str) -> FieldPlan:
    """Return the plan of a field whose column is named like its path."""
    return FieldPlan(lambda record: record.get(path), path)


def of_expression(path: str) -> FieldPlan:
    """Return the plan of a field that an expression reads from two columns."""
    columns = (path, "custom_data.order_id")
    return FieldPlan(
        lambda record: record.get(columns[0]) or record.get(columns[1]),
        reads=dict.fromkeys(columns, ANY_USE),
    )


COLUMNS = {path: reader(path) for path in BY_PATH}


class Notes(Counter[tuple[str, str]]):
    """What was noted, by field and reason."""

    def __call__(self, field: str, reason: str) -> None:
        self[field, str(reason)] += 1


class Both:
    """The generated function of a plan and its oracle, by default for every field."""

    def __init__(self, plan: EventPlan | None = None, options: Options | None = None) -> None:
        plan = plan or EventPlan(ORIGIN, COLUMNS, ("event_id",))
        options = options or Options(zone=UTC)
        self.notes, self.expected_notes = Notes(), Notes()
        customers = CustomerCache()
        note = customers.counting(self.notes)
        self.generated = compile_builder(plan, options, note, lambda: NOW, customers)
        self.oracle = Oracle(plan, options, self.expected_notes, lambda: NOW)

    def check(self, record: dict[str, Any]) -> Any:
        """Build the record's event with both, and return it."""
        made = self.generated.of_record(ACCOUNT, record)
        assert made == self.oracle.build(ACCOUNT, record)
        assert self.notes == self.expected_notes
        return made


@settings(max_examples=examples(300))
@given(RECORDS, st.booleans())
def test_generated_function_is_the_oracle(record: dict[str, Any], complete: bool):
    """For any record, event and notes are the oracle's, also when caches are full."""
    both = Both()
    for _ in range(2):
        both.check({**NEEDED, **record} if complete else record)


@settings(max_examples=examples(300))
@given(
    record=RECORDS,
    needed=st.dictionaries(st.sampled_from([*NEEDED]), VALUES, max_size=2),
    options=OPTIONS,
    key_properties=KEYS,
    underived=st.frozensets(st.sampled_from(DERIVABLE)),
    event_names=st.sampled_from(EVENT_NAMES),
    fallback_name=st.sampled_from([None, "custom"]),
    changed=st.dictionaries(
        st.sampled_from([*BY_PATH]), st.sampled_from(["expression", "nowhere", "now"]), max_size=4
    ),
)
def test_generated_function_of_any_plan_is_the_oracle(
    record: dict[str, Any],
    needed: dict[str, Any],
    options: Options,
    key_properties: tuple[str, ...],
    underived: frozenset[str],
    event_names: dict[str, str] | None,
    fallback_name: str | None,
    changed: dict[str, str],
):
    """For any plan, event and notes are the oracle's."""
    fields = dict(COLUMNS)
    for path, source in changed.items():
        if source == "expression":
            fields[path] = of_expression(path)
        elif source == "nowhere":
            del fields[path]
        elif path == "event_time":
            fields[path] = FieldPlan(lambda _: AT_BUILDING, reads={})
    plan = EventPlan(
        ORIGIN, fields, key_properties, underived, event_names, fallback_name=fallback_name
    )
    Both(plan, options).check({**NEEDED, **record, **needed})


@pytest.mark.parametrize("path", [field.path for field in FIELDS])
def test_generated_lines_of_every_field_are_the_oracle(path: str):
    """Each field reads each of these strings as its oracle does."""
    both = Both()
    for text in TEXTS:
        both.check({**NEEDED, path: text})


# A common value of each fast path, given to the first field that has the path.
COMMON: dict[str, Any] = {
    "texts": ["a", "b"],
    "text": "a",
    "click id": "dj0yJnU9",
    "page": "https://shop.example.com/p/1",
    "short text": "iPhone",
    "ip address": "192.0.2.7",
    "digest": "Customer 4711",
    "email": "Jane@Example.com",
    "maid": "6D92078A-8246-4BA4-AE5B-76104861E7DC",
    "id": "4711",
    "phone": "+1 (202) 555-0134",
    "postal code": "94110",
    "cached": "en",
    "amount": Decimal("19.99"),
    "integer": 3,
    "boolean": True,
    "choice": "web",
}


def fill(*members: CompiledField) -> Any:
    """Return the generated function that sets members in an object from a record."""
    source = FunctionSource("fill(into, record, region)")
    RecordColumns().open(source)
    write_members(source, members, "into", Readings(source, RecordColumns()))
    source.bind("null_spellings", null_words(DEFAULT_NULL_VALUES).spellings)
    source.write("return into")
    return source.compile("test")


@pytest.mark.parametrize("fast_path", FAST_PATHS)
def test_every_fast_path_is_used(fast_path: str):
    """Each row of the table is some field's, and decides a common value without the converter."""
    calls: list[Any] = []
    options = Options(external_id_lower=fast_path == "digest")
    converters = Converters(options, lambda *note: calls.append(note))
    members = [converters.compiled(field, COLUMNS[field.path]) for field in FIELDS]
    member = next(member for member in members if member.fast_path == fast_path)
    member = member._replace(convert=lambda *given: calls.append(given))
    assert member.leaf in fill(member)({}, {member.column: COMMON[fast_path]}, "us")
    assert calls == []


JSON_SCALARS = st.one_of(
    st.sampled_from(TEXTS),
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.decimals(allow_nan=False, allow_infinity=False),
)
JSON_ITEM = st.dictionaries(
    st.sampled_from([*(field.leaf for field in ITEM_FIELDS), "other"]), JSON_SCALARS, max_size=5
)
JSON_VALUES = st.one_of(
    JSON_SCALARS, st.lists(JSON_SCALARS, max_size=3), st.lists(JSON_ITEM, max_size=3), JSON_ITEM
)
ENCODE = msgspec.json.Encoder(decimal_format="number").encode

# What schemas may declare: strings in every column, or in each what its field is made for.
TEXTS_DECLARED = dict.fromkeys(BY_PATH, Shape(Kind.TEXT))
SHAPES = {
    FieldKind.AMOUNT: Shape(Kind.NUMBER),
    FieldKind.INTEGER: Shape(Kind.NUMBER),
    FieldKind.BOOLEAN: ANY,
    FieldKind.ITEMS: Shape(
        Kind.OBJECTS,
        {
            "id": Shape(Kind.TEXT),
            "item_price": Shape(Kind.NUMBER),
            "quantity": Shape(Kind.NUMBER),
            "item_name": ANY,
        },
    ),
}
FIELDS_DECLARED = {
    path: SHAPES.get(field.kind, Shape(Kind.TEXT)) for path, field in BY_PATH.items()
} | {"custom_data.content_ids": Shape(Kind.TEXTS)}
LISTS_DECLARED = dict.fromkeys(BY_PATH, Shape(Kind.TEXTS))


def fitting(value: Any, shape: Shape) -> Any:
    """Return a value where it is of a shape, else one like it that is."""
    match shape.kind:
        case Kind.TEXT:
            return value if value is None else str(value)
        case Kind.TEXTS:
            values = value if isinstance(value, list) else [value]
            return None if value is None else [*map(str, values)]
        case Kind.OBJECTS:
            entries = value if isinstance(value, list) else [value]
            return [
                {
                    name: fitting(member, shape.members[name])
                    for name, member in entry.items()
                    if name in shape.members
                }
                if isinstance(entry, dict)
                else None
                for entry in entries
            ]
    return value


def is_utf_8(record: dict[str, Any]) -> bool:
    try:
        ENCODE(record)
    except UnicodeEncodeError:
        return False
    return True


@settings(max_examples=examples(300))
@example({"custom_data.content_ids": ["a", "b"]}, True, (), "column", FIELDS_DECLARED)
@example({"custom_data.content_ids": ["a", ""]}, True, (), "column", FIELDS_DECLARED)
@example({"custom_data.content_ids": ["a", "a"]}, True, (), "column", FIELDS_DECLARED)
@example({"custom_data.content_ids": ["a", "null"]}, True, (), "column", FIELDS_DECLARED)
@example({"custom_data.contents": [{}]}, True, (), "column", FIELDS_DECLARED)
@example({"custom_data.contents": [{"item_price": 0}]}, True, (), "column", FIELDS_DECLARED)
@given(
    st.dictionaries(st.sampled_from([*BY_PATH, "other"]), JSON_VALUES, max_size=25),
    st.booleans(),
    KEYS,
    st.sampled_from(["column", "expression", "nowhere", "constant"]),
    st.sampled_from([{}, TEXTS_DECLARED, FIELDS_DECLARED, LISTS_DECLARED]),
)
def test_rows_are_records(
    record: dict[str, Any],
    complete: bool,
    key_properties: tuple[str, ...],
    id_comes_from: str,
    declared: dict[str, Shape],
):
    """A line read into a row has the same event, dead letter and notes as its record."""
    given = {**NEEDED, **record} if complete else record
    if declared:
        given = {name: fitting(value, declared.get(name, ANY)) for name, value in given.items()}
    assume(is_utf_8(given))  # half a surrogate pair is read by the lenient reader, and no row
    line = ENCODE({"type": "RECORD", "stream": "s", "record": given})
    fields = dict(COLUMNS)
    if id_comes_from == "nowhere":
        del fields["event_id"]
    elif id_comes_from == "expression":
        fields["event_id"] = of_expression("user_data.external_id")
    elif id_comes_from == "constant":
        fields["event_id"] = FieldPlan(lambda _: "e-1", reads={})
    both = Both(EventPlan(ORIGIN, fields, key_properties))
    reads = both.generated.reads
    if reads is None:
        assert id_comes_from == "nowhere"
        assert key_properties == ()
        return
    shapes = usable_shapes(declared, [reads])
    rows = compile_rows("s", [*BY_PATH, "other"], shapes)
    assert rows is not None
    build = both.generated.compile_rows(rows.columns, record_of)
    try:
        row = rows.decode(line).record
    except msgspec.ValidationError:  # a value of another shape: it is read as a record
        assert declared
        return
    for _ in range(2):  # the second time, the customer may be looked up
        assert build(ACCOUNT, row, line) == both.oracle.build(ACCOUNT, record_of(line))
        assert both.notes == both.expected_notes


def test_columns_are_no_source():
    """A column's name is a value in the function's namespace: it cannot become code."""
    column = '"]; raise SystemExit  # {x}'
    fields = {**COLUMNS, "custom_data.np": FieldPlan(lambda record: record.get(column), column)}
    made = Both(EventPlan(ORIGIN, fields, (column,))).check({**NEEDED, column: 5})
    assert json.loads(made.body)["custom_data"] == {"np": "5"}


def test_cache_is_bounded():
    """However many strings there are, a bounded number of short ones is cached, never a None."""
    cache = BoundedCache(lambda text: None if text == "nothing" else text)
    for number in range(CACHE_SIZE * 2 + 10):
        assert cache[str(number)] == str(number)
    assert len(cache) <= CACHE_SIZE
    assert cache["x" * 1000] == "x" * 1000
    assert cache["nothing"] is None
    assert not {"x" * 1000, "nothing"} & set(cache)


def test_integers_stay_within_64_bits():
    """A whole number beyond Pinterest's int64 is dropped, and the event encoded."""
    both = Both()
    vendor = "custom_data.external_measurement_vendor_id"
    made = both.check({**NEEDED, "custom_data.num_items": 2**63, vendor: 2**63 - 1})
    custom = json.loads(made.body)["custom_data"]
    assert custom == {"external_measurement_vendor_id": 2**63 - 1}
    assert both.notes == {("custom_data.num_items", "out_of_range"): 1}
