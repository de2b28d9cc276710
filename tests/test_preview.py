"""`pinterest-capi preview`: the events of records, before anything is sent."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import members
import pytest
import yaml
from click.testing import CliRunner, Result

from given import ACCOUNT, line, record, schema, state
from shopper import digest, seconds_ago
from target_pinterest_capi.cli.console import plain
from target_pinterest_capi.cli.main import main
from target_pinterest_capi.cli.preview.view import event_json
from target_pinterest_capi.events.event import encode
from target_pinterest_capi.events.reasons import Dropped, Invalid, Skipped, Warned
from target_pinterest_capi.pipeline.previewed_lists import ADVICE
from target_pinterest_capi.sandbox.server import Sandbox

ENTRY = {
    "stream": "orders",
    "name": "paid orders",
    "when": "status != 'open'",
    "fields": {
        "event_time": "at",
        "user_data.em": ["email", "alt"],
        "user_data.ph": "phone",
        "user_data.client_ip_address": "ip",
        "custom_data.value": "total",
        "custom_data.contents": "lines[].{id: sku, item_price: price}",
    },
    "defaults": {"event_name": "checkout", "action_source": "web"},
}
ORDERS = schema("orders", "id", "at", "email", "notes", "status", key_properties=("id",))


def order(number: int, **columns: Any) -> bytes:
    return record(
        "orders",
        **{
            "id": number,
            "at": seconds_ago(number),
            "email": f"shopper{number}@example.com",
            **columns,
        },
    )


@pytest.fixture
def preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs the command on lines of input, with no token configured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(lines: list[bytes], *arguments: str, file: bool = False, **settings: Any) -> Result:
        Path("config.json").write_text(
            json.dumps({"ad_account_id": ACCOUNT, "mappings": [ENTRY], **settings})
        )
        Path("in.singer").write_bytes(b"\n".join(lines))
        command = [
            "preview",
            "--config",
            "config.json",
            *(["in.singer"] if file else []),
            *arguments,
        ]
        return CliRunner().invoke(main, command, input=None if file else b"\n".join(lines))

    return run


def objects(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(row) for row in result.stdout.splitlines()]


def reasons(notes: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(note["field"], note["reason"], note["count"]) for note in notes]


# What a record comes to


def test_event_is_shown_as_it_would_be_sent(preview):
    """The whole event: normal forms hashed, ids derived, decimals as text, and its account."""
    at = seconds_ago(1)
    (made,) = objects(
        preview([ORDERS, order(1, at=at, total=19.9, lines=[{"sku": 7, "price": 9.95}])], "--json")
    )
    key = {"ad_account_id": ACCOUNT, "event_name": "checkout", "key": {"id": 1}, "stream": "orders"}
    assert made == {
        "line": 2,
        "stream": "orders",
        "mapping": "paid orders",
        "outcome": "event",
        "ad_account_id": ACCOUNT,
        "event": {
            "event_name": "checkout",
            "action_source": "web",
            "event_time": at,
            "event_id": digest(json.dumps(key, separators=(",", ":"))),
            "user_data": {"em": [digest("shopper1@example.com")]},
            "custom_data": {
                "value": "19.9",
                "contents": [{"id": "7", "item_price": "9.95"}],
                "content_ids": ["7"],
                "num_items": 1,
            },
        },
        "warnings": [
            {
                "field": "custom_data.currency",
                "reason": "no_currency",
                "count": 1,
                "advice": Warned.NO_CURRENCY.advice,
            }
        ],
    }


def test_what_is_left_out_stands_beside_the_event(preview):
    """Each unusable value: field, reason, how often, and advice.

    Warnings are separate.
    """
    lines = [{"sku": "a", "price": "x"}, {"sku": "b", "price": "y"}]
    (made,) = objects(
        preview(
            [ORDERS, order(1, alt="nobody", phone="555 0100", total="a lot", lines=lines)], "--json"
        )
    )
    assert reasons(made["dropped"]) == [
        ("user_data.em", "not_an_email", 1),
        ("custom_data.value", "not_an_amount", 1),
        ("custom_data.contents.item_price", "not_an_amount", 2),
    ]
    assert reasons(made["warnings"]) == [("user_data.ph", "phone_without_country", 1)]
    assert [note["advice"] for note in made["dropped"][:2]] == [
        Dropped.NOT_AN_EMAIL.advice,
        Dropped.NOT_AN_AMOUNT.advice,
    ]
    assert made["warnings"][0]["advice"] == Warned.PHONE_WITHOUT_COUNTRY.advice


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"email": "x"},
            {
                "reason": "no_identifier",
                "field": "user_data",
                "advice": Invalid.NO_IDENTIFIER.advice,
            },
        ),
        (
            {"at": None},
            {
                "reason": "missing_field",
                "field": "event_time",
                "advice": Invalid.MISSING_FIELD.advice,
            },
        ),
        (
            {"at": "soon"},
            {
                "reason": "bad_field",
                "field": "event_time",
                "detail": "not_a_time",
                "advice": Dropped.NOT_A_TIME.advice,
            },
        ),
        (
            {"at": 1_000_000_000},
            {
                "reason": "event_too_old",
                "field": "event_time",
                "advice": Invalid.EVENT_TOO_OLD.advice,
            },
        ),
        (
            {"id": None},
            {"reason": "missing_key", "field": "event_id", "advice": Invalid.MISSING_KEY.advice},
        ),
        (
            {"lines": [{"sku": "x" * 3000}]},
            {
                "reason": "event_too_large",
                "detail": "batch_max_bytes",
                "advice": Invalid.EVENT_TOO_LARGE.advice,
            },
        ),
    ],
)
def test_invalid_records_say_why(preview, columns, expected):
    """Reason, field, detail and advice, as in a dead letter."""
    (made,) = objects(preview([ORDERS, order(1, **columns)], "--json", batch_max_bytes=1000))
    made.pop("dropped", None)
    assert made == {
        "line": 2,
        "stream": "orders",
        "mapping": "paid orders",
        "outcome": "invalid",
        **expected,
    }


@pytest.mark.parametrize(("spare", "outcome"), [(0, "event"), (-1, "invalid")])
def test_event_may_fill_a_request_to_the_byte(preview, spare, outcome):
    """An event that just fits batch_max_bytes is shown; one byte more, and it is too large."""
    lines = [ORDERS, order(1, lines=[{"sku": "x" * 2000}])]
    (shown,) = objects(preview(lines, "--json"))
    size = len(encode({"data": [shown["event"]]}))
    (made,) = objects(preview(lines, "--json", batch_max_bytes=size + spare))
    assert made["outcome"] == outcome


def test_schema_violations_are_invalid(preview):
    """With validate_records a record that violates its schema is invalid, with field and rule."""
    lines = [schema("orders", at={"type": "integer"}), order(1, at="soon")]
    (made,) = objects(preview(lines, "--json", validate_records=True))
    assert (made["reason"], made["field"], made["detail"]) == ("schema_violation", "at", "type")


@pytest.mark.parametrize(
    ("lines", "settings", "expected"),
    [
        ([ORDERS, order(1, status="open")], {}, ("when", None, Skipped.WHEN.advice)),
        (
            [schema("other", "id"), record("other", id=1)],
            {},
            ("no_mapping", None, Skipped.NO_MAPPING.advice),
        ),
        (
            [ORDERS, order(1, kind="Refunded")],
            {
                "mappings": [
                    {
                        "stream": "orders",
                        "event_names": {"Paid": "checkout"},
                        "fields": {"event_name": "kind"},
                    }
                ]
            },
            ("name_not_listed", None, Skipped.NOT_LISTED.advice),
        ),
    ],
)
def test_skipped_records_say_why(preview, lines, settings, expected):
    """Reason and advice, and the event name that no entry lists."""
    (made,) = objects(preview(lines, "--json", **settings))
    assert made["outcome"] == "skipped"
    assert (made["reason"], made.get("name"), made["advice"]) == expected


def test_a_record_is_shown_for_each_entry_that_takes_it(preview):
    """Several entries have one result each, with its account."""
    entries = [ENTRY, {**ENTRY, "name": "second", "ad_account_id": "to.account"}]
    lines = [ORDERS, order(1, to={"account": 42}), order(2)]
    made = objects(preview(lines, "--json", mappings=entries))
    assert [
        (one["line"], one["mapping"], one.get("ad_account_id", one.get("reason"))) for one in made
    ] == [
        (2, "paid orders", ACCOUNT),
        (2, "second", "42"),
        (3, "paid orders", ACCOUNT),
        (3, "second", "bad_account"),
    ]


def test_preview_agrees_with_the_target(preview, run_target, sandbox: Sandbox):
    """Events, invalid records and reasons are those of the target and its dead letters."""
    lines = [
        schema("visits", "event_id", "em", key_properties=("event_id",)),
        *[
            record(
                "visits",
                event_id=f"v{n}",
                event_name="page_visit",
                event_time=seconds_ago(n),
                action_source="web",
                em=f"a{n}@example.com",
                em_1=f"b{n}@x",
            )
            for n in range(4)
        ],
        record(
            "visits",
            event_id="v5",
            event_name="page_visit",
            event_time="?",
            action_source="web",
            em="c@example.com",
            new_column=1,
        ),
        state({"bookmark": 1}),
        record(
            "visits",
            event_name="page_visit",
            event_time=seconds_ago(),
            action_source="web",
            em="d@example.com",
        ),
        record(
            "visits",
            event_id="v7",
            event_name="page_visit",
            event_time=seconds_ago(),
            action_source="web",
            ph="12025550134",
        ),
    ]
    made = objects(preview(lines, "--json", mappings=None, file=True))
    ran = run_target(lines)
    assert ran.code == 0
    assert [one["event"] for one in made if one["outcome"] == "event"] == [
        row.event for row in sandbox.store.events()
    ]
    buried = [
        (letter["reason"], letter.get("field"), letter.get("detail")) for letter in ran.dead_letters
    ]
    assert len(buried) == 3
    assert [
        (one["reason"], one.get("field"), one.get("detail"))
        for one in made
        if one["outcome"] == "invalid"
    ] == buried


# Customer lists

MAID = "6D92078A-8246-4BA4-AE5B-76104861E7DC"
VIPS = {"list_name": "VIPs", "list_type": "EMAIL"}


def lists(*entries: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a target that keeps lists of the stream `vips` and makes no events."""
    return {"mappings": [], "customer_lists": [*entries]}


