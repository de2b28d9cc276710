"""JSON as people write it in files, variables and options."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from target_pinterest_capi.settings.problems import WrongValueError, given_more_than_once, joined


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises WrongValueError that names line and column, or a key that an object has more than once.
    """
    try:
        return _decoded(text)
    except WrongValueError:
        raise
    except json.JSONDecodeError as error:
        # its msg is one of the parser's constants, such as "Expecting value"
        raise WrongValueError(
            f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg.lower()}"
        ) from None
    except (ValueError, RecursionError):
        raise WrongValueError(
            "is not usable JSON: it has an infinite number, or is nested too deeply"
        ) from None


def _decoded(text: str) -> Any:
    repeated: dict[int, _Repeated] = {}

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            repeated[id(made)] = _Repeated(made, Counter(name for name, _ in pairs))
        return made

    value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=members)
    if repeated:
        raise WrongValueError("; ".join(_repeated_keys(value, "", repeated)))
    return value


def _refuse_constant(_: str) -> Any:
    raise WrongValueError("is not JSON: NaN and Infinity are not numbers")


class _Repeated(NamedTuple):
    """An object that has keys more than once; it is kept, so that no other one gets its id."""

    value: dict[str, Any]
    counts: Counter[str]


def _repeated_keys(value: Any, where: str, repeated: Mapping[int, _Repeated]) -> Iterator[str]:
    """Yield a message for each key that is given more than once, with its path in the value."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _repeated_keys(item, f"{where}[{index}]", repeated)
    elif isinstance(value, dict):
        found = repeated.get(id(value))
        for name, member in value.items():
            here = joined(where, name)
            if found is not None and found.counts[name] > 1:
                yield given_more_than_once(here, found.counts[name])
            yield from _repeated_keys(member, here, repeated)
