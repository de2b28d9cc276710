"""The process's memory as managed by the system's allocator."""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1  # glibc's malloc.h
_M_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 64 * 1024 * 1024
_LARGEST_KEPT_BYTES: Final = 4 * 1024 * 1024  # a request is 1 MiB


def keep_freed_memory() -> bool:
    """Let glibc keep memory that a batch frees for the next one; return whether it does.

    By default it returns megabytes to the system after each batch and takes them again, with a page
    fault for every record. Other systems' allocators stay as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES) and mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
    )
