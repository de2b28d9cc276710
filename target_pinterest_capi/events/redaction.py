"""What may be shown of text from outside: the rule for logs, errors, reports and screens.

Pinterest's messages quote what they refuse, and a 401 was seen to repeat the token. The sentence
and the names of Pinterest's own fields are kept; what may be a value becomes an ellipsis. A name
from a tap, such as a stream's or a column's, is shown short, on one line and without what looks
like personal data. An event's name is shown only if it is Pinterest's or in the configuration:
`settings.event_names` decides that.

The cost of each function is linear in the length of its text.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from target_pinterest_capi.events.fields import EVENT_NAMES, FIELDS, ITEM_FIELDS, OBJECTS

MAX_LENGTH: Final = 300
MAX_NAME_LENGTH: Final = 60
MAX_READ: Final = 10_000  # characters of a message that are examined; the rest is cut
CUT: Final = "…"
OTHER_NAMES: Final = "(others)"  # shown instead of an event's name
_MOST_NAMES: Final = 256  # that are cached
_MOST_ENCODINGS: Final = 3  # for a value that was percent-encoded repeatedly

_NAMES: Final = frozenset(
    {field.path for field in FIELDS}
    | {field.leaf for field in FIELDS}
    | {field.leaf for field in ITEM_FIELDS}
    | set(OBJECTS)
    | {"contents"},
)
# Strings in events that do not identify anybody.
_VOCABULARY: Final = frozenset(
    EVENT_NAMES + tuple(choice for field in FIELDS for choice in field.choices)
)
# A quotation mark within a word is an apostrophe.
_QUOTED: Final = re.compile(r"""(?<!\w)(["'`])(.*?)\1(?!\w)""", re.DOTALL)
_PERSONAL: Final = (
    r"(?<!\S)\S*(?:@|://)\S*"  # e-mail addresses and URLs, with adjacent characters
    r"|\b(?:[0-9a-fA-F]{0,4}:){2,}[0-9a-fA-F.:]+"  # IPv6
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # IPv4
    r"|(?<![\w.])\+?\d[\d ().-]{5,}\d"  # phone numbers, ids, dates
)
_PERSONAL_NAME: Final = re.compile(rf"{_PERSONAL}|\b[0-9a-fA-F]{{32,}}")  # or a digest
_VALUES: Final = re.compile(
    rf"{_PERSONAL}|(?<![\w.~+/=-])[\w.~+/=-]{{24,}}"  # or a token or digest
)
_ADDRESS: Final = re.compile(r"(?<!\S)\S*@\S*")
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\(/)")

_decode: Final = msgspec.json.Decoder().decode


def redact(message: str, secrets: Iterable[str] = (), values: Collection[str] = ()) -> str:
    """Return the message on one line, without secrets, quoted values and what looks like one.

    `values` are those of the events that the message is about, which it may contain without quotes.
    The result has at most `MAX_LENGTH` characters.
    """
    message = _decoded(_beginning(message))
    for secret in secrets:
        if secret:
            message = message.replace(secret, CUT)
    message = _without(values, message)
    message = _QUOTED.sub(
        lambda match: match[0] if match[2] in _NAMES else f"{match[1]}{CUT}{match[1]}", message
    )
    message = _VALUES.sub(lambda match: match[0] if match[0] in _NAMES else CUT, message)
    return shortened(" ".join(message.split()), MAX_LENGTH)


def shown_name(name: str) -> str:
    """Return a name from data as it may be shown: a stream's, a column's, a list's."""
    return _shown_name(name[:MAX_READ])


@lru_cache(_MOST_NAMES)
def _shown_name(name: str) -> str:
    return shortened(without_personal(name), MAX_NAME_LENGTH)


def without_personal(text: str) -> str:
    """Return the text without what looks like an address, a number or a digest."""
    return _PERSONAL_NAME.sub(CUT, text)


def shown_event_name(name: str, known: Collection[str]) -> str:
    """Return an event's name if it is one of the `known`; any other may be a value."""
    return name if name in known else OTHER_NAMES


def shown_path(path: str) -> str:
    """Return a path as it may be shown: a URL without its user, key and query."""
    scheme, is_url, rest = path.partition("://")
    if not is_url:
        return path
    authority, slash, name = rest.partition("?")[0].partition("/")
    user, _, host = authority.rpartition("@")
    return f"{scheme}://{f'{CUT}@' if user else ''}{host}{slash}{name}"


def without_addresses(text: str) -> str:
    """Return the text without words that have an `@`, such as a library's message about a name."""
    return _ADDRESS.sub(CUT, text) if "@" in text else text


def shortened(text: str, length: int) -> str:
    r"""Return at most so many characters, on one line: what cannot be printed becomes `\n`."""
    line = one_line(text[: length + 1])
    return line if len(line) <= length else line[: length - 1] + CUT


def one_line(text: str) -> str:
    r"""Return the text with control characters, line ends and the like written as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        [char if char.isprintable() else ascii(char)[1:-1] for char in text]
    )  # white space other than the blank is not printable


def plain_values(bodies: Iterable[bytes]) -> set[str]:
    """Return the strings in the JSON of events or requests, except Pinterest's own words."""
    values: list[Any] = []
    for body in bodies:
        try:
            values.append(_decode(body))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # not our JSON
            continue
    return set(texts_in(values)) - _VOCABULARY


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, at any depth, but not the names of members."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, str):
            yield one


def _beginning(message: str) -> str:
    """Return the examined part: without a word that is cut, because half a value may be one."""
    if len(message) <= MAX_READ:
        return message
    head = message[:MAX_READ]
    words = head.rstrip()
    if words == head:  # the last word continues
        words = head[: -len(head.split()[-1])]
    return words + CUT


def _decoded(message: str) -> str:
    r"""Return the message decoded: `%40` and `\u0040` are replaced by their sign."""
    for _ in range(_MOST_ENCODINGS):
        decoded = unquote(message)
        if decoded == message:
            break
        message = decoded
    return _ESCAPED.sub(lambda match: match[2] or chr(int(match[1], 16)), message)


def _without(values: Collection[str], message: str) -> str:
    """Return the message without any of the values, in any case, as separate words."""
    if not values:
        return message
    lower = message.lower()
    there = [value for value in values if value.strip() and value.lower() in lower]
    if not there:
        return message
    longest_first = "|".join(re.escape(value) for value in sorted(there, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{longest_first})(?!\w)", CUT, message, flags=re.IGNORECASE)