@pytest.mark.parametrize(
    ("columns", "changes", "outcome", "shown"),
    [
        ({}, {}, "added", {**VIPS, "members": [members.person(1)]}),
        ({"action": "left"}, {}, "removed", {**VIPS, "members": [members.person(1)]}),
        (
            {"action": None, "_sdc_deleted_at": "2026-03-02T10:00:00Z"},
            {},
            "removed",
            {**VIPS, "members": [members.person(1)]},
        ),
        (
            {"alt": ["person2@example.com", members.person(3).upper()]},
            {"member": ["email", "alt"]},
            "added",
            {**VIPS, "members": [members.person(1), members.person(2), members.person(3)]},
        ),
        (
            {"maid": MAID},
            {"list_name": None, "list_id": "2680059592705", "list_type": "MAID", "member": "maid"},
            "added",
            {"list_id": "2680059592705", "list_type": "MAID", "members": [digest(MAID.lower())]},
        ),
    ],
)
def test_record_of_a_list_says_whom_it_adds_or_removes(preview, columns, changes, outcome, shown):
    """The list by its name or id, the type, and each identifier once, as it would be sent."""
    lines = [members.SCHEMA, members.row(1, **columns)]
    (made,) = objects(preview(lines, "--json", **lists(members.entry(**changes))))
    name = changes.get("list_id", "VIPs")
    where = {"line": 2, "stream": "vips", "mapping": name, "ad_account_id": ACCOUNT}
    assert made == {**where, "outcome": outcome, "customer_list": shown}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"email": "nobody"},
            {"reason": "not_an_email", "field": "member", "advice": Dropped.NOT_AN_EMAIL.advice},
        ),
        (
            {"email": " "},
            {"reason": "missing_field", "field": "member", "advice": ADVICE["missing_field"]},
        ),
        (
            {"action": None},
            {"reason": "missing_field", "field": "operation", "advice": ADVICE["missing_field"]},
        ),
        (
            {"action": "perhaps"},
            {
                "reason": "bad_field",
                "field": "operation",
                "detail": "unknown_choice",
                "advice": ADVICE["bad_field"],
            },
        ),
    ],
)
def test_invalid_members_say_why(preview, columns, expected):
    """Reason, field and detail as in a dead letter, the list, and advice about customer_lists.

    No member.
    """
    (made,) = objects(
        preview([members.SCHEMA, members.row(1, **columns)], "--json", **lists(members.entry()))
    )
    where = {"line": 2, "stream": "vips", "mapping": "VIPs", "ad_account_id": ACCOUNT}
    assert made == {**where, "outcome": "invalid", "customer_list": VIPS, **expected}


