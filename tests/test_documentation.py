"""The documentation: what is generated is up to date, and every example of the guide is run."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import target_pinterest_capi
from given import ACCOUNT
from target_pinterest_capi.cli import fields
from target_pinterest_capi.events.coerce import unix_time
from target_pinterest_capi.events.fields import FIELDS, ITEM_FIELDS
from target_pinterest_capi.events.reasons import Dropped, Invalid, Skipped, Warned
from target_pinterest_capi.pipeline.preview import Preview
from target_pinterest_capi.settings import ConfigurationError, load
from tools import documentation

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "mapping.md"
NOW = 1_772_452_800  # 2026-03-02T12:00:00Z, two hours after the guide's events


class Block(NamedTuple):
    """A fenced block of a page: its line, language, the words after it, and its contents."""

    line: int
    language: str
    words: tuple[str, ...]
    text: str


def blocks(text: str) -> Iterator[Block]:
    for found in re.finditer(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(
            text.count("\n", 0, found.start()) + 1, found[1], tuple(found[2].split()), found[3]
        )


def parts(text: str) -> list[list[Block]]:
    """Return the examples of the guide: a configuration, or none, with its records and results."""
    made: list[list[Block]] = [[]]
    for block in blocks(text):
        if block.language in {"yaml", "json"} and block.words[:1] != ("mistake",):
            if block.words[:1] == ("configuration",):
                made.append([])
            made[-1].append(block)
    return made


def hashed(value: Any) -> Any:
    """Return the value with each `SHA-256 of ...` as that digest."""
    if isinstance(value, dict):
        return {name: hashed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [hashed(member) for member in value]
    if isinstance(value, str) and value.startswith("SHA-256 of "):
        return hashlib.sha256(value.removeprefix("SHA-256 of ").encode()).hexdigest()
    return value


def results_of(preview: Preview, record: Block) -> Iterator[dict[str, Any]]:
    """Yield what a record comes to, as `pinterest-capi preview --json` prints it, but its place."""
    _, stream, *keys = record.words
    columns = {name: {} for name in json.loads(record.text)}
    schema = {
        "type": "SCHEMA",
        "stream": stream,
        "key_properties": keys,
        "schema": {"type": "object", "properties": columns},
    }
    text = " ".join(record.text.splitlines())
    line = f'{{"type": "RECORD", "stream": "{stream}", "record": {text}}}'
    for results in preview.read([json.dumps(schema).encode(), line.encode()]):
        for result in results:
            members = result.members()
            for name in ("dropped", "warnings"):
                if name in members:
                    members[name] = [
                        {"field": note["field"], "reason": note["reason"]} for note in members[name]
                    ]
            yield {
                name: value
                for name, value in members.items()
                if name not in {"line", "stream", "mapping", "ad_account_id", "advice"}
            }


PARTS = parts(GUIDE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", PARTS, ids=[f"line-{part[0].line}" for part in PARTS])
def test_every_example_of_the_guide_is_what_happens(part: list[Block]):
    """A record with the configuration above it has the events and outcomes below it."""
    part = list(part)
    configuration = yaml.safe_load(part.pop(0).text) if part[0].words == ("configuration",) else {}
    preview = Preview(load({"ad_account_id": ACCOUNT, **configuration}, purpose="any"), lambda: NOW)
    assert part
    while part:
        record = part.pop(0)
        assert record.words[:1] == ("record",), f"line {record.line}"
        shown = []
        while part and part[0].words in {("event",), ("outcome",)}:
            shown.append(part.pop(0))
        assert shown, f"line {record.line}"
        for made in results_of(preview, record):
            event = made.pop("event", None)
            if event is not None:
                assert event == hashed(json.loads(shown.pop(0).text))
            if made != {"outcome": "event"}:
                assert made == json.loads(shown.pop(0).text)
        assert not shown


def test_every_block_of_the_guide_is_known():
    """The guide has no YAML or JSON that the tests do not run."""
    kinds = {
        (block.language, block.words[:1])
        for block in blocks(GUIDE.read_text())
        if block.language in {"yaml", "json"}
    }
    assert kinds == {
        ("yaml", ("configuration",)),
        ("yaml", ("mistake",)),
        ("json", ("record",)),
        ("json", ("event",)),
        ("json", ("outcome",)),
    }


def test_mistakes_of_the_guide_are_reported_as_shown():
    """A wrong configuration causes exactly the lines that the guide shows."""
    (mistake,) = [block for block in blocks(GUIDE.read_text()) if block.words == ("mistake",)]
    shown = next(
        block
        for block in blocks(GUIDE.read_text())
        if block.language == "text" and block.line > mistake.line
    )
    with pytest.raises(ConfigurationError) as raised:
        load({"ad_account_id": ACCOUNT, **yaml.safe_load(mistake.text)}, purpose="any")
    assert str(raised.value) == shown.text.strip()


def test_worked_example_of_a_derived_event_id():
    """The id in the guide's example is the SHA-256 of the text that its recipe gives."""
    text = GUIDE.read_text()
    recipe = re.search(r'"event_id": "SHA-256 of (\{.*\})"', text)
    assert recipe is not None
    digest = hashlib.sha256(recipe[1].replace('\\"', '"').encode()).hexdigest()
    assert f"```text\n{digest}\n```" in text


