"""Settings from environment variables, and variables that look like settings but are not.

If the environment is not read, its variables have no effect, with one exception: a mode that sends
less than the configuration's is used, so that a dry run never sends live.
"""

import os
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from target_pinterest_capi.settings.foreign_names import FOREIGN, OF_THE_MODE
from target_pinterest_capi.settings.json_schema import properties
from target_pinterest_capi.settings.json_text import parse_json
from target_pinterest_capi.settings.model import Settings
from target_pinterest_capi.settings.objects import OAuth
from target_pinterest_capi.settings.problems import (
    ConfigurationError,
    Problem,
    WrongValueError,
    nearest,
)

ENVIRONMENT_PREFIX: Final = "TARGET_PINTEREST_CAPI_"
# each sends less than the one before
MODES: Final[tuple[str, ...]] = tuple(properties(Settings)["mode"]["enum"])
NOT_READ: Final = (
    "is set and has no effect, because the environment is not read: add --config ENV, or, if "
    "Meltano runs the target, declare the setting in meltano.yml"
)
# What Meltano 4.4 does to members of an object given as a variable.
NOT_PASSED_ON: Final = (
    "is set, and Meltano did not pass all of it on, because it drops names with a dot, and "
    "null: nest the members, and write __NULL__ for null in stream_maps"
)
UNCLEAR_MODE: Final = (
    "is not a setting, and may have been meant to prevent events from being sent: set "
    f"{ENVIRONMENT_PREFIX}MODE to {', '.join(MODES[:-1])} or {MODES[-1]}, or unset this"
)
_OF_THE_SDK: Final = frozenset({"loglevel"})  # variables that are not settings
_OF_THE_LOADER: Final = ("MELTANO_LOADER_NAME", "MELTANO_LOADER_NAMESPACE")
_FOR_LIVE: Final = frozenset({"live", "false", "no", "off", "0"})


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
    """Return the settings in environment variables: `TARGET_PINTEREST_CAPI_<SETTING>`.

    Lists and objects are JSON. A member of `oauth` has its own variable, joined with one underscore
    or two. An empty variable counts as not set; `unread_variables` finds those that are not
    settings. Raises ConfigurationError for a list or object that is not JSON. Numbers and booleans
    stay text, for `load` to read.
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


def mode_in_effect(
    given: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[str | None, list[Problem]]:
    """Return the mode in variables that are not read, if it sends less than the given one.

    Adds a warning about it. Raises ConfigurationError for a variable that is not a mode.
    """
    in_effect = _mode(given.get("mode")) or MODES[0]
    honoured = None
    warnings = []
    problems = []
    for variable, name in _variables(environ).items():
        text = environ[variable].strip()
        if name != "mode" or not text:
            continue
        mode = _mode(text)
        if mode is None:
            problems.append(Problem(variable, f"must be {', '.join(MODES[:-1])} or {MODES[-1]}"))
        elif MODES.index(mode) > MODES.index(in_effect):
            why = f"is used although the environment is not read: {mode} sends less than"
            warnings.append(Problem(variable, f"{why} {in_effect}, which is configured"))
            honoured = in_effect = mode
    if problems:
        raise ConfigurationError(problems)
    return honoured, warnings


def refuse_unclear(environ: Mapping[str, str], given: Mapping[str, Any], *, is_read: bool) -> None:
    """Raise ConfigurationError if a variable without effect would have prevented events.

    Those are names that probably mean the mode, and an `api_url` if none is given.
    """
    problems = []
    for variable, name in sorted(_variables(environ).items()):
        if not environ[variable].strip():
            continue
        if _may_mean_a_mode(name, environ[variable]):
            problems.append(Problem(variable, UNCLEAR_MODE))
        elif name == "api_url" and not is_read and not given.get(name):
            problems.append(Problem(variable, f"{NOT_READ}; events would be sent to Pinterest"))
    if problems:
        raise ConfigurationError(problems)


def unread_variables(
    environ: Mapping[str, str], given: Mapping[str, Any], *, is_read: bool
) -> list[Problem]:
    """Return the variables with our prefix that have no effect, each with what to do.

    `given` are the existing settings. Meltano sets a variable for each setting that it passes in a
    file, and for members of objects. Without `is_read` no variable has an effect.
    """
    problems = []
    for variable, name in sorted(_variables(environ).items()):
        if environ[variable].strip():
            why = _why_unread(name, environ[variable], given, is_read=is_read)
            if why is not None:
                problems.append(Problem(variable, why))
    return problems


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the names of settings, known or not, by variable.

    The prefix is ours, or that of the loader's own name in Meltano, for which only known names
    count.
    """
    found = {}
    known = _known_names()
    prefixes = {_prefix(environ[variable]) for variable in _OF_THE_LOADER if variable in environ}
    for variable in environ:
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        is_ours = name != variable.lower() and not name.startswith("_")
        if is_ours and name not in _OF_THE_SDK:
            found[variable] = name
        for prefix in prefixes:
            name = variable.removeprefix(prefix).lower()
            if name != variable.lower() and name in known:
                found[variable] = name
    return found


