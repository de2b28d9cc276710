"""Every recipe of docs/cookbook: its page's commands run unchanged, with real taps."""

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from postgres_cluster import PostgresCluster, find_binaries
from receiving import AD_ACCOUNT_ID, TOKEN, digest
from recipe import Recipe, commands, project
from woocommerce_api import CONSUMER_KEY, CONSUMER_SECRET, WooCommerceApi

from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

OTHER_ACCOUNT = "549755885176"  # as in the recipe of several accounts
RUN = "meltano run tap-postgres target-pinterest-capi"
BEFORE = "DROP SCHEMA IF EXISTS shop CASCADE; DROP TABLE IF EXISTS pinterest_delivered_events;"

Cook = Callable[..., Recipe]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(
        SandboxConfig(tokens={TOKEN: (AD_ACCOUNT_ID, OTHER_ACCOUNT)}, list_processing_seconds=0)
    ) as running:
        yield running


@pytest.fixture
def cook(meltano, sandbox: Sandbox, tmp_path: Path) -> Cook:
    """Return a function that copies a recipe by its name, with the sandbox's .env in place."""

    def given(name: str, *programs: Path, **environment: str) -> Recipe:
        taps = [
            entry["name"] for entry in project(name)["plugins"]["extractors"] if "pip_url" in entry
        ]
        homes = {tap: meltano(tap).programs(tap) for tap in taps or ["tap-postgres"]}
        made = Recipe(
            name,
            tmp_path,
            programs,
            homes,
            {"TARGET_PINTEREST_CAPI_API_URL": sandbox.url, **environment},
        )
        made.run("cp ../sandbox.env .env")
        return made

    return given


@pytest.fixture
def cook_with_database(cook: Cook, postgres: PostgresCluster) -> Cook:
    """Return the same, with an empty database in the recipe's environment."""
    postgres.query(BEFORE)
    source = {
        name.upper(): str(getattr(postgres, name))
        for name in ("host", "port", "user", "password", "database")
    }
    prefixed = {
        f"{prefix}{name}": value
        for name, value in source.items()
        for prefix in ("TAP_POSTGRES_", "PG")
    }
    return lambda name: cook(name, find_binaries(), **prefixed)


def sent(sandbox: Sandbox, account: str = AD_ACCOUNT_ID) -> Counter[str]:
    """Return the ids of the events that an account received."""
    return Counter(
        row.event["event_id"] for row in sandbox.store.events() if row.ad_account_id == account
    )


def ids(*numbers: int) -> Counter[str]:
    return Counter(f"order-{number}" for number in numbers)


def bookmark(state: dict[str, Any], stream: str) -> datetime:
    return datetime.fromisoformat(state["bookmarks"][stream]["replication_key_value"])


@pytest.mark.real
def test_warehouse(cook_with_database: Cook, postgres: PostgresCluster, sandbox: Sandbox):
    """Paid orders arrive once in two runs; one without identifiers is a dead letter by its key."""
    recipe = cook_with_database("warehouse")
    state = "meltano state get live:tap-postgres-to-target-pinterest-capi"
    recipe.run("psql -f shop.sql")
    said = recipe.run(RUN)
    assert sent(sandbox) == ids(1001, 1004)
    assert [event.event["custom_data"]["content_ids"] for event in sandbox.store.events()] == [
        ["MUG-1"],
        ["MUG-1", "PIN-7"],
    ]
    assert [letter["key"] for letter in recipe.dead_letters()] == [
        {"event_id": digest("order-1003")}
    ]
    assert "example.com" not in said.lower()
    before = bookmark(recipe.state(state), "shop-conversions")

    postgres.query(
        "UPDATE shop.orders SET status = 'paid', paid_at = now(), updated_at = now() "
        "WHERE id = 1002"
    )
    said = recipe.run(RUN)
    assert "in_ledger 1" in said  # the row at the bookmark, which the tap reads again
    assert sent(sandbox) == ids(1001, 1002, 1004)
    assert bookmark(recipe.state(state), "shop-conversions") > before
    assert postgres.query("SELECT count(*) FROM pinterest_delivered_events") == "3"
    assert "<html" in (recipe.directory / "pinterest-report.html").read_text(encoding="utf-8")
    assert (recipe.untried, recipe.as_copied) == ([], True)