def test_links_within_the_documentation_lead_somewhere():
    """Each link to a page or a heading of docs/ has its target."""
    pages = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}
    for name in ("mapping.md", "fields.md", "presets.md", "functions.md"):
        for page, anchor in re.findall(r"\]\(((?:[\w-]+\.md)?)(?:#([\w-]+))?\)", pages[name]):
            headings = {
                heading(found)
                for found in re.findall(r"^#+ (.+)$", pages[page or name], re.MULTILINE)
            }
            assert not anchor or anchor in headings, f"{name}: {page}#{anchor}"


def heading(text: str) -> str:
    """Return a heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


# What is made


def test_documentation_is_up_to_date():
    """Pages and tables are up to date."""
    assert documentation.behind(ROOT) == []


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.path)
def test_every_field_is_in_the_reference(field):
    """Each row of the table is on the page, with its text, limits and normal form."""
    (row,) = [
        line
        for line in documentation.fields_page().splitlines()
        if line.startswith(f"| `{field.path}` ")
    ]
    assert field.about in row
    assert field.form is None or f"[{field.form}](#normal-forms)" in row
    assert field.max_length is None or f"{field.max_length:,} characters" in row
    assert all(choice in row for choice in field.choices)
    assert field.required == ("(required)" in row)


def test_every_member_of_items_is_in_the_reference():
    """Members of `contents` have rows of their own."""
    assert all(
        f"| `custom_data.contents[].{member.path}` " in documentation.fields_page()
        for member in ITEM_FIELDS
    )


def test_every_normal_form_is_described():
    """`fields` describes exactly the normal forms that the table names."""
    assert set(fields.FORMS) == {field.form for field in FIELDS if field.form}


@pytest.mark.parametrize("name", fields.FORMS)
def test_examples_of_normal_forms_show_something(name: str):
    """Each form has an example that the form changes."""
    _, samples = fields.FORMS[name]
    assert any(documentation.normal_form(name, sample) != sample for sample in samples)


@pytest.mark.parametrize(
    ("section", "reasons"),
    [("dropped", Dropped), ("warned", Warned), ("invalid", Invalid), ("skipped", Skipped)],
)
def test_every_reason_is_in_the_guide(section: str, reasons: Any):
    """Each member of the closed lists of reasons is in the guide with its advice."""
    rows = {line.split("`")[1] for line in documentation.SECTIONS[section]() if "`" in line}
    assert rows == {str(reason) for reason in reasons}
    assert f"<!-- generated: {section} -->" in GUIDE.read_text()


def test_coercion_examples_have_results_of_both_kinds():
    """Every type is shown with accepted values; times agree with the rules of times."""
    rows = [line.split(" | ") for line in documentation.coercion_table()[2:]]
    assert {row[1].strip("`") for row in rows if "dropped" not in row[3]} == set(
        documentation.COERCED
    )
    for _, path, sample, gets in rows:
        if path == "`event_time`" and "dropped" not in gets:
            value = json.loads(sample.strip("`"), parse_float=Decimal)
            assert gets.removesuffix(" |") == f"`{unix_time(value, documentation.UTC)}`"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a `b` c", "``a `b` c``"),
        ("`null`", "`` `null` ``"),
        ("plain", "`plain`"),
    ],
)
def test_code_with_backticks_stays_whole(text: str, markdown: str):
    """Expressions with JSON constants are fenced by more backticks than they have."""
    assert documentation.code(text) == markdown


def test_bars_in_cells_are_escaped():
    """An expression with a bar does not end its cell."""
    assert documentation.table(("a",), [("x || y",)])[2] == r"| x \|\| y |"


def test_only_what_is_marked_is_written_anew():
    """Text outside of markers stays as it is; writing twice changes nothing."""
    page = "before\n<!-- generated: warned -->\nold\n<!-- /generated -->\nafter\n"
    filled = documentation.filled(page)
    assert filled.startswith("before\n<!-- generated: warned -->\n\n| Reason |")
    assert filled.endswith("|\n\n<!-- /generated -->\nafter\n")
    assert documentation.filled(filled) == filled


def test_unknown_marker_is_an_error():
    """An unknown marker is an error that lists the known ones."""
    with pytest.raises(ValueError, match="there is no table weather; there are: mapping-keys"):
        documentation.filled("<!-- generated: weather -->\n<!-- /generated -->")


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.documentation", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
def test_check_says_what_is_behind_and_writing_mends_it(tmp_path: Path):
    """`--check` exits 1 and writes nothing while a page differs; without it pages are written."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "mapping.md").write_text(
        "# Keys\n<!-- generated: mapping-keys -->\n<!-- /generated -->\n"
    )
    behind = run(tmp_path, "--check")
    assert behind.returncode == 1
    assert [line.split(":")[0] for line in behind.stdout.splitlines()] == [
        *documentation.PAGES,
        "docs/mapping.md",
    ]
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["mapping.md"]
    assert run(tmp_path).returncode == 0
    assert (tmp_path / "meltano.yml").read_text() == (ROOT / "meltano.yml").read_text()
    assert "| `stream` | required |" in (tmp_path / "docs" / "mapping.md").read_text()
    again = run(tmp_path, "--check")
    assert (again.returncode, again.stdout) == (0, "")


