"""One line about a track."""

from __future__ import annotations

import numpy as np

from rgbt_tracker.output.summary import summarise
from rgbt_tracker.results.trajectory import Trajectory


def test_summary() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [5, 0, 10, 10], [0, 0, 1, 1]], float)
    truth = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [np.nan] * 4])
    track = Trajectory.of_boxes(boxes, np.array([1, 0.9, 0.2, 0.1]), np.array([1, 0.1, 0.1, 0.2]))
    text = summarise(track, truth, 0.3, "street", 2.0)
    assert text == (
        "street: 4 frames in 2.0 s, 2.0 frames/s (tracker alone 7.5); "
        f"mean overlap with the ground truth {(1 + 1 + 1 / 3) / 3:.3f}; score below 0.3 in 2 frames"
    )
    assert "overlap" not in summarise(track, None, 0.3, "street", 2.0)
