"""The message at the end of a run: plain JSON, or the formats of Slack and Teams.

Counts, names, reasons and advice, as in the run's report; no value of a record, and no token.
"""

from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from target_pinterest_capi.reporting.report import ReasonCount, Report

Form = Literal["json", "slack", "teams"]

MAX_REASONS: Final = 5
_SLACK_HOSTS: Final = ("hooks.slack.com",)
_TEAMS_HOSTS: Final = ("webhook.office.com", "logic.azure.com", "api.powerplatform.com")
_LOST: Final = ("invalid", "rejected")


def form_of(url: str) -> Form:
    """Return the format for the host of a webhook."""
    host = (urlsplit(url).hostname or "").casefold()
    if host in _SLACK_HOSTS:
        return "slack"
    is_teams = any(host == one or host.endswith(f".{one}") for one in _TEAMS_HOSTS)
    return "teams" if is_teams else "json"


def encode_notification(report: Report, report_path: str | None, form: Form) -> bytes:
    """Return the body of the request about a run."""
    match form:
        case "json":
            body = _plain(report, report_path)
        case "slack":
            body = {"text": _escaped(_words(report, report_path))}
        case "teams":
            body = _card(_words(report, report_path))
    return msgspec.json.encode(body)


def _plain(report: Report, report_path: str | None) -> dict[str, Any]:
    run = report.run
    return {
        "program": "target-pinterest-capi",
        "run_id": run.id,
        "outcome": "failed" if run.exit_code else "done",
        "exit_code": run.exit_code,
        "stopped": run.stopped,
        "mode": run.mode,
        "ad_account_id": run.ad_account_id,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "records": run.records,
        "totals": report.totals,
        "without_outcome": run.without_outcome,
        "states_written": run.states_written,
        "reasons": _lost(report),
        "report": report_path,
    }


def _lost(report: Report) -> list[ReasonCount]:
    """Return the reasons for the most lost events."""
    lost = [row for row in report.reasons if row.outcome in _LOST]
    return sorted(lost, key=lambda row: -row.events)[:MAX_REASONS]


def _words(report: Report, report_path: str | None) -> str:
    """Return the notification as lines of text."""
    run = report.run
    end = f"failed with exit code {run.exit_code}" if run.exit_code else "done"
    test = "" if run.mode == "live" else f" (mode {run.mode})"
    totals = msgspec.structs.asdict(report.totals)
    counts = ", ".join(f"{number:,} {name}" for name, number in totals.items())
    lines = [
        f"Pinterest, ad account {run.ad_account_id}: {end}{test}",
        f"{run.records:,} records: {counts}; {run.without_outcome:,} wait for the next run.",
    ]
    if run.stopped:
        lines.append(run.stopped)
    for row in _lost(report):
        field = f" {row.field}" if row.field else ""
        lines.append(f"{row.events:,} {row.outcome}: {row.reason}{field}. {row.advice}")
    where = f"; report: {report_path}" if report_path else ""
    lines.append(f"Run {run.id}{where}.")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Return text without characters that Slack would treat as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _card(text: str) -> dict[str, Any]:
    """Return a message with an Adaptive Card, a block of text for each line."""
    blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in text.splitlines()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}
