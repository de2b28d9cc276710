"""Opens the files that a BATCH names: on this machine, and in object stores whose package the user has installed.

Nothing else is opened: a tap's input does not decide which hosts we connect to.
"""

import re
from typing import IO, Final
from urllib.parse import unquote

# What fsspec reads by packages of its own (s3fs, gcsfs, adlfs, ocifs, ossfs, tosfs), with the user's credentials.
OBJECT_STORES: Final = ("abfs", "abfss", "az", "gcs", "gs", "oci", "oss", "s3", "s3a", "tos")

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_FILE_SCHEME: Final = re.compile(r"(?:file|local):(?://)?(?=/)", re.IGNORECASE)


class BatchFileError(ValueError):
    """A file of a BATCH that is not read; says why."""


def open_batch_file(address: str) -> IO[bytes]:
    """Return the open file of a path, a `file://` URL, or the URL of an object store.

    Raises `BatchFileError` for any other address, and where an object store fails; `OSError` for a file on this machine.
    """
    path = _FILE_SCHEME.sub("", address, count=1)
    scheme = _SCHEME.match(path)
    if scheme is None:
        return _open_local(path, is_url=path != address)
    if scheme[1].lower() not in OBJECT_STORES:
        stores = ", ".join(OBJECT_STORES)
        raise BatchFileError(
            f"{scheme[1].lower()}:// is not read: files on this machine and object stores ({stores}) are",
        )
    if "::" in address:
        raise BatchFileError("a chain of addresses (::) is not read")
    return _open_object(address)


def _open_local(path: str, *, is_url: bool) -> IO[bytes]:
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
