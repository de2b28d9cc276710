"""The memory of the process, as the system's allocator keeps it."""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1  # glibc's malloc.h
_M_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 64 * 1024 * 1024
_LARGEST_KEPT_BYTES: Final = 4 * 1024 * 1024  # a request is 1 MiB


def keep_freed_memory() -> bool:
    """Have glibc keep what a batch has freed for the next one; return whether it does.

    By default it gives megabytes back to the system after each batch and takes them again, a page
    fault for every record. Other systems' allocators stay as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES) and mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
    )
