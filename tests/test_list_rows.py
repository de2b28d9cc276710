"""Members with several identifiers: a record's rows, whose they are, and what is sent.

The last operation for a person counts, whichever identifiers a row of them has.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from members import digest, entry, list_settings

from given import record, schema, settings_of, state
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.customer_lists.members import (
    Action,
    MemberOperation,
    compile_members,
)
from target_pinterest_capi.customer_lists.net_operations import (
    OperationReceipt,
    PersonOperations,
)
from target_pinterest_capi.customer_lists.rows import identities_of
from target_pinterest_capi.events.event import InvalidRecord, Origin, SkippedRecord
from target_pinterest_capi.events.reasons import Dropped, Invalid, Skipped, Warned
from target_pinterest_capi.pinterest.list_records import (
    ListRow,
    request_records,
    split_by_request,
)
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox
from target_pinterest_capi.settings import ConfigurationError, load

ORIGIN = Origin("vips", "VIPs")
DEVICE = "2f3a1c9e-0b7d-4f6a-9c55-1e2d3c4b5a69"
AGENT = "Mozilla/5.0 (X11; Linux x86_64)"
MEMBER = {
    "email": ["email", "alt_email"],
    "maid": "idfa",
    "phone": "phone",
    "external_id": "customer",
    "ip_address": "ip",
    "user_agent": "agent",
}
COLUMNS = ("id", "email", "alt_email", "idfa", "phone", "customer", "ip", "agent", "action")
SCHEMA = schema("vips", *COLUMNS, key_properties=("id",))


def reader(settings: dict[str, Any] | None = None, **changes: Any):
    notes: list[Any] = []
    checked = settings_of(
        **list_settings(entry(**{"member": MEMBER, "operation": None, **changes})),
        **(settings or {}),
    )
    read = compile_members(
        checked.customer_lists[0],
        ORIGIN,
        ("id",),
        lambda *note: notes.append(note),
        checked.options,
        datetime.now(UTC),
    )
    return read, notes


# ---- what a record makes


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ({"email": " Jane@Example.COM "}, {"email": digest("jane@example.com")}),
        ({"email": digest("x").upper()}, {"email": digest("x")}),
        ({"email": "AB" * 16}, {"email": "ab" * 16}),
        ({"idfa": DEVICE.upper()}, {"maid": digest(DEVICE)}),
        ({"phone": "+1 (202) 555-0134"}, {"hashed_phone_number": digest("12025550134")}),
        ({"phone": digest("12025550134")}, {"hashed_phone_number": digest("12025550134")}),
        ({"phone": "030 123456"}, {"hashed_phone_number": digest("4930123456")}),
        ({"customer": " Kunde 7 "}, {"external_id": "Kunde 7"}),
        ({"customer": 7}, {"external_id": "7"}),
        ({"customer": digest("7")}, {"external_id": digest("7")}),
        (
            {"ip": "192.0.2.1, 10.0.0.1", "agent": AGENT},
            {"ip_address": "192.0.2.1", "user_agent": AGENT},
        ),
        (
            {"customer": "7", "agent": "[FBAN/x;FBAV/1]"},
            {"external_id": "7", "user_agent": "[FBAN/x;FBAV/1]"},
        ),
        ({"customer": "7", "ip": "2001:DB8::1"}, {"external_id": "7", "ip_address": "2001:db8::1"}),
    ],
)
def test_identifiers_of_a_row(columns: dict[str, Any], row: dict[str, str]):
    """Each identifier has the normal form of events; those that Pinterest takes plain stay so."""
    read, notes = reader({"default_country": "DE"})
    result = read({"id": 1, **columns})
    assert isinstance(result, MemberOperation)
    assert result.members == (ListRow(**row),)
    assert notes == []


def test_one_person_is_one_row():
    """The identifiers of a record go together in one row."""
    columns = {
        "email": "jane@example.com",
        "idfa": DEVICE,
        "phone": "+12025550134",
        "customer": "7",
        "ip": "192.0.2.1",
        "agent": AGENT,
    }
    result = reader()[0]({"id": 1, **columns})
    assert isinstance(result, MemberOperation)
    (row,) = result.members
    assert isinstance(row, ListRow)
    assert row.given() == {
        "email": digest("jane@example.com"),
        "maid": digest(DEVICE),
        "hashed_phone_number": digest("12025550134"),
        "external_id": "7",
        "ip_address": "192.0.2.1",
        "user_agent": AGENT,
    }
    assert "example" not in repr(result)
    assert "192.0.2" not in repr(result.members)


def test_more_identifiers_of_a_kind_make_more_rows():
    """A row has one of each kind: a second address of the person is a separate row.

    The same values make the same rows, in any order.
    """
    read, _ = reader()
    one, two = "a@example.com", "b@example.com"
    first = read({"id": 1, "email": one, "alt_email": two, "customer": "7"})
    second = read({"id": 1, "email": f"{two}; {one}", "alt_email": one, "customer": "7"})
    assert isinstance(first, MemberOperation)
    assert first == second
    low, high = sorted((digest(one), digest(two)))
    assert first.members == (ListRow(email=low, external_id="7"), ListRow(email=high))


@pytest.mark.parametrize(
    ("columns", "reason", "field"),
    [
        ({}, Invalid.MISSING_FIELD, "member"),
        ({"ip": "192.0.2.1"}, Invalid.MISSING_FIELD, "member"),
        ({"agent": AGENT}, Invalid.MISSING_FIELD, "member"),
        ({"email": "nobody"}, Dropped.NOT_AN_EMAIL, "member.email"),
        ({"email": "nobody", "ip": "192.0.2.1"}, Dropped.NOT_AN_EMAIL, "member.email"),
        ({"phone": "call me"}, Dropped.NOT_A_PHONE, "member.phone"),
        ({"customer": "n/a"}, Dropped.NULL_VALUE, "member.external_id"),
        ({"customer": digest("")}, Dropped.EMPTY_DIGEST, "member.external_id"),
        ({"customer": {"a": 1}}, Dropped.NOT_TEXT, "member.external_id"),
        ({"ip": "0.0.0.0", "agent": AGENT}, Dropped.NOT_AN_IP_ADDRESS, "member.ip_address"),
    ],
)
def test_rows_that_identify_nobody_are_invalid(columns, reason, field: str):
    """Without an identifier of the person there is no row, and the record has its reason."""
    result = reader()[0]({"id": 1, **columns})
    assert isinstance(result, InvalidRecord)
    assert (result.reason, result.field) == (reason, field)


def test_a_bad_identifier_costs_itself():
    """Unusable values are noted, and so are warnings, and the row is sent."""
    read, notes = reader()
    result = read({"id": 1, "email": "jane@example.com", "idfa": "x", "phone": "5550134"})
    assert isinstance(result, MemberOperation)
    assert result.members == (
        ListRow(email=digest("jane@example.com"), hashed_phone_number=digest("5550134")),
    )
    assert {note[1:] for note in notes} == {
        ("member.maid", Dropped.NOT_A_MAID),
        ("member.phone", Warned.PHONE_WITHOUT_COUNTRY),
    }


def test_a_full_refresh_needs_something_hashed():
    """With `refresh: full` a row without a digest would not be recorded: it is invalid."""
    read, _ = reader({"ledger_url": "sqlite:///ledger.db"}, refresh="full")
    assert isinstance(read({"id": 1, "customer": "7"}), InvalidRecord)
    assert isinstance(read({"id": 1, "customer": "7", "email": "a@example.com"}), MemberOperation)


@pytest.mark.parametrize("member", [MEMBER, ["email"]])
def test_when(member):
    """A record for which `when` is false is skipped, before anything else is checked."""
    read, _ = reader(when="agreed == 'yes'", member=member)
    assert read({"id": 1, "agreed": "no"}) == SkippedRecord(ORIGIN, Skipped.WHEN)
    assert read({"id": 1, "email": "a@example.com"}) == SkippedRecord(ORIGIN, Skipped.WHEN)
    agreed = read({"id": 1, "email": "a@example.com", "agreed": "yes"})
    assert isinstance(agreed, MemberOperation)


# ---- settings


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"member": {}}, "member: identifies nobody"),
        ({"member": {"email": None}}, "member: identifies nobody"),
        ({"member": {"ip_address": "ip"}}, "member: identifies nobody"),
        ({"member": {"user_agent": "ua"}}, "member: identifies nobody"),
        (
            {"member": {"emial": "email"}},
            "emial: is not an identifier of a member; did you mean email?",
        ),
        ({"member": {"email": "a ["}}, "member.email: is not a valid expression"),
        ({"member": {"email": []}}, "member.email: is an empty list"),
        ({"member": {"email": "e"}, "list_type": "EMAIL"}, "list_type: says what a single"),
        (
            {"member": {"external_id": "id"}, "refresh": "full"},
            "member: needs email, maid or phone with refresh: full",
        ),
        ({"when": "a ["}, "when: is not a valid expression"),
    ],
)
def test_wrong_entries(changes: dict[str, Any], problem: str):
    """A member that identifies nobody, or has what is not an identifier, is refused with the reason."""
    given = list_settings(entry(**changes), ledger_url="sqlite:///ledger.db")
    with pytest.raises(ConfigurationError) as refused:
        load({"ad_account_id": "1", **{k: v for k, v in given.items() if v is not None}})
    assert problem in str(refused.value)


def test_entries_of_a_list_have_members_of_one_form():
    """Rows and single identifiers for one list are refused, and so are different `is_nca`."""
    for other in ({"member": "email"}, {"member": MEMBER, "is_nca": True}):
        given = list_settings(entry(member=MEMBER), entry(**other))
        with pytest.raises(ConfigurationError, match="two entries of the list 'VIPs'"):
            load({"ad_account_id": "1", **{k: v for k, v in given.items() if v is not None}})


# ---- whose rows are one person's

A, B, C = (ListRow(email=digest(name)) for name in "abc")
AP = ListRow(email=digest("a"), hashed_phone_number=digest("p"))
BP = ListRow(email=digest("b"), hashed_phone_number=digest("p"))
ADD, REMOVE = Action.ADD, Action.REMOVE


def net(*steps: tuple[Action, ListRow, int]) -> tuple[dict[ListRow, Action], list[int]]:
    """Return the net operations of operations with keys, and what was superseded."""
    gathering = PersonOperations()
    superseded: list[int] = []
    for number, (action, row, key) in enumerate(steps):
        identities = frozenset({*identities_of([row]), ("key", str(key))})
        operation = MemberOperation(action, (row,), None, identities)
        receipt = OperationReceipt(ORIGIN, number, None, b"")
        superseded += [one.sequence for one in gathering.add_operation(operation, receipt)]
    count = len(gathering)
    left = {row: pending.action for row, pending in gathering.pop_all().items()}
    assert (count, len(gathering)) == (len(left), 0)
    return left, superseded


@pytest.mark.parametrize(
    ("steps", "left", "superseded"),
    [
        ([(ADD, A, 1), (REMOVE, A, 1)], {A: REMOVE}, [0]),
        ([(REMOVE, A, 1), (ADD, A, 1)], {A: ADD}, [0]),
        ([(ADD, A, 1), (ADD, A, 1)], {A: ADD}, [0]),
        ([(ADD, A, 1), (ADD, B, 1)], {A: ADD, B: ADD}, []),
        ([(ADD, A, 1), (REMOVE, B, 1)], {A: REMOVE, B: REMOVE}, [0]),
        ([(REMOVE, A, 1), (ADD, B, 1)], {A: REMOVE, B: ADD}, []),
        ([(ADD, A, 1), (REMOVE, B, 2)], {A: ADD, B: REMOVE}, []),
        ([(ADD, AP, 1), (REMOVE, BP, 2)], {AP: REMOVE, BP: REMOVE}, [0]),
        ([(ADD, A, 1), (ADD, B, 2), (REMOVE, AP, 3)], {A: REMOVE, AP: REMOVE, B: ADD}, [0]),
        ([(ADD, A, 1), (ADD, BP, 2), (REMOVE, AP, 3)], dict.fromkeys((A, BP, AP), REMOVE), [0, 1]),
        (
            [(ADD, AP, 1), (REMOVE, A, 1), (ADD, B, 1), (ADD, C, 1)],
            {AP: REMOVE, A: REMOVE, B: ADD, C: ADD},
            [0],
        ),
    ],
)
def test_the_last_operation_of_a_person_wins(steps, left, superseded):
    """Rows that share a key or an identifier belong to one person.

    A removal covers all earlier ones, and an addition after it only its own row.
    """
    found, earlier = net(*steps)
    assert (found, sorted(earlier)) == (left, superseded)


ROW = st.builds(
    ListRow,
    email=st.none() | st.sampled_from("abc"),
    hashed_phone_number=st.none() | st.sampled_from("pq"),
    external_id=st.sampled_from("xyz"),
)


@given(st.lists(st.tuples(st.sampled_from(Action), ROW, st.integers(0, 4)), max_size=12))
def test_people_are_those_who_share_something(steps):
    """In any order: a row is removed exactly if a later removal is for the same person.

    The same person: there is a chain of rows from one to the other that share something.
    """
    left, _ = net(*steps)
    names = [{*identities_of([row]), ("key", key)} for _, row, key in steps]

    def person_of(number: int, upto: int) -> set[int]:
        found = {number}
        while True:
            known = set().union(*(names[one] for one in found))
            more = {one for one in range(upto + 1) if names[one] & known}
            if more == found:
                return found
            found = more

    expected = {}
    for number, (action, row, _) in enumerate(steps):
        expected[row] = action
        if action is REMOVE:
            for other in person_of(number, number):
                expected[steps[other][1]] = REMOVE
    assert left == expected


# ---- requests


def test_requests_are_bounded_by_members_and_bytes():
    """A request is within the limits of rows and bytes; a larger row is sent alone."""
    rows = [ListRow(external_id=str(number) * 10) for number in range(6)]
    size = len(json.dumps({"external_id": "0" * 10}, separators=(",", ":"))) + 1
    assert [len(some) for some in split_by_request(rows, 4, 10_000)] == [4, 2]
    assert [len(some) for some in split_by_request(rows, 10, 3 * size)] == [3, 3]
    assert [len(some) for some in split_by_request(rows, 10, 1)] == [1] * 6
    assert list(split_by_request([], 10, 1)) == []
    assert request_records(rows) == {"records_v2": rows}
    assert request_records(["a", "b"]) == {"records": "a,b"}


# ---- to Pinterest


@pytest.fixture(params=["every", "any"])
def sandbox(request) -> Iterator[Sandbox]:
    config = SandboxConfig(list_processing_seconds=0, removal_matching=request.param)
    with Sandbox(config) as running:
        yield running


def person(number: int, action: str | None = None, **columns: Any) -> bytes:
    """Return the RECORD line of a person with an address, a phone, and more."""
    given = {
        "email": f"Person{number}@Example.com",
        "phone": f"+1 202 555 {number:04}",
        "customer": f"C{number}",
        "ip": "192.0.2.7",
        "agent": AGENT,
        "action": action,
    }
    return record("vips", id=number, **{**given, **columns})


def emails(sandbox: Sandbox) -> list[str]:
    """Return the digests of the addresses of the rows of the one list, sorted."""
    (held,) = sandbox.store.lists()
    return sorted(dict(row)["email"] for row in held.members)


def addresses(*names: object) -> list[str]:
    return sorted(digest(f"person{name}@example.com") for name in names)


def rows(**changes: Any) -> dict[str, Any]:
    return entry(**{"member": MEMBER, **changes})


def test_rows_are_sent(run_target, sandbox: Sandbox):
    """A list is created from rows, without a type; records are delivered or have their reason."""
    lines = [SCHEMA, person(1, "add"), person(2, "add"), record("vips", id=3, ip="192.0.2.1")]
    ran = run_target(lines, **list_settings(rows(operation=None, is_nca=True)))
    assert ran.outcomes == {"delivered": 2, "invalid": 1}
    (held,) = sandbox.store.lists()
    assert (held.list_type, held.is_nca) == ("", True)
    assert emails(sandbox) == addresses(1, 2)
    names = {name for row in held.members for name, _ in row}
    assert names == {"email", "hashed_phone_number", "external_id", "ip_address", "user_agent"}


def test_the_last_operation_wins_in_a_flush_and_over_flushes(run_target, sandbox: Sandbox):
    """Who left is off the list and who came back is on it, in one flush and in several."""
    lines = [
        person(1, "add"),
        person(2, "add"),
        person(3, "add"),
        person(1, "remove"),
        person(2, "remove"),
        person(2, "add"),
        person(3, "remove", email="person3b@example.com"),
    ]
    for batch in (100, 1):
        ran = run_target([SCHEMA, *lines], **list_settings(rows(), list_batch_size=batch))
        assert ran.code == 0
    assert emails(sandbox) == addresses(2)


def test_who_opted_out_is_removed(run_target, sandbox: Sandbox):
    """The guide's operation removes who opts out, by consent string or by a column of the shop."""
    operation = "(us_opt_out(usp) || marketing == 'no') && 'remove' || 'add'"
    agreed, columns = {"usp": "1YNN", "marketing": "yes"}, (*COLUMNS, "usp", "marketing")
    opted_out = [{**agreed, "usp": "1YYN"}, {**agreed, "marketing": "no"}]
    lines = [
        schema("vips", *columns, key_properties=("id",)),
        *(person(number, **agreed) for number in (1, 2, 3)),
        *(person(number, **given) for number, given in zip((1, 2), opted_out, strict=True)),
    ]
    ran = run_target(lines, **list_settings(rows(operation=operation), list_batch_size=3))
    assert ran.code == 0
    assert emails(sandbox) == addresses(3)