@pytest.mark.real
def test_shop_orders(cook: Cook, sandbox: Sandbox):
    """All pages of paid orders are checkouts with products; the next run sends what changed."""
    recipe_run = "meltano run tap-rest-api-msdk target-pinterest-capi"
    shown = "meltano state get live:tap-rest-api-msdk-to-target-pinterest-capi"
    statuses = {
        103: {"status": "cancelled"},
        104: {"status": "on-hold"},
        105: {"created_via": "subscription"},
    }
    start = moment(hours=48)
    with WooCommerceApi(
        [order(number, **statuses.get(number, {})) for number in range(1, 106)]
    ) as shop:
        recipe = cook(
            "shop-orders",
            TAP_REST_API_MSDK_API_URL=shop.url, TAP_REST_API_MSDK_USERNAME=CONSUMER_KEY,
            TAP_REST_API_MSDK_PASSWORD=CONSUMER_SECRET, TAP_REST_API_MSDK_START_DATE=start,
        )  # fmt: skip
        recipe.run(recipe_run)
        assert sent(sandbox) == Counter(str(number) for number in (*range(1, 103), 104))
        assert [
            (asked["modified_after"], asked.get("offset"))
            for asked in shop.queries
            if "per_page" in asked
        ] == [
            (start, None),
            (start, "100"),
        ]
        newest = recipe.state(shown)["bookmarks"]["orders"]["replication_key_value"]
        assert newest == shop.orders[-1]["date_modified_gmt"]

        shop.orders += [order(106)]
        shop.orders[0] = order(1, status="completed", date_modified_gmt=moment(hours=0))
        said = recipe.run(recipe_run)
    assert shop.queries[-1]["modified_after"] == newest
    assert "in_ledger 1" in said
    assert sent(sandbox) == Counter(str(number) for number in (*range(1, 103), 104, 106))
    event = sandbox.store.events()[-1].event
    assert (event["event_name"], event["custom_data"]["value"]) == ("checkout", "39.98")
    assert event["user_data"]["ph"] == [digest("49305550100")]  # by default_country
    assert event["custom_data"]["contents"] == [
        {"id": "315", "item_name": "Mug", "item_price": "19.99", "quantity": 2}
    ]
    assert (recipe.untried, recipe.as_copied) == ([], True)


def moment(hours: float) -> str:
    """Return the time a number of hours ago, as WooCommerce writes it."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}"


def order(number: int, **changed: Any) -> dict[str, Any]:
    """Return a paid order as WooCommerce's API does; a higher number is a later order."""
    at = moment(hours=20 - number / 10)
    person = {
        "first_name": "Zoë",
        "last_name": "Doe",
        "email": f"buyer{number}@example.com",
        "phone": "030 5550100",
        "country": "",
    }
    items = [
        {
            "id": 1,
            "name": "Mug",
            "product_id": 315,
            "variation_id": 0,
            "quantity": 2,
            "price": 19.99,
        }
    ]
    return {
        "id": number,
        "status": "processing",
        "created_via": "checkout",
        "currency": "EUR",
        "date_created_gmt": at,
        "date_modified_gmt": at,
        "total": "39.98",
        "customer_id": 0,
        "billing": person,
        "shipping": {},
        "line_items": items,
        "meta_data": [],
        **changed,
    }


@pytest.mark.real
def test_track_calls(cook: Cook, sandbox: Sandbox):
    """Listed calls are events, others are skipped; the next run reads only the new gzipped file."""
    recipe = cook("track-calls")
    recipe.run("mkdir -p calls/2026-03-02")
    recipe.run('sed "s/NOW/$(date -u +%FT%TZ)/" sample.jsonl > calls/2026-03-02/0001.jsonl')
    said = recipe.run("meltano run tap-calls target-pinterest-capi")
    assert "name_not_listed 1" in said
    bought, booked = (row.event for row in sandbox.store.events())
    assert (bought["event_name"], bought["opt_out"], bought["custom_data"]["value"]) == (
        "checkout",
        False,
        "39.98",
    )
    assert (bought["event_source_url"], bought["user_data"]["click_id"]) == (
        "https://shop.example.com/thanks",
        "dj0yJnU9",
    )
    assert (booked["event_name"], booked["custom_data"]) == (
        "schedule",
        {"content_category": "Pottery"},
    )

    lines = (
        (recipe.directory / "calls/2026-03-02/0001.jsonl")
        .read_text(encoding="utf-8")
        .replace("call-", "again-")
    )
    (recipe.directory / "calls/2026-03-03").mkdir()
    with gzip.open(recipe.directory / "calls/2026-03-03/0001.gz", "wt") as file:
        file.write(lines)
    recipe.run("meltano run tap-calls target-pinterest-capi")
    assert sent(sandbox) == {"call-1": 1, "call-3": 1, "again-1": 1, "again-3": 1}
    state = recipe.state("meltano state get live:tap-calls-to-target-pinterest-capi")
    assert state == {"done_up_to": "2026-03-03/0001.gz"}
    assert (recipe.untried, recipe.as_copied) == ([], True)


