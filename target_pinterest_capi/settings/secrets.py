"""Secrets of a configuration, given as text or in a named file; read once, while loading.

Never names a file that it cannot read: a token pasted instead of a path must not get into a log.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from target_pinterest_capi.settings import values
from target_pinterest_capi.settings.problems import (
    UNREADABLE,
    Problem,
    WrongValueError,
    joined,
    why_unreadable,
)

MAX_SECRET_BYTES: Final = 65_536  # far above any token: a larger file is another file


def read_secrets(
    model: type[BaseModel], given: Mapping[str, Any], where: str, problems: list[Problem]
) -> dict[str, Any]:
    """Return the settings of `model` with each secret as text, in whichever way it was given.

    A secret that is given twice, cannot be read or cannot be sent is a problem, and is not in the
    result.
    """
    result = dict(given)
    for file_name in model.model_fields:
        name = file_name.removesuffix("_file")
        if name == file_name or name not in model.model_fields:
            continue
        try:
            secret = _secret(name, given)
        except _FileError as error:
            problems.append(Problem(joined(where, file_name), str(error)))
            secret = None
        except WrongValueError as error:
            problems.append(Problem(joined(where, name), str(error)))
            secret = None
        result.pop(name, None)
        if secret is not None:
            result[name] = secret
    return result


class _FileError(WrongValueError):
    """What is wrong with the file of a secret."""


def _secret(name: str, given: Mapping[str, Any]) -> str | None:
    text = given.get(name)
    path = given.get(f"{name}_file")
    if text is not None and path is not None:
        raise WrongValueError(f"is given twice: keep either {name} or {name}_file")
    if path is not None:
        try:
            return values.token(_read(path))
        except _FileError:
            raise
        except WrongValueError as error:
            raise _FileError(f"its file {error}") from None
    if text is None:
        return None
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise WrongValueError("must be a string")
    return values.token(str(text).strip())


def _read(path: Any) -> str:
    if not isinstance(path, str):
        raise _FileError("must be the path of a file")
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except FileNotFoundError:
        raise _FileError(
            "does not exist: use a path from the working directory, or an absolute one"
        ) from None
    except UNREADABLE as error:
        raise _FileError(f"cannot be read: {why_unreadable(error)}") from None
    if len(content) > MAX_SECRET_BYTES:
        raise _FileError("is too large: it must hold only the secret")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _FileError("is not text") from None
    if not text:
        raise _FileError("is empty: it must hold the secret, and nothing else")
    return text
