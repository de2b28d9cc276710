"""Every name of a preset's source is read, or listed as not read, with the reason."""

import re
from fnmatch import fnmatchcase

import pytest
from source_names import SOURCES

from target_pinterest_capi.cli import presets


def expressions(name: str) -> str:
    """Return all expressions and conditions of a preset."""
    entry = presets.load(name).entry
    found = [source for sources in entry.fields.values() for source in sources or ()]
    return "\n".join([*found, entry.when or ""])


def not_read(name: str) -> list[str]:
    """Return the names that a preset lists as not read."""
    return [one for names, _ in presets.load(name).not_read for one in names]


def is_read(name: str, text: str) -> bool:
    """Return whether a name is in expressions, as a path or at the start of one."""
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text.replace('"', "")) is not None


@pytest.mark.parametrize("name", SOURCES)
def test_every_name_is_read_or_has_a_reason(name: str):
    """A name that is in no expression is listed, by itself or by a pattern."""
    text, listed = expressions(name), not_read(name)
    forgotten = [
        one
        for one in SOURCES[name].split()
        if not is_read(one, text) and not any(fnmatchcase(one, pattern) for pattern in listed)
    ]
    assert forgotten == []


@pytest.mark.parametrize("name", presets.names())
def test_no_name_that_is_read_is_listed(name: str):
    """Names that a preset reads are not listed as not read."""
    text = expressions(name)
    assert [one for one in not_read(name) if "*" not in one and is_read(one, text)] == []
    read = [one for one in SOURCES.get(name, "").split() if is_read(one, text)]
    assert [
        (one, pattern) for one in read for pattern in not_read(name) if fnmatchcase(one, pattern)
    ] == []


@pytest.mark.parametrize("name", presets.names())
def test_every_reason_is_said_once(name: str):
    """A name is listed once, and each group has a reason."""
    listed = not_read(name)
    assert len(listed) == len(set(listed))
    assert all(reason.strip() for _, reason in presets.load(name).not_read)
    assert bool(listed) >= (name in SOURCES)


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_says_who_it_is_for(name: str):
    """`presets list` has one line about the users of each preset."""
    audience = presets.load(name).audience
    assert audience.endswith(".")
    assert len(f"    For {audience}") <= 80