@pytest.mark.real
def test_several_accounts(cook_with_database: Cook, sandbox: Sandbox):
    """In three ways, each account gets its own orders; separate pipelines have separate states."""
    recipe = cook_with_database("several-accounts")
    recipe.run("psql -f shop.sql")
    recipe.run("printf sandbox-token > us.token")
    ways = [
        next(line for line in commands("several-accounts") if part in line)
        for part in ("together", "apart", "for account")
    ]
    for number, way in enumerate(ways):
        recipe.run(way, TARGET_PINTEREST_CAPI_LEDGER_URL=f"sqlite:///ledger-{number}.db")
        assert (sent(sandbox), sent(sandbox, OTHER_ACCOUNT)) == (ids(2001), ids(2002, 2003)), way
        sandbox.store.reset()
    states = recipe.run("meltano state list")
    names = ["", "--de", "--us", f"--one:{AD_ACCOUNT_ID}", f"--one:{OTHER_ACCOUNT}"]
    assert sorted(
        re.findall(r"^live:tap-postgres-to-target-pinterest-capi(\S*)$", states, re.MULTILINE)
    ) == sorted(names)
    assert (recipe.untried, recipe.as_copied) == ([], True)


@pytest.mark.real
def test_customer_list(cook_with_database: Cook, postgres: PostgresCluster, sandbox: Sandbox):
    """After each run the list equals the table; a run that would remove most removes none."""
    recipe = cook_with_database("customer-list")
    recipe.run("cat ../sandbox-oauth.env >> .env")
    recipe.run("psql -f members.sql")
    assert "No errors" in recipe.run("meltano invoke pinterest-capi:check")
    recipe.run("meltano run members")
    people = {digest(f"member{number}@example.com") for number in range(1, 151)} | {
        digest("jane@example.com")
    }
    (made,) = sandbox.store.lists()
    assert (made.name, made.members) == ("Members", people)
    assert len(sandbox.store.audiences()) == 1

    postgres.query(
        "DELETE FROM shop.members WHERE id = 7; "
        "INSERT INTO shop.members (id, email) VALUES (151, 'new@example.com')"
    )
    assert "1 of 152 members removed" in recipe.run("meltano run members")
    people = people - {digest("member7@example.com")} | {digest("new@example.com")}
    assert [one.members for one in sandbox.store.lists()] == [people]

    postgres.query("DELETE FROM shop.members WHERE id > 100")
    failed = recipe.try_out("meltano run members")
    assert failed.returncode == 1
    assert "max_removed_ratio" in failed.stdout + failed.stderr
    assert [one.members for one in sandbox.store.lists()] == [people]
    assert (recipe.untried, recipe.as_copied) == ([], True)