def test_schema_violations_of_a_list_are_invalid(preview):
    """With validate_records a record for a list only is invalid there, as in the target."""
    lines = [schema("vips", email={"type": "integer"}), members.row(1)]
    (made,) = objects(preview(lines, "--json", validate_records=True, **lists(members.entry())))
    assert (made["mapping"], made["reason"], made["customer_list"]) == (
        "VIPs",
        "schema_violation",
        VIPS,
    )


def test_a_record_is_shown_for_its_events_and_each_list(preview):
    """The events of its mappings come first, then each list, with its account."""
    entries = [
        members.entry(stream="orders", operation=None),
        members.entry(stream="ord*", list_name="All", ad_account_id="42"),
    ]
    made = objects(
        preview([ORDERS, order(1, action="x", at=seconds_ago())], "--json", customer_lists=entries)
    )
    assert [(one["mapping"], one["outcome"], one["ad_account_id"]) for one in made] == [
        ("paid orders", "event", ACCOUNT),
        ("VIPs", "added", ACCOUNT),
        ("All", "invalid", "42"),
    ]


def test_preview_of_lists_agrees_with_the_target(preview, run_target, sandbox: Sandbox):
    """Added people are on the list after a run, and invalid records are its dead letters."""
    lines = [
        members.SCHEMA,
        *[members.row(number, alt=f"other{number}@example.com") for number in range(3)],
        members.row(4, "perhaps"),
        members.row(5, email="nobody"),
        members.row(6, None),
    ]
    entry = members.entry(member=["email", "alt"])
    made = objects(preview(lines, "--json", "-n", "10", **lists(entry)))
    ran = run_target(lines, **members.list_settings(entry))
    assert ran.code == 0, ran.log
    (one,) = sandbox.store.lists()
    added = [
        member
        for made_of in made
        if made_of["outcome"] == "added"
        for member in made_of["customer_list"]["members"]
    ]
    assert (len(added), set(added)) == (6, set(one.members))
    buried = [
        (letter["mapping"], letter["reason"], letter.get("field"), letter.get("detail"))
        for letter in ran.dead_letters
    ]
    invalid = [one for one in made if one["outcome"] == "invalid"]
    assert [
        (one["mapping"], one["reason"], one.get("field"), one.get("detail")) for one in invalid
    ] == buried
    assert len(buried) == 3


