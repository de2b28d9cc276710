"""The site's build: adds pages from outside `docs/`, and turns links to other files into text.

mkdocs calls these by their names (mkdocs.yml: hooks). GitHub shows the pages unchanged.
"""

import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File

ROOT: Final = Path(__file__).resolve().parent.parent
# Pages at the top of the repository that are part of the site.
BESIDE: Final = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
HOME: Final = {"README.md": "index.md"}
_link: Final = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(((?:\.\./)*)([^)#\s:]+)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages from outside `docs/`."""
    for name in BESIDE:
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Return a page's text in which links out of `docs/` go to the site's pages."""
    del config
    source = ROOT / ("" if page.file.src_uri in BESIDE else "docs") / page.file.src_uri

    def brought(found: re.Match[str]) -> str:
        words, ups, path, anchor = found[1], found[2], found[3], found[4] or ""
        target = (source.parent / ups / path).resolve()
        if not target.is_relative_to(ROOT):
            return found[0]
        name = str(target.relative_to(ROOT))
        inside = HOME.get(name, name.removeprefix("docs/"))
        if files.get_file_from_path(inside) is None:
            return words
        depth = page.file.src_uri.count("/")
        return f"[{words}]({'../' * depth}{inside}{anchor})"

    return _link.sub(brought, markdown)
