"""From the options of a write to its job: what each of its tasks needs to know.

A job is checked on the driver before any task starts. Owns the options and where a secret is read.
Every problem is reported at once, without given values, and no secret is sent: a job has the places
of its secrets, and each task reads them itself. Never sends anything.
"""

import fnmatch
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from target_pinterest_capi.mapping.entries import (
    Accounts,
    StreamSchema,
    compile_stream,
    names_a_stream,
)
from target_pinterest_capi.pipeline.not_found import NamesNotFound
from target_pinterest_capi.reporting.report import NotFound
from target_pinterest_capi.settings import (
    ENVIRONMENT_PREFIX,
    ConfigurationError,
    Problem,
    Purpose,
    Settings,
    collect,
    environment,
    load,
    read_files,
)
from target_pinterest_capi.settings.json_text import parse_json
from target_pinterest_capi.settings.model import SDK_OPTIONS
from target_pinterest_capi.settings.problems import WrongValueError, did_you_mean
from target_pinterest_capi.settings.variables import mode_in_effect, refuse_unclear
from target_pinterest_capi.spark import rows

FORMAT: Final = "pinterest_capi"
_NOT_IN_TASKS: Final = (
    "oauth",
    "customer_lists",
    "notify_url",
    "notify_on",
    "notify_format",
    "telemetry",
)
OF_SPARK: Final = frozenset(
    {"checkpointlocation", "queryname"}
)  # Spark's own, which it passes to the sink of a stream
DATABASES: Final = {"ledger_url": "ledger", "results_url": "results"}  # each a secret
SECRETS: Final = ("conversion_token", *DATABASES)
ELSEWHERE: Final = SecretStr(
    "sqlite:///elsewhere"
)  # used for a ledger's URL if only its presence matters

_ON_TOKENS: Final = (
    "is a secret, and options of a write are visible in plans, logs and Spark's pages: set "
    "conversion_token_file, the path of a file with the secret, set {variable} for driver and "
    "executors, or name another variable with conversion_token_env"
)
_URL_ADVICE: Final = (
    "has a password, and options of a write are visible in plans, logs and Spark's pages: "
    "remove the password (PGPASSFILE), put the URL into the file of config, or name the "
    "variable that has it with {name}_env"
)
_OAUTH_ADVICE: Final = "is for customer lists, which Spark does not support. Remove it"


class Cluster(NamedTuple):
    """What a session runs on, as far as safety depends on it. None if it is not known."""

    master: str | None = None
    speculation: bool = False

    @classmethod
    def of(cls, conf: Callable[[str], str | None]) -> "Cluster":
        """Read it from a session's configuration, or from what a task knows of it."""
        return cls(conf("spark.master"), (conf("spark.speculation") or "").casefold() == "true")

    def problems(self, settings: Settings) -> Iterator[Problem]:
        """Yield what must not run here with these settings."""
        if settings.mode != "live":
            return
        if self.speculation and settings.ledger_url is None:
            yield Problem(
                "ledger_url",
                "is required with spark.speculation, which runs tasks twice at once: every "
                "event of the copy would be sent again. Keep a ledger in PostgreSQL, or set "
                "spark.speculation to false",
            )
        for name, what in DATABASES.items():
            url = getattr(settings, name)
            is_file = url is not None and url.get_secret_value().startswith("sqlite")
            if is_file and self.master is not None and not self.master.startswith("local"):
                yield Problem(
                    name,
                    "is an SQLite file, and each machine of this cluster would have its own: "
                    f"keep the {what} in PostgreSQL. SQLite is for spark.master local",
                )