def test_changes_of_lists_are_counted(preview):
    """Additions and removals are separate, with unread columns and dropped values.

    -n stops reading here too.
    """
    lines = [
        schema("vips", "id", "email", "action", "notes", key_properties=("id",)),
        members.row(1, alt="nobody"),
        members.row(2),
        members.row(1, "left"),
        members.row(3, "perhaps"),
    ]
    settings = lists(members.entry(member=["email", "alt"]))
    assert len(objects(preview(lines, "--json", "-n", "2", **settings))) == 2
    (made,) = objects(preview(lines, "--json", "--summary", **settings))
    mapping = {"stream": "vips", "mapping": "VIPs"}
    assert made == {
        "records": 4,
        "outcomes": [
            {**mapping, "outcome": "invalid", "reason": "bad_field: operation", "count": 1},
            {**mapping, "outcome": "added", "count": 2},
            {**mapping, "outcome": "removed", "count": 1},
        ],
        "values": [{**mapping, "field": "member", "reason": "not_an_email", "count": 1}],
        "warnings": [],
        "ignored": {},
        "unread_columns": {"vips": ["notes"]},
        "not_found": [],
    }


def test_page_shows_members_and_reasons_in_80_columns(preview):
    """For people: how many identifiers of which type, the digests, and the list in every head."""
    lines = [
        members.SCHEMA,
        members.row(1, alt=["person2@example.com", "nobody"]),
        members.row(1, "left"),
        members.row(3, "perhaps", notes=1),
    ]
    shown = preview(
        lines, **lists(members.entry(member=["email", "alt"], ad_account_id="42"))
    ).stdout
    assert shown.startswith(
        "added  line 2, stream vips, list VIPs, ad account 42\n"
        "  members   2 of list_type EMAIL, as they would be sent\n"
        f"            {members.person(1)}\n            {members.person(2)}\n"
        "  dropped   member: not_an_email\n"
    )
    assert (
        "removed  line 3, stream vips, list VIPs, ad account 42\n"
        "  members   1 of list_type EMAIL, as they would be sent\n" in shown
    )
    assert (
        "invalid  line 4, stream vips, list VIPs, ad account 42\n"
        "  why       bad_field: operation, unknown_choice\n" in shown
    )
    assert (
        "summary  3 records, 1 list addition, 1 list removal; nothing was sent\n"
        "stream vips, list VIPs\n" in shown
    )
    assert "      1  added\n      1  removed\n" in shown
    assert ADVICE["bad_field"] in " ".join(shown[shown.index("summary") :].split())
    assert "Columns of vips that neither mapping nor customer list reads: notes." in shown
    assert [row for row in shown.splitlines() if row != row.rstrip() or len(row) > 80] == []


