"""Boxes of several targets: on a command line and in a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from rgbt_tracker.target_files import parse_init, read_targets


def test_without_numbers_boxes_are_targets_and_with_them_frames() -> None:
    assert parse_init([], 0, 9) == {}
    assert parse_init(["1,2,30,40"], 2, 9) == {1: {2: (1, 2, 30, 40)}}
    assert parse_init(["1,2,30,40", "5,6,7,8"], 0, 9) == {1: {0: (1, 2, 30, 40)}, 2: {0: (5, 6, 7, 8)}}
    assert parse_init(["1,2,30,40", "4:5,6,7,8"], 0, 9) == {1: {0: (1, 2, 30, 40), 4: (5, 6, 7, 8)}}
    assert parse_init(["4:5,6,7,8", "0:1,2,30,40"], 0, 9) == {1: {4: (5, 6, 7, 8), 0: (1, 2, 30, 40)}}
    assert parse_init(["1,2,30,40", "5,6,7,8"], 0, None).keys() == {1, 2}, "live"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["1,2,3,4", "5,6,7,8", "4:1,2,3,4"], "With 2 targets --init 4:... does not say which one is put back"),
        (["1,2,3,4", "0:1,2,3,4"], "got two for frame 0"),
        (["3:1,2,3,4", "3:1,2,3,5"], "got two for frame 3"),
        (["9:1,2,3,4"], "from 0 to 8"),
        (["x:1,2,3,4"], "number N of a frame"),
        (["1,2,3"], "four numbers"),
    ],
)
def test_what_is_not_clear_is_refused(texts: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_init(texts, 0, 9)


ROWS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.integers(2, 99)), min_size=1, max_size=12)


@given(ROWS, st.booleans())
def test_a_table_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, rows, header: bool) -> None:
    boxes = {(frame, number): (float(side), side + 1.0, side + 2.5, 30.0) for frame, number, side in rows}
    path = tmp_path_factory.mktemp("targets") / "targets.csv"
    lines = ["frame,id,x,y,w,h"] * header + [",".join(map(str, (*key, *box))) for key, box in boxes.items()]
    path.write_text("\n".join(lines) + "\n\n")
    read = read_targets(path, 0, 21)
    assert {(frame, number): box for number, own in read.items() for frame, box in own.items()} == boxes
    assert list(read) == sorted(read) and all(list(own) == sorted(own) for own in read.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no row"),
        ("0,1,2,3,4\n", "in line 1"),
        ("frame,id,x,y,w,h\n0,1,2,3,4,five\n", "in line 2 of"),
        ("0,0,2,3,4,5\n", "ids from 1 on"),
        ("0,1e30,2,3,4,5\n", "below 1000000000"),
        ("0.5,1,2,3,4,5\n", "whole numbers"),
        ("30,1,2,3,4,5\n", "frames from 0 to 20"),
        ("0,1,2,3,4,5\n0,1,2,3,4,6\n", "a second one in line 2"),
        ("0,1,.2,.3,.4,.5\n", "normalised"),
    ],
)
def test_another_table_is_refused_by_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "targets.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_targets(path, 0, 21)
    with pytest.raises(UserError, match="Cannot read targets"):
        read_targets(tmp_path / "none.csv", 0, 21)
