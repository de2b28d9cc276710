"""The steps of `pinterest-capi check`, each as findings: the configuration, what a sample comes to, names, the way, the trial.

Owns the order of the steps and the exit code. What a sample's records hold stays there: counts, reasons, names of streams and
fields, and event names that read like one are all that is taken.
"""

import re  # noqa: I001
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from target_pinterest_capi.checks import connectivity as reach
from target_pinterest_capi.checks import credentials as trial
from target_pinterest_capi.checks import customer_lists as check_lists
from target_pinterest_capi.checks.result import CheckResult, CheckStatus, has_failed, place_of
from target_pinterest_capi.events.outcomes import Outcome
from target_pinterest_capi.events.fields import EVENT_NAMES
from target_pinterest_capi.events.reasons import Invalid
from target_pinterest_capi.pipeline.preview import Preview, UnreadableLineError
from target_pinterest_capi.pipeline.previewed import EVENT, number_of, sent_in_words
from target_pinterest_capi.settings import Problem, Settings
from target_pinterest_capi.settings.constants import unknown_event_name

CONFIGURATION: Final = "configuration"
MAPPINGS: Final = "mappings"
NAMES: Final = "event names"
OK_EXIT: Final = 0
FAILED_EXIT: Final = 1
CONFIGURATION_EXIT: Final = 2
SHOWN_REASONS: Final = 5
# What a sample's records go through in a run, and not here.
TARGET_ONLY: Final = ("stream_maps", "flattening_enabled")
_is_name: Final = re.compile(
    r"[A-Za-z][A-Za-z _-]{0,39}"
).fullmatch  # anything else may be a value in the wrong column


def configuration_problems(problems: Sequence[Problem], hint: str = "") -> CheckResult:
    """Say all that is wrong with the configuration; nothing else can be checked then."""
    count = (
        f"{len(problems)} problem{'' if len(problems) == 1 else 's'}; nothing else can be checked"
    )
    places = dict.fromkeys(
        place for place in (place_of(problem.path) for problem in problems) if place
    )
    return CheckResult(
        CONFIGURATION, CheckStatus.FAILED, count, hint, "; ".join(places), tuple(map(str, problems))
    )


def configuration(settings: Settings) -> CheckResult:
    """Say that the settings can be used, and what is probably not meant; event names have a step of their own."""
    about = f"mode {settings.mode}, ad account {settings.ad_account_id}"
    odd = tuple(str(warning) for warning in settings.warnings if not _is_about_names(warning))
    return CheckResult(
        CONFIGURATION, CheckStatus.WARNING if odd else CheckStatus.OK, about, details=odd
    )


def sample(
    settings: Settings, lines: Iterable[bytes], now: Callable[[], float] = time.time
) -> tuple[CheckResult, Counter[str]]:
    """Say what the messages of a tap come to by the mappings, and give the event names that came of them with their counts."""
    preview, names = Preview(settings, now), Counter[str]()
    try:
        for results in preview.read(lines):
            names.update(
                str(result.event["event_name"]) for result in results if result.outcome == EVENT
            )
    except UnreadableLineError as error:
        return unreadable(str(error)), names
    return _sample_in_words(preview, settings), names


def unreadable(why: str) -> CheckResult:
    """Say that the sample cannot be read."""
    return CheckResult(
        MAPPINGS,
        CheckStatus.FAILED,
        f"the sample cannot be read: {why}",
        "Give a file of Singer messages, as a tap prints them.",
    )


def no_sample(settings: Settings) -> CheckResult:
    """Say that the mappings were tried on nothing."""
    return CheckResult(
        MAPPINGS,
        CheckStatus.SKIPPED,
        f"{_mappings_in_words(settings)}; --sample FILE tries your records",
    )


def event_names(settings: Settings, seen: Counter[str] | None) -> list[CheckResult]:
    """Say which event names may be misspelt: constants of the configuration, and those that `seen` counts in a sample."""
    found = [_name_finding(warning) for warning in settings.warnings if _is_about_names(warning)]
    constant = set(_constant_names(settings))
    for name, count in (seen or Counter[str]()).most_common():
        if name not in EVENT_NAMES and name not in constant:
            shown = repr(name) if _is_name(name) else "a name that reads like none"
            found += map(
                _name_finding,
                unknown_event_name(name, f"{shown}, {number_of(count, 'time')} in the sample,"),
            )
    if found:
        return found
    if seen:
        return [
            CheckResult(
                NAMES,
                CheckStatus.OK,
                f"{number_of(len(seen), 'name')} in the sample, none of them misspelt",
            )
        ]
    more = (
        "--sample FILE checks those of records"
        if seen is None
        else "the sample has no events with others"
    )
    return [CheckResult(NAMES, CheckStatus.OK, f"none looks misspelt; {more}")]