def test_the_guide_shows_what_is_printed(preview):
    """The configuration of docs/customer-lists.md prints the output shown below it."""
    guide = (Path(__file__).parents[1] / "docs" / "customer-lists.md").read_text(encoding="utf-8")
    settings, shown = (
        guide.partition(f"```{kind}\n")[2].partition("\n```")[0]
        for kind in ("yaml configuration", "console")
    )
    columns = {"email": "Jane@Example.com", "alt_email": "jane.doe@example.com", "action": "enter"}
    lines = [schema("vip_members", *columns), record("vip_members", **columns)]
    assert preview(lines, **yaml.safe_load(settings)).stdout.rstrip() == shown.partition("\n")[2]


# How much is read and shown


def test_reading_stops_with_the_last_event_that_was_asked_for(preview):
    """-n counts events, 5 by default.

    Later lines are not read, not even invalid ones.
    """
    lines = [ORDERS, *[order(number) for number in range(8)], b"no json"]
    assert len(objects(preview(lines, "--json"))) == 5
    assert len(objects(preview(lines, "--json", "-n", "2"))) == 2
    shown = preview(lines, "-n", "2")
    assert shown.stdout.count('"event_name"') == 2
    assert "Reading stopped at line 3" in shown.stdout


def test_records_without_events_do_not_count(preview):
    """Reading continues at invalid and skipped records, and the first of each kind are shown."""
    lines = [
        ORDERS,
        *[order(n, email="x") for n in range(4)],
        *[order(n, status="open") for n in range(4)],
        order(9),
    ]
    assert [one["outcome"] for one in objects(preview(lines, "--json", "-n", "2"))] == [
        "invalid"
    ] * 4 + ["skipped"] * 4 + ["event"]
    shown = preview(lines, "-n", "2").stdout.splitlines()
    assert [row.split()[0] for row in shown if ", stream " in row] == [
        "invalid",
        "invalid",
        "skipped",
        "event",
    ]


def test_summary_counts_everything_that_was_read(preview):
    """Records by stream, mapping and outcome; values by field and reason; ignored messages.

    Columns that nothing reads.
    """
    lines = [
        ORDERS,
        state(1),
        order(1, alt="?"),
        order(2, email="x"),
        order(3, status="open"),
        line(type="BATCH", stream="orders"),
    ]
    (made,) = objects(preview(lines, "--json", "--summary"))
    mapping = {"stream": "orders", "mapping": "paid orders"}
    assert made.pop("not_found")[0] == {
        "setting": "mappings[0].fields.user_data.ph",
        "message": "Column 'phone' is not in stream orders.",
    }
    assert made == {
        "records": 3,
        "outcomes": [
            {**mapping, "outcome": "invalid", "reason": "no_identifier", "count": 1},
            {**mapping, "outcome": "event", "count": 1},
            {**mapping, "outcome": "skipped", "reason": "when", "count": 1},
        ],
        "values": [{**mapping, "field": "user_data.em", "reason": "not_an_email", "count": 2}],
        "warnings": [],
        "ignored": {"STATE": 1, "BATCH": 1},
        "unread_columns": {"orders": ["notes"]},
    }


