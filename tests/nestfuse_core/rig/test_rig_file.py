"""The file of a rig: what may stand in it, what it means at other resolutions, where it is found."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.cameras.matching import Timing
from nestfuse_core.common.errors import UserError
from nestfuse_core.rig.file import Rig, between, choose_rig, parse_rig, read_rig, rows, write_rig

numbers = st.floats(-50, 50, allow_nan=False)
sides = st.integers(40, 2000)
sizes = st.tuples(sides, sides)


@st.composite
def homographies(draw):
    """Turned, scaled and shifted, with a little tilt: all that a rig does."""
    turn, scale = draw(st.floats(-0.3, 0.3)), draw(st.floats(0.3, 3))
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    tilt = [draw(st.floats(-5e-5, 5e-5)) for _ in range(2)]
    return np.array([[c, -s, draw(numbers)], [s, c, draw(numbers)], [*tilt, 1.0]])


def moved(matrix, points):
    """By the definition: divide by the third coordinate."""
    spatial = np.column_stack([points, np.ones(len(points))]) @ np.asarray(matrix).T
    return spatial[:, :2] / spatial[:, 2:]


@given(homographies(), sizes, sizes, sizes, sizes)
def test_the_same_view_at_another_resolution_is_the_same_place(matrix, visible, thermal, shown, taken):
    rig = Rig(visible=visible, thermal=thermal, homography=rows(matrix))
    points = np.array([[0.1, 0.2], [0.9, 0.3], [0.4, 0.8]])  # shares of the thermal picture
    there = moved(rig.matrix(shown, taken), points * taken - 0.5)
    right = moved(matrix, points * thermal - 0.5)
    assert np.allclose((there + 0.5) / shown, (right + 0.5) / visible, rtol=1e-6, atol=1e-6)


@given(sizes, sizes, sizes)
def test_scaling_twice_is_scaling_once(first, second, third):
    assert np.allclose(between(second, third) @ between(first, second), between(first, third), atol=1e-8)


@given(
    homographies(),
    st.none() | st.floats(-100, 100),
    st.none() | st.tuples(st.none() | st.floats(1, 200), st.none() | st.floats(1, 200)),
    st.none() | st.tuples(st.floats(-50, 0), st.floats(1, 50)),
)
def test_what_is_written_is_read(tmp_path_factory, matrix, offset, fps, limits):
    file = tmp_path_factory.mktemp("rig") / "rig.yaml"
    rig = Rig(
        visible=(640, 480), thermal=(320, 256), homography=rows(matrix), offset=offset, fps=fps, thermal_range=limits
    )
    write_rig(file, rig)
    assert read_rig(file) == rig


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"homografy": []}, "did you mean 'homography'"),
        ({"homography": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}, "sizes of the pictures"),
        ({"homography": [[1, 0, 0], [2, 0, 0], [0, 0, 1]], "visible": [4, 4], "thermal": [4, 4]}, "inverted"),
        ({"offset": float("nan")}, "'offset'"),
        ({"fps": [30, 0]}, "frames a second"),
        ({"thermal_range": [9, 3]}, "LOW < HIGH"),
        ({"visible": [0, 480]}, "width and height"),
        ({"thermal_lens": {"matrix": np.eye(3).tolist(), "distortion": [0, 0]}}, "4, 5 or 8 coefficients"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(content, said):
    with pytest.raises(UserError) as refused:
        parse_rig(content, "rig.yaml")
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_a_file_that_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(UserError, match="rgbt rig align"):
        read_rig(tmp_path / "rig.yaml")


def test_the_file_beside_recordings_is_found_and_said(tmp_path):
    write_rig(tmp_path / "rig.yaml", Rig(offset=0.25))
    for beside in ((tmp_path,), (tmp_path / "day.mp4", tmp_path / "heat.mp4")):
        chosen, (said,) = choose_rig(None, *beside)
        assert chosen == Rig(offset=0.25) and "0.250 s ahead" in said and "--rig none" in said
    assert choose_rig(None, tmp_path / "day.mp4", tmp_path / "other" / "heat.mp4") == (None, [])
    assert choose_rig("none", tmp_path) == (None, [])


def test_what_the_user_says_comes_before_the_file():
    rig = Rig(offset=0.5, fps=(30.0, None))
    assert rig.completed(Timing()) == Timing(offset=0.5, fps={"rgb": 30.0})
    said = Timing(offset=-1.0, fps={"ir": 9.0})
    assert rig.completed(said) == said
    assert rig.completed(Timing(), live=True) == Timing(offset=0.5)


def test_rows_are_scaled_to_one_in_the_corner():
    matrix = cv2.getPerspectiveTransform(
        np.array([[0, 0], [9, 0], [9, 9], [0, 9]], np.float32), np.array([[1, 1], [8, 2], [9, 9], [0, 8]], np.float32)
    )
    assert np.allclose(rows(-3 * matrix), matrix)
