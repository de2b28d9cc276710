"""Cuts values out of messages that come from outside, so that they can be logged and kept.

Pinterest's messages quote what they refuse, and a 401 was seen to echo the token. What stays is the
sentence and the names of Pinterest's own fields; what may be a value becomes an ellipsis.
"""

import re
from collections.abc import Iterable
from typing import Final

from target_pinterest_capi.events.fields import FIELDS, ITEM_FIELDS, OBJECTS

MAX_LENGTH: Final = 300
_CUT: Final = "…"

_NAMES: Final = frozenset(
    {field.path for field in FIELDS}
    | {field.leaf for field in FIELDS}
    | {field.leaf for field in ITEM_FIELDS}
    | set(OBJECTS)
    | {"contents"},
)
_QUOTED: Final = re.compile(r"""(["'`])(.*?)\1""", re.DOTALL)
_VALUES: Final = re.compile(
    r"\S+@\S+"  # e-mail addresses
    r"|\w+://\S+"  # URLs
    r"|\b(?:[0-9a-fA-F]{0,4}:){2,}[0-9a-fA-F.:]+"  # IPv6
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # IPv4
    r"|(?<![\w.])\+?\d[\d ().-]{5,}\d"  # phone numbers, ids, dates
    r"|(?<!\w)[\w.~+/=-]{24,}(?!\w)",  # tokens and digests
)


def redact(message: str, secrets: Iterable[str] = ()) -> str:
    """Return the message on one line, without secrets, quoted values and what looks like one.

    It has at most `MAX_LENGTH` characters.
    """
    for secret in secrets:
        if secret:
            message = message.replace(secret, _CUT)
    message = _QUOTED.sub(
        lambda match: match[0] if match[2] in _NAMES else f"{match[1]}{_CUT}{match[1]}", message
    )
    message = _VALUES.sub(lambda match: match[0] if match[0] in _NAMES else _CUT, message)
    message = " ".join(message.split())
    return message if len(message) <= MAX_LENGTH else message[: MAX_LENGTH - 1] + _CUT