def test_summary_in_words(preview):
    """The same counts for people, and no events."""
    lines = [
        ORDERS,
        state(1),
        order(1, alt="?"),
        order(2),
        order(3, status="open"),
        line(type="BATCH", stream="orders"),
    ]
    shown = preview(lines, "--summary").stdout
    assert "3 records, 2 events; nothing was sent" in shown
    assert "2  event\n" in shown
    assert "1  skipped   when\n" in shown
    assert "1  dropped   user_data.em: not_an_email\n" in shown
    assert "1 BATCH, 1 STATE (the records in the files of a BATCH are not read)." in " ".join(
        shown.split()
    )
    assert "Columns of orders that no mapping reads: notes." in shown
    assert '"event_name"' not in shown


@pytest.mark.parametrize(
    ("entry", "unread"),
    [
        ({"fields": {"event_id": "id"}}, ["at", "email", "notes", "status"]),
        (
            {"fields": {"event_id": "id", "custom_data.value": "@.total"}},
            ["at", "email", "notes", "status"],
        ),
        ({"fields": {"event_id": "id", "custom_data.np": "to_string(@)"}}, None),
        (
            {"preset": "pinterest", "fields": {"event_time": "at", "user_data.em": "email"}},
            ["notes", "status"],
        ),
        (
            {
                "preset": "pinterest",
                "when": "status",
                "ad_account_id": "notes",
                "fields": {"event_time": "at"},
            },
            ["email"],
        ),
    ],
)
def test_columns_that_nothing_reads_are_named(preview, entry, unread):
    """Columns that no expression of entry or preset reads are named.

    None if an expression may read them all.
    """
    lines = [
        schema(
            "orders",
            "id",
            "at",
            "email",
            "notes",
            "status",
            "_sdc_batched_at",
            key_properties=("id",),
        ),
        record("orders", id=1),
    ]
    (made,) = objects(
        preview(lines, "--json", "--summary", mappings=[{"stream": "orders", **entry}])
    )
    assert made["unread_columns"].get("orders") == unread


# The page


def test_page_shows_event_reasons_and_advice_in_80_columns(preview):
    """Every line except long JSON text fits, without white space at its end."""
    shown = preview(
        [
            ORDERS,
            order(1, alt="nobody", phone="555 0100"),
            order(2, email="x"),
            order(3, status="open"),
        ]
    ).stdout
    assert shown.startswith("event  line 2, stream orders, mapping paid orders\n{\n")
    assert f'    "em": ["{digest("shopper1@example.com")}"],\n' in shown
    assert (
        "  dropped   user_data.em: not_an_email\n"
        "            It does not have the form x@y.z: check the column.\n" in shown
    )
    assert "  warning   user_data.ph: phone_without_country\n" in shown
    assert (
        "invalid  line 3, stream orders, mapping paid orders\n"
        "  why       no_identifier: user_data\n" in shown
    )
    assert "skipped  line 4, stream orders, mapping paid orders\n  why       when\n" in shown
    assert [
        row
        for row in shown.splitlines()
        if row != row.rstrip() or (len(row) > 80 and not row.startswith('  "'))
    ] == []
    assert "\x1b" not in shown


def test_json_of_an_event_can_be_copied():
    """The event, with a list of one short text on one line, without raw control characters."""
    event = {
        "user_data": {"em": ["a" * 64], "client_user_agent": "x\x1b[2J\u202e\x9b"},
        "custom_data": {"content_ids": ["[", "]"], "np": "b" * 99},
    }
    shown = event_json(event)
    assert json.loads(shown) == event
    assert f'    "em": ["{"a" * 64}"],' in shown.splitlines()
    assert not set(shown) & set("\x1b\u202e\x9b")


def test_names_of_the_tap_cannot_write_to_the_terminal():
    r"""Control characters and line ends of a stream's name are shown as `\x1b`."""
    assert plain("or\x1b[31mders\n\u202e") == r"or\x1b[31mders\n\u202e"