class Job(NamedTuple):
    """What the tasks of one write, or of one micro-batch, need to know.

    Has no secret: `withheld` names those that each task reads.

    `public` are the plain values of the other settings; `paths` the files of option `config`, in
    which withheld ones are looked up that have no variable in `variables`. `not_found` are columns
    that the mappings read but the DataFrame does not have.
    """

    id: str
    stream: str
    columns: tuple[str, ...]
    key_properties: tuple[str, ...]
    public: Mapping[str, Any]
    paths: tuple[str, ...]
    withheld: tuple[str, ...]
    variables: Mapping[str, str]
    not_found: tuple[NotFound, ...] = ()

    def settings(self) -> Settings:
        """Return the settings with their secrets, which are read here.

        Raises `ConfigurationError` if one is missing.
        """
        return load({**self.public, **self._secrets(self.withheld)})

    def settings_on_driver(self) -> Settings:
        """Return the settings that describe a run: the only secret is `results_url`.

        That is None if it can no longer be read.
        """
        settings = load(self.public, purpose="any")
        changes: dict[str, SecretStr | None] = {}
        if "ledger_url" in self.withheld:
            changes["ledger_url"] = ELSEWHERE
        if "results_url" in self.withheld:
            try:
                changes["results_url"] = SecretStr(self._secrets(["results_url"])["results_url"])
            except ConfigurationError:
                changes["results_url"] = None
        return settings.model_copy(update=changes)

    def sink(self) -> StreamSchema:
        """Return the stream for which mappings are compiled."""
        return StreamSchema(self.stream, frozenset(self.columns), self.key_properties)

    def _secrets(self, names: Sequence[str]) -> dict[str, str]:
        environ = environment()
        variables = {name: self.variables[name] for name in names if name in self.variables}
        found = _set_here(variables, environ)
        problems = [
            Problem(
                name,
                f"should be in variable {variable}, which is not set here: set it for the "
                "executors (spark.executorEnv)",
            )
            for name, variable in variables.items()
            if name not in found
        ]
        in_files = [name for name in names if name not in variables]
        if in_files:
            given = collect(lambda: read_files(self.paths, environ=environ), problems) or {}
            found |= {name: given[name] for name in in_files if given.get(name)}
            problems.extend(
                Problem(
                    name,
                    "was in the file of config on the driver but is not in it here: a secret is "
                    "read where it is used, so put the file here too, or name a variable with "
                    f"{name}_env",
                )
                for name in in_files
                if name not in found
            )
        if problems:
            raise ConfigurationError(problems)
        return found


def read_job(
    options: Mapping[str, str], schema: Any, cluster: Cluster | None, *, overwrite: bool
) -> tuple[Job, Settings]:
    """Return the job for a write's options (names in lower case) and its settings.

    Raises `ConfigurationError` with all problems.
    """
    problems = list(rows.problems(schema))
    if overwrite:
        problems.append(
            Problem(
                "mode",
                "must be append: events cannot be undone, so nothing can be overwritten",
            )
        )
    paths, raw = _read_files(options, problems)
    raw |= _settings_among(options, raw, problems)
    environ = environment()
    warnings = collect(lambda: _honour_mode(raw, environ), problems) or []
    named = _variables(options, raw, environ)
    withheld = tuple(name for name in SECRETS if name in named or _is_secret(name, raw))
    settings = _load(raw, named, environ, problems, warnings)
    columns = tuple(field.name for field in schema.fields)
    stream = options.get("stream", "").strip()
    keys = _key_properties(options.get("key_properties", ""), columns, problems)
    problems += _stream_problems(stream, settings)
    problems += cluster.problems(settings) if cluster is not None and settings is not None else ()
    if problems or settings is None:
        raise ConfigurationError(problems)
    public = {name: value for name, value in raw.items() if name not in {*withheld, *_NOT_IN_TASKS}}
    names = NamesNotFound(settings)
    names.of_stream(stream, rows.declared(schema), frozenset(columns))
    not_found = tuple(names.columns())
    run_id = uuid.uuid4().hex[:12]
    job = Job(run_id, stream, columns, keys, public, paths, withheld, named, not_found)
    compile_stream(settings, job.sink(), Accounts(settings), _no_note, began_at=datetime.now(UTC))
    return job, settings


