"""The SQL of docs/dead-letters.md finds the rows of dead letters, in a real PostgreSQL."""

import json
import re
import shutil
import tempfile
from pathlib import Path

from postgres_cluster import PostgresCluster

from given import record, schema

DOCUMENT = Path(__file__).parents[2] / "docs" / "dead-letters.md"
ROWS = [(1001, None), (1002, "jane@example.com"), (1003, None)]


def test_rows_of_dead_letters_are_found_as_documented(
    run_target, config, postgres: PostgresCluster
):
    """The page's statements, run on letters that the target wrote, return the invalid records."""
    (sql,) = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    columns = {"event_name": "checkout", "action_source": "web"}
    orders = [
        record("shop-orders", id=number, event_id=f"order-{number}", em=email, **columns)
        for number, email in ROWS
    ]
    entry = {"stream": "shop-orders", "preset": "pinterest", "defaults": {"event_time": "now"}}
    given = schema("shop-orders", "id", "event_id", "em", *columns, key_properties=("id",))
    assert run_target([given, *orders], mappings=[entry]).outcomes == {"delivered": 1, "invalid": 2}
    directory = Path(tempfile.mkdtemp())
    try:
        copy = directory / "pinterest-rejected.jsonl"
        shutil.copy(config["dead_letter_path"], copy)
        directory.chmod(0o755)
        copy.chmod(0o644)  # psql runs as another user
        values = ", ".join(f"({number})" for number, _ in ROWS)
        postgres.query(
            "SET client_min_messages = warning; "
            "DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop"
        )
        found = postgres.query(
            "SET client_min_messages = warning; "
            "CREATE TABLE shop.orders (id bigint PRIMARY KEY);\n"
            f"INSERT INTO shop.orders VALUES {values};\n"
            f"{sql.replace(copy.name, str(copy))}\n"
            "DROP SCHEMA shop CASCADE;"
        )
    finally:
        shutil.rmtree(directory)
    assert found.splitlines() == ["1001|no_identifier|user_data", "1003|no_identifier|user_data"]
    assert (
        json.loads(Path(config["dead_letter_path"]).read_text().splitlines()[0])["stream"]
        == "shop-orders"
    )
