"""Writes generated files: pages, tables, `.env.example`, Meltano projects and the entry for Hub.

`python -m tools.documentation` writes them below the working directory; with `--check` it only
names the files that are out of date, and exits with 1. Every example in them is computed when they
are written. Never changes text outside its markers.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from target_pinterest_capi.cli import fields, presets
from target_pinterest_capi.delivery import results_tables as results
from target_pinterest_capi.events import normalize
from target_pinterest_capi.events.build.converters import Converters, Options
from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES
from target_pinterest_capi.events.reasons import Dropped, Invalid, Skipped, Warned
from target_pinterest_capi.expressions.functions import FUNCTIONS
from target_pinterest_capi.reporting import report
from target_pinterest_capi.reporting.metrics import METRICS
from target_pinterest_capi.settings import (
    environment_example,
    mapping_table,
    settings_groups,
    settings_table,
)
from target_pinterest_capi.singer import messages
from tools import demo_project, hub, recipes

COMMAND: Final = "make docs"
# The pages in which markers may request a table.
HAND_WRITTEN: Final = ("docs/mapping.md", "docs/operations.md", "docs/results.md")
_marked: Final = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_special: Final = re.compile(r"[*<>]|(?<!\w)_|_(?!\w)")

# Values as in a tap's JSON, by the field that reads them; the results are computed.
COERCED: Final = {
    "custom_data.order_id": ('" A-1001 "', "1001", "7.50", "true", '["A-1001"]'),
    "custom_data.value": ("19.99", '"19.990"', '" 1e2 "', '"19,99"', '"EUR 19.99"'),
    "custom_data.num_items": ("3", '"3"', "3.0", '"2.5"'),
    "opt_out": ("false", '"Yes"', "1", '"off"', '"maybe"'),
    "event_time": (
        "1772445600", '"1772445600"', "1772445600123", "1772445600123456", "1772445600.5",
        '"2026-03-02T10:00:00Z"',
        '"2026-03-02T12:00:00+02:00"', '"2026-03-02 10:00:00"',
        '"Mon, 02 Mar 2026 10:00:00 GMT"', '"2026/03/02 10:00"', '"02-MAR-2026 10.00.00 AM"',
        '"2026-03-02 02:00:00 America/Los_Angeles"', '"20260302100000"', '"1.7724456e9"',
        '"2026-03-02"', "20260302", '"02/03/2026"', '"02-MAR-26"',
    ),
    "action_source": ('" WEB "', '"website"'),
    "custom_data.content_ids": (
        '["a", 17, null, "a"]', '"a"', '"[\\"a\\", 17]"', '"{a,17}"', '"(\'a\', \'b\')"',
        '"{a, 17}"', '"a,b"', "17",
    ),
    "custom_data.contents": (
        ('[{"id": 17, "item_price": 9.50, "quantity": '
        '"2"}]'), '{"id": 17}', '"[{\\"id\\": 17}]"', '[{"id": 17}, "b"]', '"2 shirts"',
    ),
}  # fmt: skip


def settings_page() -> str:
    """Return docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Everything that a configuration can say. Two settings are enough to send events:",
        "",
        "```yaml",
        'ad_account_id: "549755885175"',
        "conversion_token: your-conversion-token",
        "```",
        "",
        "They come from a JSON or YAML file (`--config FILE`, repeatable, later files win), from",
        "the environment (`--config ENV`), or from Meltano. The variable of a setting is below its",
        "name; lists and objects are JSON in a variable. [.env.example](../.env.example) is a",
        "template of them. A secret can be kept in a file of its own: `conversion_token_file`.",
        "",
        "An unknown setting is refused with the nearest known name, a key that is given twice with",
        "its place, and every problem of a configuration is reported at once, before anything is",
        "read. Where null means something, the word `never` does too. *For* says whether a setting",
        "is for events, lists, or both.",
        "",
        "In YAML, put postal codes and other digits with a leading zero in quotes: `02134` without",
        "quotes is an octal number, and is refused. So are hexadecimal numbers and `12:30`.",
    ]
    for group in settings_groups():
        lines += ["", f"## {group}", "", *settings_table(group).splitlines()]
    lines += [
        "",
        "What an entry of `mappings` may say is in",
        "[the guide to mappings](mapping.md#all-keys-of-an-entry), an entry of `customer_lists` in",
        "[customer lists](customer-lists.md).",
    ]
    return _page(lines)


