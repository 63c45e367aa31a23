"""Result files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import write_results
from rgbt_tracker.sequences import read_boxes


@settings(max_examples=30, deadline=None)
@given(
    boxes=st.lists(
        st.tuples(*[st.floats(-500, 5000, allow_nan=False)] * 2, *[st.floats(0.01, 5000)] * 2), min_size=1, max_size=9
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