@pytest.mark.real
def test_store_sales(cook_with_database: Cook, postgres: PostgresCluster, sandbox: Sandbox):
    """Offline sales are sent once; one day can be sent again to another account."""
    recipe = cook_with_database("store-sales")
    recipe.run("psql -f sales.sql")
    recipe.run(RUN)
    assert sent(sandbox) == {"receipt-r-2": 1, "receipt-r-3": 1, "receipt-r-4": 1}
    assert {row.event["action_source"] for row in sandbox.store.events()} == {"offline"}
    assert [(letter["reason"], letter["key"]) for letter in recipe.dead_letters()] == [
        ("event_too_old", {"receipt": "r-1"})
    ]

    day = postgres.query("SELECT sold_on FROM shop.counter_sales WHERE receipt = 'r-2'")
    of_day = postgres.query(
        f"SELECT receipt FROM shop.counter_sales WHERE sold_on = '{day}'"
    ).split()
    again, elsewhere = (line for line in commands("store-sales") if "--full-refresh" in line)
    postgres.query(
        "INSERT INTO shop.store_sales "
        "SELECT 'r-5', store, sold_at, email, card, total, currency, now() - interval '1 day' "
        # loaded, says its row, before what the daily runs have read
        "FROM shop.store_sales WHERE receipt = 'r-2'"
    )
    recipe.run(again, SALES_DAY=day)
    assert sent(sandbox) == {"receipt-r-2": 1, "receipt-r-3": 1, "receipt-r-4": 1, "receipt-r-5": 1}
    recipe.run(elsewhere, SALES_DAY=day)
    assert sent(sandbox, OTHER_ACCOUNT) == Counter(
        f"receipt-{receipt}" for receipt in (*of_day, "r-5")
    )

    assert recipe.try_out(again).returncode != 0  # without a day
    states = re.findall(r"^live:\S+-to-(\S+)$", recipe.run("meltano state list"), re.MULTILINE)
    loader = "target-pinterest-capi"
    assert sorted(states) == [
        loader,
        f"{loader}--day:{OTHER_ACCOUNT}-{day}",
        f"{loader}--day:day-{day}",
    ]
    assert (recipe.untried, recipe.as_copied) == ([], True)


@pytest.mark.real
def test_orchestrated(cook_with_database: Cook, postgres: PostgresCluster, sandbox: Sandbox):
    """Dev sends nothing, staging records nothing, production delivers; failed jobs keep STATE."""
    recipe = cook_with_database("orchestrated")
    recipe.run("psql -f shop.sql")
    assert "skipped dry_run 20" in recipe.run("meltano run conversions")
    assert sandbox.store.requests() == []
    recipe.run("meltano --environment staging run conversions")
    assert [(row.test, row.events) for row in sandbox.store.requests()] == [(True, 1), (True, 20)]
    assert "to-target-pinterest-capi" not in recipe.run("meltano state list")
    assert "conversions-hourly: conversions" in recipe.run("meltano schedule list")

    state = "meltano state get prod:tap-postgres-to-target-pinterest-capi"
    production = "meltano --environment prod schedule run conversions-hourly"
    refused = recipe.try_out(production, TARGET_PINTEREST_CAPI_CONVERSION_TOKEN="of-somebody-else")
    assert refused.returncode == 1
    assert "Generate new" in refused.stdout + refused.stderr
    assert "of-somebody-else" not in refused.stdout + refused.stderr
    assert (
        "to-target-pinterest-capi" not in refused.stdout + refused.stderr
    )  # the pipeline was not begun
    assert "to-target-pinterest-capi" in recipe.run(production)
    assert sent(sandbox) == ids(*range(1, 21))

    before = recipe.state(state)
    postgres.query(
        "UPDATE shop.orders SET email = 'nobody', updated_at = now() + id * interval '1 second' "
        "WHERE id <= 3"
    )
    failed = recipe.try_out(production)
    assert failed.returncode == 1
    assert "max_rejected_ratio is 0.1" in failed.stdout + failed.stderr
    assert recipe.state(state) == before
    assert [letter["key"] for letter in recipe.dead_letters()] == [
        {"event_id": digest(f"order-{number}")} for number in (1, 2, 3)
    ]
    assert "too many events failed" in (recipe.directory / "pinterest-report.html").read_text(
        encoding="utf-8"
    )
    assert (recipe.untried, recipe.as_copied) == ([], True)


@pytest.mark.real
def test_consent(cook_with_database: Cook, sandbox: Sandbox):
    """People without consent and tests are skipped; limited data processing is set on request."""
    recipe = cook_with_database("consent")
    recipe.run("psql -f shop.sql")
    said = recipe.run(RUN)
    assert "skipped stream_map 1" in said
    assert "(with consent): skipped when 2" in said
    assert sent(sandbox) == ids(4001, 4004)
    limited, other = (row.event for row in sandbox.store.events())
    assert (limited["event_name"], limited["custom_data"]["opt_out_type"]) == ("checkout", "LDP")
    assert [limited["user_data"][field] for field in ("st", "country")] == [
        [digest("ca")],
        [digest("us")],
    ]
    assert "opt_out_type" not in other["custom_data"]
    assert (recipe.untried, recipe.as_copied) == ([], True)
