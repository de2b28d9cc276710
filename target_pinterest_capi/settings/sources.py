"""Settings from files, merged with those of the environment: plain values that `load` checks.

An error has the file, line and column, never the content, because a configuration has tokens.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from target_pinterest_capi.settings.json_text import parse_json
from target_pinterest_capi.settings.problems import (
    UNREADABLE,
    ConfigurationError,
    Problem,
    WrongValueError,
    why_unreadable,
)
from target_pinterest_capi.settings.variables import read_environment

# What a run writes; oauth.token_path too.
_WRITTEN: Final = ("dead_letter_path", "report_path", "metrics_path")
ENVIRONMENT: Final = "ENV"  # as a file's name, it means the environment, as in singer-sdk


def read_files(paths: Sequence[str], *, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Merge JSON or YAML files by top-level key; later ones win.

    `ENV` adds the environment, which overrides all files. `environ` is by default the process's
    environment. Members of `oauth` from the environment are merged with those of the files. Raises
    ConfigurationError with a problem for each file that cannot be used.
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
    written = {name: merged.get(name) for name in _WRITTEN}
    written["oauth.token_path"] = oauth.get("token_path") if isinstance(oauth, Mapping) else None
    return [
        Problem(name, "is a file of the configuration, which would be lost: use another one")
        for name, path in written.items()
        if isinstance(path, str) and real_file(path) in files - {None}
    ]


def real_file(path: str) -> str | None:
    """Return where a path leads; None for a URL, a device or a pipe, or if it leads nowhere."""
    if "://" in path or not path:
        return None
    try:
        place = Path(path).expanduser().resolve()
        return None if place.exists() and not place.is_file() else str(place)
    except (OSError, ValueError, RuntimeError):
        return None


def _joined(merged: dict[str, Any], environment: dict[str, Any]) -> dict[str, Any]:
    """Return settings merged with those of the environment, by member for `oauth`."""
    joined = merged | environment
    oauth = merged.get("oauth")
    more = environment.get("oauth")
    if isinstance(oauth, Mapping) and isinstance(more, Mapping):
        joined["oauth"] = {**oauth, **more}
    return joined


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongValueError(f"is not UTF-8 text: byte {error.start}") from None
    except UNREADABLE as error:
        raise WrongValueError(f"cannot be read: {why_unreadable(error)}") from None
    if path.suffix.casefold() in {".yml", ".yaml"}:
        from target_pinterest_capi.settings import yaml_text  # noqa: PLC0415 - takes 40 ms

        content = yaml_text.parse_yaml(text)
        content = {} if content is None else content
    else:
        content = parse_json(text)
    if not isinstance(content, dict):
        raise WrongValueError("must hold an object: one key for each setting")
    return {str(key): value for key, value in content.items()}
