"""Suggestions as YAML of a configuration: one per line, with its reason as a comment.

What is certain is configuration, everything else a comment that becomes configuration without its
`#`.
"""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from target_pinterest_capi.events.redaction import shown_name
from target_pinterest_capi.suggestions.entry import Entry
from target_pinterest_capi.suggestions.lines import SuggestedLine
from target_pinterest_capi.suggestions.trial import Trial

HEAD: Final = """\
# A first mapping, which `pinterest-capi suggest` wrote from the column names and the forms of the
# values in a sample. Each line says why it is there; uncertain lines are comments. Read them all:
# only you know what your columns contain.
#
# To try it, together with a file that has ad_account_id:
#   pinterest-capi preview --config config.json --config THIS_FILE SAMPLE
# To use it, copy `mappings` into your configuration; in Meltano, below `config` of the loader
# target-pinterest-capi.
"""
NO_ENTRY: Final = """\
# No entry is complete yet, so this file is refused as it is. Add what is missing according to the
# comments, and remove the # of the entry and the [] of mappings. If there are only
# customer_lists, keep the []: no events.
"""
LISTS_HEAD: Final = """\
# Streams of people, for customer lists: remove the #, and set oauth (docs/customer-lists.md).
# customer_lists:
"""
WIDTH: Final = 98  # of a comment, without its mark
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_KINDS: Final = ("event_names", "fields", "defaults")


def as_text(entries: Sequence[Entry], trial: Trial) -> str:
    """Return the configuration, with the results of the trial as comments."""
    warnings = [
        f"{textwrap.indent(textwrap.fill(one, WIDTH), '# ')}\n" for one in trial.same_events()
    ]
    lines = [HEAD, *warnings, *_mappings(entries, trial.in_words()), *_lists(entries)]
    return "\n".join(lines).rstrip() + "\n"


def _mappings(entries: Sequence[Entry], outcomes: Mapping[str, str]) -> Iterator[str]:
    is_any = any(entry.is_active for entry in entries)
    yield "mappings:" if is_any else f"{NO_ENTRY}mappings: []"
    for entry in entries:
        yield ""
        yield from _entry(entry, outcomes.get(entry.stream.name, ""))


def _entry(entry: Entry, outcome: str) -> Iterator[str]:
    stream = entry.stream
    name = shown_name(stream.name)
    read = f"{len(stream.columns):,} columns, {stream.records:,} records read"
    yield f"  # Stream {name}: {read}{'; ' if outcome else ''}{outcome}"
    if entry.problem:
        yield f"  # Left as a comment: {entry.problem}."
    mark = "" if entry.is_active else "# "
    if not entry.list_lines:
        yield from (f"  {mark}{line}" for line in _body(entry))


def _body(entry: Entry) -> Iterator[str]:
    yield f"- stream: {_scalar(entry.pattern)}"
    single = [*([entry.preset] if entry.preset else []), *entry.when]
    for line in single:
        yield "  " + _line(line)
    for kind in _KINDS:
        lines: list[SuggestedLine] = getattr(entry, kind)
        if lines:
            is_any = any(line.is_sure for line in lines)
            yield f"  {kind}:" if is_any else f"  # {kind}:"
            yield from ("    " + _line(line) for line in lines)
    for note in entry.notes:
        yield f"  # {note}"


def _line(line: SuggestedLine) -> str:
    mark = "" if line.is_sure else "# "
    return f"{mark}{_scalar(line.name)}: {_value(line.value)}  # {line.reason}"


def _value(value: str | list[str]) -> str:
    if isinstance(value, str):
        return _scalar(value)
    return "[" + ", ".join(map(_scalar, value)) + "]"


def _scalar(text: str) -> str:
    """Return a string as YAML reads it back: plain, or in double quotes if it needs them."""
    is_plain = text.replace(".", "").replace("_", "").isalnum() and text[:1].isalpha()
    if is_plain and text.isascii() and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _lists(entries: Iterable[Entry]) -> Iterator[str]:
    lists = [entry for entry in entries if entry.list_lines]
    if lists:
        yield ""
        yield LISTS_HEAD.rstrip()
    for entry in lists:
        yield f"#   - stream: {_scalar(entry.pattern)}"
        yield from (f"#     {_line(line)}" for line in entry.list_lines)
