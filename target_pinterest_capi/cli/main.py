"""The `pinterest-capi` program: its commands, each imported when it is called."""

import re
import signal
from importlib import import_module
from inspect import cleandoc
from typing import Final

import click

from target_pinterest_capi import __version__
from target_pinterest_capi.startup import hand_over

# command: module and function in cli/, and its description in the list of commands
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
        "Write a first mapping for the records of a tap.",
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
        "Show the history of one event, by its key, over all runs.",
    ),
    "prune": (
        "target_pinterest_capi.cli.prune:prune",
        "Remove people from customer lists who were not in the last full refresh.",
    ),
    "report": (
        "target_pinterest_capi.cli.report.command:report",
        "Show the JSON report of a run as a page, or in the terminal.",
    ),
    "events": (
        "target_pinterest_capi.cli.events:events",
        "Show, define and delete custom event names.",
    ),
    "forget": (
        "target_pinterest_capi.cli.forget.command:forget",
        "Delete people's data: at Pinterest, in customer lists and in dead letters.",
    ),
    "login": (
        "target_pinterest_capi.cli.login.command:login",
        "Sign in to Pinterest with a browser, for everything that needs OAuth.",
    ),
    "token": (
        "target_pinterest_capi.cli.token:token",
        "Create a conversion token with OAuth, in a private file.",
    ),
    "eqs": (
        "target_pinterest_capi.cli.eqs.command:eqs",
        "Show Pinterest's event quality score next to the coverage of what you sent.",
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
    """Put the examples at the start of a command's help, and of each subcommand's.

    They are the block that click does not wrap and that calls this program. A list of commands
    shows the first sentence of the rest.
    """
    words = cleandoc(command.help or "")
    for example in _block.findall(words):
        if re.match(r"\x08\n(?:[a-z-]+ .*\| )?pinterest-capi ", example):
            rest = words.replace(example, "").strip()
            command.help = f"{example.strip()}\n\n{rest}"
            command.short_help = " ".join(rest.partition("\n\n")[0].split())
    for below in getattr(command, "commands", {}).values():
        open_with_examples(below)


class _Commands(click.Group):
    """Imports a command's module only when it is used, so that the program starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), function)
        open_with_examples(command)
        hand_over()  # it may have something to clean up
        return command

    def invoke(self, ctx: click.Context) -> None:
        """Run the command, and end it as a shell expects after SIGINT."""
        try:
            super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Aborted!", err=True)
            ctx.exit(128 + signal.SIGINT)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pinterest-capi")
def main() -> None:
    """\b
    tap-shop --config tap.json | pinterest-capi preview --config config.json

    The tools for target-pinterest-capi, which sends any Singer tap's records to Pinterest.
    """  # noqa: D205, D301, D415 - click reads \b as "keep these lines"
