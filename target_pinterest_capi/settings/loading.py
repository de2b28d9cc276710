"""From the plain values of files and environment to checked settings, or to all their problems.

Every part is checked separately, so that no mistake hides another: entries and lists by their
models, then the settings, then the rules between settings, for those without a problem.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Literal, NamedTuple, TypeVar

from pydantic import SecretStr

from target_pinterest_capi.events.build.converters import Options
from target_pinterest_capi.events.fields import BY_PATH
from target_pinterest_capi.events.old_events import MOST_DAYS
from target_pinterest_capi.expressions.analysis import looks_computed
from target_pinterest_capi.settings import entries
from target_pinterest_capi.settings.constants import read_defaults
from target_pinterest_capi.settings.event_names import names_without_effect
from target_pinterest_capi.settings.foreign_names import FOREIGN, OF_OTHER_LISTS
from target_pinterest_capi.settings.model import Settings
from target_pinterest_capi.settings.network import network_problems
from target_pinterest_capi.settings.objects import CustomerListEntry, MappingEntry, OAuth
from target_pinterest_capi.settings.odd_entries import odd_entry
from target_pinterest_capi.settings.odd_settings import odd_list, odd_settings
from target_pinterest_capi.settings.problems import ConfigurationError, Problem, Reading
from target_pinterest_capi.settings.reading import build, given_members
from target_pinterest_capi.settings.secrets import read_secrets
from target_pinterest_capi.settings.sources import ENVIRONMENT, read_files, real_file
from target_pinterest_capi.settings.values import EVENTS_OF_USUAL
from target_pinterest_capi.settings.variables import (
    environment,
    mode_in_effect,
    read_environment,
    refuse_unclear,
    unread_variables,
)

Purpose = Literal["events", "any", "sign-in"]
Result = TypeVar("Result")

# Not read for a sign-in, because files of conversion tokens are created after it.
NOT_FOR_SIGN_IN: Final = frozenset({"conversion_token", "conversion_token_file", "mappings"})
STAND_IN_ACCOUNT: Final = (
    "0"  # so that the rules between settings run even if ad_account_id is missing or wrong
)
# What people write next to `fields` although it belongs in it.
FIELDS_OF_AN_ENTRY: Final = {
    name: "is a field: indent it, so that it stands below fields"
    for path in BY_PATH
    for name in (path, path.partition(".")[0])
}
_EXPORTER: Final = "opentelemetry.exporter.otlp.proto.http"  # of the extra otel
REFRESHED: Final = ("client_id", "client_secret", "token_path")


class _Context(NamedTuple):
    """What the rules between settings get; `failed` are the settings with a problem."""

    settings: Settings
    failed: frozenset[str]
    given: Mapping[str, Any]
    purpose: Purpose


def load(
    raw: Mapping[str, Any], *, purpose: Purpose = "events", warnings: Sequence[Problem] = ()
) -> Settings:
    """Return the checked settings of plain values; `warnings` of their sources join its own.

    With `purpose` any, no token for events is needed; with sign-in, none is read either. Numbers
    and booleans may come as text, lists and objects as JSON text. The files of secrets are read
    here. Raises ConfigurationError with all problems.
    """
    problems: list[Problem] = []
    if purpose == "sign-in":
        raw = {name: value for name, value in raw.items() if name not in NOT_FOR_SIGN_IN}
    given = given_members(Settings, _nested(raw), "", problems, foreign=FOREIGN)
    members = read_secrets(Settings, given, "", problems)
    simple = {name: value for name, value in members.items() if name not in _MEMBERS}
    build(Settings, simple, "", problems)
    reading = Reading(problems, [], _without_problems(simple, problems).options)
    for name, read in _MEMBERS.items():
        if name in members:
            members[name] = read(members[name], name, reading)
    settings = build(Settings, members, "", problems) or _without_problems(members, problems)
    context = _Context(settings, _failed(problems), given, purpose)
    problems.extend(problem for rule in _RULES for problem in rule(context))
    if problems:
        raise ConfigurationError(problems)
    found = (*warnings, *reading.warnings, *odd_settings(settings))
    settings._warnings = found  # noqa: SLF001 - the model's own member, filled where the model is made
    return settings


def load_files(
    paths: Sequence[str], *, purpose: Purpose = "events", mode: str | None = None
) -> Settings:
    """Return the checked settings of files, or of the environment if none is named.

    A given `mode` overrides theirs. `ENV` as a path means the environment. Raises
    ConfigurationError with all problems.
    """
    sources = paths or (ENVIRONMENT,)
    environ = environment()
    raw = read_files(sources, environ=environ)
    return _load_beside(environ, raw, is_read=ENVIRONMENT in sources, purpose=purpose, mode=mode)


def load_config(config: Mapping[str, Any] | Sequence[str], *, with_environment: bool) -> Settings:
    """Return the checked settings of plain values or files; the environment can override them.

    Raises ConfigurationError with all problems.
    """
    raw = dict(config) if isinstance(config, Mapping) else read_files(config)
    environ = environment()
    if with_environment:
        raw |= read_environment(environ)
    return _load_beside(environ, raw, is_read=with_environment)


def _load_beside(
    environ: Mapping[str, str],
    raw: dict[str, Any],
    *,
    is_read: bool,
    purpose: Purpose = "events",
    mode: str | None = None,
) -> Settings:
    """Return the checked settings of plain values, with warnings about the environment."""
    refuse_unclear(environ, raw, is_read=is_read)
    warnings: list[Problem] = []
    if mode is None and not is_read:
        mode, warnings = mode_in_effect(raw, environ)
    if mode is not None:
        raw["mode"] = mode
    warnings += unread_variables(environ, raw, is_read=is_read)
    return load(raw, purpose=purpose, warnings=warnings)


def collect(read: Callable[[], Result], problems: list[Problem]) -> Result | None:
    """Return the result of `read`; None if it finds problems, which are added to the others."""
    try:
        return read()
    except ConfigurationError as error:
        problems.extend(error.problems)
        return None


def _failed(problems: Iterable[Problem]) -> frozenset[str]:
    """Return the settings that have a problem."""
    return frozenset(_setting_of(problem.path) for problem in problems)


def _setting_of(path: str) -> str:
    return re.split(r"[.\[]", path)[0]


def _without_problems(members: Mapping[str, Any], problems: Iterable[Problem]) -> Settings:
    """Return settings with the members without problems, and defaults for the others."""
    failed = _failed(problems)
    sound = {name: value for name, value in members.items() if name not in failed}
    return Settings.model_validate({"ad_account_id": STAND_IN_ACCOUNT, **sound})


def parse_mapping(raw: Mapping[str, Any], where: str) -> MappingEntry:
    """Return one mapping entry, such as a preset's, from its plain values; `where` names it.

    Raises ConfigurationError.
    """
    reading = Reading([], [], Options())
    entry = _mapping(raw, where, reading)
    if reading.problems or entry is None:
        raise ConfigurationError(reading.problems)
    return entry


def _nested(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted names at the top level, like `oauth.client_id`, as members of their object."""
    result = {str(key): value for key, value in raw.items()}
    dotted = [key for key in result if key.startswith(("oauth.", "defaults."))]
    for key in dotted:
        head, _, rest = key.partition(".")
        whole = result.get(head)
        if whole is None:
            whole = {}
        if isinstance(whole, Mapping):
            result[head] = {**whole, rest: result.pop(key)}
    return result


