"""The records of a BATCH's files: JSON lines, with or without gzip, parquet, arrow.

JSON lines are decoded when they are handled, into rows if the stream has them.

Opens files on this machine, and in object stores whose package the user has installed. Nothing
else: a tap's input must not decide which hosts we connect to.
"""

import gzip
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import IO, Any, Final, NamedTuple
from urllib.parse import unquote

from target_pinterest_capi.singer.lines import LineTooLongError, chunks_of_lines
from target_pinterest_capi.singer.messages import MessageError, decode_record
from target_pinterest_capi.singer.rows import RecordHandler, RowHandler

# What fsspec reads with separate packages (s3fs, gcsfs, adlfs, ocifs, ossfs, tosfs), with the
# user's credentials.
OBJECT_STORES: Final = ("abfs", "abfss", "az", "gcs", "gs", "oci", "oss", "s3", "s3a", "tos")
JSON_LINES: Final = "jsonl"
COLUMNAR: Final = ("parquet", "arrow")  # which have their own compression in the file
FORMATS: Final = (JSON_LINES, *COLUMNAR)
GZIP: Final = "gzip"
COMPRESSIONS: Final = (GZIP, "none", None)
_CHUNK_LINES: Final = 100
_GZIP_MAGIC: Final = b"\x1f\x8b"

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_FILE_SCHEME: Final = re.compile(r"(?:file|local):(?://)?(?=/)", re.IGNORECASE)


class BatchFileError(ValueError):
    """A file of a BATCH that cannot be read; says which, and why."""


class RecordLines(NamedTuple):
    """Lines of a file, each a record or blank, with the first one's number."""

    file: str  # which one, for errors
    first: int
    lines: list[bytes]


Records = list[dict[str, Any]]
Chunk = RecordLines | Records


def batch_chunks(manifest: Sequence[str], encoding: Mapping[str, Any]) -> Iterator[Chunk]:
    """Yield the records of a BATCH's files, in order; a file is opened when it is its turn.

    Raises `BatchFileError`, with the number of the file and of the line or record, and never with
    its content.
    """
    for number, address in enumerate(manifest, 1):
        where = f"file {number} of {len(manifest)}"
        try:
            read = _reader(encoding, where)
            with open_batch_file(address) as file, _unpacked(file, encoding) as unpacked:
                yield from read(unpacked)
        except BatchFileError as error:
            joint = "" if str(error).startswith((", line", ", after")) else ": "
            raise BatchFileError(f"{where}{joint}{error}") from None
        except OSError as error:
            raise BatchFileError(f"{where}: {_unreadable(error)}") from None


def handle_lines(chunk: RecordLines, lines: Iterable[bytes], handler: RecordHandler) -> None:
    """Hand the records of a chunk's lines to a handler, as rows where it reads rows.

    `lines` can end before the chunk's. Raises `BatchFileError`.
    """
    decode_row, handle_row, count_misfit = handler.batch_rows or _NO_ROWS
    for number, line in enumerate(lines, chunk.first):
        try:
            row = decode_row(line)
        except (ValueError, ArithmeticError, RecursionError):  # more than a row has
            if line.isspace():
                continue
            count_misfit()
        else:
            handle_row(row, line)
            continue
        try:
            record = decode_record(line)
        except MessageError as error:
            raise BatchFileError(f"{chunk.file}, line {number}: {error}") from None
        handler.handle_record(record)
        decode_row, handle_row, count_misfit = handler.batch_rows or _NO_ROWS


def _decode_no_row(_: bytes) -> None:
    raise ValueError


_NO_ROWS: Final = RowHandler(_decode_no_row, lambda *_: None)


def are_local(manifest: Sequence[str]) -> bool:
    """Return whether every file of a BATCH is on this machine, so that no wait is needed."""
    return all(_SCHEME.match(_local_path(address)) is None for address in manifest)


def _local_path(address: str) -> str:
    return _FILE_SCHEME.sub("", address, count=1)