def fields_page() -> str:
    """Return docs/fields.md."""
    rows = fields.reference()
    lines = [
        "# Fields of an event",
        "",
        "All fields that an event can have, with Pinterest's names. Use the names as keys of",
        "`fields` and `defaults` in a [mapping](mapping.md), for example `user_data.em: email`.",
        "`pinterest-capi fields` shows the same tables in a terminal. The guide lists [the values",
        "that are accepted](mapping.md#values-as-taps-send-them).",
    ]
    for parent, group in groupby(
        rows, key=lambda row: row.path.partition(".")[0] if "." in row.path else ""
    ):
        lines += ["", f"## {f'`{parent}`' if parent else 'The event itself'}", ""]
        cells = [
            (
                code(row.path) + (" (required)" if row.required else ""),
                row.type,
                _form(row.path),
                row.limit,
                row.about,
            )
            for row in group
        ]
        lines += table(("Field", "Type", "Normal form", "Limit", "What it is for"), cells)
    lines += [
        "",
        "## Normal forms",
        "",
        "Hashed fields are normalized first, so that equal values have equal digests.",
        "",
    ]
    lines += table(("Form", "What it is", "Examples"), [_form_row(name) for name in fields.FORMS])
    lines += ["", "## Event names", "", ", ".join(map(code, EVENT_NAMES)) + "."]
    lines += ["Other names are sent as they are, as the advertiser's own."]
    return _page(lines)


def presets_page() -> str:
    """Return docs/presets.md."""
    found = [presets.load(name) for name in presets.names()]
    lines = [
        "# Presets",
        "",
        "Built-in mapping entries. Name one in your own entry, and override any of its",
        "fields:",
        "",
    ]
    lines += ["```yaml", "mappings:", "  - stream: orders", "    preset: shopify", "```", ""]
    lines += [
        "`pinterest-capi presets show NAME` prints a preset, to be copied and changed.",
        "[The guide to mappings](mapping.md) explains its parts.",
        "",
    ]
    lines += table(
        ("Preset", "For", "What it is"),
        [(f"[{one.name}](#{one.name})", prose(one.audience), prose(one.about)) for one in found],
    )
    for one in found:
        lines += ["", f"## {one.name}"]
        for label, words in one.notes:
            if label == presets.NOT_READ:
                continue
            lines += ["", f"**{label}:** {prose(words)}" if label else prose(words)]
        if one.not_read:
            rows = [(", ".join(map(code, names)), prose(why)) for names, why in one.not_read]
            lines += ["", *table(("Not read", "Why"), rows)]
        names = one.entry.event_names
        if names:
            sent = [(code(name), code(target)) for name, target in names.items() if target]
            lines += ["", *table(("Name in the record", "Event"), sent)]
        not_sent = [code(name) for name, target in names.items() if target is None]
        if not_sent:
            lines += ["", f"Skipped, and counted by name: {', '.join(not_sent)}."]
        if one.entry.when:
            lines += ["", f"Only for records for which this is true: {code(one.entry.when)}"]
        paths = [path for path in BY_PATH if path in one.entry.fields or path in one.entry.defaults]
        lines += [
            "",
            *table(("Field", "From", "Default"), [_source_row(one.entry, path) for path in paths]),
        ]
    return _page(lines)