def _oauth(raw: Any, where: str, reading: Reading) -> OAuth | None:
    problems = reading.problems
    given = given_members(OAuth, raw, where, problems)
    if not given:
        return None
    names = {name.removesuffix("_file") for name in given}
    missing = [name for name in REFRESHED if name not in names]
    if "access_token" in names and names & {*REFRESHED, "refresh_token"}:
        problems.append(
            Problem(where, f"is given twice: keep either access_token, or {', '.join(REFRESHED)}")
        )
    elif "access_token" not in names:
        problems.extend(
            Problem(
                f"{where}.{name}",
                f"is missing: without access_token, {', '.join(REFRESHED)} are needed",
            )
            for name in missing
        )
    return build(OAuth, read_secrets(OAuth, given, where, problems), where, problems)


def _mappings(raw: Any, where: str, reading: Reading) -> tuple[MappingEntry, ...]:
    if not isinstance(raw, list | tuple):
        reading.problems.append(
            Problem(where, "must be a list of entries, each with its stream: `- stream: orders`")
        )
        return ()
    found = [_mapping(entry, f"{where}[{index}]", reading) for index, entry in enumerate(raw)]
    for index, entry in enumerate(raw):
        first = raw.index(entry)
        if first < index:
            advice = f"is the same as {where}[{first}]: its records would be sent twice"
            reading.warnings.append(Problem(f"{where}[{index}]", advice))
    return tuple(entry for entry in found if entry is not None)


