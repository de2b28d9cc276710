"""The source of one generated function: its lines, and the values that they name.

The text consists of the templates in this package and paths of the field table. Columns,
expressions and everything else that users write are values in the function's namespace, never text
in its source. The source is registered with `linecache`, so that a traceback shows its lines.
"""

import itertools
import linecache
import re
import textwrap
import weakref
from collections import Counter
from typing import Any, Final

_numbers: Final = itertools.count(1)


class FunctionSource:
    """One function's source, written from top to bottom."""

    def __init__(self, signature: str) -> None:
        self._name, _, _ = signature.partition("(")
        self._lines = [f"def {signature}:"]
        self._values: dict[str, Any] = {}
        self._names: dict[tuple[str, int], str] = {}  # by the requested name, and the value's id
        self._numbers: Counter[str] = Counter()

    def bind(self, name: str, value: Any) -> str:
        """Return the name by which the function finds a value.

        It is the given name, with `_` for characters that a name cannot have, and a number if
        another value has the name.
        """
        stem = re.sub(r"\W", "_", name)
        known = self._names.get((stem, id(value)))
        if known is not None:
            return known
        self._numbers[stem] += 1
        number = self._numbers[stem]
        bound = stem if number == 1 else f"{stem}_{number}"
        self._names[stem, id(value)] = bound
        self._values[bound] = value
        return bound

    def variable(self) -> str:
        """Return the name of a new variable."""
        self._numbers["part"] += 1
        return f"part_{self._numbers['part']}"

    def write(self, template: str, depth: int = 1, **parts: str) -> None:
        """Write the lines of a template, with `{name}` replaced by the part of that name."""
        lines = textwrap.dedent(template).strip("\n")
        text = lines.format(**parts)
        indented = textwrap.indent(text, "    " * depth)
        self._lines += indented.split("\n")

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"

    def compile(self, title: str) -> Any:
        """Return the function; `title` names it in tracebacks."""
        text = str(self)
        filename = f"<{title}, generated {next(_numbers)}>"
        namespace = dict(self._values)
        exec(compile(text, filename, "exec"), namespace)  # noqa: S102 - see the module's docstring
        function = namespace[self._name]
        lines = text.splitlines(keepends=True)
        linecache.cache[filename] = (len(text), None, lines, filename)
        weakref.finalize(function, linecache.cache.pop, filename, None)
        return function


def of_texts(template: str, variable: str) -> str:
    """Return a template for a variable that is a text or None, without a look at its type."""
    return template.replace(f"type({variable}) is str", f"{variable} is not None").replace(
        f"type({variable}) is not str", f"{variable} is None"
    )
