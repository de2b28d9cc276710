"""Numbered files of lines, each within limits, with a header line in each.

Below a folder, or below an fsspec URL as a prefix, where each write creates an object.
"""

from pathlib import Path
from typing import Final

from target_pinterest_capi.files.line_file import LineFile
from target_pinterest_capi.files.objects import write_object


class NumberedFiles:
    """`NAME-1.csv`, `NAME-2.csv` and so on, private (0600). Only `append` raises `OSError`.

    The limits include the header line. A file that is moved or deleted is followed by the next one,
    as if it were full: its name is not used again.
    """

    def __init__(
        self, place: str, name: str, first_line: bytes, *, max_bytes: int, max_lines: int
    ) -> None:
        self._is_prefix = "://" in place
        self._stem: Final = (
            f"{place.rstrip('/')}/{name}" if self._is_prefix else str(Path(place, name))
        )
        self._first_line = first_line
        self._max_bytes = max_bytes
        self._max_lines = max_lines
        self._number = 0
        self._file: LineFile | None = None
        self._bytes = self._lines = 0

    def append(self, lines: list[bytes]) -> None:
        """Append complete lines to the current file, or to the next. After an error none counts."""
        data = b"".join(lines)
        if self._is_prefix:
            write_object(self._path(self._number + 1), self._first_line + data)
            self._number += 1
            return
        size, number = self._bytes + len(data), self._lines + len(lines)
        if self._file is None or size > self._max_bytes or number > self._max_lines:
            self._begin(data, len(lines))
            return
        try:
            self._file.append(data, may_create=False)
        except FileNotFoundError:
            self._begin(data, len(lines))
            return
        self._bytes, self._lines = size, number

    def close(self) -> None:
        """Close the current file."""
        if self._file is not None:
            self._file.close()

    def _begin(self, data: bytes, number: int) -> None:
        self.close()
        file = LineFile(self._path(self._number + 1))
        data = self._first_line + data
        try:
            file.append(data)
        except OSError:
            file.close()
            raise
        self._file = file
        self._number += 1
        self._bytes, self._lines = len(data), number + 1

    def _path(self, number: int) -> str:
        return f"{self._stem}-{number}.csv"
