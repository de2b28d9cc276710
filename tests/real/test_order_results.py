"""The cookbook's model, run by dbt, finds the orders that did not arrive, in a real PostgreSQL."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

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
PROJECT = {"name": "shop", "version": "1.0.0", "profile": "shop", "model-paths": ["models"]}
MAPPINGS = [{
    "stream": "shop-orders",
    "fields": {"event_id": "concat('order-', id)", "event_time": "paid_at", "user_data.em": "email"},
    "defaults": {"event_name": "checkout", "action_source": "web"},
}]  # fmt: skip


def build(dbt: Path, folder: Path, shop: PostgresCluster) -> subprocess.CompletedProcess[str]:
    """Build the cookbook's model and run its tests, in a dbt project in a folder."""
    shutil.copytree(MODELS, folder / "models")
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(PROJECT))
    output = {
        "type": "postgres",
        "host": shop.host,
        "port": shop.port,
        "user": shop.user,
        "password": shop.password,
        "dbname": shop.database,
        "schema": "analytics",
        "threads": 1,
    }
    profile = {"shop": {"target": "test", "outputs": {"test": output}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    return subprocess.run(
        [dbt, "--no-version-check", "build", "--select", "orders_not_arrived"],
        cwd=folder,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_PROFILES_DIR": "."},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def shop(postgres: PostgresCluster) -> Iterator[PostgresCluster]:
    """Yield a database with five paid orders and an open one, and no results."""
    tables = ", ".join(table.name for table in results_tables.metadata.sorted_tables)
    rows = ", ".join(f"({number}, 'paid', now(), 5, 'EUR')" for number in (*ORDERS, 1005))
    postgres.query(
        "SET client_min_messages = warning; DROP SCHEMA IF EXISTS shop CASCADE; "
        f"DROP TABLE IF EXISTS {tables}; CREATE SCHEMA shop; CREATE TABLE shop.orders "
        "(id bigint, status text, paid_at timestamptz, total numeric(10, 2), currency char(3)); "
        f"INSERT INTO shop.orders VALUES {rows}, (1006, 'open', now(), 5, 'EUR');"
    )
    yield postgres
    # A table that a view reads could not be dropped by the tests that come after.
    postgres.query("DROP SCHEMA shop CASCADE; DROP SCHEMA IF EXISTS analytics CASCADE;")


def test_orders_that_did_not_arrive_are_found_with_their_reason(
    run_target, sandbox: Sandbox, shop: PostgresCluster, dbt: Path, tmp_path: Path
):
    """Invalid, rejected and unseen orders are listed; one delivered in a later run is not."""
    sandbox.faults.set([
        Fault("fail_event", event_id="order-1002", times=1),
        Fault("fail_event", event_id="order-1004"),
    ])  # fmt: skip
    given = schema("shop-orders", "id", "email", "paid_at", key_properties=("id",))
    url = shop.url.replace("postgresql://", "postgresql+psycopg://")
    url += "?options=-csearch_path%3Dpublic"  # otherwise a schema with the user's name comes first
    for _ in range(2):
        lines = [
            record("shop-orders", id=number, email=email, paid_at=seconds_ago(60))
            for number, email in ORDERS.items()
        ]
        run_target([given, *lines], mappings=MAPPINGS, results_url=url, results_events="all")
    done = build(dbt, tmp_path / "project", shop)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS=3" in done.stdout  # the view, and its id is unique and not null
    found = shop.query(
        "SELECT id, outcome, reason, field, detail IS NULL FROM analytics.orders_not_arrived "
        "ORDER BY id"
    )
    assert found.splitlines() == [
        "1003|invalid|no_identifier|user_data|t",
        "1004|rejected|refused_event||f",
        "1005|no result|||t",
    ]