def _mapping(raw: Any, where: str, reading: Reading) -> MappingEntry | None:
    problems = reading.problems
    as_given = frozenset({"fields", "defaults", "event_names", "when"})
    given = given_members(
        MappingEntry, raw, where, problems, as_given=as_given, foreign=FIELDS_OF_AN_ENTRY
    )
    if not isinstance(raw, Mapping):
        return None
    members = read_secrets(MappingEntry, given, where, problems)
    own_words = members.get("null_values")
    if isinstance(own_words, list) and all(isinstance(word, str) for word in own_words):
        own_options = reading.options._replace(null_values=tuple(own_words))
        reading = reading._replace(options=own_options)
    readers = {
        "fields": entries.read_fields,
        "defaults": read_defaults,
        "event_names": entries.read_event_names,
    }
    for name, read in readers.items():
        if name in members:
            members[name] = read(members[name], f"{where}.{name}", reading)
    if "when" in members:
        members["when"] = entries.read_condition(members["when"], f"{where}.when", reading)
    entry = build(MappingEntry, members, where, problems)
    if entry is not None and entry.ad_account_id is not None:
        entries.check_account(entry.ad_account_id, f"{where}.ad_account_id", problems)
    if entry is not None and not problems:
        reading.warnings.extend(odd_entry(entry, where))
    return entry


def _customer_lists(raw: Any, where: str, reading: Reading) -> tuple[CustomerListEntry, ...]:
    problems = reading.problems
    if not isinstance(raw, list | tuple):
        problems.append(
            Problem(where, "must be a list of entries, each with its stream, list and member")
        )
        return ()
    found = [_customer_list(entry, f"{where}[{index}]", reading) for index, entry in enumerate(raw)]
    return tuple(entry for entry in found if entry is not None)


def _customer_list(raw: Any, where: str, reading: Reading) -> CustomerListEntry | None:
    problems = reading.problems
    as_given = frozenset({"list_name", "member", "operation", "when"})
    given = given_members(
        CustomerListEntry, raw, where, problems, as_given=as_given, foreign=OF_OTHER_LISTS
    )
    if not isinstance(raw, Mapping):
        return None
    sound = {**given, **_list_name(given, where, problems)}
    if isinstance(sound.get("member"), Mapping):
        sound["identifiers"] = entries.read_identifiers(
            sound["member"],
            f"{where}.member",
            problems,
            is_full=given.get("refresh") == "full",
        )
        sound |= {"member": (), "list_type": None}
        if "list_type" in given:
            advice = "says what a single identifier is: remove it if member names several"
            problems.append(Problem(f"{where}.list_type", advice))
    elif "member" in sound:
        # instead of a wrong one, so that the other members are checked too
        sound["member"] = (
            entries.read_expressions(sound["member"], f"{where}.member", problems) or ()
        )
    if "operation" in sound:
        sound["operation"] = entries.read_expression(
            sound["operation"], f"{where}.operation", problems
        )
    if "when" in sound:
        sound["when"] = entries.read_condition(sound["when"], f"{where}.when", reading)
    entry = build(CustomerListEntry, sound, where, problems)
    if entry is not None:
        reading.warnings.extend(odd_list(entry, where))
    return entry


def _list_name(
    given: Mapping[str, Any], where: str, problems: list[Problem]
) -> dict[str, str | None]:
    """Return the name of a list, or the expression of names; add a problem if it is wrong."""
    name, here = given.get("list_name"), f"{where}.list_name"
    if isinstance(name, str):
        name = name.strip() or None
    if ("list_id" in given) == (name is not None):
        problems.append(Problem(where, "needs either list_id or list_name, to say which list"))
    if isinstance(name, Mapping):
        if set(name) != {"expression"}:
            advice = "must be a name, or an object of one expression: {expression: audience}"
            problems.append(Problem(here, advice))
            return {"list_name": None}
        if given.get("refresh") == "full":
            advice = "full needs a list with a fixed name, because prune must know the list"
            problems.append(Problem(f"{where}.refresh", advice))
        source = entries.read_expression(name["expression"], f"{here}.expression", problems)
        return {"list_name": None, "list_name_expression": source}
    if isinstance(name, str) and looks_computed(name):
        advice = (
            "is a name, not an expression, and would create a list with this name: write the "
            "list's name, or {expression: ...} for a list per value"
        )
        problems.append(Problem(here, advice))
    return {"list_name": name}


