"""Where settings come from: files and environment variables, as plain values that `load` checks.

An error names the file, line and column, never the content: a configuration holds tokens.
"""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from target_pinterest_capi.settings.json_schema import properties
from target_pinterest_capi.settings.model import Settings
from target_pinterest_capi.settings.objects import OAuth
from target_pinterest_capi.settings.problems import (
    UNREADABLE,
    ConfigurationError,
    Problem,
    WrongValueError,
    nearest,
    why_unreadable,
)

ENVIRONMENT: Final = "ENV"  # as a file's name, it stands for the environment: singer-sdk's word
ENVIRONMENT_PREFIX: Final = "TARGET_PINTEREST_CAPI_"
_OF_THE_SDK: Final = frozenset({"loglevel"})  # variables that are no settings
NOT_READ: Final = (
    "is set and has no effect, since the environment is not read: add --config ENV, or, where "
    "Meltano runs the target, declare the setting in meltano.yml"
)


def read_files(paths: Sequence[str], *, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Merge JSON or YAML files by top-level key; later ones win.

    `ENV` among them adds the environment, which wins over all. `environ` is the process's
    environment unless given. Members of `oauth` from the environment join those of the files.
    Raises ConfigurationError with a problem for each file that cannot be used.
    """
    merged: dict[str, Any] = {}
    problems: list[Problem] = []
    for path in paths:
        if path == ENVIRONMENT:
            continue
        try:
            merged |= _read_file(Path(path))
        except WrongValueError as error:
            problems.append(Problem(path, str(error)))
    if ENVIRONMENT in paths:
        try:
            found = read_environment(os.environ if environ is None else environ)
        except ConfigurationError as error:
            problems.extend(error.problems)
        else:
            merged = _joined(merged, found)
    problems += _written_over(paths, merged)
    if problems:
        raise ConfigurationError(problems)
    return merged


def _written_over(paths: Sequence[str], merged: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each file of the configuration that a run would write to."""
    files = {real_file(path) for path in paths if path != ENVIRONMENT}
    oauth = merged.get("oauth")
    written = {name: merged.get(name) for name in ("dead_letter_path", "report_path")}
    written["oauth.token_path"] = oauth.get("token_path") if isinstance(oauth, Mapping) else None
    return [
        Problem(name, "is a file of the configuration, which would be lost: name another one")
        for name, path in written.items()
        if isinstance(path, str) and real_file(path) in files - {None}
    ]


def real_file(path: str) -> str | None:
    """Return where a path leads; None for a URL, a device or a pipe, or where it leads nowhere."""
    if "://" in path or not path:
        return None
    try:
        place = Path(path).expanduser().resolve()
        return None if place.exists() and not place.is_file() else str(place)
    except (OSError, ValueError, RuntimeError):
        return None


def _joined(merged: dict[str, Any], environment: dict[str, Any]) -> dict[str, Any]:
    """Return settings with those of the environment, whose members of `oauth` join the others."""
    joined = merged | environment
    oauth = merged.get("oauth")
    more = environment.get("oauth")
    if isinstance(oauth, Mapping) and isinstance(more, Mapping):
        joined["oauth"] = {**oauth, **more}
    return joined


def environment() -> dict[str, str]:
    """Return this process's variables, and those that a `.env` file adds to them.

    As for the SDK, the file is in the working directory or one above.
    """
    from dotenv import dotenv_values, find_dotenv  # noqa: PLC0415 - only a program's start asks

    try:
        path = find_dotenv(usecwd=True)
    except OSError:  # the working directory was removed
        return dict(os.environ)
    added = {name: value for name, value in dotenv_values(path).items() if value is not None}
    return {**added, **os.environ}


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings among environment variables: `TARGET_PINTEREST_CAPI_<SETTING>`.

    Lists and objects are JSON. A member of `oauth` has a variable of its own, joined by one
    underscore or two. An empty variable is not set; `unread_variables` finds those that name
    no setting. Raises ConfigurationError for text that is no JSON where a list or an object
    belongs.
    Numbers and booleans stay text, for `load` to read.
    """
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, schema in properties(Settings).items():
        variable = ENVIRONMENT_PREFIX + name.upper()
        text = environ.get(variable, "").strip()
        if not text:
            continue
        if schema["type"] not in {"array", "object"}:
            found[name] = text
            continue
        try:
            found[name] = parse_json(text)
        except WrongValueError as error:
            problems.append(Problem(name, f"the variable {variable} {error}"))
    members = _oauth_members(environ)
    if members:
        whole = found.get("oauth")
        found["oauth"] = {**whole, **members} if isinstance(whole, Mapping) else members
    if problems:
        raise ConfigurationError(problems)
    return found


def unread_variables(
    environ: Mapping[str, str], given: Collection[str], *, is_read: bool
) -> list[Problem]:
    """Return the variables of our prefix that have no effect, each with what to do.

    `given` are the settings that there are. Meltano sets a variable for each that it passes in a
    file, and for members of those that are objects. Without `is_read` none has an effect.
    """
    there = {name.partition(".")[0] for name in given}
    problems = []
    for variable in sorted(environ):
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        is_ours = variable.startswith(ENVIRONMENT_PREFIX) and not name.startswith("_")
        if is_ours and environ[variable].strip() and name not in _OF_THE_SDK:
            why = _why_unread(name, there, is_read=is_read)
            if why is not None:
                problems.append(Problem(variable, why))
    return problems


def _why_unread(name: str, given: Collection[str], *, is_read: bool) -> str | None:
    """Return why a variable has no effect, by its name without the prefix; None where it has."""
    settings = properties(Settings)
    members = {f"oauth{joint}{member}" for member in properties(OAuth) for joint in ("_", "__")}
    if name in settings or name in members:
        setting = name if name in settings else "oauth"
        return None if is_read or setting in given else NOT_READ
    objects = [setting for setting, schema in settings.items() if schema["type"] == "object"]
    whole = next((setting for setting in objects if name.startswith(f"{setting}_")), None)
    if whole in given:
        return None
    near = nearest(name, {*settings, *members}, cutoff=0.6)
    hint = f"; did you mean {ENVIRONMENT_PREFIX}{near.upper()}?" if near else ""
    return f"names no setting, and has no effect{hint}"


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; raises WrongValueError that names line and column."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except WrongValueError:
        raise
    except json.JSONDecodeError as error:
        # its msg is one of the parser's constants, such as "Expecting value"
        raise WrongValueError(
            f"is no JSON: line {error.lineno}, column {error.colno}: {error.msg.lower()}"
        ) from None
    except (ValueError, RecursionError):
        raise WrongValueError(
            "is no usable JSON: it holds an endless number, or is nested too deeply"
        ) from None


def _oauth_members(environ: Mapping[str, str]) -> dict[str, str]:
    members = {}
    for name in properties(OAuth):
        for separator in ("_", "__"):
            variable = f"{ENVIRONMENT_PREFIX}OAUTH{separator}{name.upper()}"
            text = environ.get(variable, "").strip()
            if text:
                members[name] = text
    return members


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongValueError(f"is no UTF-8 text: byte {error.start}") from None
    except UNREADABLE as error:
        raise WrongValueError(f"cannot be read: {why_unreadable(error)}") from None
    is_yaml = path.suffix.casefold() in {".yml", ".yaml"}
    content = _parse_yaml(text) if is_yaml else parse_json(text)
    if content is None and is_yaml:
        return {}
    if not isinstance(content, dict):
        raise WrongValueError("must hold an object: one key for each setting")
    return {str(key): value for key, value in content.items()}


def _parse_yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - takes 40 ms, and Meltano gives JSON

    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise WrongValueError(f"is no valid YAML{place}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise WrongValueError(
            f"is no valid YAML: line {line}: a character that YAML does not allow"
        ) from None
    except (ValueError, RecursionError, yaml.YAMLError):
        raise WrongValueError(
            "is no valid YAML: it holds an impossible date or number, or is nested too deeply"
        ) from None


def _refuse_constant(_: str) -> Any:
    raise WrongValueError("is no JSON: NaN and Infinity are no numbers")