# Privacy


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--summary"], ["--json", "--summary"]])
@pytest.mark.parametrize(
    "columns",
    [
        {"notes": "secret-word"},
        {"email": "secret-word"},
        {"at": "secret-word"},
        {"status": "open", "email": "secret-word@example.com"},
        {"phone": "secret-word", "total": "secret-word", "lines": "secret-word"},
        {"lines": [{"sku": "a", "price": "secret-word"}, "secret-word"]},
        {"lines": {"secret-word": 1}},
        {"email": None, "undeclared": "secret-word"},
    ],
)
def test_no_value_is_shown_that_would_not_be_sent(preview, columns, arguments):
    """Values that are unmapped, dropped, hashed, invalid or skipped are nowhere in the output."""
    ran = preview([ORDERS, order(1, **columns)], *arguments)
    assert ran.exit_code == 0
    assert "secret-word" not in ran.output


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--summary"], ["--json", "--summary"]])
@pytest.mark.parametrize(
    "columns",
    [
        {"email": "secret-word@example.com"},
        {"email": "secret-word"},
        {"email": ["person1@example.com", "secret-word"], "notes": "secret-word"},
        {"action": "secret-word"},
        {"id": "secret-word", "action": None},
    ],
)
def test_no_value_of_a_member_is_shown(preview, columns, arguments):
    """The digest of a person added or removed is all that is shown.

    Nothing of the key, the action and other columns.
    """
    given = {"id": 1, "email": "person1@example.com", "action": "add", **columns}
    ran = preview([members.SCHEMA, record("vips", **given)], *arguments, **lists(members.entry()))
    assert ran.exit_code == 0
    assert "secret-word" not in ran.output


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b'{"type": "RECORD", "secret-word', "line 2: it is not JSON"),
        (b'"secret-word"', "line 2: it is not a Singer message"),
        (b'{"type": "secret-word"}', "line 2: its type is not a message type: expected SCHEMA"),
        (b'\xff"secret-word"', "line 2: it is not UTF-8"),
        (record("secret-word", id=1), "line 2: a RECORD came before the SCHEMA of its stream"),
        (b'{"type": "RECORD", "stream": "orders"}', "line 2: the RECORD message has no"),
        (b'{"type": "SCHEMA", "stream": "orders"}', "line 2: the SCHEMA message has no"),
        (
            line(type="SCHEMA", stream="secret-word", schema=[]),
            "line 2: the schema is not an object",
        ),
        (
            line(type="RECORD", stream="orders", record=["secret-word"]),
            "line 2: it is not a Singer message",
        ),
    ],
)
def test_unreadable_input_is_named_by_its_line(preview, bad, message):
    """Exit code 1, the line's number and the rule, never its content; earlier results are shown."""
    ran = preview([ORDERS, bad, order(1)])
    assert ran.exit_code == 1
    assert message in ran.stderr
    assert "0 records, 0 events" in ran.stdout
    assert "secret-word" not in ran.output


# Configuration and input


def test_missing_file_is_unreadable_input(preview):
    """An unreadable file ends with exit code 1 and the reason."""
    ran = preview([], "nowhere.singer")
    assert ran.exit_code == 1
    assert "Error: the input cannot be read: No such file or directory" in ran.stderr


def test_wrong_configuration_is_reported_whole(preview):
    """Every problem at once, exit code 2, and nothing is read."""
    ran = preview(
        [ORDERS],
        mappings=[{"stream": "orders", "fields": {"user_data.email": "email"}}],
        timezone="Mars",
    )
    assert ran.exit_code == 2
    assert "did you mean user_data.em?" in ran.stderr
    assert "timezone: must be" in ran.stderr
    assert ran.stdout == ""


def test_without_config_the_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Settings come from TARGET_PINTEREST_CAPI_ variables and a .env file, as in the target.

    If they are missing, it says so.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TARGET_PINTEREST_CAPI_AD_ACCOUNT_ID", raising=False)
    missing = CliRunner().invoke(main, ["preview"], input=b"")
    assert missing.exit_code == 2
    assert "No --config was given" in missing.stderr
    (tmp_path / ".env").write_text(f"TARGET_PINTEREST_CAPI_AD_ACCOUNT_ID={ACCOUNT}\n")
    assert CliRunner().invoke(main, ["preview"], input=b"").exit_code == 0
    given = CliRunner().invoke(
        main, ["preview"], input=b"", env={"TARGET_PINTEREST_CAPI_AD_ACCOUNT_ID": "no account"}
    )
    assert given.exit_code == 2


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        (
            {"stream_maps": {"orders": {"id": "id"}}},
            "Note: stream_maps: are applied only by the target",
        ),
        (
            {"flattening_enabled": True, "flattening_max_depth": 1},
            "Note: flattening_enabled: is done only by the target",
        ),
        ({"ledger_url": "sqlite:///ledger.db"}, "Note: ledger_url: is not used"),
        (
            {"customer_lists": [{"stream": "vips", "list_name": "VIPs", "member": "email"}]},
            "Note: customer_lists: are not looked up; each change is shown",
        ),
        (
            {"defaults": {"event_name": "chekout"}},
            "Warning: defaults.event_name: is not one of Pinterest's event names",
        ),
    ],
)
def test_what_a_preview_cannot_show_is_said(preview, settings, note):
    """Settings that only the target applies are named on stderr; stdout stays machine-readable."""
    ran = preview([ORDERS, order(1)], "--json", **settings)
    assert note in ran.stderr
    assert len(objects(ran)) == 1


