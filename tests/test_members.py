"""Members of customer lists.

What a record contains, its normal forms, and which operation of a member counts.
"""

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import digest, entry, list_settings, person

from given import settings_of
from target_pinterest_capi.customer_lists.identifiers import (
    KIND_OF_LIST_TYPE,
    KINDS,
    IdentifierReader,
)
from target_pinterest_capi.customer_lists.members import (
    Action,
    MemberOperation,
    compile_members,
    read_action,
)
from target_pinterest_capi.customer_lists.net_operations import (
    OperationReceipt,
    SingleOperations,
)
from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.event import InvalidRecord, Origin
from target_pinterest_capi.events.reasons import Dropped, Invalid

ORIGIN = Origin("vips", "VIPs")
BEGAN_AT = datetime(2026, 11, 25, 10, tzinfo=UTC)
UUID = "2f3a1c9e-0b7d-4f6a-9c55-1e2d3c4b5a69"


def reader(**changes):
    notes = []
    settings = settings_of(**list_settings(entry(**changes)))
    read = compile_members(
        settings.customer_lists[0],
        ORIGIN,
        ("id",),
        lambda *note: notes.append(note),
        settings.options,
        BEGAN_AT,
    )
    return read, notes


def read_member(value, list_type):
    """Return the identifier that a list reads from a value, or None."""
    kind = KINDS[KIND_OF_LIST_TYPE[list_type]]
    return next(IdentifierReader(Options()).read(value, kind, lambda _: None), None)


@pytest.mark.parametrize(
    "word", ["add", "ADD", " Insert ", "enter", "true", True, 1, "1", "yes", "subscribed", "u"]
)
def test_words_that_add(word):
    """The usual words for an addition, in any case, booleans and ones."""
    assert read_action(word) is Action.ADD


@pytest.mark.parametrize(
    "word",
    [
        "remove",
        "DELETE",
        "exit",
        "exited",
        "false",
        False,
        0,
        "0",
        "no",
        "unsubscribed",
        "d",
        "left",
    ],
)
def test_words_that_remove(word):
    """The usual words for a removal."""
    assert read_action(word) is Action.REMOVE


@pytest.mark.parametrize("word", ["perhaps", 2, "", None, [], {"a": 1}, "addd"])
def test_other_words_are_no_operation(word):
    """An ambiguous value is refused, not guessed."""
    assert read_action(word) is None


@pytest.mark.parametrize(
    ("value", "list_type", "normal"),
    [
        (" Jane.Doe+x@Example.COM ", "EMAIL", "jane.doe+x@example.com"),
        ("jane @example.com", "EMAIL", "jane@example.com"),
        (UUID.upper(), "MAID", UUID),
        (UUID.upper(), "IDFA", UUID),
        (UUID.replace("-", ""), "MAID", UUID.replace("-", "")),
    ],
)
def test_identifiers_are_normalized_and_hashed(value, list_type, normal):
    """E-mails and advertising ids are hashed in the same normal form as in events."""
    assert read_member(value, list_type) == digest(normal)


@pytest.mark.parametrize("length", [64, 40, 32])
def test_digests_are_passed_through(length):
    """A digest that Pinterest accepts for lists, SHA-256, SHA-1 or MD5, is passed through.

    It is lower-cased and not hashed again.
    """
    assert read_member(("AB" * 32)[:length], "EMAIL") == ("ab" * 32)[:length]


@pytest.mark.parametrize(
    ("value", "list_type", "reason"),
    [
        ("nobody", "EMAIL", Dropped.NOT_AN_EMAIL),
        ("nobody", "MAID", Dropped.NOT_A_MAID),
        ("d41d8cd98f00b204e9800998ecf8427e", "EMAIL", Dropped.EMPTY_DIGEST),
        ("1B2M2Y8AsgTpgAmY7PhCfg==", "IDFA", Dropped.EMPTY_DIGEST),
        ({"a": 1}, "EMAIL", Dropped.NOT_TEXT),
        ("00000000-0000-0000-0000-000000000000", "IDFA", Dropped.TRACKING_OFF),
        (" ", "EMAIL", None),
        (None, "MAID", None),
    ],
)
def test_what_is_no_identifier_is_left_out_with_its_reason(value, list_type, reason):
    """Only identifiers are hashed."""
    assert read_member(value, list_type) is reason


@pytest.mark.parametrize(
    ("email", "people"),
    [
        ("person1@example.com; person2@example.com", (person(1), person(2))),
        ("[person1@example.com, person2@example.com]", (person(1), person(2))),
        ("['person1@example.com']", (person(1),)),
        ("{person1@example.com,person2@example.com}", (person(1), person(2))),
        ("('person1@example.com', 'person2@example.com')", (person(1), person(2))),
        (b64encode(bytes.fromhex(person(1))).decode().rstrip("="), (person(1),)),
        ("\u202aPerson1@example.com\x00", (person(1),)),
        (b64encode(bytes.fromhex(person(1))).decode(), (person(1),)),
        ("\\x" + person(1), (person(1),)),
    ],
)
def test_identifier_that_is_nearly_right_is_read(email, people):
    """Members of lists are read as identifiers of events are."""
    read, notes = reader(operation=None)
    assert read({"id": 1, "email": email})[:2] == (Action.ADD, people)
    assert notes == []


@pytest.mark.parametrize(
    ("own", "email", "is_null"),
    [(None, "N/A", True), (None, " null ", True), ([], "N/A", False), (["nobody"], "Nobody", True)],
)
def test_word_for_a_missing_value_is_no_member(own, email, is_null):
    """The setting's words, and the entry's own, are not identifiers."""
    read, notes = reader(member=["email", "other"], operation=None, null_values=own)
    assert read({"id": 1, "email": email, "other": "person1@example.com"})[1] == (person(1),)
    assert notes == [(ORIGIN, "member", "null_value" if is_null else "not_an_email")]
    assert read({"id": 1, "email": email}).reason == notes[0][2]