def _constant_names(settings: Settings) -> Iterator[Any]:
    """Give the event names that the configuration itself has: a warning about one of them says so already."""
    entries = settings.mappings or ()
    for level in (settings.defaults, *(entry.defaults for entry in entries)):
        yield level.get("event_name")
    for entry in entries:
        yield from entry.event_names.values()
        yield from (source.strip("'") for source in entry.fields.get("event_name") or ())


def online(settings: Settings) -> Iterator[CheckResult]:
    """Go the way to Pinterest, one finding at a time; nothing is sent where the way does not hold, or in a dry run."""
    if settings.mode == "dry_run":
        yield CheckResult(reach.ADDRESS, CheckStatus.SKIPPED, "not looked up: mode is dry_run")
        yield from trial.try_settings(settings)
        yield from check_lists.not_tried(settings, "mode is dry_run")
        return
    way = reach.look(settings.api_url, min(settings.request_timeout_seconds, reach.TIMEOUT_SECONDS))
    yield from way
    if has_failed(way):
        yield CheckResult(
            trial.REQUEST, CheckStatus.SKIPPED, "not sent, so token and ad account are not checked"
        )
        yield from check_lists.not_tried(settings, "Pinterest cannot be reached")
        return
    yield from trial.try_settings(settings)
    yield from check_lists.try_lists(settings)


def exit_code(findings: Iterable[CheckResult]) -> int:
    """Give 0, 1 where a step failed, 2 where the configuration did."""
    failed = {finding.step for finding in findings if finding.mark is CheckStatus.FAILED}
    return CONFIGURATION_EXIT if CONFIGURATION in failed else FAILED_EXIT if failed else OK_EXIT


def as_json(findings: Sequence[CheckResult]) -> dict[str, Any]:
    """Give a check for programs; what a finding does not have is left out."""
    steps = [
        {name: value for name, value in finding._asdict().items() if value} for finding in findings
    ]
    return {"exit_code": exit_code(findings), "steps": steps}


def _sample_in_words(preview: Preview, settings: Settings) -> CheckResult:
    """Weigh a sample: without a record it shows nothing, with nothing to send the mappings are wrong, unless all are just old."""
    records, sent = preview.tally.records, preview.sent()
    details = tuple(_details(preview, settings))
    counts = f"{number_of(records, 'record')} of the sample: {sent_in_words(sent)}"
    if not records:
        advice = "Give the output of your tap, with records."
        return CheckResult(
            MAPPINGS, CheckStatus.WARNING, "the sample has no records", advice, details=details
        )
    invalid = [row for row in preview.not_sent() if row.outcome == Outcome.INVALID]
    if sent:
        return CheckResult(
            MAPPINGS, CheckStatus.WARNING if invalid else CheckStatus.OK, counts, details=details
        )
    if invalid and all(row.reason == Invalid.EVENT_TOO_OLD for row in invalid):
        return CheckResult(
            MAPPINGS,
            CheckStatus.WARNING,
            f"{counts}, all others too old to be sent",
            details=details,
        )
    changed = "mappings or customer_lists until records become events or members"
    what = changed if settings.customer_lists else "mappings until records become events"
    advice = f"Change {what}: pinterest-capi preview shows each one."
    return CheckResult(MAPPINGS, CheckStatus.FAILED, counts, advice, details=details)


def _details(preview: Preview, settings: Settings) -> Iterator[str]:
    others = preview.not_sent()
    for row in others[:SHOWN_REASONS]:
        yield f"{row.number:,} {row.outcome}: {row.reason} in stream {row.origin.stream}. {preview.advice(row)}".strip()
    if len(others) > SHOWN_REASONS:
        yield f"{len(others) - SHOWN_REASONS:,} more reasons: pinterest-capi preview --summary shows them"
    left_out = sum(note.number for note in preview.tally.notes())
    if left_out:
        yield f"{number_of(left_out, 'value')} left out or warned about: pinterest-capi preview shows which"
    for name in TARGET_ONLY:
        if getattr(settings, name):
            yield f"{name} is applied by the target only, and not to this sample"


def _mappings_in_words(settings: Settings) -> str:
    mappings, lists = settings.mappings, len(settings.customer_lists)
    words = (
        "preset pinterest for every stream"
        if mappings is None
        else number_of(len(mappings), "mapping")
    )
    return f"{words}, {number_of(lists, 'customer list')}" if lists else words


def _is_about_names(warning: Problem) -> bool:
    return "event_name" in warning.path


def _name_finding(warning: Problem) -> CheckResult:
    return CheckResult(NAMES, CheckStatus.WARNING, f"{warning.path} {warning.message}")
