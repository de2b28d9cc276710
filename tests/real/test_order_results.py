"""The cookbook's model of dbt finds the orders that did not arrive, in a real PostgreSQL."""

from pathlib import Path

import jinja2
import pytest
import yaml
from postgres_cluster import PostgresCluster

from given import record, schema
from shopper import seconds_ago
from target_pinterest_capi.delivery import results_tables
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

MODELS = Path(__file__).parents[2] / "docs" / "cookbook" / "order-results" / "models"
ORDERS = {1001: "jane@example.com", 1002: "joe@example.com", 1003: None, 1004: "zoe@example.com"}
MAPPINGS = [{
    "stream": "shop-orders",
    "fields": {"event_id": "concat('order-', id)", "event_time": "paid_at", "user_data.em": "email"},
    "defaults": {"event_name": "checkout", "action_source": "web"},
}]  # fmt: skip


def compiled() -> str:
    """Return the model's SQL with its sources resolved, as dbt does it."""
    declared = yaml.safe_load((MODELS / "sources.yml").read_text())["sources"]
    schemas = {one["name"]: one.get("schema", one["name"]) for one in declared}
    tables = {(one["name"], table["name"]) for one in declared for table in one["tables"]}

    def source(name: str, table: str) -> str:
        assert (name, table) in tables
        return f"{schemas[name]}.{table}"

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    model = (MODELS / "orders_not_arrived.sql").read_text()
    return environment.from_string(model).render(source=source)


@pytest.fixture
def shop(postgres: PostgresCluster) -> PostgresCluster:
    """Return a database with five paid orders and an open one, and no results."""
    tables = ", ".join(table.name for table in results_tables.metadata.sorted_tables)
    rows = ", ".join(f"({number}, 'paid', now(), 5, 'EUR')" for number in (*ORDERS, 1005))
    postgres.query(
        "SET client_min_messages = warning; DROP SCHEMA IF EXISTS shop CASCADE; "
        f"DROP TABLE IF EXISTS {tables}; CREATE SCHEMA shop; CREATE TABLE shop.orders "
        "(id bigint, status text, paid_at timestamptz, total numeric(10, 2), currency char(3)); "
        f"INSERT INTO shop.orders VALUES {rows}, (1006, 'open', now(), 5, 'EUR');"
    )
    return postgres


def test_orders_that_did_not_arrive_are_found_with_their_reason(
    run_target, sandbox: Sandbox, shop: PostgresCluster
):
    """Invalid, rejected and unseen orders are listed; one that arrived in a later run is not."""
    sandbox.faults.set([
        Fault("fail_event", event_id="order-1002", times=1),
        Fault("fail_event", event_id="order-1004"),
    ])  # fmt: skip
    given = schema("shop-orders", "id", "email", "paid_at", key_properties=("id",))
    url = shop.url.replace("postgresql://", "postgresql+psycopg://")
    url += "?options=-csearch_path%3Dpublic"  # else a schema of the user's name comes first
    for _ in range(2):
        lines = [
            record("shop-orders", id=number, email=email, paid_at=seconds_ago(60))
            for number, email in ORDERS.items()
        ]
        run_target([given, *lines], mappings=MAPPINGS, results_url=url, results_events="all")
    found = shop.query(
        f"SELECT id, outcome, reason, field, detail IS NULL FROM ({compiled()}) AS model "
        "ORDER BY id"
    )
    assert found.splitlines() == [
        "1003|invalid|no_identifier|user_data|t",
        "1004|rejected|refused_event||f",
        "1005|no result|||t",
    ]
