"""The options of a write: allowed values, errors on the driver, and where secrets are read."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from given import ACCOUNT, TOKEN
from target_pinterest_capi.settings import ConfigurationError

types = pytest.importorskip("pyspark.sql.types")
pytest.importorskip("pyarrow")

from target_pinterest_capi.spark.job import (  # noqa: E402 - only where the extra is installed
    Cluster,
    Job,
    holds_password,
    read_job,
)

pytestmark = pytest.mark.spark

SCHEMA = types.StructType(
    [types.StructField("event_id", types.StringType()), types.StructField("em", types.StringType())]
)
VARIABLE = "TARGET_PINTEREST_CAPI_CONVERSION_TOKEN"
URL = "postgresql+psycopg://user:hidden@db.example.com/shop"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a configuration and returns its path."""

    def write(name: str = "config.json", **given: Any) -> str:
        (tmp_path / name).write_text(
            json.dumps({"ad_account_id": ACCOUNT, "conversion_token": TOKEN, **given})
        )
        return str(tmp_path / name)

    return write


def job_of(*, overwrite: bool = False, cluster: Cluster | None = None, **options: str) -> Job:
    return read_job({"stream": "orders", **options}, SCHEMA, cluster, overwrite=overwrite)[0]


def problems_of(
    *, overwrite: bool = False, cluster: Cluster | None = None, **options: str
) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        job_of(overwrite=overwrite, cluster=cluster, **options)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_options_override_the_files(config: Callable[..., str]):
    """Options override files, later files earlier ones; numbers are text, lists are JSON."""
    first, second = (
        config(batch_size_rows=10, timezone="Europe/Paris"),
        config("more.json", batch_size_rows=20),
    )
    mappings = '[{"stream": "orders", "fields": {"event_id": "event_id"}}]'
    loaded = job_of(config=f"{first}, {second}", max_in_flight="3", mappings=mappings).settings()
    assert (loaded.batch_size_rows, loaded.timezone, loaded.max_in_flight) == (
        20,
        "Europe/Paris",
        3,
    )
    assert loaded.mappings is not None
    assert [entry.stream for entry in loaded.mappings] == ["orders"]


def test_sparks_own_options_are_ignored(config: Callable[..., str]):
    """Options that Spark adds to a streaming query are ignored."""
    assert (
        job_of(config=config(), checkpointlocation="/checkpoints", queryname="orders").stream
        == "orders"
    )


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({"batch_size_row": "3"}, "batch_size_row", "did you mean batch_size_rows?"),
        ({"key_property": "event_id"}, "key_property", "did you mean key_properties?"),
        ({"batch_size_rows": "many"}, "batch_size_rows", "a whole number from 1 to 1,000"),
        ({"stream": " "}, "stream", "is required"),
        ({"stream": "vip"}, "stream", "Singer target"),
        ({"key_properties": "event_ids"}, "key_properties", "did you mean event_id?"),
        ({"key_properties": "["}, "key_properties", "is not JSON"),
        ({"path": "/data"}, "path", "save() without a path"),
        ({"flattening_enabled": "true"}, "flattening_enabled", "change the DataFrame"),
        ({"conversion_token": "secret-1"}, "conversion_token", "conversion_token_file"),
        ({"ledger_url": URL}, "ledger_url", "ledger_url_env"),
        (
            {"ledger_url": "postgresql://db.example.com/shop?password=hidden"},
            "ledger_url",
            "ledger_url_env",
        ),
        ({"oauth.access_token": "secret-1"}, "oauth.access_token", "customer lists"),
        (
            {
                "old_events_path": "old",
                "ledger_url": URL.replace(":hidden", ""),
                "ledger_retention_days": "30",
            },
            "old_events_path",
            "with the target instead",
        ),
        ({"config": "nowhere.json"}, "nowhere.json", "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_option_is_refused_on_the_driver(
    config: Callable[..., str], options: dict[str, str], path: str, words: str
):
    """Each wrong option is a problem that says what to do, without the given value."""
    lists = [{"stream": "vip", "list_name": "VIPs", "member": "em"}]
    found = problems_of(
        **{
            "config": config(customer_lists=lists, oauth={"access_token": "token-of-lists"}),
            **options,
        }
    )
    assert words in found[path]
    assert not {"secret-1", "hidden", TOKEN} & set(" ".join(found.values()).split())
    assert "hidden" not in " ".join(found.values())


def test_every_problem_is_reported_at_once(config: Callable[..., str]):
    """Wrong options, settings and columns are all in one error."""
    schema = types.StructType([types.StructField("odd", types.VariantType())])
    options = {
        "config": config(timezone="Nowhere"),
        "batch_size_row": "1",
        "key_properties": "id",
        "stream": "",
    }
    with pytest.raises(ConfigurationError) as caught:
        read_job(options, schema, None, overwrite=True)
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"column odd", "mode", "timezone", "batch_size_row", "key_properties", "stream"}


