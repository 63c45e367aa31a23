"""Fusion weight maps beside a result."""

import base64
from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.results import maps


def test_weight_maps_survive_the_file(tmp_path: Path):
    weights = np.stack([np.full((3, 4), 1.0), np.full((3, 4), 3.0)])
    maps.write_maps(tmp_path / "a_maps.npz", [None, {"level 2": weights}], [None, (1, 2, 30, 30)])
    level = maps.read_maps(tmp_path / "a_maps.npz", 2)["level 2"]
    assert (level["width"], level["height"]) == (4, 3) and level["windows"] == [None, [1, 2, 30, 30]]
    values = np.frombuffer(base64.b64decode(level["values"]), np.uint8).reshape(2, 3, 4)
    assert (values[0] == 128).all() and (values[1] == 191).all()  # 3 of 4 parts are thermal
    with pytest.raises(UserError, match="2 frames, the sequence has 5"):
        maps.read_maps(tmp_path / "a_maps.npz", 5)
    (tmp_path / "b_maps.npz").write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"b_maps\.npz"):
        maps.read_maps(tmp_path / "b_maps.npz", 5)
