"""``rgbt compare``: a table, three result files and a picture."""

import cv2
import numpy as np
from typer.testing import CliRunner

from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import load_config
from rgbt_tracker.output.comparison import COLOURS, comparison_picture
from rgbt_tracker.results.read import read_frames
from rgbt_tracker.synthetic import draw_sequence


def test_compare_writes_tracks_and_a_picture(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("rgbt_tracker.open_sequence", lambda name: draw_sequence("street", length=5, seed=2))
    arguments = ["--sequence", "drawn:street", "--config", "nestfuse_nanotrack", "--weights", "untrained"]
    result = CliRunner().invoke(build_app(), ["compare", *arguments, "--output", str(tmp_path), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    name = draw_sequence("street", length=5, seed=2).name
    for modality in ("rgb", "ir", "rgbt"):
        assert np.loadtxt(tmp_path / f"nestfuse_nanotrack-{modality}" / f"{name}.txt", delimiter=",").shape == (5, 4)
        rows = read_frames(tmp_path / f"nestfuse_nanotrack-{modality}" / f"{name}_frames.csv")
        used = ("rgb", "ir") if modality == "rgbt" else (modality,)
        assert [(row.frame, row.cameras) for row in rows] == [(index, used) for index in range(5)]
    assert cv2.imread(str(tmp_path / f"{name}.jpg")).shape[1] == 5 * 320
    assert all(label in result.output for label in ("RGB", "thermal", "fused", f"{name}.jpg"))


def test_picture_shows_every_track_in_its_colour() -> None:
    sequence = draw_sequence("street", length=3, seed=1)
    tracks = {name: np.tile([100.0 + 60 * i, 100, 50, 80], (3, 1)) for i, name in enumerate(COLOURS)}
    picture = comparison_picture(sequence, tracks, load_config("nestfuse_nanotrack"), columns=2)
    assert picture.shape[1] == 640
    for colour in COLOURS.values():
        assert (picture[:480] == colour).all(-1).sum() > 100