def _read_files(
    options: Mapping[str, str], problems: list[Problem]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    paths = tuple(path for part in options.get("config", "").split(",") if (path := part.strip()))
    return paths, collect(lambda: read_files(paths, environ=environment()), problems) or {}


def _honour_mode(raw: dict[str, Any], environ: Mapping[str, str]) -> list[Problem]:
    """Use a mode in the driver's environment if it sends less; return whether it was used."""
    refuse_unclear(environ, raw, is_read=False)
    mode, warnings = mode_in_effect(raw, environ)
    if mode is not None:
        raw["mode"] = mode
    return warnings


def _variables(
    options: Mapping[str, str], raw: dict[str, Any], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the variable of each secret that has one, and remove the file's value for it.

    If nothing else has the token, the target's own variable does.
    """
    named = {
        name: options[f"{name}_env"].strip()
        for name in SECRETS
        if options.get(f"{name}_env", "").strip()
    }
    for name in named:
        raw.pop(name, None)
        raw.pop(f"{name}_file", None)
    standard = f"{ENVIRONMENT_PREFIX}CONVERSION_TOKEN"
    has_token = (
        "conversion_token" in named
        or raw.get("conversion_token")
        or raw.get("conversion_token_file")
    )
    if not has_token and environ.get(standard):
        named["conversion_token"] = standard
    return named


def _settings_among(
    options: Mapping[str, str], raw: dict[str, Any], problems: list[Problem]
) -> dict[str, str]:
    """Return the settings among the options; a secret given in another way replaces the file's."""
    ours = {"config", "stream", "key_properties", *(f"{name}_env" for name in SECRETS)}
    given = {name: value for name, value in options.items() if name not in ours | OF_SPARK}
    if "path" in given:
        del given["path"]
        problems.append(
            Problem(
                "path",
                "has no meaning here: events are sent to api_url. Call save() without a path",
            )
        )
    if "conversion_token" in given:
        del given["conversion_token"]
        advice = _ON_TOKENS.format(variable=f"{ENVIRONMENT_PREFIX}CONVERSION_TOKEN")
        problems.append(Problem("conversion_token", advice))
    for name in DATABASES:
        if name in given and holds_password(given[name]):
            del given[name]
            problems.append(Problem(name, _URL_ADVICE.format(name=name)))
    for name in [name for name in given if name.partition(".")[0] == "oauth"]:
        del given[name]
        problems.append(Problem(name, _OAUTH_ADVICE))
    for name in [name for name in given if name.partition(".")[0] not in Settings.model_fields]:
        del given[name]
        problems.append(
            Problem(name, f"is not an option{did_you_mean(name, {*Settings.model_fields, *ours})}")
        )
    if "conversion_token_file" in given:
        raw.pop("conversion_token", None)
    return given


def holds_password(url: str) -> bool:
    """Return whether a database's URL has a password."""
    try:
        parts = urlsplit(url)
        return parts.password is not None or any(
            "pass" in name.casefold() for name, _ in parse_qsl(parts.query)
        )
    except ValueError:
        return True  # whatever it is, it must not be shown


def _is_secret(name: str, raw: Mapping[str, Any]) -> bool:
    return bool(raw.get(name)) and (name not in DATABASES or holds_password(str(raw[name])))


def _load(
    raw: dict[str, Any],
    named: Mapping[str, str],
    environ: Mapping[str, str],
    problems: list[Problem],
    warnings: Sequence[Problem],
) -> Settings | None:
    """Check the settings as the tasks will have them.

    A secret that only the executors have is assumed to be given.
    """
    here = _set_here(named, environ)
    elsewhere = named.keys() - here.keys()
    given = {**raw, **here}
    if "ledger_url" in elsewhere:
        given["ledger_url"] = ELSEWHERE.get_secret_value()
    if "results_url" in elsewhere:
        problems.append(
            Problem(
                "results_url",
                f"should be in variable {named['results_url']}, which is not set here: the "
                "driver adds the run's row, so set it for driver and executors",
            )
        )
    purpose: Purpose = "any" if "conversion_token" in elsewhere else "events"
    settings = collect(lambda: load(given, purpose=purpose, warnings=warnings), problems)
    if settings is None:
        return None
    advice = (
        "is for the Singer target, which changes records before they are mapped: change the "
        "DataFrame instead"
    )
    problems.extend(
        Problem(name, advice)
        for name in SDK_OPTIONS
        if getattr(settings, name) not in (None, False)
    )
    if settings.old_events_path is not None:
        advice = (
            "is for the Singer target: if Spark repeats a task, the rows that it has written "
            "are written again. Send old events with the target instead"
        )
        problems.append(Problem("old_events_path", advice))
    return settings


def _set_here(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values of those variables that are set on this machine, by the secret's name."""
    return {
        name: environ[variable]
        for name, variable in variables.items()
        if environ.get(variable, "").strip()
    }


def _key_properties(
    text: str, columns: tuple[str, ...], problems: list[Problem]
) -> tuple[str, ...]:
    """Read the names of columns, separated by commas, or as a JSON list."""
    try:
        names = (
            parse_json(text)
            if text.lstrip().startswith("[")
            else [part.strip() for part in text.split(",") if part.strip()]
        )
    except WrongValueError as error:
        problems.append(Problem("key_properties", str(error)))
        return ()
    problems.extend(
        Problem(
            "key_properties", f"names a column that does not exist{did_you_mean(name, columns)}"
        )
        for name in names
        if name not in columns
    )
    return tuple(map(str, names))


def _stream_problems(stream: str, settings: Settings | None) -> Iterator[Problem]:
    if not stream:
        yield Problem(
            "stream", "is required: the name that mappings use for these rows, such as orders"
        )
    elif settings is None:
        return
    elif any(fnmatch.fnmatchcase(stream, entry.stream) for entry in settings.customer_lists):
        yield Problem(
            "stream",
            "feeds a customer list, which Spark does not support: changes must arrive in order, "
            "but tasks run in parallel. Send this stream with the Singer target",
        )
    elif not names_a_stream(settings, stream):
        known = [entry.stream for entry in settings.mappings or ()]
        yield Problem(
            "stream", f"is not selected by any entry of mappings{did_you_mean(stream, known)}"
        )


def _no_note(origin: Any, field: str, reason: str) -> None:
    """Count nothing: on the driver a mapping is compiled only to check it."""