# ---- full refreshes


@pytest.fixture
def full(tmp_path: Path) -> dict[str, Any]:
    """Return the settings of a list of rows with full refreshes."""
    return list_settings(rows(refresh="full"), ledger_url=f"sqlite:///{tmp_path}/ledger.db")


@pytest.fixture
def prune(config, full, tmp_path: Path) -> Callable[[], tuple[int, str]]:
    """Return a function that runs the command; it returns the exit code and the output."""

    def run() -> tuple[int, str]:
        given = {key: value for key, value in {**config, **full}.items() if value is not None}
        path = tmp_path / "config.json"
        path.write_text(json.dumps(given))
        done = CliRunner().invoke(main, ["prune", "--config", str(path)])
        return done.exit_code, done.output

    return run


def test_prune_of_rows(run_target, sandbox: Sandbox, full, prune, tmp_path: Path):
    """People who are missing are removed by everything on record: digests, and nothing plain."""
    everybody = [person(number, "add") for number in (1, 2, 3)]
    assert run_target([SCHEMA, *everybody, state({"n": 1})], **full).code == 0
    kept = (tmp_path / "ledger.db").read_bytes()
    for plain in (b"example.com", b"192.0.2", b"Mozilla", b"C1"):
        assert plain not in kept
    changed = person(2, "add", ip="192.0.2.99")
    assert run_target([SCHEMA, person(1, "add"), changed, state({"n": 2})], **full).code == 0
    assert prune() == (0, "customer list VIPs: 1 of 3 members removed.\n")
    assert set(emails(sandbox)) == set(addresses(1, 2))


