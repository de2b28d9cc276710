"""The documentation: links work, and what pages say of fields and commands is true."""

import re
import textwrap
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
import yaml

import target_pinterest_capi
from given import ACCOUNT
from target_pinterest_capi.cli.main import COMMANDS, main
from target_pinterest_capi.delivery.exit_codes import ExitCode
from target_pinterest_capi.events.fields import BY_PATH, EVENT_NAMES, FIELDS, FieldKind
from target_pinterest_capi.mapping import presets
from target_pinterest_capi.settings import load

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / ".github").rglob("*.md")])
OPERATIONS, BESIDE, PRIVACY = (
    DOCS / f"{name}.md" for name in ("operations", "beside-the-tag", "privacy")
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """Return a page without its fenced blocks and code."""
    text = re.sub(
        r"^( *)(`{3,}|~{3,}).*?^\1\2`*$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL
    )
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "code", text, flags=re.DOTALL)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings as GitHub makes them: duplicates are numbered."""
    made: list[str] = []
    for line in re.sub(
        r"^( *)```.*?^\1```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL
    ).splitlines():
        if found := re.match(r"#+ (.+)", line):
            anchor = re.sub(
                r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", found[1]).lower()
            ).replace(" ", "-")
            made.append(anchor if anchor not in made else f"{anchor}-{made.count(anchor)}")
    return set(made)


def links(path: Path) -> list[tuple[Path, str]]:
    """Return the targets of a page's links within the repository: file, and anchor or empty."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not re.match(r"[a-z]+:", link):
            page, _, anchor = unquote(link).partition("#")
            found.append(((path.parent / page).resolve() if page else path, anchor))
    return found


def section(path: Path, title: str) -> str:
    """Return the text below a heading, up to the next one of its level."""
    return path.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the rows of all tables, without headers."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    heads = {index for index, row in enumerate(cells[1:]) if set(row[0]) <= set("-: ")}
    return [row for index, row in enumerate(cells) if index not in heads and index - 1 not in heads]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Links


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path):
    """Each link to a file of the repository, or to a heading of one, has its target."""
    for target, anchor in links(path):
        assert target.exists(), f"{name(path)} links to {target.name}, which does not exist"
        assert not anchor or anchor in anchors(target), (
            f"{name(path)} links to {target.name}#{anchor}"
        )


def test_every_page_is_reached_from_the_readme():
    """Links from the README lead to every page of docs/."""
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [
                target for target, _ in links(page) if target.suffix == ".md" and target.exists()
            ]
    assert {name(page) for page in DOCS.rglob("*.md")} <= {name(page) for page in reached}


@pytest.mark.parametrize("path", [OPERATIONS, BESIDE, PRIVACY], ids=name)
def test_list_of_contents_is_complete(path: Path):
    """The first headings of a page are these, in order."""
    listed = re.findall(r"^- \[(.+)\]\(#", path.read_text().partition("\n## ")[0], re.MULTILINE)
    assert listed == re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)


# Commands and configurations