def _token_rule(context: _Context) -> Iterator[Problem]:
    settings, given = context.settings, context.given
    own = [
        isinstance(entry, Mapping) and bool(entry.get("conversion_token_file"))
        for entry in _list(given.get("mappings"))
    ]
    needless = (settings.mappings == () and not own and "mappings" not in context.failed) or (
        own and all(own)
    )
    known = {"conversion_token", "conversion_token_file", "mode"} & context.failed
    if (
        context.purpose == "events"
        and settings.mode != "dry_run"
        and settings.conversion_token is None
        and not known
        and not needless
    ):
        yield Problem(
            "conversion_token",
            "is required to send events: generate one in Ads Manager under Conversions, and set "
            "conversion_token or conversion_token_file; mode: dry_run needs none",
        )


def _nothing_rule(context: _Context) -> Iterator[Problem]:
    """Check that a record can become something: an empty list of mappings is for lists only."""
    has_lists = bool(_list(context.given.get("customer_lists")))
    is_read = context.purpose != "sign-in" and "mappings" not in context.failed
    if is_read and context.settings.mappings == () and not has_lists:
        yield Problem(
            "mappings",
            "has no entry, and neither has customer_lists, so every record would be skipped: add "
            "one (`pinterest-capi suggest SAMPLE` writes it), or remove mappings, so that every "
            "stream uses preset pinterest",
        )


def _oauth_rule(context: _Context) -> Iterator[Problem]:
    wanted = (
        context.purpose == "events"
        and context.settings.mode == "live"
        and bool(_list(context.given.get("customer_lists")))
    )
    if wanted and context.settings.oauth is None and not {"oauth", "mode"} & context.failed:
        yield Problem(
            "oauth",
            "is required for customer_lists, which a conversion token cannot change: set "
            "oauth.access_token",
        )


def _retention_rule(context: _Context) -> Iterator[Problem]:
    settings = context.settings
    if {"ledger_retention_days", "max_event_age_days"} & context.failed:
        return
    age = settings.max_event_age_days
    why = "max_event_age_days: older events would be forgotten and sent again"
    if settings.old_events_path is not None:
        age, why = MOST_DAYS, "30 with old_events_path: older events would be written again"
    if age is not None and settings.ledger_retention_days < age:
        advice = f"must be at least {why}. Set it to {age}"
        yield Problem("ledger_retention_days", advice)
    # No retention is long enough without a limit, so somebody must decide how long a repeated event
    # is recognized.
    if (
        age is None
        and settings.ledger_url is not None
        and "ledger_retention_days" not in context.given
    ):
        advice = "must be set if max_event_age_days is never: events repeated later are sent again"
        yield Problem("ledger_retention_days", advice)


def _old_events_rule(context: _Context) -> Iterator[Problem]:
    """Check that old events are written once: the ledger has what was delivered and written."""
    settings, failed = context.settings, context.failed
    if "old_events_path" in failed:
        return
    if settings.old_events_path is None:
        if settings.old_events_names and "old_events_names" not in failed:
            yield Problem("old_events_names", "has no effect without old_events_path")
        return
    if settings.ledger_url is None and "ledger_url" not in failed:
        yield Problem(
            "old_events_path",
            "needs ledger_url: without it, each run would write events again that were "
            "delivered or written before",
        )
    days = settings.max_event_age_days
    if "max_event_age_days" not in failed and (days is None or days >= MOST_DAYS):
        yield Problem(
            "old_events_path",
            f"has no effect if max_event_age_days is {days or 'never'}: Ads Manager accepts "
            f"events of the last {MOST_DAYS} days",
        )


def _refresh_rule(context: _Context) -> Iterator[Problem]:
    if context.settings.ledger_url is None and "ledger_url" not in context.failed:
        for index, entry in enumerate(_list(context.given.get("customer_lists"))):
            if (
                isinstance(entry, Mapping)
                and str(entry.get("refresh")).strip().casefold() == "full"
            ):
                yield Problem(
                    f"customer_lists[{index}].refresh",
                    "full needs ledger_url: that database records the run's members",
                )


