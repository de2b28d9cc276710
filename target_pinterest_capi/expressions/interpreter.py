"""The interpreter of expressions: all shapes, but slowly. Closures are tested against it."""

from functools import partial
from typing import Any, Final

from jmespath.visitor import Options, TreeInterpreter

from target_pinterest_capi.expressions.built_ins import BuiltIns
from target_pinterest_capi.expressions.syntax import Node
from target_pinterest_capi.expressions.values import (
    COMPARISONS,
    flattened,
    is_false,
    listed,
    opened,
    step_into,
)


class _Interpreter(TreeInterpreter):
    """jmespath's interpreter, with JSON text, exact numbers and dates, and our functions."""

    def visit_field(self, node: Any, value: Any) -> Any:
        return step_into(value, node["value"])

    def visit_index(self, node: Any, value: Any) -> Any:
        return step_into(value, node["value"])

    def visit_slice(self, node: Any, value: Any) -> Any:
        return super().visit_slice(node, opened(value))

    def visit_flatten(self, node: Any, value: Any) -> Any:
        base = listed(self.visit(node["children"][0], value))
        return None if base is None else flattened(base)

    def visit_projection(self, node: Any, value: Any) -> list[Any] | None:
        return self._projected(listed(self.visit(node["children"][0], value)), node)

    def visit_value_projection(self, node: Any, value: Any) -> list[Any] | None:
        base = opened(self.visit(node["children"][0], value))
        return self._projected(list(base.values()) if isinstance(base, dict) else None, node)

    def visit_filter_projection(self, node: Any, value: Any) -> list[Any] | None:
        base = listed(self.visit(node["children"][0], value))
        test = node["children"][2]
        return self._projected(
            base and [element for element in base if not is_false(self.visit(test, element))], node
        )

    def _projected(self, elements: list[Any] | None, node: Any) -> list[Any] | None:
        if elements is None:
            return None
        results = [self.visit(node["children"][1], element) for element in elements]
        return [result for result in results if result is not None]

    def visit_multi_select_dict(self, node: Any, value: Any) -> Any:
        return super().visit_multi_select_dict(node, opened(value))

    def visit_multi_select_list(self, node: Any, value: Any) -> Any:
        return super().visit_multi_select_list(node, opened(value))

    def visit_comparator(self, node: Any, value: Any) -> Any:
        left, right = (self.visit(child, value) for child in node["children"])
        return COMPARISONS[node["value"]](left, right)

    def visit_not_expression(self, node: Any, value: Any) -> bool:
        return is_false(self.visit(node["children"][0], value))

    def visit_expref(self, node: Any, value: Any) -> Any:  # noqa: ARG002 - of elements, later
        return partial(self.visit, node["children"][0])

    def _is_false(self, value: Any) -> bool:
        return is_false(value)


BUILT_INS: Final = BuiltIns()
_interpreter: Final[Any] = _Interpreter(Options(custom_functions=BUILT_INS))


def evaluate(node: Node, value: Any) -> Any:
    """Return the value of a node applied to a value."""
    return _interpreter.visit(node, value)