def shown_commands() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the commands of `pinterest-capi` in shell blocks: page, command, options."""
    found = []
    for path in PAGES:
        for block in re.findall(
            r"^ *```(?:sh|console)\n(.*?)^ *```", path.read_text(), re.MULTILINE | re.DOTALL
        ):
            for line in block.replace("\\\n", " ").splitlines():
                for command in re.findall(
                    r"(?:^|[|&;(/] ?|\$ )pinterest-capi ([^|&;#<>]+)", line.strip()
                ):
                    verb, *rest = command.split()
                    found.append(
                        (
                            name(path),
                            verb,
                            tuple(
                                word.partition("=")[0] for word in rest if re.match(r"--\w", word)
                            ),
                        )
                    )
    return sorted(set(found))


@pytest.mark.parametrize(("page", "verb", "options"), shown_commands())
def test_commands_that_are_shown_exist(page: str, verb: str, options: tuple[str, ...]):
    """Each command of pinterest-capi on a page exists, and has the options shown."""
    if verb.startswith("-"):
        return
    assert verb in COMMANDS, page
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    if isinstance(command, click.Group):
        return
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert set(options) <= known, page


@pytest.mark.parametrize("path", [BESIDE, PRIVACY], ids=name)
def test_configurations_that_are_shown_are_right(path: Path):
    """Each configuration on a page is valid as it is."""
    blocks = re.findall(
        r"^ *```yaml configuration\n(.*?)^ *```$", path.read_text(), re.MULTILINE | re.DOTALL
    )
    assert blocks
    for block in blocks:
        load({"ad_account_id": ACCOUNT, **yaml.safe_load(textwrap.dedent(block))}, purpose="any")


# What the pages say


def test_exit_codes_say_what_to_do():
    """Each exit code of the contract has a row, and each row has a code, its meaning and advice."""
    listed = rows(section(OPERATIONS, "Exit codes, and what to do"))
    codes = {int(code) for row in listed for code in re.findall(r"\d+", row[0])}
    signals = {ExitCode.INTERRUPTED + number for number in (2, 15)}
    killed = {128 + 9}  # the shell's word for a SIGKILL: nobody's to choose
    assert (
        codes
        == {int(code) for code in ExitCode if code is not ExitCode.INTERRUPTED} | signals | killed
    )
    assert all(row[2] for row in listed)


def test_words_of_the_log_are_the_programs_own():
    """The log lines quoted in the table of exit codes are in the package in these words."""
    package = Path(target_pinterest_capi.__file__).parent
    sources = "\n".join(path.read_text() for path in package.rglob("*.py"))
    sources = re.sub(r'"\s*f?"', "", sources)  # strings that are continued on the next line
    for row in rows(section(OPERATIONS, "Exit codes, and what to do")):
        for words in quoted(row[1]):
            for part in re.split(r"\.\.\.|\bN\b|\d+| after\b", words):
                assert part.strip(" :)(.") in sources, f"nobody says {part!r}"


def test_jq_reads_what_reports_have():
    """The members in the page's jq lines are members of a report."""
    schema = (DOCS / "report-schema.json").read_text()
    lines = re.findall(r"^jq .+ report\.json", OPERATIONS.read_text(), re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        members = set(re.findall(r"\.([a-z_]+)", line.split(" report.json")[0])) - {"hashed_email"}
        assert members
        assert all(f'"{member}"' in schema for member in members), line


def test_every_hashed_field_is_documented_as_hashed():
    """The table of data sent lists every hashed field as SHA-256, and all others as plain."""
    table = rows(section(PRIVACY, "What leaves the machine"))
    listed = {path: row[2] for row in table for path in quoted(row[0])}
    assert listed.keys() <= BY_PATH.keys()
    assert {path for path, form in listed.items() if form.startswith("SHA-256")} == {
        field.path for field in FIELDS if field.kind is FieldKind.HASHED
    }
    assert {path for path, form in listed.items() if form == "**plain**"} >= {
        field.path
        for field in FIELDS
        if field.parent == "user_data" and field.kind is not FieldKind.HASHED
    }
    assert all(form.startswith("SHA-256") or form == "**plain**" for form in listed.values())


def test_every_preset_is_on_the_page_about_the_tag():
    """The table of event ids has every built-in preset."""
    listed = [
        preset for row in rows(section(BESIDE, "What presets send")) for preset in quoted(row[0])
    ]
    shipped = {path.stem for path in Path(presets.__file__).parent.glob("*.yaml")} | {
        presets.PINTEREST
    }
    assert set(listed) == shipped


def test_names_of_the_tag_are_brought_to_the_apis():
    """The table of names has known API names, each next to the tag's name without underscores."""
    for tag, api in rows(section(BESIDE, "Names")):
        names = quoted(tag) if api == "the same" else quoted(api)
        assert set(names) <= set(EVENT_NAMES)
        assert {one.replace("_", "") for one in names} == set(quoted(tag))
