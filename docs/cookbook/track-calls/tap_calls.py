#!/usr/bin/env python3
"""A Singer tap for files of track calls.

One JSON object per line, plain or gzipped, in the folder of its configuration. It reads the files
in the order of their names, each once, and writes the last name as STATE. So the name of a new
file must sort after the earlier ones (2026-03-02/0001.jsonl), and a file must be complete when it
appears: write it elsewhere and rename it.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

STREAM = "calls"


def write(**message: Any) -> None:
    """Write one Singer message."""
    sys.stdout.write(json.dumps(message) + "\n")


def main() -> None:
    """Send every call of every file after the one that the state names."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--config", type=Path, required=True)
    arguments.add_argument("--state", type=Path)
    given = arguments.parse_args()
    folder = Path(json.loads(given.config.read_text())["folder"])
    done = json.loads(given.state.read_text()).get("done_up_to", "") if given.state else ""

    write(
        type="SCHEMA",
        stream=STREAM,
        key_properties=["messageId"],
        schema={"type": "object", "properties": {"messageId": {}}},
    )
    names = {
        path.relative_to(folder).as_posix()
        for pattern in ("*.jsonl", "*.gz")
        for path in folder.rglob(pattern)
    }
    for name in sorted(name for name in names if name > done):
        with (
            gzip.open(folder / name, "rt")
            if name.endswith(".gz")
            else (folder / name).open() as lines
        ):
            for line in lines:
                write(type="RECORD", stream=STREAM, record=json.loads(line))
        write(type="STATE", value={"done_up_to": name})


if __name__ == "__main__":
    main()
