"""JMESPath's own functions, with exact numbers.

A built-in raises only EvaluationError, or the ArithmeticError or RecursionError of a hostile value,
which the compiled expression turns into one.
"""

import inspect
import json
import math
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import reduce
from itertools import chain, repeat
from typing import Any, Final

from jmespath import functions as _jmespath

from target_pinterest_capi.expressions.arithmetic import QUOTIENT
from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.expressions.values import (
    DIGITS,
    EXACT,
    LEAST,
    MOST,
    EvaluationError,
    alike,
    dated,
    equal,
    kind,
    number,
    number_text,
    opened,
    parsed_number,
    rank,
)


class BuiltIns(_jmespath.Functions):
    """JMESPath's functions with exact numbers, and the added ones.

    JSON text is parsed if a function expects an array or an object.
    """

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """Return a function's result for evaluated arguments, of the right number.

        Raises EvaluationError.
        """
        if function_name in FUNCTIONS:
            return FUNCTIONS[function_name].implementation(*resolved_args)
        spec = self.FUNCTION_TABLE[function_name]
        wanted = chain(spec["signature"], repeat(spec["signature"][-1]))
        checked = [
            _accepted(function_name, value, row["types"])
            for value, row in zip(resolved_args, wanted, strict=False)
        ]
        return spec["function"](self, *checked)

    @_jmespath.signature({"types": ["number"]})
    def _func_abs(self, arg: Any) -> Any:
        # abs() would round a Decimal to the context's 28 digits
        return abs(arg) if isinstance(arg, int) else arg.copy_abs()

    @_jmespath.signature({"types": ["number"]})
    def _func_ceil(self, arg: Any) -> int:
        return math.ceil(_written_out(arg))

    @_jmespath.signature({"types": ["number"]})
    def _func_floor(self, arg: Any) -> int:
        return math.floor(_written_out(arg))

    @_jmespath.signature({"types": ["array-number"]})
    def _func_sum(self, arg: list[Any]) -> int | Decimal:
        nothing: int | Decimal = 0
        return reduce(_added, arg, nothing)

    @_jmespath.signature({"types": ["array-number"]})
    def _func_avg(self, arg: list[Any]) -> Decimal | None:
        return QUOTIENT.divide(self._func_sum(arg), len(arg)) if arg else None

    @_jmespath.signature({"types": ["array-number", "array-string"]})
    def _func_max(self, arg: list[Any]) -> Any:
        return max(arg, default=None)

    @_jmespath.signature({"types": ["array-number", "array-string"]})
    def _func_min(self, arg: list[Any]) -> Any:
        return min(arg, default=None)

    @_jmespath.signature({"types": ["array-number", "array-string"]})
    def _func_sort(self, arg: list[Any]) -> list[Any]:
        return sorted(arg)

    @_jmespath.signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_sort_by(self, array: list[Any], expref: Callable[[Any], Any]) -> list[Any]:
        ranks = _ranks("sort_by", array, expref)
        return [array[place] for place in sorted(range(len(array)), key=ranks.__getitem__)]

    @_jmespath.signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_max_by(self, array: list[Any], expref: Callable[[Any], Any]) -> Any:
        ranks = _ranks("max_by", array, expref)
        return array[max(range(len(array)), key=ranks.__getitem__)] if array else None

    @_jmespath.signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_min_by(self, array: list[Any], expref: Callable[[Any], Any]) -> Any:
        ranks = _ranks("min_by", array, expref)
        return array[min(range(len(array)), key=ranks.__getitem__)] if array else None

    @_jmespath.signature({"types": ["expref"]}, {"types": ["array"]})
    def _func_map(self, expref: Callable[[Any], Any], arg: list[Any]) -> list[Any]:
        return [expref(element) for element in arg]

    @_jmespath.signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject: Any, search: Any) -> bool:
        if isinstance(subject, str):
            return isinstance(search, str) and search in subject
        return any(equal(element, search) for element in subject)

    @_jmespath.signature({"types": []})
    def _func_to_number(self, arg: Any) -> int | Decimal | None:
        return parsed_number(arg)

    @_jmespath.signature({"types": []})
    def _func_to_string(self, arg: Any) -> str:
        return arg if isinstance(arg, str) else _written(arg)

    @_jmespath.signature({"types": []})
    def _func_type(self, arg: Any) -> str:
        return kind(arg)


def whole_sum(values: Any) -> int | None:
    """Return the sum of a list of whole numbers of usual size; None for anything else."""
    if type(values) is not list:
        return None
    total = 0
    for value in values:
        if type(value) is not int or not LEAST < value < MOST:
            return None
        total += value
    return total


def _accepted(name: str, value: Any, types: list[str]) -> Any:
    """Return an argument as its function accepts it.

    Floats are exact, dates are text, and JSON text is parsed unless the function accepts a string.
    """
    value = dated(value)
    if not types:
        return value
    if isinstance(value, str) and "string" not in types:
        value = opened(value)
    given = kind(value)
    for wanted, _, inner in (row.partition("-") for row in types):
        if wanted != given or (given == "number" and number(value) is None):
            continue
        if not inner:
            return number(value) if given == "number" else value
        ranks = [rank(element) for element in value]
        texts = inner == "string"
        if all(one is not None and isinstance(one, str) == texts for one in ranks):
            return ranks
    expected = " or ".join(map(_type_in_words, types))
    raise EvaluationError(f"{name}() takes {expected}, not this {given}")


def _type_in_words(row: str) -> str:
    wanted, _, inner = row.partition("-")
    return f"an array of {inner}s" if inner else wanted


def _ranks(name: str, array: list[Any], expref: Callable[[Any], Any]) -> list[Any]:
    ranks = [rank(expref(element)) for element in array]
    if any(one is None or not alike(one, ranks[0]) for one in ranks):
        raise EvaluationError(
            f"{name}() needs a number for every element, or a string for every element"
        )
    return ranks


def _added(total: int | Decimal, more: int | Decimal) -> int | Decimal:
    return (
        total + more if isinstance(total, int) and isinstance(more, int) else EXACT.add(total, more)
    )


def _written_out(exact: int | Decimal) -> int | Decimal:
    if number_text(exact) is None:
        raise EvaluationError(f"a number has more than {DIGITS:,} digits")
    return exact


def _written(value: Any) -> str:
    """Return compact JSON with exact numbers, members in their order."""
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, dict):
        members = [f"{_written(str(key))}:{_written(member)}" for key, member in value.items()]
        return "{" + ",".join(members) + "}"
    exact = number(value)
    if exact is not None:
        return format(_written_out(exact), "f" if isinstance(exact, Decimal) else "d")
    return json.dumps(dated(value), ensure_ascii=False, default=kind)


NAMES: Final = tuple(sorted({*FUNCTIONS, *BuiltIns.FUNCTION_TABLE}))


def arity(name: str) -> tuple[int, int | None]:
    """Return how many arguments a function has: at least, and at most (None: no limit)."""
    if name not in FUNCTIONS:
        rows = BuiltIns.FUNCTION_TABLE[name]["signature"]
        return len(rows), None if rows[-1].get("variadic") else len(rows)
    parameters = inspect.signature(FUNCTIONS[name].implementation).parameters.values()
    single = sum(parameter.kind is not parameter.VAR_POSITIONAL for parameter in parameters)
    return single, single if single == len(parameters) else None


def takes_reference(name: str, place: int) -> bool:
    """Return whether the argument at this position is an expression after `&`."""
    rows = BuiltIns.FUNCTION_TABLE[name]["signature"] if name not in FUNCTIONS else ()
    return place < len(rows) and "expref" in rows[place]["types"]
