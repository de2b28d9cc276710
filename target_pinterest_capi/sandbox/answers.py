"""Requests and answers as plain data: what a client sent, what it gets, what is remembered.

Owns Pinterest's codes and messages for refused requests. What is remembered of a refusal has no
token. Decides nothing: that is in `rules`, `customer_lists`, `audiences`, `oauth` and `quality`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from target_pinterest_capi.sandbox.identifiers import Member
from target_pinterest_capi.sandbox.rates import FRESH, Window

OK: Final = 200

# docs/pinterest-api.md: Responses
CODES: Final = {400: 4196, 401: 2, 403: 29, 422: 953, 429: 8, 503: 4197}
MESSAGES: Final = {
    400: "The request was invalid.",
    401: "Authentication failed.",
    403: "You are not permitted to access that resource.",
    422: "Not all events were successfully processed.",
    429: "This request exceeded a rate limit.",
    503: "The endpoint has been ramped down and is currently not accepting any traffic.",
}
# The only example of a 400 outside of events, in Pinterest's description of audiences
PLAIN_400: Final = 400


class Request(NamedTuple):
    """What a client sent to an endpoint below `/v5/`.

    `query` is the undecoded text after the `?`; `list_id` and `request_id` are from the path.
    """

    ad_account_id: str
    authorization: str
    body: bytes
    content_type: str = "application/json"
    query: str = ""
    method: str = "POST"
    list_id: str = ""
    request_id: str = ""


class Verdict(NamedTuple):
    """The result of one event: processed if `error` is empty; a warning does not fail it."""

    error: str = ""
    warning: str = ""


PROCESSED: Final = Verdict()


class Change(NamedTuple):
    """What a request did to a customer list.

    CREATE, ADD or REMOVE, of how many records, and of which members.
    """

    list_id: str
    operation: str
    records: int
    invalid: int
    members: frozenset[Member]


class Answer(NamedTuple):
    """The answer to one request, and what to remember about it.

    `events` were read from the request; `verdicts` are for the first ones (all, unless it was a
    test request). `refused` is why the whole request failed, without its token. `marked` are the
    event ids whose mark acted. `kept` is the new state of the customer list, audience, deletion
    request, defined events or grants; `change` is what was done to the list.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = {}
    window: Window = FRESH
    test: bool = False
    events: Sequence[Mapping[str, Any]] = ()
    verdicts: Sequence[Verdict] = ()
    refused: str = ""
    marked: frozenset[str] = frozenset()
    kept: object = None
    change: Change | None = None


def refusal(status: int, why: str = "", message: str = "", code: int | None = None) -> Answer:
    """Return the answer that fails a whole request: `{code, message}`.

    `why` is remembered instead of a message with a secret.
    """
    message = message or why or MESSAGES.get(status, "Unexpected error.")
    return Answer(
        status,
        {"code": code or CODES.get(status, status), "message": message},
        refused=why or message,
    )


def bad_request(why: str) -> Answer:
    """Return the 400 of all endpoints except events."""
    return refusal(400, f"Invalid request: {why}", code=PLAIN_400)


def media_type(request: Request) -> str:
    """Return the content type without its parameters, in lower case."""
    return request.content_type.partition(";")[0].strip().lower()


def parse_json_body(request: Request) -> tuple[Any, str]:
    """Return the value of a JSON body and an empty string, or None and the problem."""
    if media_type(request) != "application/json":
        return None, "Content-Type is not application/json"
    try:
        return msgspec.json.decode(request.body), ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, "the body is not JSON"
