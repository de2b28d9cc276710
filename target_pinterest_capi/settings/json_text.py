"""JSON as people write it in files, variables and options."""

import json
from typing import Any

from target_pinterest_capi.settings.problems import WrongValueError


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; raises WrongValueError that names line and column."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
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


def _refuse_constant(_: str) -> Any:
    raise WrongValueError("is not JSON: NaN and Infinity are not numbers")
