"""Fixtures of several packages: a small world of sequences and results, and a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small_world import world

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

__all__ = ["world"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One headless Chromium for the whole session; tests that need it skip where none is installed."""
    selenium = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install -e '.[test]'")
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("needs Chromium and its driver, which are not here: apt-get install chromium chromium-driver")
    options = selenium.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    browser.set_script_timeout(60)
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """The browser at 1280 x 900 with an empty page; a test fails when its pages wrote an error to the console."""
    set_size(chromium, 1280, 900)
    chromium.get("about:blank")
    chromium.get_log("browser")
    yield chromium
    errors = [entry["message"] for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
    chromium.get("about:blank")
    assert not errors, errors


def set_size(browser: Chrome, width: int, height: int) -> None:
    """Set the size of the page itself, below what a window can be made to."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.fixture
def resize(browser: Chrome):
    """Function (width, height) that sets the size of the page in CSS pixels."""
    return lambda width, height: set_size(browser, width, height)


@pytest.fixture
def screenshot(browser: Chrome, tmp_path: Path):
    """Function name -> BGR image of what the browser shows."""
    import cv2

    def take(name: str):
        path = tmp_path / f"{name}.png"
        browser.save_screenshot(str(path))
        return cv2.imread(str(path))

    return take
