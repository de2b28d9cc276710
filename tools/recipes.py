"""The settings that the cookbook's projects declare: Meltano passes on only declared ones."""

import re
import textwrap
from pathlib import Path
from typing import Any, Final

from target_pinterest_capi.settings import meltano_settings

PATTERNS: Final = ("docs/cookbook/*/meltano.yml", "docs/customer-lists.md")
AS_TEXT: Final = frozenset(
    {"string", "options", "file"}
)  # kinds that Meltano passes on as they are
_declared: Final = re.compile(
    r"^( *)# generated: settings\n.*?^ *# /generated\n", re.DOTALL | re.MULTILINE
)


def declaration(setting: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a setting's definition that Meltano needs to pass it on."""
    short = {"name": setting["name"]}
    if setting["kind"] not in AS_TEXT:
        short["kind"] = setting["kind"]
    if setting.get("sensitive"):
        short["sensitive"] = True
    return short


def settings_block(indent: str = "") -> str:
    """Return every setting's declaration as YAML between the markers, indented."""
    items = [
        "{" + ", ".join(_member(*pair) for pair in declaration(one).items()) + "}"
        for one in meltano_settings()
    ]
    # a no-break space keeps an item on one line
    joined = ", ".join(item.replace(" ", "\xa0") for item in items)
    rows = textwrap.wrap(joined, width=98 - len(indent), break_long_words=False)
    lines = [
        "# generated: settings",
        "settings: &settings [  # all of them: Meltano passes on only declared settings",
        *(f"  {row}".replace("\xa0", " ") for row in rows),
        "]",
        "# /generated",
    ]
    return "".join(f"{indent}{line}\n" for line in lines)


def filled(text: str) -> str:
    """Return a project with every setting declared between its markers."""
    return _declared.sub(lambda found: settings_block(found[1]), text)


def texts(root: Path) -> dict[str, str]:
    """Return the up-to-date projects, by path from `root`."""
    paths = sorted(path for pattern in PATTERNS for path in root.glob(pattern))
    return {
        path.relative_to(root).as_posix(): filled(path.read_text(encoding="utf-8"))
        for path in paths
    }


def _member(name: str, value: object) -> str:
    return f"{name}: {str(value).lower() if isinstance(value, bool) else value}"
