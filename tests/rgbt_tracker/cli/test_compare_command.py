"""``rgbt compare``: a table, three result files and a picture."""

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.video import writing_video
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import load_config
from rgbt_tracker.output.comparison import COLOURS, comparison_picture
from rgbt_tracker.results.read import read_frames
from rgbt_tracker.synthetic import draw_sequence


def test_compare_writes_tracks_and_a_picture(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("rgbt_tracker.locate.open_sequence", lambda *_: draw_sequence("street", length=5, seed=2))
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


def test_compare_of_two_videos_begins_where_both_have_pictures(tmp_path) -> None:
    frames = list(draw_sequence("street", length=8, seed=2))
    stamps = {"rgb": [index / 20 for index in range(8)], "ir": [0.1, 0.2, 0.3]}
    for camera, times in stamps.items():
        with writing_video(tmp_path / f"{camera}.mkv", 20) as writer:
            for time in times:
                image = frames[round(20 * time)].picture(camera)
                writer.write(image, time)
    x, y, w, h = draw_sequence("street", length=8, seed=2).groundtruth[0]
    arguments = ["--rgb", tmp_path / "rgb.mkv", "--ir", tmp_path / "ir.mkv", "--init", f"{x},{y},{w},{h}"]
    arguments += ["--config", "nestfuse_nanotrack", "--weights", "untrained", "--output", tmp_path, "--device", "cpu"]
    result = CliRunner().invoke(build_app(), ["compare", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    assert "Paired by time: rgb 20 fps, thermal 10 fps" in result.output.replace("\n", " ")
    assert "begins at frame 1," in result.output.replace("\n", " ") and "overlap" not in result.output
    for modality in ("rgb", "ir", "rgbt"):
        boxes = np.loadtxt(tmp_path / f"nestfuse_nanotrack-{modality}" / "rgb_ir.txt", delimiter=",")
        assert boxes.shape == (7, 4), "of the 8 visible frames the first has no thermal partner"
    assert cv2.imread(str(tmp_path / "rgb_ir.jpg")).shape[1] == 5 * 320


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Nothing to compare: give --sequence"),
        (["--rgb", "a.mp4"], "Nothing to compare"),
        (["--sequence", "drawn:street", "--rgb", "a.mp4"], "not both"),
        (["--sequence", "drawn:street", "--fps", "30,9"], "paired by position, as in all dataset folders"),
        (["--rgb", "a.mp4", "--ir", "b.mp4", "--fps", "fast"], "rates in frames a second"),
    ],
)
def test_compare_needs_one_sequence(arguments, message) -> None:
    error = CliRunner().invoke(build_app(), ["compare", *arguments]).exception
    assert isinstance(error, UserError) and message in str(error)
