"""Points picked by hand and boards."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from nestfuse_core.rig.file import Rig, rows
from nestfuse_core.rig.given import from_board, from_points, parse_board, parse_points
from nestfuse_core.rig.lay import Laying

CORNERS = np.array([[20, 30], [300, 40], [280, 220], [40, 200], [150, 100.0]])


@settings(max_examples=30)
@given(st.lists(st.floats(-15, 15), min_size=8, max_size=8), st.floats(0.4, 2.5))
def test_four_pairs_give_the_homography_they_came_from(moves, scale):
    right = cv2.getPerspectiveTransform(
        CORNERS[:4].astype(np.float32), (scale * (CORNERS[:4] + np.reshape(moves, (4, 2)))).astype(np.float32)
    )
    visible = cv2.perspectiveTransform(CORNERS[:, None], right)[:, 0]
    matrix, left = from_points(visible, CORNERS)
    assert left.shape == (5,) and left.max() < 1e-3
    assert np.allclose(cv2.perspectiveTransform(CORNERS[:, None], matrix)[:, 0], visible, atol=1e-2)


def test_points_are_read_and_bad_ones_refused():
    visible, thermal = parse_points(["1,2,3,4", "5,6,7,8", "9,1,2,3", "4,5,6,7.5"])
    assert visible[1].tolist() == [5, 6] and thermal[3].tolist() == [6, 7.5]
    with pytest.raises(UserError, match=r"x,y,X,Y.*'1,2,3'"):
        parse_points(["1,2,3"] * 4)
    with pytest.raises(UserError, match="at least 4 pairs of points, got 3"):
        parse_points(["1,2,3,4"] * 3)
    line = np.array([[0, 0], [10, 10], [20, 20], [30, 30.0]])
    with pytest.raises(UserError, match="lie on one line"):
        from_points(line, CORNERS[:4])


@pytest.mark.parametrize("text", ["9", "9x", "9x1", "axb"])
def test_a_board_is_corners_across_and_down(text):
    assert parse_board("9x6") == (9, 6)
    with pytest.raises(UserError, match="COLUMNSxROWS"):
        parse_board(text)


def board_pictures(poses: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """A chessboard of 7x5 inner corners before both cameras: thermal sees it from elsewhere, inverted, and smaller."""
    rng = np.random.default_rng(3)
    squares = (np.indices((6, 8)).sum(0) % 2 * 200 + 30).astype(np.uint8)
    flat = cv2.copyMakeBorder(np.kron(squares, np.ones((40, 40), np.uint8)), 40, 40, 40, 40, 0, None, 230)
    matrix = np.array([[520.0, 0, 319.5], [0, 520, 239.5], [0, 0, 1]])
    pairs = []
    for _ in range(poses):
        turn, _ = cv2.Rodrigues(rng.uniform(-0.35, 0.35, 3))
        place = np.array([rng.uniform(-0.3, 0.3), rng.uniform(-0.2, 0.2), 4.5])
        center = np.array([[1 / 100, 0, -2.0], [0, 1 / 100, -1.6], [0, 0, 1]])
        seen = matrix @ np.column_stack([turn[:, :2], place]) @ center
        rgb = cv2.warpPerspective(flat, seen, (640, 480), borderValue=200)
        ir = cv2.warpPerspective(flat, TO_THERMAL @ seen, (400, 300), borderValue=200)
        pairs.append((np.repeat(rgb[..., None], 3, 2), 255 - ir))
    return pairs


TO_THERMAL = np.array([[0.6, 0.01, 8.0], [-0.01, 0.6, 6.0], [0, 0, 1]])


def test_a_board_that_both_see_gives_lenses_and_homography():
    result = from_board(board_pictures(6), (7, 5))
    assert result.seen >= 4 and max(result.errors) < 0.6
    rig = Rig(
        visible=(640, 480),
        thermal=(400, 300),
        homography=rows(result.homography),
        visible_lens=result.visible_lens,
        thermal_lens=result.thermal_lens,
    )
    across, down = (plane.astype(np.float32) for plane in np.meshgrid(np.arange(400), np.arange(300)))
    for plane, axis in ((across, 0), (down, 1)):
        laid, nothing = Laying(rig)(plane, (640, 480))
        ys, xs = np.mgrid[100:400:60, 100:560:60]
        right = cv2.perspectiveTransform(np.stack([xs, ys], -1).reshape(-1, 1, 2).astype(float), TO_THERMAL)[:, 0, axis]
        assert not nothing[ys, xs].any()
        assert np.abs(laid[ys, xs].ravel() - right).max() < 2.0


def test_a_board_that_is_not_there_is_said():
    blank = np.full((120, 160, 3), 90, np.uint8)
    with pytest.raises(UserError, match="9x6 board in 0 of 2 pictures"):
        from_board([(blank, blank[..., 0])] * 2, (9, 6))
