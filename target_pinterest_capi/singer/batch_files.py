"""The records of the files that a BATCH names: JSON lines, packed with gzip or not.

Opens files of this machine, and in object stores whose package the user has installed. Nothing else
is opened: a tap's input does not decide which hosts we connect to.
"""

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any, Final
from urllib.parse import unquote

from target_pinterest_capi.singer.messages import MessageError, decode_record

# What fsspec reads by packages of its own (s3fs, gcsfs, adlfs, ocifs, ossfs, tosfs), with the
# user's credentials.
OBJECT_STORES: Final = ("abfs", "abfss", "az", "gcs", "gs", "oci", "oss", "s3", "s3a", "tos")
FORMAT: Final = "jsonl"
GZIP: Final = "gzip"
COMPRESSIONS: Final = (GZIP, "none", None)

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_FILE_SCHEME: Final = re.compile(r"(?:file|local):(?://)?(?=/)", re.IGNORECASE)


class BatchFileError(ValueError):
    """A file of a BATCH that cannot be read; says which, and why."""


def batch_records(manifest: Sequence[str], encoding: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the records of a BATCH's files, in order; a file is opened when its turn comes.

    Raises `BatchFileError`, with the number of the file and of the line, and never with its
    content.
    """
    for number, address in enumerate(manifest, 1):
        where = f"file {number} of {len(manifest)}"
        if encoding.get("format") != FORMAT or encoding.get("compression") not in COMPRESSIONS:
            raise BatchFileError(
                f"{where}: its encoding is not supported: jsonl, with gzip or without, is"
            )
        line_number = 0
        try:
            with open_batch_file(address) as file, _unpacked(file, encoding) as lines:
                for line_number, line in enumerate(lines, 1):  # noqa: B007 - errors have it
                    if not line.isspace():
                        yield decode_record(line)
        except MessageError as error:
            raise BatchFileError(f"{where}, line {line_number}: {error}") from None
        except BatchFileError as error:
            raise BatchFileError(f"{where}: {error}") from None
        except (OSError, EOFError, zlib.error) as error:
            why = "damaged gzip data" if isinstance(error, zlib.error) else type(error).__name__
            after = f", after line {line_number}" if line_number else ""
            raise BatchFileError(f"{where}{after}: it cannot be read ({why})") from None


def _unpacked(file: IO[bytes], encoding: Mapping[str, Any]) -> AbstractContextManager[Any]:
    return gzip.open(file) if encoding.get("compression") == GZIP else nullcontext(file)


def open_batch_file(address: str) -> IO[bytes]:
    """Return the open file of a path, a `file://` URL, or the URL of an object store.

    Raises `BatchFileError` for any other address, and where an object store fails; `OSError` for a
    file on this machine.
    """
    path = _FILE_SCHEME.sub("", address, count=1)
    scheme = _SCHEME.match(path)
    if scheme is None:
        return _open_local(path, is_url=path != address)
    if scheme[1].lower() not in OBJECT_STORES:
        stores = ", ".join(OBJECT_STORES)
        raise BatchFileError(
            f"{scheme[1].lower()}:// is not read: "
            f"files on this machine and object stores ({stores}) are",
        )
    if "::" in address:
        raise BatchFileError("a chain of addresses (::) is not read")
    return _open_object(address)


def _open_local(path: str, *, is_url: bool) -> IO[bytes]:
    if "\0" in path:
        raise BatchFileError("its path holds a null character")
    try:
        return open(path, "rb")  # noqa: PTH123 - the caller closes it; Path("") would be a folder
    except FileNotFoundError:
        if not is_url or "%" not in path:
            raise
    return open(unquote(path), "rb")  # noqa: PTH123 - the SDK's taps quote some URLs and not others


def _open_object(address: str) -> IO[bytes]:
    import fsspec  # noqa: PLC0415 - costs 30 ms, and only an object store needs it

    try:
        file: IO[bytes] = fsspec.open(address, "rb").open()
    except ImportError as error:
        raise BatchFileError(f"it needs a package that is not installed: {error}") from None
    except Exception as error:  # noqa: BLE001 - each store has exceptions of its own
        raise BatchFileError(f"it cannot be read ({type(error).__name__})") from None
    return file