def _reader(encoding: Mapping[str, Any], where: str) -> Callable[[IO[bytes]], Iterator[Chunk]]:
    kind = encoding.get("format")
    if kind in COLUMNAR:
        return partial(_columnar, kind)
    if kind == JSON_LINES and encoding.get("compression") in COMPRESSIONS:
        return partial(_json_lines, where)
    raise BatchFileError(
        "its encoding is not supported: use jsonl, with or without gzip, parquet or arrow"
    )


def _json_lines(where: str, file: IO[bytes]) -> Iterator[RecordLines]:
    number = 0
    try:
        for lines in chunks_of_lines(file):
            for begin in range(0, len(lines), _CHUNK_LINES):
                some = lines[begin : begin + _CHUNK_LINES]
                yield RecordLines(where, number + 1, some)
                number += len(some)
    except LineTooLongError as error:
        raise BatchFileError(f", line {number + 1}: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        after = f", after line {number}: " if number else ""
        raise BatchFileError(f"{after}{_unreadable(error)}") from None


def _columnar(kind: str, file: IO[bytes]) -> Iterator[Records]:
    try:
        # pyarrow takes 0.1 s to import, and is an extra.
        from target_pinterest_capi.singer import arrow  # noqa: PLC0415
    except ImportError:
        raise BatchFileError(
            f"format {kind} needs the package pyarrow: install target-pinterest-capi[parquet]"
        ) from None
    number = 0
    try:
        for records in arrow.READERS[kind](file):
            yield records
            number += len(records)
    except (arrow.ArrowError, OSError, EOFError, zlib.error, TypeError, ValueError) as error:
        why = str(error) if isinstance(error, TypeError) else f"it is not a readable {kind} file"
        after = f", after record {number}: " if number else ""
        raise BatchFileError(f"{after}{why}") from None


def _unreadable(error: Exception) -> str:
    why = "damaged gzip data" if isinstance(error, zlib.error) else type(error).__name__
    return f"it cannot be read ({why})"


def _unpacked(file: IO[bytes], encoding: Mapping[str, Any]) -> AbstractContextManager[Any]:
    if encoding.get("compression") != GZIP:
        return nullcontext(file)
    if encoding.get("format") in COLUMNAR:
        is_packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC  # the SDK packs columns, in the file
        file.seek(0)
        return gzip.open(file) if is_packed else nullcontext(file)
    return gzip.open(file)


def open_batch_file(address: str) -> IO[bytes]:
    """Return the open file of a path, a `file://` URL, or the URL of an object store.

    Raises `BatchFileError` for any other address, and if an object store fails; `OSError` for a
    file on this machine.
    """
    path = _local_path(address)
    scheme = _SCHEME.match(path)
    if scheme is None:
        return _open_local(path, is_url=path != address)
    if scheme[1].lower() not in OBJECT_STORES:
        stores = ", ".join(OBJECT_STORES)
        raise BatchFileError(
            f"{scheme[1].lower()}:// is not supported: use files on this machine or object "
            f"stores ({stores})",
        )
    if "::" in address:
        raise BatchFileError("chained URLs (::) are not supported")
    return _open_object(address)


def _open_local(path: str, *, is_url: bool) -> IO[bytes]:
    if "\0" in path:
        raise BatchFileError("its path has a null character")
    try:
        return _open_regular(path)
    except FileNotFoundError:
        if not is_url or "%" not in path:
            raise
    return _open_regular(unquote(path))  # the SDK's taps quote some URLs and not others


def _open_regular(path: str) -> IO[bytes]:
    """Open a file, but nothing that could block, such as a pipe without a writer."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise BatchFileError("it is not a regular file")
    return open(fd, "rb")  # noqa: PTH123 - the caller closes it


def _open_object(address: str) -> IO[bytes]:
    import fsspec  # noqa: PLC0415 - costs 30 ms, and only an object store needs it

    try:
        file: IO[bytes] = fsspec.open(address, "rb").open()
    except ImportError as error:
        raise BatchFileError(f"it needs a package that is not installed: {error}") from None
    except Exception as error:  # noqa: BLE001 - each store has exceptions of its own
        raise BatchFileError(f"it cannot be read ({type(error).__name__})") from None
    return file
