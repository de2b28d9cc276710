"""The steps of `pinterest-capi check` in order, and their overall result."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from target_pinterest_capi.checks import connectivity, credentials, customer_lists, files, mappings
from target_pinterest_capi.checks.configuration import (
    CONFIGURATION,
    check_configuration,
    check_event_names,
)
from target_pinterest_capi.checks.old_events import check_old_events
from target_pinterest_capi.checks.result import CheckResult, CheckStatus, has_failed
from target_pinterest_capi.cli.inputs import open_messages
from target_pinterest_capi.settings import Settings

OK_EXIT: Final = 0
FAILED_EXIT: Final = 1
CONFIGURATION_EXIT: Final = 2
NAMES_IN_JSON: Final = {"status": "mark"}  # its name for programs


def check_settings(settings: Settings, sample: str | None) -> Iterator[CheckResult]:
    """Yield the results of each step on demand; `sample` is a file, `-` is stdin."""
    yield check_configuration(settings)
    seen = None
    if sample is None:
        yield mappings.no_sample(settings)
    else:
        try:
            with open_messages(sample) as lines:
                found, seen = mappings.sample(settings, lines)
        except OSError as error:
            found = mappings.unreadable(error.strerror or type(error).__name__)
        yield found
    yield from mappings.check_entries(settings)
    yield from check_event_names(settings, None if seen is None else seen.events)
    yield from files.check_files(settings)
    yield from check_old_events(settings)
    yield from check_online(settings, {} if seen is None else seen.lists)


def check_online(
    settings: Settings, named_lists: Mapping[str, Collection[str]]
) -> Iterator[CheckResult]:
    """Yield the results of connecting to Pinterest, and of its responses, one by one.

    `named_lists` are those that a sample's records name, by the label of their entry. Nothing is
    sent in a dry run, or without a connection.
    """
    if settings.mode == "dry_run":
        yield CheckResult(
            connectivity.ADDRESS, CheckStatus.SKIPPED, "not looked up: mode is dry_run"
        )
        yield from credentials.check_credentials(settings)
        yield from customer_lists.skip_customer_lists(settings, "mode is dry_run")
        return
    way = connectivity.check_connectivity(
        settings.api_url, min(settings.request_timeout_seconds, connectivity.TIMEOUT_SECONDS)
    )
    yield from way
    if has_failed(way):
        yield CheckResult(
            credentials.REQUEST,
            CheckStatus.SKIPPED,
            "not sent, so token and ad account are not checked",
        )
        yield from customer_lists.skip_customer_lists(settings, "Pinterest cannot be reached")
        return
    yield from credentials.check_credentials(settings)
    yield from customer_lists.check_customer_lists(settings, named_lists)


def exit_code(results: Iterable[CheckResult]) -> int:
    """Return 0, or 1 if a step failed, or 2 if the configuration did."""
    failed = {result.step for result in results if result.status is CheckStatus.FAILED}
    if CONFIGURATION in failed:
        return CONFIGURATION_EXIT
    return FAILED_EXIT if failed else OK_EXIT


def as_json(results: Sequence[CheckResult]) -> dict[str, Any]:
    """Return a check for programs, without absent members."""
    steps = []
    for result in results:
        members = {NAMES_IN_JSON.get(name, name): value for name, value in result._asdict().items()}
        steps.append({name: value for name, value in members.items() if value})
    return {"exit_code": exit_code(results), "steps": steps}
