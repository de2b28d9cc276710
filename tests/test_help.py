"""What people see first: the help of every command opens with a working example."""

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from target_pinterest_capi.cli.main import COMMANDS, main
from target_pinterest_capi.target import TargetPinterestCapi


def commands() -> list[tuple[str, ...]]:
    """Return every command with its subcommands' names."""
    found: list[tuple[str, ...]] = []
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        found.append((name,))
        found += [(name, below) for below in getattr(command, "commands", {})]
    return found


def shown_help(words: tuple[str, ...], columns: int = 80) -> str:
    done = CliRunner().invoke(main, [*words, "--help"], terminal_width=columns)
    assert done.exit_code == 0
    return done.output


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_opens_with_an_example(words: tuple[str, ...]):
    """After the usage is a line to copy, which calls this command with existing options."""
    lines = shown_help(words).splitlines()
    first = next(line.strip() for line in lines[lines.index("") :] if line.strip())
    call = first.partition("| ")[2] if first.startswith("tap-") else first
    program, *given = shlex.split(call.partition("  #")[0].partition(" | ")[0].partition(" >")[0])
    assert program == "pinterest-capi"
    assert tuple(given[: len(words)]) == words or words[0] == given[0]
    known = set(re.findall(r"(--[\w-]+)", "\n".join(lines)))
    assert {word.partition("=")[0] for word in given if word.startswith("--")} <= known


def test_the_programs_help_opens_with_an_example():
    """Both programs show a line to copy first, which pipes a tap into them."""
    for program, command in (
        ("pinterest-capi", main),
        ("target-pinterest-capi", TargetPinterestCapi.get_singer_command()),
    ):
        shown = CliRunner().invoke(command, ["--help"], terminal_width=80).output.splitlines()
        first = next(line.strip() for line in shown[shown.index("") :] if line.strip())
        assert first.startswith(f"tap-shop --config tap.json | {program} ")


def test_groups_list_their_commands_by_what_they_do():
    """If a command has subcommands, its help says what each does."""
    shown = " ".join(shown_help(("presets",), 160).split())
    assert "list List the presets: " in shown
    assert "show Print a preset as the YAML of a mapping entry" in shown


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_says_it_once(words: tuple[str, ...]):
    """An example is at the start, and nowhere else."""
    text = shown_help(words)
    lines = [line for line in text.splitlines() if line.lstrip().startswith("pinterest-capi ")]
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_repeats_no_word(words: tuple[str, ...]):
    """Except for examples, no line of a command's help has the same word twice in a row."""
    lines = shown_help(words, 160).splitlines()
    text = "\n".join(line for line in lines if "pinterest-capi" not in line)
    assert not re.findall(r"\b([a-z]+) \1\b", text, re.IGNORECASE)


@pytest.mark.parametrize("columns", [60, 80, 160])
@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_keeps_to_the_width(words: tuple[str, ...], columns: int):
    """Except for examples, which are copied as they are, no line is wider than the terminal."""
    for line in shown_help(words, columns).splitlines():
        assert len(line) <= columns or "pinterest-capi" in line or "=" in line