def functions_page() -> str:
    """Return docs/functions.md."""
    lines = [
        "# Functions in expressions",
        "",
        "Expressions in a [mapping](mapping.md) are",
        "[JMESPath](https://jmespath.org/specification.html). They can use JMESPath's built-in",
        "functions, with exact numbers, and the functions below. For example,",
        "`concat('order-', id)` makes `order-1001` from the id 1001. A function returns null for",
        "null, and for arguments that it cannot use; arithmetic with something that is not a",
        "number, or a division by zero, is also counted as `expression_error`.",
        "",
        *functions_table(),
    ]
    for function in FUNCTIONS.values():
        lines += [
            "",
            f"## {function.name}",
            "",
            f"{code(function.signature)}: {prose(function.about)}.",
            "",
        ]
        examples = [
            (code(source), code(_json(record)), code(_json(result)))
            for source, record, result in function.examples
        ]
        lines += table(("Expression", "Record", "Result"), examples)
    return _page(lines)


def functions_table() -> list[str]:
    """Return the table of the added functions."""
    return table(
        ("Function", "Returns"),
        [(code(one.signature), prose(one.about)) for one in FUNCTIONS.values()],
    )


def coercion_table() -> list[str]:
    """Return the table of values that taps send and what Pinterest gets, each computed."""
    rows = [
        (fields.describe(BY_PATH[path]).type, code(path), code(sample), _coerced(path, sample))
        for path, samples in COERCED.items()
        for sample in samples
    ]
    return table(("Type", "For example", "The tap sends", "Pinterest gets"), rows)


def reasons_table(reasons: Iterable[Any]) -> list[str]:
    """Return the table of a closed list of reasons."""
    return table(
        ("Reason", "What to do"), [(code(str(reason)), prose(reason.advice)) for reason in reasons]
    )


def results_tables() -> list[str]:
    """Return a table of columns for each table at `results_url`."""
    lines: list[str] = []
    for one in results.ORDER:
        rows = [
            (code(column.name), str(column.type.as_generic()).lower(), column.comment or "")
            for column in one.columns
        ]
        lines += [f"### {code(one.name)}", "", one.comment or "", ""]
        lines += [*table(("Column", "Type", "What it holds"), rows), ""]
    return lines[:-1]


def metrics_table() -> list[str]:
    """Return the table of the metrics in the file at `metrics_path`."""
    rows = [
        (
            code(metric.full_name),
            "counter" if metric.is_counter else "gauge",
            ", ".join(map(code, metric.labels)),
            metric.about,
        )
        for metric in METRICS
    ]
    return table(("Metric", "Type", "Labels", "What it is"), rows)


SECTIONS: Final[dict[str, Callable[[], list[str]]]] = {
    "mapping-keys": lambda: mapping_table().splitlines(),
    "list-keys": lambda: mapping_table(lists=True).splitlines(),
    "functions": functions_table,
    "coercion": coercion_table,
    "dropped": lambda: reasons_table(Dropped),
    "warned": lambda: reasons_table(Warned),
    "invalid": lambda: reasons_table(Invalid),
    "skipped": lambda: reasons_table(Skipped),
    "results": results_tables,
    "metrics": metrics_table,
}
PAGES: Final[dict[str, Callable[[], str]]] = {
    "docs/settings.md": settings_page,
    "docs/fields.md": fields_page,
    "docs/presets.md": presets_page,
    "docs/functions.md": functions_page,
    "docs/report-schema.json": report.schema_text,
    ".env.example": environment_example,
    "meltano.yml": demo_project.text,
    "hub/target-pinterest-capi.yml": hub.text,
}


def texts(root: Path) -> dict[str, str]:
    """Return every file that is generated, or contains generated tables, by path from `root`.

    Raises ValueError for an unknown marker.
    """
    made = {path: page() for path, page in PAGES.items()}
    for path in HAND_WRITTEN:
        if (root / path).exists():
            made[path] = filled((root / path).read_text(encoding="utf-8"))
    return made | recipes.texts(root)


