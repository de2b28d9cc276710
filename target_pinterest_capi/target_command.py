"""The SDK's command line with our settings and exit codes.

Decides how `--config` is read, how a wrong configuration ends, and which level the log has. The SDK
handles `--about`, `--version` and `--input`.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, NamedTuple

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand

from target_pinterest_capi import settings
from target_pinterest_capi.delivery.exit_codes import ExitCode

Config = dict[str, Any] | PurePath | str | list[PurePath | str] | None

LOG_LEVEL: Final = f"{settings.ENVIRONMENT_PREFIX}LOGLEVEL"
GENERIC_LOG_LEVEL: Final = "LOGLEVEL"  # which other programs read too, some with other values
_LEVEL_NAMES: Final = logging.getLevelNamesMapping()  # has WARN, FATAL and NOTSET too
_MUST_BE_LEVEL: Final = "must be DEBUG, INFO, WARNING, ERROR or CRITICAL"

# click does not wrap the lines below \b
HELP: Final = """\b
tap-shop --config tap.json | target-pinterest-capi --config config.json > states.jsonl

Send a tap's records to Pinterest, as conversion events and members of customer lists.

Reads Singer messages from standard input and writes STATE to standard output, the log to standard
error. Ends with 0, with 1 if it stopped on an error, with 2 for a wrong configuration, and with 3
if too many events were invalid or rejected. `pinterest-capi check` tries a configuration first.
"""


class TargetCommand(SingerCommand):
    """The SDK's command with our exit code for configuration errors."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a wrong configuration is logged and ends it."""
        logging.captureWarnings(capture=True)
        try:
            return click.Command.invoke(self, ctx)
        except ConfigValidationError as error:
            log_problems(self.logger, error.errors)
            ctx.exit(ExitCode.CONFIGURATION)


class LogLevel(NamedTuple):
    """The level's name, always one that `logging` has; with a problem nothing must be run."""

    name: str
    problems: list[settings.Problem]
    warnings: list[settings.Problem]


def read_log_level(environ: Mapping[str, str]) -> LogLevel:
    """Return the log level in environment variables, in any case; INFO without a usable one.

    The target's own variable has priority. An empty one counts as not set.
    """
    for variable in (LOG_LEVEL, GENERIC_LOG_LEVEL):
        name = environ.get(variable, "").strip().upper()
        if name in _LEVEL_NAMES:
            return LogLevel(name, [], [])
        if name and variable == LOG_LEVEL:
            return LogLevel("INFO", [settings.Problem(variable, _MUST_BE_LEVEL)], [])
        if name:
            advice = f"{_MUST_BE_LEVEL}; INFO is used. {LOG_LEVEL} has priority"
            return LogLevel("INFO", [], [settings.Problem(variable, advice)])
    return LogLevel("INFO", [], [])


def log_problems(logger: logging.Logger, problems: Sequence[object]) -> None:
    """Log every problem of a configuration, and that there was no run."""
    for problem in problems:
        logger.error("%s", problem)
    plural = "" if len(problems) == 1 else "s"
    logger.error("The configuration has %d problem%s; nothing was read.", len(problems), plural)


def load_settings(config: Config, *, parse_env: bool) -> settings.Settings:
    """Return the settings of a configuration, or of its files.

    Raises the SDK's `ConfigValidationError` with every problem.
    """
    given = config if isinstance(config, dict) else _paths(config)
    try:
        return settings.load_config(given, with_environment=parse_env)
    except settings.ConfigurationError as error:
        raise ConfigValidationError(
            "The configuration is wrong", errors=list(map(str, error.problems))
        ) from None


def _paths(config: Any) -> list[str]:
    if config is None:
        return []
    return [str(path) for path in (config if isinstance(config, list) else [config])]
