"""Result files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from rgbt_tracker.results.read import read_frames
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import FrameRow, write_frames, write_results
from rgbt_tracker.sequences import read_boxes


@settings(max_examples=30, deadline=None)
@given(
    boxes=st.lists(
        st.tuples(*[st.floats(-500, 5000, allow_nan=False)] * 2, *[st.floats(1.01, 5000)] * 2), min_size=1, max_size=9
    )
)
def test_results_read_back(boxes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("results")
    count = len(boxes)
    files = write_results(folder, "street", Trajectory.of_boxes(boxes, np.linspace(0, 1, count), np.full(count, 0.04)))
    assert [path.name for path in files] == ["street.txt", "street_time.txt", "street_scores.txt"]
    assert sorted(path.name for path in folder.iterdir()) == ["street.txt", "street_scores.txt", "street_time.txt"]
    np.testing.assert_allclose(read_boxes(files[0]), boxes, atol=5.1e-5)
    np.testing.assert_allclose(np.loadtxt(files[1], ndmin=1), 0.04)
    np.testing.assert_allclose(np.loadtxt(files[2], ndmin=1), np.linspace(0, 1, count), atol=5.1e-5)


def test_boxes_are_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        if path.name == "a_time.txt":
            raise OSError("no space")
        path.write_text(text)

    monkeypatch.setattr("rgbt_tracker.results.write.write_text", full)
    with pytest.raises(OSError, match="no space"):
        write_results(tmp_path, "a", Trajectory.of_boxes(np.ones((2, 4)), np.ones(2), np.ones(2)))
    assert not (tmp_path / "a.txt").exists()


INDEX = st.none() | st.integers(0, 10**6)
CAMERAS = st.sampled_from([(), ("rgb",), ("ir",), ("rgb", "ir")])
ROWS = st.builds(FrameRow, st.integers(0, 10**6), st.none() | st.integers(0, 10**9), INDEX, INDEX, CAMERAS)


@settings(max_examples=50, deadline=None)
@given(st.lists(ROWS, max_size=6))
def test_frames_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[FrameRow]) -> None:
    rows = [replace(row, time=None if row.time is None else row.time / 1e6) for row in rows]
    path = tmp_path_factory.mktemp("frames") / "a_frames.csv"
    write_frames(path, rows)
    assert read_frames(path) == rows


def test_frames_are_written_as_they_are_documented(tmp_path: Path) -> None:
    rows = [FrameRow(0, 0.0, 3, 1, ("rgb", "ir")), FrameRow(1, 1 / 30, 4, None, ("rgb",)), FrameRow(2, None, 5, 1, ())]
    files = write_results(tmp_path, "a", Trajectory.of_boxes(np.ones((3, 4))), rows)
    assert files[-1].name == "a_frames.csv"
    expected = "frame,time,rgb,ir,cameras\n0,0.000000,3,1,rgb+ir\n1,0.033333,4,,rgb\n2,,5,1,\n"
    assert files[-1].read_bytes().decode() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1"),
        ("frame,time\n1,2\n", "line 1"),
        ("frame,time,rgb,ir,cameras\n0,,0,0,rgb\n1,,0,0\n", "line 3"),
        ("frame,time,rgb,ir,cameras\n0,x,0,0,rgb\n", "line 2"),
        ("frame,time,rgb,ir,cameras\n0,0,0,0,thermal\n", "line 2"),
    ],
)
def test_other_tables_of_frames_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a_frames.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        read_frames(tmp_path / "a_frames.csv")
