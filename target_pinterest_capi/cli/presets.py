"""`pinterest-capi presets`: the built-in mapping entries, listed and shown for copying.

Owns how a preset is shown: the comment in its file, and the event names that it maps. Works with
any presets.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from typing import Any, Final, NamedTuple, get_args

import click
import yaml
from rich.text import Text

from target_pinterest_capi.cli.console import console, print_indented
from target_pinterest_capi.cli.options import json_option
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.expressions.analysis import literals
from target_pinterest_capi.mapping import presets as built_in
from target_pinterest_capi.mapping.flat_columns import base_columns
from target_pinterest_capi.settings import MappingEntry, parse_mapping
from target_pinterest_capi.settings.objects import Preset as PresetName
from target_pinterest_capi.settings.problems import did_you_mean

INDENT: Final = 4
FOR: Final = "For"  # the label for whom a preset is for
NOT_READ: Final = "Not read"  # of the unread names of its source, with the reason for each
AS_IT_COMES: Final = "event_name as the record has it"
_label: Final = re.compile(
    r"([A-Z][A-Za-z ]{2,24}):(?: +|$)"
)  # "Needs:   ..." at the start of a line in a comment

PINTEREST_ABOUT: Final = """\
Columns named like Pinterest's fields, nested in objects (user_data.em) or flat (em); it maps every
stream if the configuration has no mappings.

For:      your own tables, with columns named like Pinterest's fields.
Needs:    event_name, action_source, event_time; and em, hashed_maids, or client_ip_address with
          client_user_agent. Write defaults for values that no column has.
Maps:     event names as they are. `preset: pinterest` also finds columns that this copy does not
          name: numbered columns for further values (em_1, em_2) and further items (item_id_1,
          item_price_1), columns joined by flattening (user_data_em, user_data__em), quantity for
          item_quantity, and each name in another spelling (EVENT_ID, eventId); the exact name
          takes precedence. The browser tag's own names are read as well: line_items (product_id,
          product_name, product_price, product_quantity ...), order_quantity and search_query.
Not sent: columns named like members of app_info and device_info without their object, because
          names like brand, model and type are too common.
"""


class Preset(NamedTuple):
    """A preset as people see it.

    `about` is a description in one sentence; `notes` are its comment's paragraphs, each with its
    label or "".
    """

    name: str
    about: str
    notes: tuple[tuple[str, str], ...]
    text: str
    entry: MappingEntry

    @property
    def audience(self) -> str:
        """Return whom it is for, on one line."""
        return self._note(FOR)

    @property
    def not_read(self) -> list[tuple[tuple[str, ...], str]]:
        """Return the names of its source that it does not read, each group with its reason.

        A star in a name matches any letters.
        """
        groups = (group.partition(": ") for group in self._note(NOT_READ).rstrip(".").split("; "))
        return [(tuple(names.split(", ")), reason) for names, _, reason in groups if reason]

    def _note(self, label: str) -> str:
        return next((words for found, words in self.notes if found == label), "")

    @property
    def event_names(self) -> tuple[str, ...]:
        """Pinterest's names that its events can have, in Pinterest's order.

        Empty if they are the names in the record.
        """
        given = self.entry.fields.get("event_name") or ()
        names = {*self.entry.event_names.values(), self.entry.defaults.get("event_name")}
        if not self.entry.event_names:
            names.update(literals(*given).intersection(EVENT_NAMES))
        names.discard(None)
        known = [name for name in EVENT_NAMES if name in names]
        return (*known, *sorted(names.difference(known)))


def names() -> tuple[str, ...]:
    """Return the names of the presets, `pinterest` first."""
    return get_args(PresetName)


@cache
def load(name: str) -> Preset:
    """Return a preset as people read it."""
    text = pinterest_text() if name == built_in.PINTEREST else built_in.text(name)
    paragraphs = tuple(notes(text))
    about = first_sentence(paragraphs[0][1]) if paragraphs else ""
    return Preset(
        name, about, paragraphs, text, parse_mapping(yaml.safe_load(text), f"preset {name}")
    )


def pinterest_text() -> str:
    """Return preset `pinterest` as the YAML of an entry, without its numbered columns."""
    fields = {
        path: sources[0] if len(sources) == 1 else list(sources)
        for path, sources in base_columns().items()
    }
    comment = "".join(f"# {line}".rstrip() + "\n" for line in PINTEREST_ABOUT.splitlines())
    return comment + yaml.safe_dump(
        {"stream": "*", "fields": fields}, sort_keys=False, width=10_000, default_flow_style=None
    )


def notes(text: str) -> Iterator[tuple[str, str]]:
    """Yield the paragraphs of the comment at the top of a preset's file, each with its label."""
    label = ""
    words: list[str] = []
    for number, line in enumerate(takewhile(lambda line: line.startswith("#"), text.splitlines())):
        written = line.removeprefix("#").strip()
        found = _label.match(written) if number and re.match(r"# ?\S", line) else None
        if found or not written:
            if words:
                yield label, " ".join(words)
            label, words = (found[1] if found else ""), []
            written = written[found.end() :] if found else ""
        if written:
            words.append(written)
    if words:
        yield label, " ".join(words)


def first_sentence(words: str) -> str:
    """Return the text up to the first full stop that ends a sentence; three dots do not."""
    return re.split(r"(?<=[^.]\.)\s(?=[A-Z])", words, maxsplit=1)[0]


@click.group()
def presets() -> None:
    """List the built-in mappings, and show one to copy.

    \b
    pinterest-capi presets show shopify
    """  # noqa: D301 - click reads \b as "keep these lines"


@presets.command("list")
@json_option("a list of JSON objects")
def list_presets(as_json: bool) -> None:
    """List the presets: name, who it is for, what it is, and the event names it maps to.

    \b
    pinterest-capi presets list
    """  # noqa: D301 - click reads \b as "keep these lines"
    found = [load(name) for name in names()]
    if as_json:
        click.echo(json.dumps([_members(preset) for preset in found], indent=2))
        return
    out = console()
    for preset in found:
        out.print(Text(preset.name, style="bold"))
        print_indented(out, f"For {preset.audience}", INDENT)
        print_indented(out, preset.about, INDENT)
        event_names = ", ".join(preset.event_names) or AS_IT_COMES
        print_indented(out, event_names, INDENT, "bright_black")
    out.print(
        "\nUse one as `preset: NAME` in a mapping entry; `pinterest-capi presets show NAME` prints"
        " one to copy."
    )


@presets.command("show")
@click.argument("name")
def show_preset(name: str) -> None:
    """Print a preset as the YAML of a mapping entry, to be copied and changed.

    \b
    pinterest-capi presets show shopify > mapping.yaml
    """  # noqa: D301 - click reads \b as "keep these lines"
    if name not in names():
        raise click.UsageError(
            f"There is no such preset{did_you_mean(name, names())}; there are: {', '.join(names())}"
        )
    click.echo(load(name).text, nl=False)


def _members(preset: Preset) -> dict[str, Any]:
    return {
        "name": preset.name,
        "for": preset.audience,
        "about": preset.about,
        "event_names": list(preset.event_names),
        "source_names": {
            name: target for name, target in preset.entry.event_names.items() if target is not None
        },
        "fields": list(preset.entry.fields),
    }
