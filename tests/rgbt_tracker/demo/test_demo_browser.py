"""The demo page in a real browser, against a real server with trackers whose answers are known."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.browser
WAIT = 180  # far more than an idle machine needs


@pytest.fixture
def address(app) -> Iterator[str]:
    uvicorn = pytest.importorskip("uvicorn", reason="needs the demo's extra: pip install -e '.[demo]'")
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join(WAIT)
    assert not thread.is_alive()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[str]]:
    """Twelve pairs of 120 x 90 with a bright square, as files on disk."""
    paths: dict[str, list[str]] = {"rgb": [], "ir": []}
    for index in range(12):
        for camera, value in (("rgb", (30, 30, 220)), ("ir", (240, 240, 240))):
            image = np.full((90, 120, 3), 60, np.uint8)
            cv2.rectangle(image, (40 + index, 30), (60 + index, 50), value, -1)
            path = tmp_path / f"{camera}{index}.png"
            cv2.imwrite(str(path), image)
            paths[camera].append(str(path))
    return paths


def until(browser, script: str):
    end = time.monotonic() + WAIT
    while not (value := browser.execute_script(f"return {script}")):
        assert time.monotonic() < end, f"waited {WAIT} s for {script}: {browser.find_element('id', 'status').text}"
        time.sleep(0.02)
    return value


@pytest.fixture
def page(browser, address, files):
    """The page with the uploaded pair open."""
    browser.get(address)
    until(browser, "document.getElementById('scene').options.length")
    for camera, paths in files.items():
        browser.find_element("id", f"file-{camera}").send_keys("\n".join(paths))
    browser.find_element("css selector", "#upload-form button").click()
    until(browser, "pair?.length === 12 && !document.getElementById('work').hidden")
    until(browser, "document.getElementById('status').textContent.startsWith('Opened 12 frames')")
    yield browser
    with contextlib.suppress(Exception):
        browser.get("about:blank")


def test_drag_track_switch_and_leave(page, app, made, resize):
    from selenium.webdriver import ActionChains

    resize(1280, 1400)  # all of the picture in view: the pointer is moved from the centre of what can be seen
    canvas = page.find_element("id", "ir")
    scale = canvas.size["width"] / 120
    drag = ActionChains(page).move_to_element_with_offset(canvas, round(-20 * scale), round(-15 * scale))
    drag.click_and_hold().move_by_offset(round(20 * scale), round(20 * scale)).release().perform()
    box = page.execute_script("return box")
    assert np.allclose(box, [40, 30, 20, 20], atol=2)
    page.find_element("id", "track").click()
    until(page, "frame >= 2")
    page.find_element("css selector", "#modalities [value='ir']").click()  # while it runs
    until(page, "tracks?.ir && tracks?.rgbt")
    until(page, "last && !running")
    assert page.execute_script("return frame") == 11
    assert [tracker.modality for tracker in made] == ["rgbt", "ir"]
    moved = page.execute_script("return tracks")
    assert moved["rgbt"]["box"] == [box[0] + 11, *box[1:]] and moved["ir"]["box"][0] > moved["rgbt"]["box"][0]
    rows = page.find_element("id", "tracks").text
    assert "both cameras, fused" in rows and "thermal alone" in rows and "0.75" in rows
    page.get("about:blank")  # leaving removes what was uploaded
    end = time.monotonic() + WAIT
    while list(app.state.root.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_keyboard_alone_draws_a_box_and_tracks(page):
    before = page.execute_script("return box")
    canvas = page.find_element("id", "rgb")
    canvas.send_keys("\ue014", "\ue015")  # right, down: move
    canvas.send_keys("\ue008\ue014")  # shift and right: wider
    page.find_element("id", "box-h").send_keys("\ue009a\ue009", "33", "\ue004")
    box = page.execute_script("return box")
    assert box == [before[0] + 5, before[1] + 5, before[2] + 5, 33]
    canvas.send_keys("\ue007")  # Enter tracks
    until(page, "tracks && frame >= 1")
    canvas.send_keys(" ")
    until(page, "!running")


def test_fused_frame_is_shown_and_can_be_downloaded(page):
    page.find_element("id", "fuse").click()
    until(page, "document.getElementById('fused').naturalWidth === 120")
    link = page.find_element("id", "download")
    assert link.get_attribute("download") == "fused-00000-avg.png" and link.get_attribute("href").startswith("blob:")


def test_refusals_are_said_on_the_page(page, browser, tmp_path):
    wrong = tmp_path / "notes.png"
    wrong.write_text("no image")
    upload = page.find_element("id", "file-rgb")
    page.execute_script("document.getElementById('upload-form').reset()")
    upload.send_keys(str(wrong))
    page.find_element("css selector", "#upload-form button").click()
    until(page, "document.getElementById('status').classList.contains('bad')")
    assert "a file that is neither ('notes.png')" in page.find_element("id", "status").text
    # The browser itself reports the refusal (400) on its console; that is no error of the page.
    messages = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert all("400 (Bad Request)" in message for message in messages)


@pytest.mark.parametrize("width", [1280, 390])
def test_drawn_sequence_fits_both_widths(browser, address, resize, screenshot, width):
    resize(width, 900)
    browser.get(address)
    until(browser, "document.getElementById('scene').options.length")
    assert browser.find_element("id", "scene-summary").text
    browser.find_element("css selector", "#scene-form button").click()
    until(browser, "Boolean(pair?.box && images.ir)")
    assert browser.execute_script("return box") == browser.execute_script("return pair.box.map(Math.round)")
    assert browser.execute_script("return document.documentElement.scrollWidth") == width
    assert screenshot(f"demo-{width}").shape[1] == width
