"""Fixtures of the tests on Apache Spark: a session in local mode, configurations, a PostgreSQL.

If Java, pyspark or PostgreSQL is missing, a test that needs it skips with the reason; with
REQUIRE_SERVICES=1, as CI sets it, it fails.
"""

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from given import ACCOUNT, TOKEN
from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.server import Sandbox

TESTS: Final = Path(__file__).parent.parent
ATTEMPTS: Final = 4  # per task


def unavailable(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def demand_libraries() -> None:
    for name in ("pyspark", "pyarrow"):
        if importlib.util.find_spec(name) is None:
            unavailable(f"{name} is not installed: make spark")


@pytest.fixture(autouse=True)
def libraries(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("spark") is not None:
        demand_libraries()


@pytest.fixture(scope="session")
def spark_environment() -> Iterator[dict[str, str]]:
    """Yield the environment of a Spark for the tests: this Python, and this tree."""
    demand_libraries()
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        unavailable("there is no Java (Debian: apt-get install default-jre-headless)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv(
            "PYTHONPATH", os.pathsep.join([str(TESTS.parent), str(TESTS), str(TESTS / "spark")])
        )
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv(
            "PYTHONWARNINGS", "ignore"
        )  # of the processes that Spark starts: its own business
        yield dict(os.environ)


@pytest.fixture(scope="session")
def session(
    spark_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Yield a Spark session with two cores, four attempts per task, and our data source."""
    from pyspark.sql import SparkSession

    from target_pinterest_capi.spark import register

    folder = tmp_path_factory.mktemp("spark")
    made = (
        SparkSession.builder.master(f"local[2,{ATTEMPTS}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.local.dir", str(folder / "local"))
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config(
            "spark.sql.session.timeZone", "America/New_York"
        )  # far from UTC, so that an instant cannot be right by chance
        .config("spark.sql.files.minPartitionNum", "4")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    made.sparkContext.setLogLevel("OFF")
    register(made)
    yield made
    made.stop()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Yield a sandbox that stores the request bodies."""
    with Sandbox(
        SandboxConfig(keep_events=100_000, record_bodies=tmp_path / "bodies.jsonl")
    ) as running:
        yield running


@pytest.fixture
def configure(sandbox: Sandbox, tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes the configuration of target and Spark, and returns its path."""

    def write(**given: Any) -> str:
        (tmp_path / "token").write_text(TOKEN)
        path = tmp_path / "config.json"
        path.write_text(
            json.dumps(
                {
                    "ad_account_id": ACCOUNT,
                    "conversion_token_file": str(tmp_path / "token"),
                    "api_url": sandbox.url,
                    "dead_letter_path": str(tmp_path / "letters" / "rejected.jsonl"),
                    "report_path": str(tmp_path / "report.json"),
                    "max_retry_seconds": 20,
                    **given,
                }
            )
        )
        return str(path)

    return write


@pytest.fixture
def report(tmp_path: Path) -> Callable[[], dict[str, Any]]:
    """Return a function that reads the report of the last write."""
    return lambda: json.loads((tmp_path / "report.json").read_text())


@pytest.fixture
def letters(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that reads the dead letters of all attempts."""
    return lambda: [
        json.loads(line)
        for path in sorted((tmp_path / "letters").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """Yield an empty PostgreSQL server for this session."""
    sys.path.append(str(TESTS / "real"))
    from postgres_cluster import PostgresCluster, PostgresUnavailableError, find_binaries

    try:
        cluster = PostgresCluster(find_binaries())
    except PostgresUnavailableError as error:
        unavailable(str(error))
    with cluster:
        yield cluster
