"""A members table in a real PostgreSQL is kept as a customer list.

The job is the one that docs/customer-lists.md shows, run by Meltano.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from meltano_project import FOREIGN, REPOSITORY, InstallationError, locked_program
from postgres_cluster import PostgresCluster
from receiving import AD_ACCOUNT_ID, digest

from target_pinterest_capi.customer_lists.full_refreshes import FullRefreshes, feed_key, list_key
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

TABLE = """
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;
CREATE TABLE shop.members (id bigint PRIMARY KEY, email text, joined_at timestamptz DEFAULT now());
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(list_processing_seconds=0)) as running:
        yield running


@pytest.fixture
def run(
    postgres: PostgresCluster, sandbox: Sandbox, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs Meltano in a project made from the documentation's file."""
    page = (REPOSITORY / "docs" / "customer-lists.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml project\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    project: dict[str, Any] = yaml.safe_load(text)
    plugins = project["plugins"]
    plugins["extractors"][0]["pip_url"] = (
        f"--requirement {REPOSITORY / 'tests/real/project/locks/tap-postgres.txt'}"
    )
    for kind in ("loaders", "utilities"):
        (plugin,) = plugins[kind]
        plugin["config"] = {**plugin["config"], "api_url": sandbox.url}
        plugin["executable"] = str(
            Path(sys.executable).with_name(plugin["executable"])
        )  # the programs under test
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
    source = {
        name: getattr(postgres, name) for name in ("host", "port", "user", "password", "database")
    }
    (tmp_path / ".env").write_text(
        "".join(f"TAP_POSTGRES_{name.upper()}={value}\n" for name, value in source.items())
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)
    }

    def meltano(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *arguments],
            cwd=tmp_path,
            env=environment | {"MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    problem = ""
    try:
        program = locked_program("meltano")
        installed = meltano("install", "extractor", "tap-postgres")
        problem = installed.stderr[-300:] if installed.returncode else ""
    except InstallationError as error:
        problem = str(error)
    if problem:
        (pytest.fail if os.environ.get("REQUIRE_SERVICES") == "1" else pytest.skip)(
            f"Meltano could not be installed: {problem}"
        )
    return meltano


def members(sandbox: Sandbox) -> frozenset[str]:
    (one,) = sandbox.store.lists()
    assert one.name == "Members"
    return one.members


def people(*numbers: int) -> set[str]:
    return {digest(f"member{number}@example.com") for number in numbers}


@pytest.mark.real
def test_a_row_that_is_deleted_leaves_the_list(
    run, postgres: PostgresCluster, sandbox: Sandbox, tmp_path: Path
):
    """The table is loaded into a list; a row is deleted and one is added.

    After the job's next run the list is the table.
    """
    rows = ", ".join(f"({number}, 'Member{number}@Example.com')" for number in range(150))
    postgres.query(
        f"{TABLE} INSERT INTO shop.members VALUES {rows};".replace(
            "members VALUES", "members (id, email) VALUES"
        )
    )
    first = run("run", "members")
    assert first.returncode == 0, first.stderr
    assert members(sandbox) == people(*range(150))
    assert "0 of 150 members had to be removed" in first.stdout + first.stderr

    postgres.query(
        "DELETE FROM shop.members WHERE id = 7;"
        "INSERT INTO shop.members (id, email) VALUES (150, 'member150@example.com')"
    )
    second = run("run", "members")
    assert second.returncode == 0, second.stderr
    assert members(sandbox) == people(*range(7), *range(8, 151))
    assert "1 of 151 members removed" in second.stdout + second.stderr
    assert (
        sandbox.store.counters()["tokens_issued"] == 3
    )  # one for each run, and one for the prune that removed somebody
    assert (tmp_path / "pinterest-oauth.json").stat().st_mode & 0o777 == 0o600

    postgres.query("TRUNCATE shop.members")
    third = run("run", "members")
    assert third.returncode != 0
    assert "read nobody" in third.stdout + third.stderr
    assert len(members(sandbox)) == 150
    for done in (first, second, third):
        assert "example.com" not in (done.stdout + done.stderr).lower()
        assert "sandbox-refresh-token" not in done.stdout + done.stderr


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    cluster = request.getfixturevalue("postgres")
    cluster.query(
        "DROP TABLE IF EXISTS pinterest_list_members; DROP TABLE IF EXISTS pinterest_list_feeds"
    )
    return cluster.url.replace("postgresql://", "postgresql+psycopg://")


def test_the_record_of_refreshes_in_each_database(url: str):
    """Ten thousand members of two feeds.

    Who was in no feed's last refresh has left, and a removed member is deleted.
    """
    key = list_key(AD_ACCOUNT_ID, "VIPs")
    feeds = {stream: feed_key(AD_ACCOUNT_ID, "VIPs", stream) for stream in ("a", "b")}
    brought = {"a": [range(10_000), range(5_000, 10_000)], "b": [range(100)]}
    for stream, refreshes in brought.items():
        for numbers in refreshes:
            record = FullRefreshes(url)
            record.begin_refresh(key, feeds[stream], stream)
            members = [digest(str(number)) for number in numbers]
            record.record_members(feeds[stream], dict.fromkeys(members))
            record.record_members(feeds[stream], dict.fromkeys(members[:10]))
            assert [one.complete for one in record.feed_states(key) if one.stream == stream] == [
                False
            ]
            record.complete_refreshes()
            record.close()
    record = FullRefreshes(url)
    assert [(one.stream, one.complete) for one in record.feed_states(key)] == [
        ("a", True),
        ("b", True),
    ]
    assert record.count_members(key) == 10_000
    left = record.leavers(key, ["a", "b"])
    assert set(left) == {digest(str(number)) for number in range(100, 5_000)}
    assert set(record.leavers(key, ["a"])) == {digest(str(number)) for number in range(5_000)}
    record.forget_members(key, left)
    assert (record.count_members(key), record.leavers(key, ["a", "b"])) == (5_100, [])
    record.close()
