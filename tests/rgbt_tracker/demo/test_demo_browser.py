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

from rgbt_tracker.tracking.interface import Result

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


def test_another_target_is_tracked_too(page, made):
    page.find_element("id", "another").click()
    first, second = page.execute_script("return [...kept, box]")
    assert second[0] > first[0] + first[2] and second[1:] == first[1:]
    page.find_element("id", "step").click()
    until(page, "tracks && frame === 0")
    page.find_element("id", "step").click()
    until(page, "frame === 1")
    told = page.execute_script("return tracks.rgbt.targets.map((target) => [target.id, target.box[0]])")
    assert told == [[1, first[0] + 1], [2, second[0] + 1]] and len(made[0].boxes) == 2
    assert "1: 0.75; 2: 0.75" in page.find_element("id", "tracks").text
    page.find_element("id", "alone").click()
    assert page.execute_script("return [kept.length, box[0], tracks]") == [0, second[0] + 1, None]


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


ORANGE = """
const image = document.getElementById("overlay"), canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
const pen = canvas.getContext("2d");
pen.drawImage(image, 0, 0);
const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
let [sum, weights] = [0, 0];
for (let at = 0; at < data.length; at += 4) {
  const weight = Math.max(data[at] - data[at + 2] - 60, 0);
  sum += weight * ((at / 4) % canvas.width);
  weights += weight;
}
return sum / weights;
"""
"""Mean column of the thermal edges in the overlay."""


@pytest.fixture
def saved(browser, tmp_path: Path) -> Path:
    """The folder into which the browser saves files."""
    folder = tmp_path / "saved"
    folder.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    return folder


@pytest.fixture
def shifted(files, tmp_path: Path) -> tuple[Path, Path]:
    """The pairs of `files` with a thermal camera of 60 x 45 px that looks 24 px further left; the folders of both."""
    folders = tmp_path / "visible", tmp_path / "infrared"
    for folder, camera in zip(folders, ("rgb", "ir"), strict=True):
        folder.mkdir()
        for index, path in enumerate(files[camera]):
            image = cv2.imread(path)
            if camera == "ir":
                image = cv2.resize(np.roll(image, 24, 1), (60, 45), interpolation=cv2.INTER_AREA)
            files[camera][index] = str(folder / f"{index:04d}.png")
            cv2.imwrite(files[camera][index], image)
    return folders


def click(page, canvas: str, x: float, y: float) -> None:
    """Click the middle of a pixel of a canvas."""
    from selenium.webdriver import ActionChains

    element = page.find_element("id", canvas)
    width, height = (page.execute_script(f"return arguments[0].{side}", element) for side in ("width", "height"))
    scale = element.size["width"] / width
    aside = (x + 0.5 - width / 2) * scale, (y + 0.5 - height / 2) * scale
    ActionChains(page).move_to_element_with_offset(element, *(round(value) for value in aside)).click().perform()


class Matching:
    """A tracker that finds in thermal pictures what its first box holds, wherever that is."""

    def initialize(self, rgb, ir, box) -> None:
        x, y, self._width, self._height = (round(value) for value in box)
        self._target = ir[y : y + self._height, x : x + self._width]

    def update(self, rgb, ir) -> Result:
        place = np.argmin(found := cv2.matchTemplate(ir, self._target, cv2.TM_SQDIFF))
        y, x = np.unravel_index(place, found.shape)
        return Result((float(x), float(y), self._width, self._height), 1.0)


def test_points_are_clicked_the_overlay_moves_and_the_file_is_tracked_with(shifted, page, saved, resize, screenshot):
    from rgbt_tracker.sequences import open_pair
    from rgbt_tracker.tracking.run import track_sequence

    resize(1280, 1800)
    page.find_element("css selector", "#pointing summary").click()
    until(page, "own.ir && document.getElementById('overlay').naturalWidth")
    before = page.execute_script(ORANGE)
    for number, (x, y) in enumerate([(10, 8), (80, 12), (84, 80), (14, 76)], 1):
        click(page, "own-rgb", x, y)
        click(page, "own-ir", (x + 24) / 2, y / 2)
        until(page, f"document.querySelectorAll('#points li').length === {number} && complete().length === {number}")
    until(page, "!document.getElementById('rig-file').hidden")
    assert before - page.execute_script(ORANGE) == pytest.approx(24, abs=3)
    page.find_element("id", "rig-file").click()
    end = time.monotonic() + WAIT
    while not (file := saved / "rig.yaml").is_file():
        assert time.monotonic() < end
        time.sleep(0.02)
    laid = open_pair(*shifted, rig=file)
    track = track_sequence(Matching(), laid, (38, 28, 25, 25))
    assert np.allclose(track.boxes[-1], [49, 28, 25, 25], atol=2)
    page.find_element("id", "lay").click()
    until(page, "document.getElementById('status').textContent.startsWith('From now on thermal is laid')")
    assert page.execute_script("return pair.laid") == 1
    for width in (1280, 390):
        resize(width, 1800)
        assert page.execute_script("return document.documentElement.scrollWidth") == width
        assert screenshot(f"points-{width}").shape[1] == width


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
