"""The meaning of a response is a table.

Complete for every status, and for every kind of connection failure.
"""

import random

import pytest

from api_description import EVENTS, PATHS
from target_pinterest_capi.pinterest.responses import (
    ApiResponse,
    EventStatus,
    NoResponse,
    NoResponseKind,
)
from target_pinterest_capi.pinterest.retries import (
    STATUS_RULES,
    Decision,
    classify,
    delay_seconds,
    describe,
    pause_seconds,
    remedy,
)

DONE = EventStatus("processed")
FAILED = EventStatus("failed", "why")


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        (200, Decision.UNCERTAIN),  # without its list of events
        (204, Decision.UNCERTAIN),
        (301, Decision.STOP),
        (307, Decision.STOP),
        (400, Decision.BISECT),
        (401, Decision.STOP),
        (403, Decision.STOP),
        (404, Decision.STOP),
        (405, Decision.STOP),
        (407, Decision.STOP),
        (408, Decision.UNCERTAIN),
        (409, Decision.BISECT),
        (413, Decision.BISECT),
        (418, Decision.BISECT),
        (422, Decision.BISECT),
        (425, Decision.RETRY),
        (429, Decision.SLOW_DOWN),
        (500, Decision.UNCERTAIN),
        (502, Decision.UNCERTAIN),
        (503, Decision.RETRY),
        (504, Decision.UNCERTAIN),
        (599, Decision.UNCERTAIN),
    ],
)
def test_status_without_a_list_of_events(status, decision):
    """A status decides by itself if the body lists no events."""
    assert classify(ApiResponse(status), 1) is decision


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_is_decided(status):
    """There is a decision for every HTTP status.

    Those that stop a run have a message.
    """
    decision = classify(ApiResponse(status), 1)
    assert isinstance(decision, Decision)
    if decision is Decision.STOP:
        assert remedy(ApiResponse(status)).endswith(".")


@pytest.mark.parametrize("kind", NoResponseKind)
def test_every_failure_is_decided(kind):
    """Unsent is sent again, uncertain is uncertain, and an untrusted server stops the run."""
    expected = {
        NoResponseKind.NOT_SENT: Decision.RETRY,
        NoResponseKind.UNCERTAIN: Decision.UNCERTAIN,
        NoResponseKind.UNTRUSTED: Decision.STOP,
    }
    assert classify(NoResponse(kind, "words"), 1) is expected[kind]
    assert remedy(NoResponse(kind, "words")).endswith(".")


@pytest.mark.parametrize("status", [200, 422])
def test_list_of_events_settles_wherever_it_is(status):
    """Both forms, 200 and 422, are read event by event, all processed or not."""
    assert classify(ApiResponse(status, [DONE, FAILED]), 2) is Decision.SETTLE


@pytest.mark.parametrize("events", [[], [DONE], [DONE, DONE, DONE], [DONE, EventStatus("maybe")]])
@pytest.mark.parametrize("status", [200, 422])
def test_another_list_than_was_sent_is_never_success(status, events):
    """A list of another length, or with an unknown status, is uncertain."""
    assert classify(ApiResponse(status, events), 2) is Decision.UNCERTAIN


def test_list_of_events_on_an_error_status_is_not_read():
    """A 400 or 500 that lists events still has the meaning of its status."""
    assert classify(ApiResponse(400, [DONE]), 1) is Decision.BISECT
    assert classify(ApiResponse(500, [DONE]), 1) is Decision.UNCERTAIN


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (ApiResponse(200), "200, with a body that is empty, cut or unexpected"),
        (ApiResponse(204), "204, with a body that is empty, cut or unexpected"),
        (ApiResponse(200, [DONE]), "200, with a list that does not have the status of each event"),
        (ApiResponse(503, message="Busy."), "Pinterest returned 503 Busy"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(response, words):
    """A response that looks like a success, but is not, has a reason."""
    assert words in describe(response)


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (ApiResponse(200, [DONE], remaining_calls=0, retry_after_seconds=5.0), 5.0),
        (ApiResponse(200, [DONE], remaining_calls=0, retry_after_seconds=86_400.0), 60.0),
        (ApiResponse(200, [DONE], remaining_calls=0), 0.0),
        (ApiResponse(200, [DONE], remaining_calls=1, retry_after_seconds=5.0), 0.0),
        (NoResponse(NoResponseKind.NOT_SENT, "why"), 0.0),
    ],
)
def test_used_up_limit_is_waited_for_a_minute_at_a_time(response, seconds):
    """A reset far in the future does not stop the account for that long."""
    assert pause_seconds(response) == seconds


def test_every_status_of_the_description_is_in_the_table():
    """Each status that Pinterest documents for events has its own row.

    Only 200 is read by its list.
    """
    responses = PATHS[EVENTS]["post"]["responses"]
    listed = {int(status) for status in responses if status.isdigit()}
    assert listed - {200} <= set(STATUS_RULES)


@pytest.mark.parametrize("attempts", range(1, 40))
def test_delay_is_jittered_below_a_doubling_ceiling(attempts):
    """From half a second, doubling to fifteen; any time from zero up."""
    ceiling = min(15.0, 0.5 * 2 ** (attempts - 1))
    delays = [delay_seconds(attempts, None, random.Random(seed)) for seed in range(200)]
    assert all(0 <= delay <= ceiling for delay in delays)
    assert max(delays) > ceiling * 0.8
    assert min(delays) < ceiling * 0.2


@pytest.mark.parametrize(
    ("server", "least", "most"), [(5.0, 5.0, 5.0), (0.0, 0.0, 0.5), (3600.0, 60.0, 60.0)]
)
def test_the_servers_wait_is_a_floor_with_a_ceiling(server, least, most):
    """The server's wait is obeyed, up to a minute before the next attempt."""
    assert least <= delay_seconds(1, server, random.Random(1)) <= most
