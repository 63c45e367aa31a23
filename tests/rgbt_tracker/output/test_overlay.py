"""A frame with what the tracker made of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core import Fuser, NestFuse
from rgbt_tracker.config import load_config
from rgbt_tracker.output.overlay import BAR_HEIGHT, LOST, TRACKED, TRUTH, Caption, Mark, Overlay, share, tint
from rgbt_tracker.sequences import Frame
from rgbt_tracker.target_colours import COLOURS, colour_of, css_of

CONFIG = load_config("nestfuse_nanotrack")


BOX = [Mark((50, 80, 40, 30))]


def caption(index: int = 3, cameras: tuple[str, ...] = (), score: float | None = 0.5) -> Caption:
    return Caption(index, 9, score, 0.05, cameras)


def grey_frame(index: int = 3, size: tuple[int, int] = (400, 300), ir_size: tuple[int, int] | None = None) -> Frame:
    width, height = ir_size or size
    return Frame(index, np.full((size[1], size[0], 3), 90, np.uint8), np.full((height, width), 60, np.uint8))


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture.astype(int) - colour).max(axis=2) < 12


def test_both_cameras_side_by_side_with_the_box_in_each() -> None:
    truth = np.full((9, 4), np.nan)
    truth[3] = 200, 100, 50, 60
    picture = Overlay(CONFIG, truth)(grey_frame(), BOX, caption())
    assert picture.shape[1] == 800 and picture.shape[0] > 300
    for offset in (0, 400):
        panel = picture[:300, offset : offset + 400]
        rows, columns = np.nonzero(has(panel, TRACKED))
        assert (rows.min(), rows.max()) == (80 - 2, 109 + 2), "two pixels, just outside the box"
        assert (columns.min(), columns.max()) == (50 - 2, 89 + 2)
        assert (panel[80:110, 50:90] == (60 if offset else 90)).all(), "the target stays visible"
        rows, columns = np.nonzero(has(panel, TRUTH))
        assert (rows.min(), rows.max()) == (100 - 1, 159 + 1)
        assert (columns.min(), columns.max()) == (200 - 1, 249 + 1)


def test_no_ground_truth_box_where_the_target_is_absent() -> None:
    truth = np.full((9, 4), np.nan)
    assert not has(Overlay(CONFIG, truth)(grey_frame(), BOX, caption())[:300], TRUTH).any()


def test_a_lost_target_has_another_colour() -> None:
    picture = Overlay(CONFIG)(grey_frame(), [Mark((50, 80, 40, 30), lost=True)], caption())
    assert has(picture, LOST).any() and not has(picture[:300], TRACKED).any()


def test_several_targets_have_colours_and_numbers() -> None:
    marks = [Mark((50, 80, 40, 30), number=1), Mark((200, 150, 60, 50), number=2), Mark((300, 40, 30, 30), True, 3)]
    picture = Overlay(CONFIG)(grey_frame(), marks, caption(score=None))
    for mark in marks[:2]:
        x, y, w, h = (int(value) for value in mark.box)
        ring = picture[y - 2 : y + h + 2, x - 2 : x + w + 2]
        assert has(ring, mark.colour)[:2].all() and has(ring, mark.colour)[:, -2:].all()
        assert has(picture[y - 20 : y - 4, x : x + 14], mark.colour).any(), "its number above it"
    assert has(picture[:300], LOST).any() and colour_of(1) != colour_of(2)
    assert colour_of(1) == colour_of(9), "by turns"
    assert css_of(1) == "#ffb000" and len({css_of(number) for number in range(1, 9)}) == len(COLOURS)


def test_one_camera_alone() -> None:
    picture = Overlay(CONFIG.replace(modality="ir"))(Frame(3, None, grey_frame().ir), BOX, caption())
    assert picture.shape[1] == 400


def test_the_fused_picture_is_a_third_pane() -> None:
    fuser = Fuser(NestFuse().eval(), look="equations")
    overlay = Overlay(CONFIG, fuse=fuser.video())
    frame = grey_frame()
    picture = overlay(frame, BOX, caption())
    assert picture.shape[1] == 1200 and has(picture[:300, 800:], TRACKED).any()
    expected = fuser(frame.ir, frame.rgb).image
    np.testing.assert_array_equal(picture[150:290, 850:1150], expected[150:290, 50:350])
    # Of one camera while the other has no picture.
    alone = overlay(Frame(4, frame.rgb, None), BOX, caption(4))
    assert alone.shape == picture.shape and (alone[150:290, 850:1150] == 90).all()


def test_thermal_of_another_size_is_laid_on_the_visible_picture() -> None:
    picture = Overlay(CONFIG)(grey_frame(ir_size=(160, 120)), BOX, caption())
    assert picture.shape[1] == 800


def test_homography_moves_the_thermal_picture() -> None:
    ir = np.zeros((300, 400), np.uint8)
    ir[100:120, 100:120] = 255
    config = CONFIG.replace(**{"thermal.homography": ((1, 0, 30), (0, 1, 10), (0, 0, 1))})
    shown = Overlay(config).pictures(Frame(0, grey_frame().rgb, ir))["ir"]
    rows, columns = np.nonzero(shown[..., 0] > 128)
    assert (rows.min(), columns.min()) == (110, 130)


@pytest.mark.parametrize("first", ["both", "rgb", "ir"])
@pytest.mark.parametrize("ir_size", [None, (160, 120)])
def test_a_missing_camera_is_a_dark_panel_of_the_same_size(first: str, ir_size: tuple[int, int] | None) -> None:
    overlay, whole = Overlay(CONFIG), grey_frame(ir_size=ir_size)
    kinds = {"both": whole, "rgb": replace(whole, ir=None), "ir": replace(whole, rgb=None)}
    shapes = set()
    for kind in (first, "both", "rgb", "ir", "both"):
        picture = overlay(kinds[kind], BOX, caption())
        shapes.add(picture.shape)
        width, bottom = picture.shape[1] // 2, picture.shape[0] - BAR_HEIGHT
        middle = [picture[bottom // 2 : bottom, side * width : (side + 1) * width] for side in (0, 1)]
        dark = [bool((panel < 40).mean() > 0.9) for panel in middle]
        assert dark == [kind == "ir", kind == "rgb"], kind
        assert has(picture[:bottom, :width], TRACKED).any() and has(picture[:bottom, width:], TRACKED).any()
    assert len(shapes) == 1, "a video has one size"


def test_titles_tell_which_cameras_were_used(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("rgbt_tracker.output.overlay.write", lambda image, text, place, size: written.append(text))
    overlay = Overlay(CONFIG)
    overlay(grey_frame(), [Mark((5, 5, 9, 9))], caption(cameras=("rgb", "ir")))
    overlay(grey_frame(), [Mark((5, 5, 9, 9))], caption(cameras=("rgb",)))
    overlay(replace(grey_frame(), ir=None), [Mark((5, 5, 9, 9))], caption(cameras=("rgb",)))
    overlay(grey_frame(), [Mark((5, 5, 9, 9))], caption())
    assert written == [
        "visible", "thermal", "visible", "thermal: not used", "visible", "thermal: no picture", "visible", "thermal"
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(16, 1500),
    height=st.integers(16, 400),
    box=st.tuples(st.floats(-300, 2000), st.floats(-300, 2000), st.floats(0.1, 900), st.floats(0.1, 900)),
)
def test_any_size_and_any_box_can_be_drawn(width: int, height: int, box) -> None:
    overlay = Overlay(CONFIG)
    first = overlay(grey_frame(0, (width, height)), [Mark(box), Mark(box, number=12)], caption(0))
    second = overlay(grey_frame(1, (width, height)), [Mark((1, 1, 5, 5))], caption(1))
    assert first.shape == second.shape and first.shape[1] % 2 == 0 and first.shape[0] % 2 == 0


def test_share_averages_levels_and_tint_stays_inside_the_search_area() -> None:
    maps = {"level2": np.stack([np.full((4, 4), 0.2), np.full((4, 4), 0.8)]).astype(np.float32)}
    maps["level3"] = np.stack([np.full((2, 2), 0.4), np.full((2, 2), 0.6)]).astype(np.float32)
    np.testing.assert_allclose(share(maps, 1), 0.7, atol=1e-6)
    assert share(maps, 0).shape == (4, 4)
    image = np.full((50, 60, 3), 90, np.uint8)
    more, less = (tint(image, share(maps, number), (-10, 20, 30, 100)) for number in (1, 0))
    rows, columns = np.nonzero((more != image).any(axis=2))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 49, 0, 19)
    assert more[30, 10, 2] > 90 > more[30, 10, 0] and less[30, 10, 0] > 90 > less[30, 10, 2]
    assert (tint(image, np.full((4, 4), 0.5, np.float32), (0, 0, 30, 30)) == image).all(), "one half leaves no colour"
    assert (tint(image, share(maps, 1), (100, 100, 20, 20)) == image).all()