def filled(text: str) -> str:
    """Return a page with the text between its markers generated again."""

    def section(found: re.Match[str]) -> str:
        if found[2] not in SECTIONS:
            raise ValueError(f"there is no table {found[2]}; there are: {', '.join(SECTIONS)}")
        return f"{found[1]}\n" + "\n".join(SECTIONS[found[2]]()) + f"\n\n{found[3]}"

    return _marked.sub(section, text)


def behind(root: Path) -> list[str]:
    """Return the files that are out of date."""
    return [
        path
        for path, text in texts(root).items()
        if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text
    ]


# Markdown


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table's lines; cells are Markdown, and their vertical bars are escaped here."""
    lines = [heads, ["---"] * len(heads), *rows]
    return [
        "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line) + " |"
        for line in lines
    ]


def code(text: str) -> str:
    """Return text as code, even if it contains backticks."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}"


def prose(text: str) -> str:
    """Return plain text as Markdown; text between backticks stays code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else _special.sub(lambda found: "\\" + found[0], part)
        for part in parts
    )


def _page(lines: Iterable[str]) -> str:
    return (
        f"<!-- Generated by `{COMMAND}` from the code; do not edit. -->\n\n"
        + "\n".join(lines)
        + "\n"
    )


def _form(path: str) -> str:
    form = BY_PATH[path].form if path in BY_PATH else None
    return f"[{form}](#normal-forms)" if form else ""


def _form_row(name: str) -> tuple[str, str, str]:
    words, samples = fields.FORMS[name]
    return (
        name,
        prose(words),
        ", ".join(f"{code(sample)} is {code(normal_form(name, sample))}" for sample in samples),
    )


def normal_form(name: str, text: str) -> str:
    """Return the normal form of a string under default settings; ValueError if it has none."""
    arguments: dict[str, dict[str, Any]] = {
        "phone": {"region": None},
        "birth_date": {"date_format": None},
        "postal_code": {"region": None, "digits_only": False},
        "external_id": {"lower": False},
    }
    made = getattr(normalize, name)(text, **arguments.get(name, {}))
    form = made[0] if isinstance(made, tuple) else made
    if isinstance(form, Dropped):
        raise ValueError(f"the example of {name} has no normal form")  # noqa: TRY004 - the text is wrong, not its type
    return str(form)


def _source_row(entry: Any, path: str) -> tuple[str, str, str]:
    sources = "<br>".join(code(source) for source in entry.fields.get(path) or ())
    default = entry.defaults.get(path)
    return code(path), sources, "" if default is None else code(str(default))


def _coerced(path: str, sample: str) -> str:
    """Return the coerced value of JSON with default settings, or why it is dropped."""
    noted: list[str] = []
    value = messages.decode_record(f'{{"value": {sample}}}'.encode())["value"]
    wire = Converters(Options(zone=UTC), lambda _, reason: noted.append(str(reason))).convert(
        BY_PATH[path]
    )(value)
    dropped = f"dropped: {', '.join(noted)}" if noted else ""
    return dropped if wire is None else ", ".join(filter(None, (code(_json(wire)), dropped)))


def _json(value: Any) -> str:
    """Return JSON on one line, with decimals as numbers."""
    return msgspec.json.format(_encode(value), indent=0).decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the generated files in the working directory, or check them: 1 if out of date."""
    parser = argparse.ArgumentParser(
        description="Write what is generated: references, tables, meltano.yml and the entry for "
        "Meltano Hub."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where something is behind"
    )
    only_check, root = parser.parse_args(arguments).check, Path()
    if not (root / "docs").is_dir():
        click.echo("This runs in the repository: there is no docs/ here", err=True)
        return 1
    try:
        late = behind(root)
    except ValueError as error:
        click.echo(str(error), err=True)
        return 1
    for path in late:
        if not only_check:
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(texts(root)[path], encoding="utf-8")
        click.echo(f"{path}: {f'is out of date: {COMMAND}' if only_check else 'written'}")
    return int(only_check and bool(late))


if __name__ == "__main__":
    sys.exit(main())