def _lists_rule(context: _Context) -> Iterator[Problem]:
    """Check that entries for one list agree, because they share its requests and its record."""
    known: dict[tuple[str | None, ...], CustomerListEntry] = {}
    for entry in context.settings.customer_lists:
        named = (entry.list_id, entry.list_name, entry.list_name_expression)
        first = known.setdefault((entry.ad_account_id, *named), entry)
        for name in ("list_type", "refresh", "is_nca"):
            if getattr(first, name) != getattr(entry, name):
                yield Problem(
                    "customer_lists",
                    f"has two entries of the list {entry.label!r} with different {name}: use the "
                    "same",
                )


def _notify_rule(context: _Context) -> Iterator[Problem]:
    settings = context.settings
    if {"notify_on", "results_url"} & context.failed:
        return
    if settings.notify_on == "change" and settings.results_url is None:
        yield Problem(
            "notify_on",
            "change needs results_url: that database knows how the run before this one ended",
        )


def _quality_rule(context: _Context) -> Iterator[Problem]:
    if {"quality", "results_url"} & context.failed:
        return
    settings = context.settings
    is_asked = any(EVENTS_OF_USUAL in asked for asked in settings.quality.values())
    if is_asked and settings.results_url is None:
        yield Problem(
            "quality",
            f"{EVENTS_OF_USUAL} needs results_url: that database knows how many events runs "
            "usually deliver",
        )


def _telemetry_rule(context: _Context) -> Iterator[Problem]:
    if context.settings.telemetry == "otlp" and not _is_installed(_EXPORTER):
        yield Problem(
            "telemetry",
            "otlp needs the extra otel, which is not installed: "
            "pip install 'target-pinterest-capi[otel]', or set telemetry to none",
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a parent package
        return False


def _event_names_rule(context: _Context) -> Iterator[Problem]:
    if not {"mappings", "defaults"} & context.failed:
        yield from names_without_effect(context.settings)


def _network_rule(context: _Context) -> Iterator[Problem]:
    if "api_url" not in context.failed and context.settings.mode != "dry_run":
        yield from network_problems(context.settings.api_url, os.environ)


def _files_rule(context: _Context) -> Iterator[Problem]:
    """Check that no two settings write the same file, because one would overwrite the other."""
    known: dict[str, str] = {}
    for name, path in _files(context):
        if name.split(".")[0] in context.failed:
            continue
        if "\0" in path:
            yield Problem(name, "is not a usable path: it has a null character")
        place = real_file(path)
        if place is None:
            continue
        other = known.setdefault(place, name)
        if other != name:
            yield Problem(
                name, f"is also the file of {other}, which would be lost: use another one"
            )


def _files(context: _Context) -> Iterator[tuple[str, str]]:
    """Yield the files that settings name, first those that are only read."""
    oauth = context.given.get("oauth")
    for owner, given in (("", context.given), ("oauth.", oauth)):
        if isinstance(given, Mapping):
            for name, path in given.items():
                if str(name).endswith("_file") and isinstance(path, str):
                    yield f"{owner}{name}", path
    settings = context.settings
    ledger, results = map(_database_file, (settings.ledger_url, settings.results_url))
    for name, path in (("ledger_url", ledger), ("results_url", results)):
        if path is not None and (name, path) != ("results_url", ledger):
            yield from ((name, path + ending) for ending in _DATABASE_FILES)
    if settings.oauth is not None and settings.oauth.token_path is not None:
        yield "oauth.token_path", settings.oauth.token_path
    for name, path in (
        ("old_events_path", settings.old_events_path),
        ("report_path", settings.report_path),
        ("metrics_path", settings.metrics_path),
    ):
        if path is not None:
            yield name, path
    yield "dead_letter_path", settings.dead_letter_path


# A SQLite database, and the files that SQLite creates next to it.
_DATABASE_FILES: Final = ("", "-journal", "-shm", "-wal")


def _database_file(url: SecretStr | None) -> str | None:
    """Return the path of a SQLite database; None for any other."""
    text = "" if url is None else url.get_secret_value()
    return text.partition(":///")[2].partition("?")[0] if text.startswith("sqlite") else None


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


_MEMBERS: Final[dict[str, Callable[[Any, str, Reading], Any]]] = {
    "oauth": _oauth,
    "mappings": _mappings,
    "customer_lists": _customer_lists,
    "defaults": read_defaults,
}
_RULES: Final = (
    _nothing_rule,
    _token_rule,
    _oauth_rule,
    _retention_rule,
    _old_events_rule,
    _refresh_rule,
    _lists_rule,
    _notify_rule,
    _quality_rule,
    _telemetry_rule,
    _event_names_rule,
    _network_rule,
    _files_rule,
)