def test_outside_of_the_repository_nothing_is_written(tmp_path: Path):
    """Where there is no docs/, it says so and exits 1."""
    ran = run(tmp_path)
    assert ran.returncode == 1
    assert "there is no docs/ here" in ran.stderr
    assert not list(tmp_path.iterdir())


# What the code cites

PACKAGE = Path(target_pinterest_capi.__file__).parent
CITED = re.compile(r"docs/pinterest-api\.md:\s+(?:# )?([A-Z][\w -]*|user_data|custom_data)")
SOURCES = [
    path
    for folder in ("target_pinterest_capi", "tests", "tools", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
]


def test_every_citation_of_the_api_page_is_a_heading():
    """What a comment cites of docs/pinterest-api.md is a heading there, or a name in its data."""
    headings = set(
        re.findall(r"^## (.+)$", (ROOT / "docs" / "pinterest-api.md").read_text(), re.MULTILINE)
    )
    package = [path.read_text() for path in PACKAGE.rglob("*.py")]
    cited = {found.strip() for text in package for found in CITED.findall(text)}
    assert len(cited) > 8
    assert cited <= headings
    names = {
        found
        for text in package
        for found in re.findall(r"docs/pinterest-api\.md: [\w -]+ \((\w+)", text)
    }
    data = (PACKAGE / "sandbox" / "pinterest-openapi.json").read_text()
    assert [name for name in names if name not in data] == []


def test_nothing_is_read_or_cited_that_is_not_in_the_tree():
    """No source names a folder next to the repository, or a reference outside of it."""
    elsewhere = re.compile(
        r"[./\"]{1,3}[s]hared[\"/]|the API [r]eference|[s]pec 5\.|\([r]eference: "
    )
    assert [
        str(path.relative_to(ROOT)) for path in SOURCES if elsewhere.search(path.read_text())
    ] == []
