"""`pinterest-capi fields`: the reference of Pinterest's event fields.

Owns the names of types, limits and normal forms, which docs/fields.md has too. States nothing that
the table does not.
"""

import json
from typing import Any, Final, NamedTuple

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from target_pinterest_capi.cli.console import console, print_indented
from target_pinterest_capi.cli.options import json_option
from target_pinterest_capi.events.fields import BY_PATH, FIELDS, ITEM_FIELDS, Field, FieldKind
from target_pinterest_capi.settings.paths import COMMON_NAMES
from target_pinterest_capi.settings.problems import did_you_mean
from target_pinterest_capi.suggestions.synonyms import NAMES
from target_pinterest_capi.suggestions.words import key

TABLE_WIDTH: Final = 130  # in a narrower terminal a table would consist of line breaks
WIDEST_TABLE: Final = 400
INDENT: Final = 4
NEAR: Final = 0.7  # how similar a name must be to be suggested; a lower value suggests odd ones
ITEMS: Final = "custom_data.contents"

# The forms named in fields.py: what people must know about each, and example strings.
FORMS: Final = {
    "email": (
        "lower case, no white space, of the form x@y.z; dots and plus-tags stay",
        (" Jane.Doe+shop@Example.COM ",),
    ),
    "phone": (
        (
            "digits with country code; a national number gets the code of the record's country, "
            "otherwise of default_country"
        ),
        ("+1 (202) 555-0134", "0044 20 7946 0018"),
    ),
    "gender": ("f, m or n, from the usual words", ("Female", "male", "non-binary")),
    "birth_date": (
        (
            "YYYYMMDD, as written, no time zone applied; date_format decides if day and month "
            "are ambiguous"
        ),
        ("1990-03-24", "24/03/1990", "March 4, 1990"),
    ),
    "name": ("lower case, one space between words; punctuation stays", (" Anne-Marie  O'Neill ",)),
    "city": (
        "lower case letters and digits of any script; no spaces, no punctuation",
        ("São Paulo", "St. Louis"),
    ),
    "state": (
        (
            "two-letter code of US states and Canadian provinces; other text in lower case without"
            " spaces"
        ),
        ("California", "US-CA", "Bayern"),
    ),
    "postal_code": (
        (
            "five digits in the US; elsewhere letters and digits, or digits only with postal_code:"
            " digits"
        ),
        ("94110-1234", "SW1A 1AA"),
    ),
    "country": (
        "ISO 3166 alpha-2, from codes and names, in English or the country's own language",
        ("Germany", "USA", "UK"),
    ),
    "external_id": (
        "trimmed; the case stays, unless external_id: lower",
        (" Customer-7 ",),
    ),
    "maid": ("lower case; an id of zeros is dropped", ("6D92078A-8246-4BA4-AE5B-76104861E7DC",)),
    "currency": ("ISO 4217 code in upper case", ("usd",)),
    "language": ("ISO 639-1 code in lower case, also of a locale", ("en-US", "pt_BR")),
    "customer_type": (
        "new or returning, from the words that shops use",
        ("First Time", "repeat_customer", "existing"),
    ),
    "ip_address": (
        "IPv4 or IPv6; the first of a forwarded list, without port",
        ("192.0.2.7, 198.51.100.3", "[2001:DB8::7]:443"),
    ),
}

# Common names of a field, in addition to its own and those of settings.paths.COMMON_NAMES.
SYNONYMS: Final = {
    path: " ".join((names.certain, names.possible, names.beside[1]))
    for path, names in NAMES.items()
}


class Reference(NamedTuple):
    """The reference of a field.

    `type` and `limit` are strings, `form` is the normal form; "" if there is none.
    """

    path: str
    type: str
    form: str
    limit: str
    about: str
    required: bool


def reference() -> list[Reference]:
    """Return all fields in the request's order; those of items as `custom_data.contents[].id`."""
    found = []
    for field in FIELDS:
        found.append(describe(field))
        if field.path == ITEMS:
            found += [
                describe(member._replace(path=f"{ITEMS}[].{member.path}")) for member in ITEM_FIELDS
            ]
    return found


