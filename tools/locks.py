"""The lock files: one for each extra and group of pyproject.toml, and one for each test tap.

    python tools/locks.py compile [--upgrade]   write them (make lock); queries the package index
    python tools/locks.py check [--all]         compare them with what is installed (make lint)

A lock file is complete in itself: every package that its requirements need, with versions, digests
and the required extras. So any pip can install it, with or without its resolver, on any day. For
pip before 23.3, `coverage[toml]` and `coverage` are different packages: if no line pins the first
one, pip queries the index, and fails once there is a newer release.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "requirements"
TAPS: Final = ROOT / "tests" / "real" / "project" / "locks"

# In this order: each is resolved with the versions of those before it.
NAMES: Final = (
    "runtime",
    "sandbox",
    "postgres",
    "install",
    "test",
    "types",
    "lint",
    "build",
    "hooks",
    "site",
    "parquet",
    "otel",
    "spark",
)

UV_COMPILE: Final = (
    *("uv", "pip", "compile", "-", "--universal", "--python-version", "3.11", "--quiet"),
    *("--generate-hashes", "--no-strip-extras", "--no-emit-index-url"),
    *("--custom-compile-command", "make lock"),
)


def requirements(project: Mapping[str, object], name: str) -> list[str]:
    """Return the requirements in pyproject.toml for a lock file's name."""
    table = project["project"]
    assert isinstance(table, dict)
    if name == "runtime":
        return list(table["dependencies"])
    if name in table["optional-dependencies"]:
        return [
            line
            for line in table["optional-dependencies"][name]
            if not line.startswith(table["name"])
        ]
    groups = project["dependency-groups"]
    assert isinstance(groups, dict)
    return [line for line in groups[name] if isinstance(line, str)]


def sources() -> Iterator[tuple[Path, list[str], list[Path]]]:
    """Yield each lock file with its requirements and the files that it must agree with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    written: list[Path] = []
    for name in NAMES:
        path = FOLDER / f"{name}.lock"
        yield path, requirements(project, name), list(written)
        written.append(path)
    for source in sorted(TAPS.glob("*.in")):
        lines = source.read_text().splitlines()
        yield source.with_suffix(".txt"), [line for line in lines if line], []


def compile_locks(*, upgrade: bool) -> None:
    """Write every lock file. Versions that still fit do not change, unless `upgrade`."""
    for path, wanted, agreeing in sources():
        command = [*UV_COMPILE, "--output-file", str(path.relative_to(ROOT))]
        for other in agreeing:
            command += ["--constraint", str(other.relative_to(ROOT))]
        if upgrade:
            command.append("--upgrade")
        subprocess.run(
            command,
            input="\n".join(wanted),
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
        )


class Pin(NamedTuple):
    """One line of a lock file."""

    requirement: Requirement
    version: str

    @property
    def applies_here(self) -> bool:
        """Return whether the line's marker applies to this interpreter."""
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def pins(text: str) -> dict[str, list[Pin]]:
    """Return a lock file's lines by normalized package name; with markers there may be several."""
    found: dict[str, list[Pin]] = {}
    for match in re.finditer(r"^(?![#\s-])(.+?)\s*\\?$", text, re.MULTILINE):
        requirement = Requirement(match[1])
        (specifier,) = requirement.specifier
        found.setdefault(canonicalize_name(requirement.name), []).append(
            Pin(requirement, specifier.version)
        )
    return found


def unmet(wanted: Requirement, pinned: Mapping[str, Sequence[Pin]]) -> str | None:
    """Return why the pinned lines do not meet a requirement, or None if they do."""
    lines = [pin for pin in pinned.get(canonicalize_name(wanted.name), []) if pin.applies_here]
    if not lines:
        return "no line pins it"
    for pin in lines:
        if not wanted.specifier.contains(pin.version, prereleases=True):
            return f"{pin.version} is pinned"
        if missing := wanted.extras - pin.requirement.extras:
            return f"the line that pins it leaves out [{', '.join(sorted(missing))}]"
    return None


def needs(distribution: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield the requirements of an installed package on this interpreter with these extras."""
    for line in distribution.requires or []:
        requirement = Requirement(line)
        contexts = [{"extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(
            requirement.marker.evaluate(context) for context in contexts
        ):
            yield requirement


class Findings(NamedTuple):
    """The results of a check: problems, and the packages that are not installed."""

    problems: list[str]
    unseen: list[str]


def check(
    name: str, text: str, wanted: Iterable[str], installed: Mapping[str, Distribution]
) -> Findings:
    """Check that a lock file meets `wanted`, and the needs of its packages that are installed."""
    pinned = pins(text)
    found = Findings([], [])
    for line in wanted:
        requirement = Requirement(line.partition("#")[0])
        if problem := unmet(requirement, pinned):
            found.problems.append(
                f"{name}: pyproject.toml asks for {requirement}, and {problem}: make lock"
            )
    for package, lines in pinned.items():
        for pin in lines:
            if not pin.applies_here:
                continue
            distribution = installed.get(package)
            if distribution is None or distribution.version != pin.version:
                found.unseen.append(package)
                continue
            for requirement in needs(distribution, pin.requirement.extras):
                if problem := unmet(requirement, pinned):
                    found.problems.append(
                        f"{name}: {package} {pin.version} needs {requirement}, and {problem}: "
                        "make lock"
                    )
    return found


def disagreements(files: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each package that two lock files pin to different versions."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for name, text in files.items():
        for package, lines in pins(text).items():
            for pin in lines:
                key = package, str(pin.requirement.marker)
                other, version = first.setdefault(key, (name, pin.version))
                if version != pin.version:
                    yield f"{name}: {package} {pin.version}, but {version} in {other}: make lock"


def installed_packages(path: Sequence[str] | None = None) -> dict[str, Distribution]:
    """Return the packages of this environment, or of a search path, by their normalized names."""
    found = distributions() if path is None else distributions(path=list(path))
    return {canonicalize_name(one.metadata["Name"]): one for one in found}


def check_locks(*, complete: bool) -> int:
    """Check the project's own lock files, print problems, and return 1 if there are any.

    Packages that are not installed cannot be checked: an error if `complete`, otherwise a message.
    """
    installed = installed_packages()
    own = [(path, wanted) for path, wanted, _ in sources() if path.parent == FOLDER]
    texts = {f"requirements/{path.name}": path.read_text() for path, _ in own}
    problems = list(disagreements(texts))
    unseen: set[str] = set()
    for path, wanted in own:
        found = check(f"requirements/{path.name}", path.read_text(), wanted, installed)
        problems += found.problems
        unseen |= set(found.unseen)
    if unseen and complete:
        problems.append(
            f"requirements/: not installed here, or in another version: {', '.join(sorted(unseen))}"
        )
    elif unseen:
        print(
            f"requirements/: {len(unseen)} packages are not installed here, so what they need was "
            "not checked."
        )
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("compile").add_argument("--upgrade", action="store_true")
    commands.add_parser("check").add_argument("--all", action="store_true", dest="complete")
    options = parser.parse_args(arguments)
    if options.command == "compile":
        compile_locks(upgrade=options.upgrade)
        return 0
    return check_locks(complete=options.complete)


if __name__ == "__main__":
    sys.exit(main())
