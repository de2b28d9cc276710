"""Singer messages: decoded from a line once, with msgspec.

Numbers with a fraction become decimals, so 19.99 stays 19.99.

A STATE's value and a schema stay the bytes that they were. What a record has beyond `MAX_DEPTH`
levels is skipped. Errors name the rule that a line breaks, never its content.
"""

import json
import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final

import msgspec

MAX_DEPTH: Final = 100  # levels of a record that is nested more deeply than a decoder supports
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"  # at the start of a file of UTF-8, from some programs
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
# How a line of another kind of file begins, and what to do about it.
_OTHER_KINDS: Final = (
    (b"\x1f\x8b", "it is compressed with gzip: unpack it with `gzip -dc`"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd: unpack it with `zstd -dc`"),
    (b"BZh", "it is compressed with bzip2: unpack it with `bzip2 -dc`"),
    (b"PK\x03\x04", "it is a ZIP archive: unpack it"),
    (b"PAR1", "it is a Parquet file: use Spark, or a tap that names such files in a BATCH"),
    (b"Obj\x01", "it is an Avro file: use a tap that turns its rows into messages"),
    (b"<", "it is HTML or XML, such as an error page: look at the response that the tap got"),
    (b"Traceback (", "it is an error message of a program: look at the tap's own log"),
)
_CSV: Final = "it looks like CSV: a tap for files, such as tap-csv, turns its rows into messages"
_ROWS: Final = "it is a list: use a tap that turns its elements into messages"
_LOG: Final = "it looks like a line of a log, which belongs on stderr"
_LEVELS: Final = (b"DEBUG", b"INFO", b"WARNING", b"ERROR", b"CRITICAL")
_SEPARATORS: Final = (b",", b";", b"\t")
_EMPTY: Final = msgspec.Raw(b"")
_BRACKETS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


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
    """A line that is not a Singer message; says why, without its content."""


_decode: Final = msgspec.json.Decoder(Message, float_hook=Decimal).decode
_decode_record: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


def decode(line: bytes) -> Message:
    """Return the message of a line. Raises `MessageError`."""
    try:
        return _decode(line)
    except msgspec.ValidationError as error:
        if not _is_long_integer(error):
            raise MessageError(_in_words(error) + _other_kind(line)) from None
    except RecursionError:
        return _decode_deep(line)
    except (msgspec.DecodeError, ArithmeticError, UnicodeDecodeError):
        pass
    if line.startswith(BYTE_ORDER_MARK):
        return decode(line.removeprefix(BYTE_ORDER_MARK))
    try:
        return msgspec.convert(_decode_leniently(line, as_bytes=("value", "schema")), Message)
    except msgspec.ValidationError as error:
        raise MessageError(_in_words(error)) from None
    except MessageError as error:
        raise MessageError(f"{error}{_other_kind(line)}") from None


def _other_kind(line: bytes) -> str:
    """Return what a line is instead of a message, if its beginning shows that."""
    line = line.removeprefix(BYTE_ORDER_MARK).lstrip()
    kind = next((words for begin, words in _OTHER_KINDS if line.startswith(begin)), "")
    if not kind and not line.startswith(b"{"):
        if any(level in line for level in _LEVELS):
            kind = _LOG
        elif line.startswith(b"["):
            kind = _ROWS
        elif any(sign in line for sign in _SEPARATORS):
            kind = _CSV
    return f"; {kind}" if kind else ""


def _decode_deep(line: bytes) -> Message:
    """Decode a RECORD that is nested too deeply, without what is beyond `MAX_DEPTH`."""
    message = decode(_shallow(line))
    if message.type != "RECORD":  # neither a STATE nor a schema may be changed
        raise MessageError("it is nested too deeply")
    return message


def _shallow(line: bytes) -> bytes:
    """Return JSON with null instead of what is nested beyond `MAX_DEPTH`."""
    kept: list[bytes] = []
    depth = begin = 0
    for bracket in _BRACKETS.finditer(line):
        text = bracket[0]
        if text in (b"[", b"{"):
            if depth == MAX_DEPTH:
                kept.append(line[begin : bracket.start()])
            depth += 1
        elif text in (b"]", b"}"):
            depth -= 1
            if depth == MAX_DEPTH:
                kept.append(b"null")
                begin = bracket.end()
    kept.append(line[begin:] if depth <= MAX_DEPTH else b"")
    return b"".join(kept)


def decode_record(line: bytes) -> dict[str, Any]:
    """Return the record of a line of a BATCH file. Raises `MessageError`."""
    try:
        return _decode_record(line)
    except msgspec.ValidationError as error:
        if not _is_long_integer(error):
            raise MessageError("it is not a JSON object") from None
    except RecursionError:
        return decode_record(_shallow(line))
    except (msgspec.DecodeError, ArithmeticError, UnicodeDecodeError):
        pass
    if line.startswith(BYTE_ORDER_MARK):
        return decode_record(line.removeprefix(BYTE_ORDER_MARK))
    return _decode_leniently(line)


def _decode_leniently(line: bytes, *, as_bytes: Collection[str] = ()) -> dict[str, Any]:
    """Decode what taps send in addition to strict JSON; members in `as_bytes` are JSON again.

    NaN, Infinity, exponents that no decimal can have, integers with thousands of digits, and
    unpaired surrogates.
    """
    if line.startswith(_UTF_16_MARKS) or b"\x00" in line[:4]:
        raise MessageError("it is UTF-16 or UTF-32 instead of UTF-8")
    try:
        value = _read_leniently(line.decode("utf-8"), as_bytes)
    except UnicodeDecodeError:
        raise MessageError("it is not UTF-8") from None
    except RecursionError:
        raise MessageError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise MessageError(f"it is not JSON (column {error.colno})") from None
    except ValueError:
        raise MessageError("it is not JSON") from None
    if not isinstance(value, dict):
        raise MessageError("it is not a JSON object")
    return value


def _read_leniently(text: str, as_bytes: Collection[str]) -> Any:
    value = _without_surrogates(json.loads(text, parse_float=_number, parse_int=_integer))
    if isinstance(value, dict):
        for name in set(as_bytes).intersection(value):
            member = _without_surrogates(json.loads(text)[name])
            value[name] = msgspec.Raw(json.dumps(member, separators=(",", ":")).encode())
    return value


def _number(text: str) -> Decimal | float:
    """Return a number with a fraction or an exponent: infinite, or 0, beyond every decimal."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return float(text)


def _integer(text: str) -> int | Decimal:
    """Return an integer: a decimal if it has more digits than Python reads (4,300)."""
    try:
        return int(text)
    except ValueError:
        return Decimal(text)


def _is_long_integer(error: msgspec.ValidationError) -> bool:
    return str(error).startswith("Integer value out of range")


def _without_surrogates(value: Any) -> Any:
    """Return the value with unpaired surrogates as U+FFFD, because UTF-8 cannot encode them."""
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
    """Return msgspec's message, which names types and the path of a member, but never a value."""
    return f"it is not a Singer message: {error}"
