"""Checks that no linter does: ends of text files, syntax of data files, names of modules.

Reads every file of the project in the working directory, prints one line for each problem, and
exits with 1 if there is one. Never changes a file. Needs no repository, so that it can check a
plain copy of the tree too.
"""

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import yaml

# Files made by tools or runs, never by hand: these, and hidden files and folders other than
# the project's own. Some are made at the top alone: a package may well be called build.
MADE: Final = re.compile(r"__pycache__|.+\.egg-info|\..+")
MADE_AT_THE_TOP: Final = {"dist", "build", "htmlcov"}
OWN_HIDDEN: Final = {
    ".ci",
    ".devcontainer",
    ".dockerignore",
    ".editorconfig",
    ".env.example",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
}

# Bytes as they were sent (a .singer fixture may end in a cut line), and files that are not text.
BYTES: Final = {".singer", ".jsonl", ".db", ".gz", ".png", ".ico", ".woff2", ".whl"}

# A module is named for the one thing it owns, and these own nothing (CONTRIBUTING.md, vocabulary).
EMPTY_NAMES: Final = re.compile(r"(test_)?(utils?|helpers?|core|common|managers?|misc)")

PARSERS: Final[dict[str, Callable[[str], object]]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}


def files(folder: Path) -> Iterator[Path]:
    """Yield the files in the folder and its subfolders, ordered by name."""
    for path in sorted(folder.iterdir()):
        if MADE.fullmatch(path.name) and path.name not in OWN_HIDDEN:
            continue
        if str(path) in MADE_AT_THE_TOP:
            continue
        if path.is_dir():
            yield from files(path)
        elif path.suffix not in BYTES:
            yield path


def problems(path: Path, text: str) -> Iterator[str]:
    """Yield the problems of one file, each with its place and a sentence."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line != line.rstrip():
            yield f"{path}:{number}: white space at the end of the line"
        if re.match(r"<{7} |>{7} ", line):
            yield f"{path}:{number}: a merge was not finished"
    if text and (text[-1] != "\n" or text[-2:] == "\n\n"):
        yield f"{path}: ends in no newline, or in more than one"
    if path.suffix == ".lock" and "://" in text:
        yield f"{path}: names an address; versions and digests are enough"
    if path.suffix == ".py" and EMPTY_NAMES.fullmatch(path.stem):
        yield f"{path}: name it for the one thing it owns"
    if parse := PARSERS.get(path.suffix):
        try:
            parse(text)
        except (ValueError, yaml.YAMLError) as error:
            yield f"{path}: {error}"


def main() -> int:
    """Check the working directory's files; return 1 if there are problems."""
    found: list[str] = []
    for path in files(Path()):
        try:
            found += problems(path, path.read_bytes().decode())
        except UnicodeDecodeError:
            found.append(f"{path}: is not UTF-8 text")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