def test_operation_that_is_a_word_for_a_missing_value_is_missing():
    """Such a word counts as an empty operation."""
    read, _ = reader()
    result = read({"id": 1, "email": "person1@example.com", "action": "NULL"})
    assert result.reason is Invalid.MISSING_FIELD


def test_several_identifiers_of_a_record():
    """Each expression, and each value of a list, is a separate member, once.

    A bad one is noted and drops nothing else.
    """
    read, notes = reader(member=["email", "others[]"], operation=None)
    operation = read(
        {
            "id": 1,
            "email": "person1@example.com",
            "others": ["PERSON1@example.com", "person2@example.com", "nobody"],
        }
    )
    assert isinstance(operation, MemberOperation)
    assert operation[:2] == (Action.ADD, (person(1), person(2)))
    assert operation.key == {"id": digest("1")}
    assert notes == [(ORIGIN, "member", "not_an_email")]


@pytest.mark.parametrize(
    ("record", "reason", "field", "detail"),
    [
        ({"email": "nobody", "action": "add"}, Dropped.NOT_AN_EMAIL, "member", None),
        ({"email": None, "action": "add"}, Invalid.MISSING_FIELD, "member", None),
        ({"action": "add"}, Invalid.MISSING_FIELD, "member", None),
        (
            {"email": "a@example.com", "action": "perhaps"},
            Invalid.BAD_FIELD,
            "operation",
            "unknown_choice",
        ),
        ({"email": "a@example.com", "action": None}, Invalid.MISSING_FIELD, "operation", None),
    ],
)
def test_records_that_say_nothing_are_invalid(record, reason, field, detail):
    """A record without any identifier, or without a known operation, is invalid with the reason.

    Nothing is guessed.
    """
    result = reader()[0]({"id": 1, **record})
    assert isinstance(result, InvalidRecord)
    assert (result.reason, result.field, result.detail, result.key) == (
        reason,
        field,
        detail,
        {"id": digest("1")},
    )


@pytest.mark.parametrize(
    ("operation", "record", "action"),
    [
        (None, {}, Action.ADD),
        (None, {"_sdc_deleted_at": None}, Action.ADD),
        (None, {"_sdc_deleted_at": ""}, Action.ADD),  # of a CSV file
        (None, {"_sdc_deleted_at": " "}, Action.ADD),
        (None, {"_sdc_deleted_at": "\\N"}, Action.ADD),
        (None, {"_SDC_DELETED_AT": "null"}, Action.ADD),
        (None, {"_SDC_DELETED_AT": "2026-11-01 00:00:00"}, Action.REMOVE),
        (None, {"_Sdc_Deleted_At": ""}, Action.ADD),
        ("action", {"action": "", "_SDC_DELETED_AT": "2026-11-01"}, Action.REMOVE),
        (None, {"_sdc_deleted_at": "2026-11-01T00:00:00Z"}, Action.REMOVE),
        ("action", {"action": None, "_sdc_deleted_at": "2026-11-01T00:00:00Z"}, Action.REMOVE),
        ("action", {"action": "add", "_sdc_deleted_at": "2026-11-01T00:00:00Z"}, Action.ADD),
        ("status == 'active'", {"status": "lapsed"}, Action.REMOVE),
        ("status == 'active'", {"status": "active"}, Action.ADD),
    ],
)
def test_operation_or_deletion(operation, record, action):
    """Without `operation` a deleted row removes and any other adds.

    A non-empty `operation` decides alone.
    """
    result = reader(operation=operation)[0]({"id": 1, "email": "person1@example.com", **record})
    assert isinstance(result, MemberOperation)
    assert result.action is action


def test_plain_identifiers_are_not_kept():
    """The members of a record contain no plain identifier."""
    result = reader()[0]({"id": 1, "email": "person1@example.com", "action": "add"})
    assert "example" not in repr(result)
    assert "nobody" not in repr(reader()[0]({"id": 1, "email": "nobody", "action": "add"}))


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Action))))
def test_the_last_operation_of_a_member_wins(operations):
    """For any input, the last operation of each member remains.

    Each member is there once, in the order of these operations.
    """
    gathering = SingleOperations()
    last = {}
    for number, (who, action) in enumerate(operations):
        receipt = OperationReceipt(ORIGIN, number, None, b"")
        superseded = gathering.add_operation(MemberOperation(action, (person(who),), None), receipt)
        before = last.pop(who, None)
        assert [one.sequence for one in superseded] == ([before[1]] if before else [])
        last[who] = (action, number)
    assert [
        (pending.action, pending.receipt.sequence) for pending in gathering.pop_all().values()
    ] == list(last.values())
    assert len(gathering) == 0


def test_a_member_that_two_feeds_bring_is_both():
    """An addition remembers other records with the same member since the last flush.

    A removal in between resets that.
    """
    gathering = SingleOperations()

    def add(action, feed):
        operation = MemberOperation(action, (person(1),), None)
        gathering.add_operation(operation, OperationReceipt(ORIGIN, 1, None, feed))

    for action, feed in ((Action.ADD, b"a"), (Action.ADD, b"b")):
        add(action, feed)
    assert gathering.pop_all()[person(1)].feeds == {b"a", b"b"}
    for action, feed in ((Action.ADD, b"a"), (Action.REMOVE, b"a"), (Action.ADD, b"b")):
        add(action, feed)
    assert gathering.pop_all()[person(1)].feeds == {b"b"}
