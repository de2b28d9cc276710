"""Take the documentation's pictures of the pages: `python tests/pictures.py`.

Runs the demo, and takes screenshots of its report in Chromium, in light and dark mode. Then the
target sends the demo's records to a sandbox whose clock runs fast, and its page is taken. When a
page changes, run it again and look at the results.
"""

import base64
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from chromium import Browser, program

from target_pinterest_capi.sandbox.app import SandboxConfig
from target_pinterest_capi.sandbox.faults import Fault
from target_pinterest_capi.sandbox.server import Sandbox

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE: Final = (1100, 1000)
PICTURES: Final = {"report.png": False, "report-dark.png": True}
MINUTES: Final = 4.5  # that the sandbox's page shows, and that its clock runs in a few seconds
LOOKS: Final = 50  # at the clock, while the target runs
FAILURES: Final = (
    Fault("fail_event", event_id="5500000251"),
    Fault("status", status=503, requests=(5,)),
)
FAULTS: Final = (
    Fault("latency", seconds=0.2, jitter=0.1),
    Fault("status", status=503, retry_after=2, rate=0.1),
)


def main() -> int:
    """Write the pictures; return 1 without Chromium."""
    chromium = program()
    if chromium is None:
        sys.stderr.write("Chromium is not installed\n")
        return 1
    with TemporaryDirectory() as name:
        directory = Path(name)
        demo = directory / "demo"
        command = [_program("pinterest-capi"), "demo", "--keep", str(demo)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with Browser(chromium, directory / "browser") as browser:
            for picture, is_dark in PICTURES.items():
                take(browser, picture, demo / "report.html", is_dark=is_dark)
            take_sandbox(browser, demo)
    return 0


def take(browser: Browser, picture: str, page: Path | str, *, is_dark: bool = False) -> None:
    """Save what a window of the usual size shows of a page."""
    width, height = SIZE
    browser.open(page, width=width, height=height, dark=is_dark)
    # The sandbox's page asks the sandbox first.
    wait = "new Promise(done => setTimeout(done, 1500))"
    browser.call("Runtime.evaluate", expression=wait, awaitPromise=True)
    made = browser.call("Page.captureScreenshot", captureBeyondViewport=False)
    (FOLDER / picture).write_bytes(base64.b64decode(made["data"]))


def take_sandbox(browser: Browser, demo: Path) -> None:
    """Take the page of a sandbox that got the demo's records over some minutes of its clock."""
    start = time.time() - MINUTES * 60
    looks = itertools.count()
    config = SandboxConfig(
        clock=lambda: start + min(1, next(looks) / LOOKS) * MINUTES * 60, faults=FAILURES
    )
    with Sandbox(config) as pinterest:
        own = {
            "api_url": pinterest.url,
            "ledger_url": "sqlite:///picture.db",
            "report_path": "picture.json",
            "dead_letter_path": "picture.jsonl",
            "batch_size_rows": 150,
            "max_in_flight": 1,
        }
        (demo / "picture-run.json").write_text(json.dumps(own))
        files = ["--config", "config.yaml", "--config", "picture-run.json"]
        with (demo / "sample.singer").open("rb") as sample:
            subprocess.run(
                [_program("target-pinterest-capi"), *files],
                cwd=demo,
                stdin=sample,
                capture_output=True,
                check=True,
            )
        pinterest.faults.set(FAULTS)
        take(browser, "sandbox.png", pinterest.url.removesuffix("v5"))


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


if __name__ == "__main__":
    sys.exit(main())
