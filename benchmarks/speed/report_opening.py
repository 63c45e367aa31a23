"""How long a report page takes to open from disk, beside an empty page in the same browser.

    python benchmarks/speed/report_opening.py report/index.html [--runs 5]

Needs Chromium, its driver and selenium. Prints the size of the page, the time until it shows something (first paint),
until the player has drawn its first frame, and until everything is parsed, as medians and as ratios to the empty page.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from timing import command_line

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
DRAWN = "return document.getElementById('p-stage')?.dataset.drawn === '0'"
PAINT = "return performance.getEntriesByType('paint')[0]?.startTime ?? null"
LOADED = "const t = performance.timing; return t.loadEventEnd ? t.loadEventEnd - t.navigationStart : null"
PATIENCE = 60
"""Seconds after which a page is given up."""


def wait(browser: Any, script: str) -> float:
    """Return the script's value as soon as it has one."""
    end = time.monotonic() + PATIENCE
    while not (value := browser.execute_script(script)):
        if time.monotonic() > end:
            raise UserError(f"Expected the page of a report, but it showed no frame within {PATIENCE} s.")
        time.sleep(0.005)
    return float(value)


def open_page(browser: Any, blank: str, address: str, has_player: bool) -> dict[str, float]:
    """Open an address from a blank page and return seconds to each stage."""
    # From a file, since a page of no file may not open one.
    browser.get(blank)
    begin = time.perf_counter()
    browser.execute_script("location.href = arguments[0]", address)
    wait(browser, f"return location.href === {json.dumps(address)}")
    times = {}
    if has_player:
        wait(browser, DRAWN)
        times["first frame drawn"] = time.perf_counter() - begin
    times["everything parsed"] = wait(browser, LOADED) / 1000
    times["first paint"] = wait(browser, PAINT) / 1000
    return times


def open_browser(folder: str) -> Any:
    """A headless Chromium with its profile in ``folder``.

    Raises:
        UserError: no selenium, no Chromium or no driver.
    """
    try:
        from selenium import webdriver
        from selenium.common.exceptions import WebDriverException
    except ImportError:
        raise UserError("This needs selenium: type pip install selenium.") from None
    options = webdriver.ChromeOptions()
    options.binary_location = next((found for name in BROWSERS if (found := shutil.which(name))), "")
    for flag in (*FLAGS, f"--user-data-dir={folder}/profile"):
        options.add_argument(flag)
    try:
        return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    except WebDriverException as error:
        raise UserError(f"Cannot start Chromium with its driver: {str(error.msg).splitlines()[0]}") from error


def main(args: list[str] | None = None) -> None:
    """Print the page's size, and a line a stage.

    Raises:
        UserError: no such page, or no browser.
    """
    parser = command_line(__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(args)
    page = options.page.resolve()
    if not page.is_file():
        raise UserError(f"Expected the page of a report, such as report/index.html, found no file '{options.page}'.")
    with tempfile.TemporaryDirectory() as folder:
        blank, empty = Path(folder) / "blank.html", Path(folder) / "empty.html"
        for file in (blank, empty):
            file.write_text("<!DOCTYPE html><title>empty</title><p>nothing", encoding="utf-8")
        start = blank.as_uri()
        browser = open_browser(folder)
        try:
            measured = [open_page(browser, start, page.as_uri(), True) for _ in range(options.runs)]
            reference = [open_page(browser, start, empty.as_uri(), False) for _ in range(options.runs)]
        finally:
            browser.quit()
    base = statistics.median(run["everything parsed"] for run in reference)
    print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB; an empty page: {base:.3f} s")
    for name in measured[0]:
        seconds = statistics.median(run[name] for run in measured)
        print(f"  {name}: {seconds:.2f} s, {seconds / base:.0f} times the empty page")


if __name__ == "__main__":
    run(main)