def test_token_is_neither_needed_nor_shown(preview):
    """A configured token is nowhere in the output."""
    ran = preview([ORDERS, order(1)], conversion_token="pina_secret-word", mode="live")
    assert ran.exit_code == 0
    assert "secret-word" not in ran.output


def test_whoever_stops_reading_stops_the_command(preview, tmp_path: Path):
    """`preview | head` ends without a traceback."""
    preview([ORDERS, *[order(number) for number in range(2000)]])
    program = "import sys; from target_pinterest_capi.cli.main import main; main(sys.argv[1:])"
    preview_all = "preview --config config.json in.singer -n 2000 --json"
    command = f"'{sys.executable}' -c '{program}' {preview_all} | head -n 1"
    ran = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert json.loads(ran.stdout)["outcome"] == "event"
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "command",
    [["preview", "--config", "config.json", "in.singer"], ["presets", "list"], ["fields"]],
)
def test_the_commands_for_people_do_without_the_sdk(preview, tmp_path: Path, command: list[str]):
    """None of its imports imports singer_sdk, which takes most of a second."""
    preview([ORDERS, order(1)])
    program = (
        "import sys\n"
        "from target_pinterest_capi.cli.main import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'singer_sdk']\n"
        "print('done')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.stdout.endswith("done\n"), ran.stderr


def test_plain_values_on_a_terminal(preview):
    """`--plain` shows the normal form of a phone and an address, before it is hashed."""
    entry = {
        "stream": "people",
        "fields": {"event_id": "id", "user_data.em": "email", "user_data.ph": "phone"},
        "defaults": {"event_name": "lead", "action_source": "web", "event_time": "now"},
    }
    lines = [
        schema("people", "id", "email", "phone", key_properties=("id",)),
        record("people", id="1", email=" Jane@Example.COM ", phone="+1 (212) 555-0123"),
    ]
    person = {"em": ["jane@example.com"], "ph": ["12125550123"]}
    (shown,) = objects(preview(lines, "--json", "--plain", "--yes", mappings=[entry]))
    assert shown["event"]["user_data"] == person
    (hashed,) = objects(preview(lines, "--json", mappings=[entry]))
    assert hashed["event"]["user_data"] == {
        name: [digest(value) for value in values] for name, values in person.items()
    }


@pytest.mark.parametrize(
    ("member", "members"),
    [
        (
            {"list_type": "EMAIL", "member": ["email", "other"]},
            ["jane@example.com", "a@example.org"],
        ),
        (
            {"member": {"email": "email", "phone": "phone"}},
            [{"email": "jane@example.com", "hashed_phone_number": "12125550123"}],
        ),
    ],
    ids=["identifiers", "rows"],
)
def test_plain_members_of_a_list(preview, member, members):
    """`--plain` shows the normal form of members too, and no other option does."""
    config = {
        "mappings": [],
        "customer_lists": [{"stream": "people", "list_name": "VIPs", **member}],
        "oauth": {"access_token": "x"},
    }
    lines = [
        schema("people", "email", "other", "phone"),
        record("people", email="Jane@Example.COM ", other="a@example.org", phone="+1 212 5550123"),
    ]
    (shown,) = objects(preview(lines, "--json", "--plain", "--yes", **config))
    (hashed,) = objects(preview(lines, "--json", **config))
    assert str(shown["customer_list"]["members"]).count("jane@example.com") == 1
    assert shown["customer_list"]["members"] == members
    assert "example" not in str(hashed["customer_list"]["members"])


def test_plain_values_go_into_no_file_by_default(preview):
    """If the output is not a terminal, `--plain` is refused, and nothing is read."""
    refused = preview([ORDERS, order(1)], "--plain")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--plain prints personal data, and this is not a terminal" in " ".join(
        refused.stderr.replace("│", " ").split()
    )