def test_prune_keeps_who_changed_an_identifier(run_target, sandbox: Sandbox, full, prune):
    """A person with a new address stays, whichever identifiers Pinterest's removal uses."""
    assert run_target([SCHEMA, person(1, "add"), person(2, "add")], **full).code == 0
    moved = person(2, "add", email="person2b@example.com")
    assert run_target([SCHEMA, person(1, "add"), moved], **full).code == 0
    assert prune() == (0, "customer list VIPs: 1 of 3 members removed.\n")
    assert set(emails(sandbox)) == set(addresses(1, "2b"))
    assert prune() == (0, "customer list VIPs: 0 of 2 members had to be removed.\n")


@pytest.mark.parametrize(
    "leaves",
    [
        {},
        {"email": "person2b@example.com"},
        {"email": None, "customer": None},
        {"email": None, "phone": "+1 202 555 9999", "customer": None},
    ],
)
def test_a_removal_carries_what_is_on_record(run_target, sandbox: Sandbox, full, leaves):
    """A removal that shares an identifier or the key removes everything that the additions had."""
    everybody = [person(number, "add") for number in (1, 2)]
    assert run_target([SCHEMA, *everybody], **full).code == 0
    ran = run_target([SCHEMA, person(2, "remove", **leaves)], **full)
    assert (ran.code, ran.outcomes) == (0, {"delivered": 1})
    assert emails(sandbox) == addresses(1)


def test_who_is_added_again_stays(run_target, sandbox: Sandbox, full):
    """What is on record of a person who left and came back is not removed with the old row."""
    assert run_target([SCHEMA, person(1, "add"), person(2, "add")], **full).code == 0
    back = [person(2, "remove", email="person2b@example.com"), person(2, "add")]
    assert run_target([SCHEMA, *back], **full).code == 0
    assert emails(sandbox) == addresses(1, 2)
