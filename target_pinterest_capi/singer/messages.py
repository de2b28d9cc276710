"""Singer messages: decoded from a line once, with msgspec.

Numbers with a fraction become decimals, so that 19.99 stays 19.99.

A STATE's value and a schema are left as the bytes they came in. Errors name the rule that a line
breaks, never its content.
"""

import json
from decimal import Decimal
from typing import Any, Final

import msgspec

_EMPTY: Final = msgspec.Raw(b"")


class Message(msgspec.Struct, gc=False):
    """Any Singer message; members that its type does not have keep their defaults."""

    type: str = ""
    stream: str | None = None
    record: dict[str, Any] | None = None
    value: msgspec.Raw = _EMPTY
    schema: msgspec.Raw = _EMPTY
    key_properties: list[str] | None = None
    version: Any = None
    encoding: dict[str, Any] | None = None
    manifest: list[str] | None = None


class MessageError(ValueError):
    """A line that is no Singer message; says why, without its content."""


_decode: Final = msgspec.json.Decoder(Message, float_hook=Decimal).decode
_decode_record: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


def decode(line: bytes) -> Message:
    """Return the message of a line. Raises `MessageError`."""
    try:
        return _decode(line)
    except msgspec.ValidationError as error:
        raise MessageError(_in_words(error)) from None
    except msgspec.DecodeError:
        return msgspec.convert(_decode_leniently(line), Message)
    except UnicodeDecodeError:
        raise MessageError("it is not UTF-8") from None


def decode_record(line: bytes) -> dict[str, Any]:
    """Return the record of a line of a BATCH file. Raises `MessageError`."""
    try:
        return _decode_record(line)
    except msgspec.ValidationError:
        raise MessageError("it is no JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        record = _decode_leniently(line)
        if not isinstance(record, dict):
            raise MessageError("it is no JSON object") from None
        return record


def _decode_leniently(line: bytes) -> dict[str, Any]:
    """Decode what taps send beside strict JSON: NaN, Infinity, and halves of surrogate pairs."""
    try:
        text = line.decode("utf-8")
        value = _without_surrogates(json.loads(text, parse_float=Decimal))
    except UnicodeDecodeError:
        raise MessageError("it is not UTF-8") from None
    except RecursionError:
        raise MessageError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise MessageError(f"it is no JSON (column {error.colno})") from None
    except ValueError:
        raise MessageError("it is no JSON") from None
    if not isinstance(value, dict):
        raise MessageError("it is no JSON object")
    for name in ("value", "schema"):
        if name in value:
            value[name] = msgspec.Raw(
                json.dumps(value[name], default=str, separators=(",", ":")).encode()
            )
    return value


def _without_surrogates(value: Any) -> Any:
    """Return the value with every half of a surrogate pair as U+FFFD: UTF-8 has no form for it."""
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in value)
    if isinstance(value, dict):
        return {
            _without_surrogates(name): _without_surrogates(member) for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_surrogates(member) for member in value]
    return value


def _in_words(error: msgspec.ValidationError) -> str:
    """Return msgspec's words, which name types and the path of a member, but never a value."""
    return f"it is no Singer message: {error}"
