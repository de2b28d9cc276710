"""The troubleshooting page: each symptom is caused here, and the log has the page's lines."""

import hashlib
import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest

from given import record, schema, state
from target_pinterest_capi.sandbox.faults import Fault

PAGE = Path(__file__).parent.parent / "docs" / "troubleshooting.md"
DAY = 86_400
MD5 = hashlib.md5(b"jane@example.com", usedforsecurity=False).hexdigest()
BROWSER = {"client_ip_address": "192.0.2.7", "client_user_agent": "Mozilla/5.0 (X11; Linux x86_64)"}


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Case(NamedTuple):
    """The cause of a symptom: settings, faults, and changes of the orders; and the run's end."""

    settings: Mapping[str, Any] = NOTHING
    faults: tuple[dict[str, Any], ...] = ()
    changes: Mapping[str, Any] = NOTHING
    environment: Mapping[str, str] = NOTHING
    orders: int = 2
    code: int = 0
    has_state: bool = True


class Ago(NamedTuple):
    """That many seconds before the test runs."""

    seconds: float


def entry(**keys: Any) -> dict[str, Any]:
    return {"mappings": [{"stream": "orders", "preset": "pinterest", **keys}]}


CASES = {
    "Ads Manager shows no events, and the run is green": Case({"mode": "dry_run"}, has_state=False),
    "Events are counted twice, by the tag and by the pipeline": Case(changes={"event_id": None}),
    "Only one event is counted": Case(changes={"event_id": "order-1"}, orders=12),
    "Few events are matched to people": Case(changes={"em": MD5, **BROWSER}),
    "Events have no identifier": Case(
        changes={"em": None, "ph": "+1 212 555 0100"}, code=3, has_state=False
    ),
    "Pinterest returns 401": Case({"conversion_token": "wrong"}, code=1, has_state=False),
    "Pinterest returns 403": Case({"ad_account_id": "549755885176"}, code=1, has_state=False),
    "Pinterest returns 429": Case(
        faults=({"fault": "status", "status": 429, "requests": [1], "endpoint": "events"},)
    ),
    "Pinterest does not respond": Case(
        {"api_url": "http://127.0.0.1:9/v5", "max_retry_seconds": 1}, code=1, has_state=False
    ),
    "STATE does not move": Case({"max_rejected_ratio": 0.5}, (), {"em": None}, {}, 2, 3, False),
    "Every record is skipped: no entry takes the stream": Case(
        {"mappings": [{"stream": "pinterest_orders", "preset": "pinterest"}]},
        code=3,
        has_state=False,
    ),
    "Every record is skipped: when": Case(entry(when='event_name == "checkout"')),
    "Every record is skipped: event names": Case(
        entry(event_names={"Order Completed": "checkout"}), changes={"event_name": "Order Placed"}
    ),
    "A field is always empty": Case(
        entry(fields={"user_data.ph": "Telephone"}), changes={"Phone": "+1 212 555 0100"}
    ),
    "Events are too old": Case(changes={"event_time": Ago(30 * DAY)}),
    "Events are in the future": Case(changes={"event_time": Ago(-7200)}, code=3, has_state=False),
    "Web events show up as offline": Case(changes={"event_time": Ago(5 * 3600)}),
    "Revenue is missing": Case(changes={"value": "EUR 39,98"}),
    "Revenue is in the wrong currency": Case(changes={"currency": None}),
    "Phones do not match": Case(changes={"ph": "212 555 0100"}),
    "Pinterest warns about the event's name": Case(changes={"event_name": "purchase"}),
    "Dead letters pile up": Case(faults=({"fault": "fail_event", "event_id": "order-1"},)),
    "The ledger cannot be used": Case(
        {"ledger_url": "sqlite:////nonexistent/ledger.db"}, code=1, has_state=False
    ),
    "A setting from the environment has no effect": Case(
        environment={"TARGET_PINTEREST_CAPI_TIMEZON": "Europe/Paris"}
    ),
}


def order(number: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a valid order with the changes."""
    right = {
        "event_id": f"order-{number}",
        "order_id": f"order-{number}",
        "event_name": "checkout",
        "action_source": "web",
        "event_time": Ago(60),
        "em": f"shopper{number}@example.com",
        "value": 39.98,
        "currency": "USD",
    }
    given = {**right, **changes}
    now = time.time()
    return {
        name: int(now - value.seconds) if isinstance(value, Ago) else value
        for name, value in given.items()
    }


def sections() -> dict[str, str]:
    """Return the text below each heading of the page."""
    _, *found = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True))


def quoted(section: str) -> list[str]:
    """Return the lines of the log that a section shows."""
    blocks = re.findall(r"^```text\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_the_page_has_these_symptoms():
    """Each section is a symptom that is caused here, and shows the log's lines."""
    assert list(sections()) == list(CASES)
    assert all(quoted(section) for section in sections().values())


@pytest.mark.parametrize("symptom", CASES)
def test_the_log_says_what_the_page_shows(symptom, run_target, sandbox, monkeypatch, tmp_path):
    """A run with this fault logs the page's lines, with level, exit code and STATE as described."""
    monkeypatch.chdir(tmp_path)
    case = CASES[symptom]
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    sandbox.faults.set([msgspec.convert(fault, Fault) for fault in case.faults])
    rows = [order(number, case.changes) for number in range(1, case.orders + 1)]
    lines = [
        schema("orders", *rows[0], key_properties=("order_id",)),
        *(record("orders", **row) for row in rows),
        state({"orders": 2}),
    ]
    ran = run_target(lines, dead_letter_path="rejected.jsonl", **case.settings)
    assert (ran.code, bool(ran.states)) == (case.code, case.has_state)
    for line in quoted(sections()[symptom]):
        level, _, words = line.partition(" ")
        assert level in logging.getLevelNamesMapping()
        parts = [re.escape(part) for part in words.split("...")]
        assert re.search(rf"^{level} .*{'.*'.join(parts)}", ran.log, re.MULTILINE), line
