"""Outputs, word for word, at 60, 80 and 160 columns: tests/screens/ has a file for each.

After an intended change: UPDATE_SCREENS=1 make test TESTS=tests/test_screens.py, and read the
differences in git.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from report_sample import ordinary

from given import ACCOUNT, TOKEN, line, record, schema
from target_pinterest_capi.cli.main import COMMANDS, main
from target_pinterest_capi.reporting.report import encode
from target_pinterest_capi.sandbox.server import Sandbox

SCREENS = Path(__file__).parent / "screens"
ORDERS = {
    "Order No": 1001,
    "paid": "2026-03-02T10:00:00Z",
    "mail": "jane@example.com",
    "total": "39,98",
}


def run(*arguments: str, columns: int) -> str:
    """Return a command's output on a terminal of that many columns."""
    runner = CliRunner(env={"COLUMNS": str(columns)})
    return runner.invoke(
        main, [*arguments], terminal_width=columns, prog_name="pinterest-capi"
    ).output


def help_of_all(columns: int) -> str:
    for name in COMMANDS:
        command = main.get_command(None, name)
        # click keeps the option of a command's first call, which another test may have made alone
        command._help_option = None
    commands = [(), *((name,) for name in COMMANDS)]
    return "\n".join(run(*words, "--help", columns=columns) for words in commands)


def report_as_text(columns: int) -> str:
    Path("report.json").write_bytes(encode(ordinary()))
    return run("report", "report.json", "--text", columns=columns)


def write_sample() -> None:
    lines = [
        schema("orders", *ORDERS, key_properties=("Order No",)),
        record("orders", **ORDERS),
        record("orders", **{**ORDERS, "mail": "n/a"}),
        line(type="STATE", value={}),
    ]
    Path("orders.singer").write_bytes(b"\n".join(lines) + b"\n")
    entry = {
        "stream": "orders",
        "fields": {
            "event_id": '"Order No"',
            "event_time": "paid",
            "user_data.em": "mail",
            "custom_data.value": "total",
            "custom_data.currency": "curency",
        },
        "defaults": {"event_name": "checkout", "action_source": "web"},
    }
    given = {
        "ad_account_id": ACCOUNT,
        "conversion_token": TOKEN,
        "max_event_age_days": "never",
        "mappings": [entry],
    }
    Path("config.json").write_text(json.dumps(given))


def preview(columns: int) -> str:
    write_sample()
    return run("preview", "--config", "config.json", "orders.singer", columns=columns)


def suggest(columns: int) -> str:
    write_sample()
    return run("suggest", "orders.singer", columns=columns)


def check(columns: int) -> str:
    write_sample()
    with Sandbox() as sandbox:
        given = json.loads(Path("config.json").read_text())
        Path("config.json").write_text(json.dumps({**given, "api_url": sandbox.url}))
        arguments = ("check", "--config", "config.json", "--sample", "orders.singer")
        shown = run(*arguments, columns=columns)
        return re.sub(rf"\b{sandbox.port}\b", "8" * len(str(sandbox.port)), shown)


SHOWN: dict[str, Callable[[int], str]] = {
    "help": help_of_all,
    "report": report_as_text,
    "preview": preview,
    "suggest": suggest,
    "check": check,
}


@pytest.mark.parametrize("columns", [60, 80, 160])
@pytest.mark.parametrize("name", SHOWN)
def test_people_see_this(name: str, columns: int, plain_terminal: None):
    """The screen equals the stored one, which was reviewed."""
    shown = SHOWN[name](columns).rstrip("\n") + "\n"
    kept = SCREENS / f"{name}-{columns}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(shown, encoding="utf-8")
    assert shown == kept.read_text(encoding="utf-8")
