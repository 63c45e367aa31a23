"""Several targets' tracks in one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.box_files import is_mot
from rgbt_tracker.results.mot import read_mot, write_mot
from rgbt_tracker.results.trajectory import Trajectory


def test_rows_are_motchallenges_and_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    boxes = {number: rng.uniform(1, 90, (6, 4)) for number in (2, 5)}
    boxes[5][:3] = np.nan
    tracks = {number: Trajectory.of_boxes(values, np.full(6, 0.25)) for number, values in boxes.items()}
    path = write_mot(tmp_path, "street", tracks)
    assert path == tmp_path / "street_mot.txt"
    table = np.loadtxt(path, delimiter=",")
    assert is_mot(table) and len(table) == 6 + 3
    assert table[:, 0].tolist() == [1, 2, 3, 4, 4, 5, 5, 6, 6], "frame by frame, from 1 on"
    assert np.allclose(table[0, 2:6], boxes[2][0] + [1, 1, 0, 0], atol=1e-4) and (table[:, 6] == 0.25).all()
    read = read_mot(path, 6)
    assert list(read) == [2, 5]
    for number, values in boxes.items():
        assert np.allclose(read[number], values, atol=1e-4, equal_nan=True)


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "street_mot.txt"
    path.write_text("1,1,2,3,4\n")
    with pytest.raises(UserError, match="in line 1"):
        read_mot(path, 6)
    path.write_text("0,1,2,3,4,5,1,-1,-1,-1\n")
    with pytest.raises(UserError, match="frames from 1 on"):
        read_mot(path, 6)
    path.write_text("7,1,2,3,4,5,1,-1,-1,-1\n")
    assert np.isnan(read_mot(path, 6)[1]).all(), "beyond the sequence"
