"""Reading results: text and binary, boxes and codes, and what lies beside them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from rgbt_tracker.box_files import is_normalised, read_boxes
from rgbt_tracker.results.read import frames_without, read_one_pass, read_trajectory
from rgbt_tracker.results.trajectory import FAILED, INITIALISED, TRACKED, UNKNOWN, Trajectory
from rgbt_tracker.results.write import FrameRow, write_rows


def test_a_trajectory_of_boxes():
    boxes = np.array([[1.0, 2, 3, 4], [np.nan] * 4, [5, 6, 7, 8]])
    track = Trajectory.of_boxes(boxes, seconds=[0.1, 0.2, 0.3])
    np.testing.assert_array_equal(track.boxes, boxes)
    np.testing.assert_array_equal(track.rows, boxes)
    assert track.codes.tolist() == [TRACKED, UNKNOWN, TRACKED] and not track.restarted
    assert np.isnan(track.scores).all() and track.seconds.tolist() == [0.1, 0.2, 0.3]
    empty = Trajectory.of_boxes(np.empty((0, 4)))
    assert len(empty) == 0 and empty.boxes.shape == empty.rows.shape == (0, 4)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([",", " ", "\t", ", ", ";", "  "]),
    st.lists(st.tuples(*[st.floats(-1e4, 1e4) | st.just(float("nan"))] * 4), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
)
def test_rows_read_back_in_any_notation(tmp_path_factory, separator, rows, end):
    path = tmp_path_factory.mktemp("rows") / "a.txt"
    path.write_bytes(end.join(separator.join(map(repr, row)) for row in rows).encode())
    expected = np.array(rows)
    expected[np.isnan(expected).any(axis=1)] = np.nan
    assume(not is_normalised(expected[~np.isnan(expected).any(axis=1)]))
    np.testing.assert_array_equal(read_one_pass(path).rows, expected)
    np.testing.assert_array_equal(read_boxes(path), expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("1,2,x,4", "line 1"),
        ("x,y,w,h\n1,2,3,4", "line 1"),
        ("1,2,3,4\n1,2,3", "line 2"),
        ("1,2,3,4\n\n1,2,3,4\n", "line 2"),
        ("1,2,3,4\n1,2,3,4,5,6,7,8", "got 8 in line 2"),
        ("7,2,3,4,5,6", "got 6 in line 1"),
        ("1,2,3,4\n2\n", "got 1 in line 2"),
        ("1\n2,3,4,5", "rgbt vot score"),
    ],
)
def test_broken_result_files_are_named(tmp_path, text, words):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(UserError, match=words):
        read_one_pass(tmp_path / "a.txt")


def test_a_target_that_was_not_found_is_no_box(tmp_path: Path):
    """A lone 0 or NaN says the same in a result as in an annotation."""
    path = tmp_path / "a.txt"
    path.write_text("1,2,3,4\n0\nnan\nnan,nan,nan,nan\n1,2,3,4\n\n")
    track = read_one_pass(path)
    np.testing.assert_array_equal(track.boxes, read_boxes(path))
    assert track.codes.tolist() == [TRACKED, UNKNOWN, UNKNOWN, UNKNOWN, TRACKED]
    np.testing.assert_array_equal(read_trajectory(path).codes, track.codes)


def test_one_pass_files_with_what_lies_beside_them(world):
    track = read_one_pass(world.one_pass / "steady" / "alpha.txt")
    assert track.boxes.shape == (30, 4) and (track.codes == TRACKED).all()
    assert track.scores[0] == 1 and track.scores[-1] == 0.5
    assert np.isfinite(track.seconds).all() and track.maps is not None
    assert read_one_pass(world.one_pass / "shaky" / "alpha.txt").maps is None


def test_companions_that_do_not_fit(tmp_path: Path):
    (tmp_path / "a.txt").write_text("1,2,3,4\n1,2,3,4\n")
    (tmp_path / "a_time.txt").write_text("0.1\n")
    assert np.isnan(read_one_pass(tmp_path / "a.txt").seconds).all()
    (tmp_path / "a_time.txt").write_text("0.1\nfast\n")
    with pytest.raises(UserError, match=r"a_time\.txt"):
        read_one_pass(tmp_path / "a.txt")


def test_corners_are_kept_as_they_are(tmp_path: Path):
    corners = np.array([[1.0, 2, 5, 2, 5, 8, 1, 8]] * 2)
    write_rows(tmp_path / "a.txt", corners)
    track = read_one_pass(tmp_path / "a.txt")
    np.testing.assert_array_equal(track.rows, corners)
    np.testing.assert_array_equal(track.boxes, [[1, 2, 4, 6]] * 2)


def test_results_with_resets_keep_their_codes(tmp_path: Path):
    file = tmp_path / "a_001.txt"
    file.write_text("1\n10,20,30,40\n2\n0\n1\n5,5,9,5,9,7,5,7\n")
    track = read_trajectory(file)
    assert track.codes.tolist() == [INITIALISED, TRACKED, FAILED, UNKNOWN, INITIALISED, TRACKED] and track.restarted
    np.testing.assert_allclose(track.boxes[1], [10, 20, 30, 40])
    np.testing.assert_allclose(track.boxes[5], [5, 5, 4, 2])
    assert np.isnan(track.boxes[[0, 2, 3, 4]]).all()


def test_text_and_binary_files_read_alike(tmp_path):
    io = pytest.importorskip("vot.region.io")
    from vot.region import Polygon, Rectangle, Special

    items = [Special(1), Rectangle(1.5, 2, 3, 4), Polygon([(1, 2), (3, 4), (5, 6), (7, 8)]), Special(2), Special(0)]
    for suffix in ("txt", "bin"):
        io.write_trajectory(str(tmp_path / f"a.{suffix}"), items)
        trajectory = read_trajectory(tmp_path / f"a.{suffix}")
        np.testing.assert_array_equal(trajectory.codes, [1, -1, -1, 2, 0])
        np.testing.assert_array_equal(trajectory.regions[1], [1.5, 2, 3, 4])
        np.testing.assert_array_equal(trajectory.regions[2], np.arange(1, 9))


def test_an_absent_target_is_unknown(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("1,2,3,4\nnan,nan,nan,nan\n\n")
    np.testing.assert_array_equal(read_trajectory(file).codes, [-1, 0])


@pytest.mark.parametrize("text", ["1,2,3\n", "a,b,c,d\n", "7\n", "1,2,3,4\n\n1,2,3,4\n", "x,y,w,h\n1,2,3,4\n"])
def test_bad_lines_are_named(tmp_path, text):
    file = tmp_path / "a.txt"
    file.write_text(text)
    with pytest.raises(UserError, match=r"line \d of '.*a\.txt'"):
        read_trajectory(file)


def test_a_cut_off_binary_file_is_named(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"\x01\x00\x05\x00\x00\x00\x01\x00\x00")
    with pytest.raises(UserError, match="ends early"):
        read_trajectory(file)


def test_frames_that_had_to_do_without_a_camera() -> None:
    both, alone = ("rgb", "ir"), ("rgb",)
    rows = [FrameRow(index, None, index, index, cameras) for index, cameras in enumerate([both, alone, alone, both])]
    without = frames_without(rows[1:], 5)
    assert list(without) == ["ir"] and without["ir"].tolist() == [False, True, True, False, False]
    assert frames_without([FrameRow(0, None, 0, None, alone)], 5) == {}, "a tracker of one camera misses none"
