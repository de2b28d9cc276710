"""Tables of measured numbers within a Markdown file, between comments that name them.

Written by the benchmarks, never by hand.
"""

import re
from pathlib import Path


def replace(path: Path, name: str, text: str) -> None:
    """Put `text` between `<!-- measured: name -->` and `<!-- end -->`.

    Raises `ValueError` if the file has no such place.
    """
    begin, end = f"<!-- measured: {name} -->", "<!-- end -->"
    written, count = re.subn(
        f"({re.escape(begin)}\n).*?({re.escape(end)})",
        lambda found: f"{found[1]}{text}\n{found[2]}",
        path.read_text(),
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"{path.name} has {count} places named {begin}")
    path.write_text(written)
