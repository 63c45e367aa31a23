"""The report page in a real browser, opened from disk."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from rgbt_tracker.report.build import Options, build_report
from rgbt_tracker.report.figures import color

pytestmark = pytest.mark.browser
WAIT = 60  # far more than an idle machine needs


@pytest.fixture(scope="module")
def pages(world, tmp_path_factory) -> dict[str, str]:
    """Addresses of one page with its images inside and one with them beside it."""
    root = tmp_path_factory.mktemp("pages")
    options = {"inside": Options(interval=(5, 20), images="inside"), "beside": Options(images="beside")}
    results = {"inside": [world.one_pass, world.vot], "beside": [world.one_pass]}
    return {
        name: build_report(results[name], world.sequences, root / name, options[name]).page.as_uri() for name in options
    }


def until(browser, script: str):
    """Wait until a JavaScript expression is truthy; return its value."""
    end = time.monotonic() + WAIT
    while not (value := browser.execute_script(f"return {script}")):
        assert time.monotonic() < end, f"waited {WAIT} s for {script}"
        time.sleep(0.02)
    return value


def drawn(browser, frame: int) -> None:
    until(browser, f"document.getElementById('p-stage').dataset.drawn === '{frame}'")


@pytest.fixture
def page(browser, pages):
    """The page with images inside, its player on the sequence "alpha"."""
    browser.get(pages["inside"])
    select(browser, "alpha")
    return browser


def select(browser, name: str) -> None:
    browser.execute_script("document.querySelector(`[data-play='${arguments[0]}']`).click()", name)
    until(browser, f"player.info?.name === '{name}' && document.getElementById('p-stage').dataset.drawn === '0'")


def click(browser, selector: str) -> None:
    browser.find_element("css selector", selector).click()


def change(browser, id: str, assignment: str, event: str) -> None:
    script = f"const e = document.getElementById('{id}'); e.{assignment}; e.dispatchEvent(new Event('{event}'))"
    browser.execute_script(script)


def press(browser, *keys: str) -> None:
    browser.find_element("id", "p-stage").send_keys(*keys)


def pixels(browser, canvas: str, x: float, y: float) -> list[int]:
    """Colour of the canvas at a point given in pixels of the frame (96 x 72)."""
    script = """
        const canvas = document.getElementById(arguments[0]), scale = canvas.width / 96;
        return [...canvas.getContext("2d").getImageData(arguments[1] * scale, arguments[2] * scale, 1, 1).data]"""
    return browser.execute_script(script, canvas, x, y)


def test_sorting_turns_round_and_keeps_empty_values_last(page):
    column = (
        "[...document.querySelectorAll('#table-sequences tbody tr')].map((row) => Number(row.children[2].textContent))"
    )
    heading = "#table-sequences th:nth-child(3)"
    page.find_element("css selector", f"{heading} button").send_keys("\ue007")  # Enter
    values = page.execute_script(f"return {column}")
    assert len(values) == 9 and values == sorted(values, reverse=True) and values[0] > values[-1]
    click(page, f"{heading} button")
    assert page.execute_script(f"return {column}") == values[::-1]
    assert page.find_element("css selector", heading).get_attribute("aria-sort") == "ascending"


def test_both_cameras_are_drawn_with_boxes(page, world):
    x, y, w, h = world.truth["alpha"][0]
    rgb, ir = (pixels(page, canvas, x + w / 2, y + h / 2) for canvas in ("p-rgb", "p-ir"))
    assert rgb[0] > 150 > rgb[2] and min(ir[:3]) > 180  # a red target, hot in the thermal frame
    assert max(pixels(page, "p-ir", 90, 5)[:3]) < 110


def test_step_play_and_speed(page):
    click(page, "#p-step")
    drawn(page, 1)
    press(page, "\ue014", "\ue014", "\ue012")  # right, right, left
    drawn(page, 2)
    press(page, "\ue010")  # end
    drawn(page, 29)
    assert page.find_element("id", "p-counter").text == "frame 29 of 29"
    speed = "document.getElementById('p-speed').value = "
    page.execute_script(f"{speed}'0.25'")
    press(page, " ")  # from the end, play starts over
    until(page, "player.playing && player.frame > 1 && player.frame < 29")
    assert page.find_element("id", "p-play").text == "Pause"
    page.execute_script(f"{speed}'4'")
    until(page, "!player.playing && player.frame === 29")


def test_failures_are_clickable_and_reached_by_keys(page):
    lane = page.find_element("css selector", "[data-failure='20']")
    assert lane.get_attribute("aria-label") == "drifting fails at frame 20"
    lane.click()
    drawn(page, 20)
    readout = page.find_element("id", "p-readout").text
    assert "0.00 lost" in readout and "2" in readout.splitlines()[0]
    press(page, "p", "p", "p")
    drawn(page, 9)  # past 15 and 10 to a failure of "first", one of the VOT results
    press(page, "n", "n", "n", "n")
    assert "No later failure" in page.find_element("id", "p-message").text


def test_clicking_the_strip_seeks(page):
    from selenium.webdriver import ActionChains

    graph = page.find_element("id", "p-graph")
    width = graph.size["width"]
    ActionChains(page).move_to_element_with_offset(graph, round(width * (15 / 29 - 0.5)), 0).click().perform()
    drawn(page, 15)


def test_a_tracker_can_be_hidden_everywhere(page, world):
    hidden = "document.querySelectorAll(`[data-tracker='1'].gone`).length"
    lanes = "document.querySelectorAll('.lane').length"
    before = page.execute_script(f"return {lanes}")
    box = page.execute_script("return player.info.tracks[1].boxes[0]")
    rgb = [int(color(1)[i : i + 2], 16) for i in (1, 3, 5)]

    def near() -> int:
        """Canvas pixels in the tracker's colour."""
        script = """
            const canvas = document.getElementById("p-rgb"), [r, g, b] = arguments[0];
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            let count = 0;
            for (let i = 0; i < data.length; i += 4) {
              if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 30) count += 1;
            }
            return count"""
        return page.execute_script(script, rgb)

    assert box and near() > 50
    press(page, "2")
    assert page.execute_script(f"return {hidden}") > 5 and near() == 0
    assert page.execute_script(f"return {lanes}") == before - 1
    click(page, "[data-toggle='1']")
    assert page.execute_script(f"return {hidden}") == 0 and near() > 50


