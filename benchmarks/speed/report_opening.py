"""How long a report page takes to open from disk, beside an empty page in the same browser.

    python benchmarks/report_opening.py report/index.html

Needs Chromium, its driver and selenium. Prints the size of the page, the time until it shows something (first paint),
until the player has drawn its first frame, and until everything is parsed, as medians and as ratios to the empty page.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver

RUNS = 5
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
DRAWN = "return document.getElementById('p-stage')?.dataset.drawn === '0'"
PAINT = "return performance.getEntriesByType('paint')[0]?.startTime ?? null"
LOADED = "const t = performance.timing; return t.loadEventEnd ? t.loadEventEnd - t.navigationStart : null"


def wait(browser: webdriver.Chrome, script: str) -> float:
    """Return the script's value as soon as it has one."""
    while not (value := browser.execute_script(script)):
        time.sleep(0.005)
    return float(value)


def open_page(browser: webdriver.Chrome, address: str, has_player: bool) -> dict[str, float]:
    """Open an address in a blank tab and return seconds to each stage."""
    browser.get("about:blank")
    begin = time.perf_counter()
    browser.execute_script("location.href = arguments[0]", address)
    while browser.execute_script("return location.protocol") != "file:":
        time.sleep(0.005)
    times = {}
    if has_player:
        wait(browser, DRAWN)
        times["first frame drawn"] = time.perf_counter() - begin
    times["everything parsed"] = wait(browser, LOADED) / 1000
    times["first paint"] = wait(browser, PAINT) / 1000
    return times


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit("Expected the page of a report: python benchmarks/report_opening.py report/index.html")
    page = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.html"
        empty.write_text("<!DOCTYPE html><title>empty</title><p>nothing", encoding="utf-8")
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={folder}/profile"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options)
        try:
            measured = [open_page(browser, page.as_uri(), True) for _ in range(RUNS)]
            reference = [open_page(browser, empty.as_uri(), False) for _ in range(RUNS)]
        finally:
            browser.quit()
    base = statistics.median(run["everything parsed"] for run in reference)
    print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB; an empty page: {base:.3f} s")
    for name in measured[0]:
        seconds = statistics.median(run[name] for run in measured)
        print(f"  {name}: {seconds:.2f} s, {seconds / base:.0f} times the empty page")


if __name__ == "__main__":
    main()