def test_stream_without_a_mapping_is_refused(config: Callable[..., str]):
    """A write to a stream that no mapping names is an error that suggests the nearest name."""
    given = config(mappings=[{"stream": "orders", "preset": "pinterest"}])
    assert "did you mean orders?" in problems_of(config=given, stream="order")["stream"]


def test_overwriting_is_refused(config: Callable[..., str]):
    """Sent events cannot be withdrawn."""
    assert "append" in problems_of(config=config(), overwrite=True)["mode"]


@pytest.mark.parametrize(
    ("given", "cluster", "path"),
    [
        ({}, Cluster("spark://master:7077", speculation=True), "ledger_url"),
        ({"ledger_url": "sqlite:///ledger.db"}, Cluster("spark://master:7077"), "ledger_url"),
        ({"ledger_url": "sqlite:///ledger.db"}, Cluster("yarn", speculation=True), "ledger_url"),
        ({"ledger_url": URL}, Cluster("yarn", speculation=True), None),
        ({"ledger_url": "sqlite:///ledger.db"}, Cluster("local[4]"), None),
        ({"ledger_url": "sqlite:///ledger.db"}, Cluster(None), None),
        ({}, Cluster("yarn"), None),
        ({"mode": "dry_run"}, Cluster("yarn", speculation=True), None),
    ],
)
def test_what_a_cluster_would_send_twice_is_refused(
    config: Callable[..., str], given: dict[str, Any], cluster: Cluster, path: str | None
):
    """Speculation needs a ledger that all machines share, unless nothing is recorded."""
    if path is None:
        assert job_of(config=config(**given), cluster=cluster)
    else:
        assert path in problems_of(config=config(**given), cluster=cluster)


@pytest.mark.parametrize(
    ("conf", "expected"), [("true", True), ("TRUE", True), ("false", False), (None, False)]
)
def test_cluster_is_read_from_a_configuration(conf: str | None, expected: bool):
    """Spark's own words for true and false, and unset options."""
    assert Cluster.of({"spark.speculation": conf, "spark.master": "yarn"}.get) == Cluster(
        "yarn", expected
    )


# Secrets


def travels(job: Job) -> str:
    """Return all that a job takes to its tasks, as text."""
    return pickle.dumps(job, protocol=0).decode() + repr(job)


def test_secret_in_a_file_is_not_sent_to_tasks(config: Callable[..., str]):
    """Token and password stay in the file that tasks read; a printed job shows neither."""
    job = job_of(config=config(ledger_url=URL))
    assert TOKEN not in travels(job)
    assert "hidden" not in travels(job)
    loaded = pickle.loads(pickle.dumps(job)).settings()
    assert loaded.conversion_token.get_secret_value() == TOKEN
    assert loaded.ledger_url.get_secret_value() == URL


def test_ledger_without_a_password_may_be_an_option(config: Callable[..., str]):
    """A URL without a secret is a setting like any other."""
    assert (
        job_of(config=config(), ledger_url="sqlite:///ledger.db").settings().ledger_url is not None
    )


def test_token_from_a_file_of_its_own(config: Callable[..., str], tmp_path: Path):
    """Option conversion_token_file overrides the configured token, and each task reads the file."""
    (tmp_path / "token").write_text("token-of-the-file")
    job = job_of(config=config(), conversion_token_file=str(tmp_path / "token"))
    (tmp_path / "token").write_text("token-that-came-later")
    assert "token-of-the-file" not in travels(job)
    assert job.settings().conversion_token.get_secret_value() == "token-that-came-later"


def test_token_from_the_environment(config: Callable[..., str], monkeypatch: pytest.MonkeyPatch):
    """The target's variable is read if there is no other token, on the driver and in tasks."""
    given = {"config": config(conversion_token=None)}
    assert "is required" in problems_of(**given)["conversion_token"]
    monkeypatch.setenv(VARIABLE, "token-of-the-environment")
    job = job_of(**given)
    assert "token-of-the-environment" not in travels(job)
    assert job.settings().conversion_token.get_secret_value() == "token-of-the-environment"


