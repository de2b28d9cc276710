"""Take the documentation's pictures of the run report: `python tests/pictures.py`.

Runs the demo, and takes screenshots of its report in Chromium, in light and dark mode. When the
page changes, run it again and look at the results.
"""

import base64
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from chromium import Browser, program

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE: Final = (1100, 1000)
PICTURES: Final = {"report.png": False, "report-dark.png": True}


def main() -> int:
    """Write the pictures; return 1 without Chromium."""
    chromium = program()
    if chromium is None:
        sys.stderr.write("Chromium is not installed\n")
        return 1
    with TemporaryDirectory() as name:
        directory = Path(name)
        demo = [str(Path(sys.executable).with_name("pinterest-capi")), "demo", "--keep"]
        subprocess.run([*demo, str(directory / "demo")], check=True, stdout=subprocess.DEVNULL)
        width, height = SIZE
        with Browser(chromium, directory / "browser") as browser:
            for picture, is_dark in PICTURES.items():
                page = directory / "demo" / "report.html"
                browser.open(page, width=width, height=height, dark=is_dark)
                made = browser.call("Page.captureScreenshot", captureBeyondViewport=False)
                (FOLDER / picture).write_bytes(base64.b64decode(made["data"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
