"""Arithmetic with exact decimals, for the functions of expressions.

Numbers may be numeric strings. Null returns null; anything else that is not a number raises
EvaluationError, as does a division by zero, because a wrong amount would look right.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow
from functools import reduce
from typing import Any, Final

from target_pinterest_capi.expressions.values import DIGITS, EXACT, EvaluationError, parsed_number

Exact = int | Decimal

# Amounts never have 40 digits: a third is not an amount until it is rounded.
QUOTIENT: Final = Context(prec=40, traps=[InvalidOperation, Overflow])
_ROUNDED: Final = Context(prec=DIGITS, rounding=ROUND_HALF_UP, traps=[InvalidOperation, Overflow])
_MOST_PLACES: Final = 9  # docs/pinterest-api.md: Amounts


def add(first: Any, second: Any, *others: Any) -> Exact | None:
    """Return the sum."""
    return _calculated("add", EXACT.add, first, second, *others)


def subtract(first: Any, second: Any) -> Exact | None:
    """Return the difference."""
    if first is None or second is None:
        return None
    return EXACT.subtract(_number("subtract", first), _number("subtract", second))


def multiply(first: Any, second: Any, *others: Any) -> Exact | None:
    """Return the product."""
    return _calculated("multiply", EXACT.multiply, first, second, *others)


def divide(first: Any, second: Any) -> Exact | None:
    """Return the quotient: exact up to 40 digits, otherwise its first 40."""
    return _calculated("divide", _quotient, first, second)


def rounded(number: Any, digits: Any) -> Decimal | None:
    """Return the number with so many digits after the point, halves rounded away from zero."""
    if number is None or digits is None:
        return None
    if problem := places_problem(digits):
        raise EvaluationError(problem)
    unit = Decimal(1).scaleb(-int(parsed_number(digits) or 0))
    return Decimal(_number("round", number)).quantize(unit, context=_ROUNDED)


def places_problem(digits: Any) -> str | None:
    """Return what is wrong with a number of digits for rounding, or None."""
    if parsed_number(digits) in range(_MOST_PLACES + 1):
        return None
    return f"round() takes 0 to {_MOST_PLACES} digits"


def _calculated(name: str, operation: Callable[[Any, Any], Decimal], *values: Any) -> Exact | None:
    if None in values:
        return None
    return reduce(operation, [_number(name, value) for value in values])


def _number(name: str, value: Any) -> Exact:
    if (  # as nearly all amounts in texts are; what follows would find the same
        type(value) is str
        and len(value) <= DIGITS
        and value.isascii()
        and value.replace(".", "", 1).isdigit()
    ):
        return Decimal(value)
    number = value if type(value) is int else parsed_number(value)
    if number is None:
        raise EvaluationError(f"{name}() takes numbers or numeric strings")
    return number


def _quotient(dividend: Exact, divisor: Exact) -> Decimal:
    if not divisor:
        raise EvaluationError("divide() cannot divide by zero")
    return QUOTIENT.divide(dividend, divisor)