def test_token_that_only_executors_have(
    config: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    """The variable of conversion_token_env may be unset on the driver; a task without it fails."""
    job = job_of(config=config(), conversion_token_env="SHOP_TOKEN", ledger_url_env="SHOP_LEDGER")
    with pytest.raises(ConfigurationError, match=r"(?s)SHOP_TOKEN.*SHOP_LEDGER"):
        job.settings()
    monkeypatch.setenv("SHOP_TOKEN", "token-of-the-shop")
    monkeypatch.setenv("SHOP_LEDGER", URL)
    loaded = job.settings()
    assert loaded.conversion_token is not None
    assert loaded.conversion_token.get_secret_value() == "token-of-the-shop"
    assert loaded.ledger_url is not None
    assert job.settings_on_driver().ledger_url is not None


def test_url_of_the_results_is_needed_on_the_driver(
    config: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    """The driver adds the run's row: a variable that only executors have is not enough."""
    given = {"config": config(), "results_url_env": "SHOP_RESULTS"}
    assert "the driver adds the run's row" in problems_of(**given)["results_url"]
    monkeypatch.setenv("SHOP_RESULTS", URL)
    job = job_of(**given)
    assert URL not in travels(job)
    settings = job.settings_on_driver()
    assert settings.results_url is not None
    assert settings.results_url.get_secret_value() == URL
    monkeypatch.delenv("SHOP_RESULTS")
    assert job.settings_on_driver().results_url is None


def test_file_that_a_task_cannot_read_is_an_error(config: Callable[..., str], tmp_path: Path):
    """A secret in a file that only the driver has is an error that says what to do instead."""
    job = job_of(config=config())
    (tmp_path / "config.json").unlink()
    with pytest.raises(ConfigurationError, match="conversion_token_env"):
        job.settings()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///ledger.db", False),
        ("postgresql+psycopg://user@db.example.com/shop", False),
        (URL, True),
        ("postgresql://db.example.com/shop?user=a&password=b", True),
        ("postgresql://[broken", True),
    ],
)
def test_password_is_found_in_a_url(url: str, expected: bool):
    """It is before the host or in the parameters; a URL that cannot be read counts as secret."""
    assert holds_password(url) is expected


def test_columns_that_the_dataframe_does_not_have(config: Callable[..., str]):
    """A column that a mapping reads and the DataFrame lacks is named with the most similar one."""
    fields = {"event_id": "event_id", "user_data.em": "mail", "user_data.ph": "person.phone"}
    mappings = [{"stream": "orders", "fields": fields}, {"stream": "other", "when": "a == b"}]
    person = types.StructType([types.StructField("fone", types.StringType())])
    schema = types.StructType([*SCHEMA.fields, types.StructField("person", person)])
    options = {"stream": "orders", "config": config(mappings=mappings)}
    job, _ = read_job(options, schema, None, overwrite=False)
    assert [(row.setting, row.message) for row in job.not_found] == [
        ("mappings[0].fields.user_data.em", "Column 'mail' is not in stream orders."),
        (
            "mappings[0].fields.user_data.ph",
            "Member 'person.phone' is not in stream orders; did you mean 'fone'?",
        ),
    ]
    assert pickle.loads(pickle.dumps(job)).not_found == job.not_found


def test_mode_of_the_drivers_environment(
    config: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    """A mode in the driver's environment is used if it sends less; similar names are refused."""
    monkeypatch.setenv("TARGET_PINTEREST_CAPI_MODE", "dry_run")
    options = {"stream": "orders", "config": config(conversion_token=None)}
    job, settings = read_job(options, SCHEMA, None, overwrite=False)
    assert (settings.mode, job.settings().mode) == ("dry_run", "dry_run")
    assert [warning.path for warning in settings.warnings] == ["TARGET_PINTEREST_CAPI_MODE"]
    monkeypatch.delenv("TARGET_PINTEREST_CAPI_MODE")
    monkeypatch.setenv("TARGET_PINTEREST_CAPI_DRY_RUN", "1")
    assert "TARGET_PINTEREST_CAPI_DRY_RUN" in problems_of(config=config())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {
                "customer_lists": [{"stream": "vip", "list_name": "VIPs", "member": "em"}],
                "oauth": {"access_token": "token-of-lists"},
            },
            "customer_lists: are not supported by Spark, so their 1 entries have no effect here",
        ),
        ({"notify_url": "https://hooks.example.com/secret"}, "notify_url: has no effect here"),
        ({"telemetry": "otlp"}, "telemetry: has no effect here"),
        (
            {"quality": {"all": {"events_of_usual": 50}}, "results_url": "sqlite:///results.db"},
            "quality: events_of_usual has no effect here",
        ),
        ({"metrics_path": "metrics.prom", "quality": {"all": {"events": 5}}}, ""),
    ],
)
def test_settings_without_effect_are_warnings(
    config: Callable[..., str], caplog: pytest.LogCaptureFixture, given: Any, sentence: str
):
    """A setting that does nothing in Spark is warned about before any task, without its value."""
    from target_pinterest_capi.spark.source import PinterestDataSource

    source = PinterestDataSource({"config": config(**given), "stream": "orders"})
    source.writer(SCHEMA, overwrite=False)
    assert sentence in caplog.text
    assert ("no effect" in caplog.text) is bool(sentence)
    assert "secret" not in caplog.text


def test_driver_writes_metrics_of_every_end(config: Callable[..., str], tmp_path: Path):
    """Completed and aborted writes count as runs, by their exit codes."""
    from target_pinterest_capi.spark.commit import CommitSummary

    path = tmp_path / "run.prom"
    settings = job_of(config=config(metrics_path=str(path))).settings_on_driver()
    CommitSummary(settings, [], "first").commit()
    CommitSummary(settings, [None, None], "second").abort()
    CommitSummary(settings, [], "third").commit()
    counted = {
        dict(sample.labels)["exit_code"]: sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
        if sample.name == "target_pinterest_capi_runs_total"
    }
    assert counted == {"0": 2, "1": 1}
