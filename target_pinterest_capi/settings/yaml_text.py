"""YAML as people write it in files, without what PyYAML would lose in silence.

An error has lines and the names of keys, never a value, because a configuration has tokens.
"""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from target_pinterest_capi.settings.problems import WrongValueError, given_more_than_once, joined

_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_TAG}merge"  # the key <<, which may merge several anchors
_INTEGER: Final = f"{_TAG}int"
_FLOAT: Final = f"{_TAG}float"
_OTHER_NUMBER: Final = (
    "must be a string in quotes, or a number in decimal digits: YAML reads digits after 0, 0x or "
    "0b, and digits with colons, as another number"
)


def parse_yaml(text: str) -> Any:
    """Return the value of a YAML document; None if it is empty.

    Raises WrongValueError that names lines, also for a key that an object has more than once, and
    for digits that YAML reads as another number.
    """
    try:
        return _checked(yaml.SafeLoader(text))
    except WrongValueError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise WrongValueError(f"is not valid YAML{place}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise WrongValueError(
            f"is not valid YAML: line {line}: a character that YAML does not allow"
        ) from None
    except (ValueError, RecursionError, yaml.YAMLError):
        raise WrongValueError(
            "is not valid YAML: it holds an impossible date or number, or is nested too deeply"
        ) from None


def _checked(loader: yaml.SafeLoader) -> Any:
    """Return what `yaml.safe_load` returns, if nothing is lost."""
    root = loader.get_single_node()
    if root is None:
        return None
    problems = list(_problems(root, "", set()))
    if problems:
        raise WrongValueError("; ".join(problems))
    return loader.construct_document(root)


def _problems(node: yaml.Node, where: str, seen: set[int]) -> Iterator[str]:
    """Yield the problems of a node and those below it; of an anchor where it is defined."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield from _other_number(node, where)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _problems(item, f"{where}[{index}]", seen)
    elif isinstance(node, yaml.MappingNode):
        yield from _repeated_keys(node, where)
        for key, value in node.value:
            here = where if key.tag == _MERGE else joined(where, key.value)
            yield from _problems(key, here, seen)
            yield from _problems(value, here, seen)


def _repeated_keys(node: yaml.MappingNode, where: str) -> Iterator[str]:
    lines: dict[tuple[str, str], list[int]] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
            lines.setdefault((key.tag, key.value), []).append(key.start_mark.line + 1)
    for (_, name), found in lines.items():
        if len(found) > 1:
            yield given_more_than_once(joined(where, name), len(found), lines=found)


def _other_number(node: yaml.ScalarNode, where: str) -> Iterator[str]:
    """Yield a problem for a number that differs from the decimal number of its digits.

    YAML 1.1 has octal (02134 is 1116), hexadecimal, binary and sexagesimal numbers (12:30 is 750).
    """
    digits = node.value.lstrip("+-").replace("_", "")
    is_decimal = digits == "0" or (digits.isdecimal() and not digits.startswith("0"))
    is_sexagesimal = node.tag == _FLOAT and ":" in digits
    if is_sexagesimal or (node.tag == _INTEGER and not is_decimal):
        yield f"{where} (line {node.start_mark.line + 1}) {_OTHER_NUMBER}"