def find_fields(text: str) -> list[Reference]:
    """Return the fields with this name or common name; otherwise those with it in their text."""
    rows, part = reference(), text.casefold()
    own = [row for row in rows if part in {row.path, _leaf(row)}]
    word = key(part)
    called = [row for row in rows if word in _names(row)]
    mentioning = [row for row in rows if part in f"{row.path} {row.about}".casefold()]
    if part and (own or called):
        return own + [row for row in called if row not in own]
    return mentioning


def _names(row: Reference) -> set[str]:
    """Return all names of a field, as words to compare with."""
    common = [name for name, path in COMMON_NAMES.items() if path == row.path]
    return {key(name) for name in (_leaf(row), *common, *SYNONYMS.get(row.path, "").split())}


def _all_names() -> list[str]:
    rows = reference()
    own = [row.path for row in rows] + [_leaf(row) for row in rows]
    return [*own, *COMMON_NAMES, *" ".join(SYNONYMS.values()).split()]


def _leaf(row: Reference) -> str:
    return row.path.rpartition(".")[2]


def describe(field: Field) -> Reference:
    """Return one field's reference."""
    form = FORMS[field.form][0] if field.form else ""
    return Reference(field.path, _type(field), form, _limit(field), field.about, field.required)


def _type(field: Field) -> str:
    if field.kind is FieldKind.ITEMS:
        return "list of objects"
    return f"list of {field.kind.value}s" if field.many else field.kind.value


def _limit(field: Field) -> str:
    limits = [", ".join(field.choices)] if field.choices else []
    if field.max_length is not None:
        limits.append(f"{field.max_length:,} characters")
    if field.max_items is not None:
        limits.append(f"{field.max_items:,} values")
    if field.maximum is not None:
        limits.append(f"{field.minimum or 0:,} to {field.maximum:,}")
    elif field.minimum is not None:
        limits.append(f"at least {field.minimum:,}")
    return "; ".join(limits)


@click.command()
@click.argument("text", required=False, metavar="[TEXT]")
@json_option("a list of JSON objects")
def fields(text: str | None, as_json: bool) -> None:
    """Show the fields of an event: path, type, normal form, limit, and what each is for.

    With TEXT the fields of that name, be it Pinterest's or an everyday one such as revenue, or
    else those with TEXT in their path or description: `pinterest-capi fields user_data`.

    \b
    pinterest-capi fields email
    """  # noqa: D301 - click reads \b as "keep these lines"
    found = find_fields(text or "")
    if not found:
        suggestion = did_you_mean(text, _all_names(), NEAR) or "."
        raise click.ClickException(
            f"No field has {text!r} in its name, path or description{suggestion} "
            "`pinterest-capi fields` lists them all."
        )
    if as_json:
        click.echo(json.dumps([_members(row) for row in found], indent=2))
        return
    out = console(widest=WIDEST_TABLE)
    if out.width < TABLE_WIDTH:
        for row in found:
            _show(out, row)
    else:
        _show_table(out, found)


def _members(row: Reference) -> dict[str, Any]:
    """Return a field for programs, without empty members; choices are a list."""
    members = {name: value for name, value in row._asdict().items() if value != ""}
    choices = BY_PATH[row.path].choices if row.path in BY_PATH else ()
    return {**members, "choices": list(choices)} if choices else members


def _show(out: Console, row: Reference) -> None:
    """Show a field as a few lines, if there is no room for a table."""
    out.print(Text.assemble((row.path, "bold"), f"  {_type_shown(row)}"), soft_wrap=True)
    for label, words in (("", row.about), ("normal form: ", row.form), ("limit: ", row.limit)):
        if words:
            print_indented(out, label + words, INDENT, "bright_black" if label else "")


def _show_table(out: Console, rows: list[Reference]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Field", no_wrap=True, style="bold")
    table.add_column("Type", no_wrap=True)
    for heading in ("Normal form", "Limit", "What it is for"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row.path, _type_shown(row), row.form, row.limit, row.about)
    out.print(table)


def _type_shown(row: Reference) -> str:
    return f"{row.type}, required" if row.required else row.type