def _prefix(loader: str) -> str:
    """Return the prefix that Meltano gives the variables of a plugin."""
    return re.sub(r"[^A-Za-z0-9]", "_", loader).upper() + "_"


def _known_names() -> dict[str, str]:
    """Return the settings by the lower-case names of their variables."""
    members = {f"oauth{joint}{member}" for member in properties(OAuth) for joint in ("_", "__")}
    return {**dict.fromkeys(members, "oauth"), **{name: name for name in properties(Settings)}}


def _mode(value: object) -> str | None:
    """Return the mode that a string names in any case."""
    text = value.strip().casefold() if isinstance(value, str) else ""
    return text if text in MODES else None


def _may_mean_a_mode(name: str, text: str) -> bool:
    known = _known_names()
    if name in known or text.strip().casefold() in _FOR_LIVE:
        return False
    return name in OF_THE_MODE or nearest(name, known) == "mode"


def _why_unread(name: str, text: str, given: Mapping[str, Any], *, is_read: bool) -> str | None:
    """Return why a variable has no effect, by its name without the prefix, or None."""
    known = _known_names()
    there = {str(setting).partition(".")[0] for setting in given}
    if name in known:
        if not is_read and (known[name] not in there or _differs(text, given.get(name))):
            return NOT_READ
        is_lost = not is_read and _has_more_members(text, given.get(name))
        return NOT_PASSED_ON if is_lost else None
    objects = [
        setting for setting, schema in properties(Settings).items() if schema["type"] == "object"
    ]
    whole = next((setting for setting in objects if name.startswith(f"{setting}_")), None)
    if whole in there:
        return None
    if name in FOREIGN:
        return FOREIGN[name]
    near = nearest(name, known, cutoff=0.6)
    hint = f"; did you mean {ENVIRONMENT_PREFIX}{near.upper()}?" if near else ""
    return f"is not a setting, and has no effect{hint}"


def _differs(text: str, value: object) -> bool:
    """Whether a variable differs from a setting with one value."""
    if isinstance(value, bool):
        return text.strip().casefold() != str(value).casefold()
    if isinstance(value, str):
        return text.strip().casefold() != value.strip().casefold()
    if isinstance(value, int | float | Decimal):
        try:
            return Decimal(text.strip()) != Decimal(str(value))
        except InvalidOperation:
            return True
    return False


def _has_more_members(text: str, value: object) -> bool:
    """Whether a variable has members, at any depth, that an object does not have."""
    if not isinstance(value, Mapping):
        return False
    try:
        said = parse_json(text)
    except WrongValueError:
        return False
    return bool(_paths(said) - _paths(value))


def _paths(value: object, where: str = "") -> set[str]:
    """Yield the dotted paths of the members that are not objects."""
    if not isinstance(value, Mapping):
        return {where}
    return {path for name, member in value.items() for path in _paths(member, f"{where}.{name}")}


def _oauth_members(environ: Mapping[str, str]) -> dict[str, str]:
    members = {}
    for name in properties(OAuth):
        for separator in ("_", "__"):
            variable = f"{ENVIRONMENT_PREFIX}OAUTH{separator}{name.upper()}"
            text = environ.get(variable, "").strip()
            if text:
                members[name] = text
    return members