def test_blend_zoom_truth_and_weight_maps(page, world):
    x, y, w, h = world.truth["alpha"][0]
    middle = (x + w / 2, y + h / 2)
    only_rgb = pixels(page, "p-rgb", *middle)
    press(page, "b")
    assert not page.find_element("id", "p-ir").is_displayed()
    page.execute_script(
        "const b = document.getElementById('p-blend'); b.value = 100; b.dispatchEvent(new Event('input'))"
    )
    assert min(pixels(page, "p-rgb", *middle)[:3]) > 180  # thermal alone
    press(page, "b", "z")
    view = page.execute_script("return player.stage.view(player.info, 0)")
    assert view["w"] < 96 and view["x"] <= x and view["x"] + view["w"] >= x + w
    press(page, "z", "g")
    assert not page.find_element("id", "p-truth").is_selected()
    page.execute_script(
        "const m = document.getElementById('p-map'); m.selectedIndex = 1; m.dispatchEvent(new Event('change'))"
    )
    tinted = pixels(page, "p-rgb", *middle)
    assert tinted[1] > only_rgb[1] + 15  # three parts of four are thermal: orange
    assert page.find_element("id", "p-map-note").is_displayed()


def test_everything_is_reached_by_keyboard(page):
    """Tab visits every control of the player, in an order that follows the page, and none without a name."""
    page.execute_script("document.getElementById('p-sequence').focus()")
    seen = []
    for _ in range(25):
        script = """
            const e = document.activeElement;
            return [e.id, e.getAttribute("aria-label") || e.title || e.labels?.[0]?.textContent || e.textContent]"""
        seen.append(page.execute_script(script))
        page.switch_to.active_element.send_keys("\ue004")
    names = [name for name, _ in seen]
    for wanted in ("p-sequence", "p-zoom", "p-stage", "p-play", "p-step", "p-speed", "p-seek", "p-series"):
        assert wanted in names
    assert all(label and label.strip() for _, label in seen)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_both_widths_and_both_schemes(browser, pages, resize, screenshot, width, height, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    resize(width, height)
    browser.get(pages["inside"])
    until(browser, "!!window.player?.images")
    assert browser.execute_script("return document.documentElement.scrollWidth") == width
    view = "blend" if width < 640 else "side"
    assert browser.execute_script("return document.querySelector('[name=p-view]:checked').value") == view
    image = screenshot(f"{scheme}-{width}")
    assert image.shape[:2] == (height, width)
    paper, expected = image[height // 2 :, 2].mean(), {"light": 255, "dark": 24}[scheme]
    assert abs(paper - expected) < 4 and np.std(image) > 10
    click(browser, "#theme")
    assert browser.execute_script("return document.documentElement.dataset.theme") != scheme


def test_images_beside_the_page_load_from_disk(browser, pages):
    browser.get(pages["beside"])
    select(browser, "gamma")
    browser.execute_script("player.seek(40)")
    drawn(browser, 40)
    loaded = browser.execute_script("return [...document.scripts].map((s) => s.src).filter((s) => s)")
    assert len(loaded) == len(set(loaded)) <= 5 and all(source.startswith("file://") for source in loaded)


def test_a_missing_file_beside_the_page_is_named(chromium, world, tmp_path: Path):
    report = build_report([world.one_pass], world.sequences, tmp_path, Options(images="beside", player=("beta",)))
    (tmp_path / "frames" / "000-beta" / "0000.js").unlink()
    chromium.get(report.page.as_uri())
    until(chromium, "document.getElementById('p-message').textContent")
    assert "frames/000-beta/0000.js is missing" in chromium.find_element("id", "p-message").text
