"""The `pinterest-capi` program: its commands, each loaded when it is called."""

import re
from importlib import import_module
from inspect import cleandoc
from typing import Final

import click

from target_pinterest_capi import __version__

# command: module and function of cli/, and what the list of commands says of it
COMMANDS: Final = {
    "demo": (
        "target_pinterest_capi.cli.demo.command:demo",
        "Send a packaged sample through the real target into a sandbox.",
    ),
    "sandbox": (
        "target_pinterest_capi.cli.sandbox:sandbox",
        "Run Pinterest's endpoints on this machine, with strict checks and faults.",
    ),
    "check": (
        "target_pinterest_capi.cli.check.command:check",
        "Check configuration, mappings, connection, token and account.",
    ),
    "suggest": (
        "target_pinterest_capi.cli.suggest.command:suggest",
        "Write a mapping to start from, for the records of a tap.",
    ),
    "preview": (
        "target_pinterest_capi.cli.preview.command:preview",
        "Show the events that a tap's records would become.",
    ),
    "replay": (
        "target_pinterest_capi.cli.replay.command:replay",
        "Send the events of dead letters again.",
    ),
    "trace": (
        "target_pinterest_capi.cli.trace.command:trace",
        "Show what became of one event, by its key, in every run.",
    ),
    "prune": (
        "target_pinterest_capi.cli.prune:prune",
        "Remove from customer lists what the last full refresh did not bring again.",
    ),
    "report": (
        "target_pinterest_capi.cli.report.command:report",
        "Show the JSON report of a run, as a page or in the terminal.",
    ),
    "events": (
        "target_pinterest_capi.cli.events:events",
        "Show, define and delete event names of your own.",
    ),
    "forget": (
        "target_pinterest_capi.cli.forget.command:forget",
        "Have people deleted: at Pinterest, from customer lists and dead letters.",
    ),
    "login": (
        "target_pinterest_capi.cli.login.command:login",
        "Sign in at Pinterest through a browser, for all that needs OAuth.",
    ),
    "token": (
        "target_pinterest_capi.cli.token:token",
        "Make a conversion token with OAuth, into a private file.",
    ),
    "eqs": (
        "target_pinterest_capi.cli.eqs.command:eqs",
        "Show Pinterest's event quality score beside our own coverage.",
    ),
    "presets": (
        "target_pinterest_capi.cli.presets:presets",
        "List the built-in mappings, and show one to copy.",
    ),
    "fields": (
        "target_pinterest_capi.cli.fields:fields",
        "Show the reference of Pinterest's event fields.",
    ),
    "definition": (
        "target_pinterest_capi.cli.definition:definition",
        "Print the definition to add this target to a Meltano project.",
    ),
}

_block: Final = re.compile(r"\x08\n(?:[^\n]+\n?)+")


def open_with_examples(command: click.Command) -> None:
    """Put the examples of a command's help first, and of each command below it.

    They are the block that click leaves as it is and that calls this program.
    """
    words = cleandoc(command.help or "")
    for example in _block.findall(words):
        if re.match(r"\x08\n(?:[a-z-]+ .*\| )?pinterest-capi ", example):
            command.help = f"{example.strip()}\n\n{words.replace(example, '').strip()}"
    for below in getattr(command, "commands", {}).values():
        open_with_examples(below)


class _Commands(click.Group):
    """Loads a command's module only when it is asked for, so that the program starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), function)
        open_with_examples(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pinterest-capi")
def main() -> None:
    """Pinterest's Conversions API from any Singer tap: the tools beside target-pinterest-capi."""
