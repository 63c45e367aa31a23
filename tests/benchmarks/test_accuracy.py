"""Every script of benchmarks/accuracy runs on a small case and refuses bad input in one sentence."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import yaml

from nestfuse_core.common.pictures import read_image, write_image
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.synthetic import draw_sequence

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SMALL = ["--config", "nestfuse_nanotrack", "--weights", "untrained", "--device", "cpu", "--count", 0]


def rows(table):
    """The rows of a Markdown table, name -> figures."""
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {name: [float(figure) for figure in figures] for name, *figures in cells[1:]}


def test_designs_on_whole_tracks(script):
    arguments = [*SMALL, "--varied", 1, "--length", 3, "--failing", 1, "--design", "RGB", "--design", "thermal"]
    found = rows(script("accuracy/reliability", *arguments))
    assert list(found) == ["RGB", "thermal"]
    assert all(0 <= iou <= 1 and below >= 0 and failures >= 0 for iou, _, _, below, failures in found.values())
    assert found["thermal"][1] == pytest.approx(found["thermal"][0] - found["RGB"][0], abs=2e-4)


def test_given_gates_on_short_tracks(script):
    gates = ["--design", "without memory", "--changes", "now=1,rate=0.5"]
    found = rows(script("accuracy/reliability", *SMALL, "--crowd", 1, "--length", 4, "--blind", 1, "--short", *gates))
    assert list(found) == ["without memory", "now=1,rate=0.5"]


def test_settings_of_nanotrack_with_resets(script, sequence):
    found = rows(script("accuracy/nanotrack_reset", "--sequence", sequence, "--weights", "untrained", "--threads", 1))
    assert len(found) == 8 and all(0 <= mean <= 1 and failures in (0, 1, 2) for mean, failures in found.values())


def test_people_of_videos(script, tmp_path):
    for camera in ("visible", "infrared"):
        write_video(tmp_path / "m3svd" / camera / "clip.mp4", frames=12)
    people = {"walker": {"clip": "clip", "boxes": {2: [10, 20, 8, 16], 6: [14, 20, 8, 16]}, "hidden": [[4, 5]]}}
    (tmp_path / "people.yaml").write_text(yaml.safe_dump(people))
    script("accuracy/people", tmp_path / "m3svd", tmp_path / "out", "--people", tmp_path / "people.yaml")
    sequence = open_sequence(tmp_path / "out" / "walker")
    assert len(sequence) == 5
    np.testing.assert_allclose(sequence.groundtruth[[0, 1, 4]], [[10, 20, 8, 16], [11, 20, 8, 16], [14, 20, 8, 16]])
    assert np.isnan(sequence.groundtruth[2:4]).all() and list(sequence.info.tags["occlusion"]) == [0, 0, 1, 1, 0]


def test_the_people_that_are_shipped_have_boxes_in_order(load):
    people = load("accuracy/people").read_people(BENCHMARKS / "accuracy" / "people.yaml")
    assert len(people) == 9
    assert all(list(person["boxes"]) == sorted(person["boxes"]) for person in people.values())


@pytest.fixture
def videos(tmp_path):
    """A folder in M3SVD's layout with one small video of both cameras."""
    for camera in ("visible", "infrared"):
        write_video(tmp_path / "m3svd" / camera / "clip.mp4", frames=4)
    return tmp_path / "m3svd"


def test_the_picture_of_the_documentation(script, videos, tmp_path):
    for looks, columns in (((), 3), (("--looks",), 5)):
        script("accuracy/fusion_picture", videos, "--frames", "clip:2", "--output", tmp_path / "fusion.png", *looks)
        height, width = read_image(tmp_path / "fusion.png").shape[:2]
        assert width > columns * 160 and height > 120


def test_levels_of_videos(script, videos):
    shown = script("accuracy/flicker", videos, "--frames", 3)
    assert all(word in shown for word in ("clip", "to the visible", "natural"))


def moved_scene(load):
    """A case of the alignment benchmark: a drawn pair, its thermal picture moved as the truth says."""
    cases = load("accuracy/rig_cases")
    return next(cases.cases("tune", drawn_alone(cases), "drawn pair"))


def drawn_alone(cases):
    """Where the benchmark finds no recorded pictures: a folder whose listing is empty."""
    folder = SimpleNamespace(iterdir=lambda: iter(()))
    return type("Nowhere", (), {"__truediv__": lambda self, part: folder})()


def test_alignment_of_moved_pictures(load):
    rig_align = load("accuracy/rig_align")
    case = moved_scene(load)
    rig_align.cases = lambda part, shared, only: iter([case])
    (row,) = rig_align.measure("tune", Path("nowhere"), "", False)
    assert case.corner_error(case.truth) == 0 and row["kind"] == "drawn pair"
    assert row["answered"] and row["error"] < 5
    assert abs(row["relative"] - row["error"]) < 2, "drawn pictures lie on each other"
    shifted = np.array([[1, 0, 3.0], [0, 1, 4], [0, 0, 1]])
    height, width = case.frames[0][0].shape[:2]
    away = case.corner_error(case.truth, case.relative(shifted))
    assert away == pytest.approx(np.hypot(3 * 640 / width, 4 * 480 / height), abs=1e-6)
    (line,) = (line for line in rig_align.table([row]) if line.startswith("| all "))
    assert line.startswith("| all | 1 | 1 (100 %) | 100 % | 0 |")


def test_offsets_of_clocks(load, capsys, monkeypatch):
    rig_sync = load("accuracy/rig_sync")
    for name, value in (("SCENES", ("street",)), ("LAGS", (0, 7)), ("MOST", 10)):
        monkeypatch.setattr(rig_sync, name, value)
    rig_sync.main(["--shared", "nowhere", "--frames", "70"])
    shown = capsys.readouterr().out
    assert re.search(r"\| street-\d+ \| 60 \| [0-2] of 2 \|", shown) and " of 2 answered" in shown


def test_tracking_with_an_estimated_rig(load, capsys):
    rig_track = load("accuracy/rig_track")
    scene = draw_sequence("street", length=3, seed=1, size=(640, 480))
    pairs = [(frame.rgb, frame.ir) for frame in map(scene.frame, range(3))]
    rig_track.load = lambda shared, name, count: (pairs, scene.groundtruth)
    rig_track.main([])
    shown = capsys.readouterr().out
    overlaps = re.findall(r"mean overlap ([\d.]+)", shown)
    assert "Estimated from" in shown and len(overlaps) == 3 and float(overlaps[0]) > 0.5


def test_a_camera_that_is_missing_for_a_while(script, tmp_path):
    small = ["--config", "nestfuse_nanotrack", "--weights", "untrained", "--drawn", 1, "--start", 2, "--after", 2]
    found = []
    for lengths in ([1, 2], [1, 2, 3]):  # what is known of a start is not measured again
        arguments = [part for length in lengths for part in ("--length", length)]
        found.append(script("accuracy/missing_camera", "--results", tmp_path / "found.json", *small, *arguments))
    measured, again = found
    assert "start 2" in measured and "start 2" not in again
    assert all(
        f"| {kind} | {length} | 0." in again for kind in ("missing", "frozen", "black", "noise") for length in (1, 2)
    )
    kept = json.loads((tmp_path / "found.json").read_text())
    assert len(kept) == 2 * 4 * 2
    # Black is seen at once, so that it is the same as a camera that is missing.
    by_kind = {kind: [{**row, "kind": ""} for row in kept if row["kind"] == kind] for kind in ("missing", "black")}
    assert by_kind["missing"] == by_kind["black"] != []


def test_cameras_on_which_nothing_is_to_say(script, sequence, tmp_path):
    write_image(tmp_path / "stills" / "nothing.png", np.zeros((60, 80), np.uint8))
    out = script("accuracy/camera_faults", "--sequence", sequence, "--drawn", 1, "--length", 4, "--stills", tmp_path)
    assert "nothing.png: black" in out
    assert re.search(r"\| recorded \| 16 \| 0 \|", out) and "| stills | 1 | 1 black |" in out
    assert float(re.search(r"([\d.]+) ms a picture", out)[1]) > 0


def write_video(path, frames, size=(160, 120), step=2):
    """A bright person-shaped block that walks to the right on a dark ground."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, size)
    for index in range(frames):
        picture = np.full((size[1], size[0], 3), 40, np.uint8)
        left = 20 + step * index
        picture[40:80, left : left + 18] = 220
        writer.write(picture)
    writer.release()


class Follower:
    """Finds the bright block; ``shift`` px beside it."""

    def __init__(self, shift=0):
        self.shift = shift

    def initialize(self, rgb, ir, box):
        self.box = tuple(map(float, box))

    def update(self, rgb, ir):
        rows, columns = np.nonzero(rgb[..., 0] > 130)
        left, top = columns.min(), rows.min()
        box = (left + self.shift, top, columns.max() + 1 - left, rows.max() + 1 - top)
        return SimpleNamespace(box=tuple(map(float, box)), score=1.0)


def test_walkers_on_whom_trackers_agree(load, tmp_path):
    write_video(tmp_path / "street.mp4", frames=40)
    walkers = load("accuracy/walkers")
    found = walkers.Walkers(tmp_path / "street.mp4", 9, 0.5, [Follower(), Follower(1), Follower(400)])
    assert len(found) >= 3
    walk = found.sequence(1)
    assert walk is not None and walk.frame(0).rgb.shape == (60, 80, 3) and walk.frame(0).ir.shape == (60, 80)
    np.testing.assert_allclose(walk.groundtruth[3], [(20 + 24 + 0.5) / 2, 20, 9, 20], atol=1.5)
    alone = walkers.Walkers(tmp_path / "street.mp4", 9, 1.0, [Follower(), Follower(400)])
    assert alone.sequence(1) is None


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("reliability", ["--config", "nobody"], "nobody"),
        ("reliability", ["--changes", "now=much"], "expected SETTING=NUMBER"),
        ("reliability", [*SMALL, "--changes", "memories=1"], "memory"),
        ("reliability", SMALL, "Expected scenes with a target"),
        ("nanotrack_reset", ["--sequence", "nowhere", "--weights", "untrained"], "nowhere"),
        ("people", ["nowhere", "out"], "Expected nowhere/visible/0113_1714.mp4"),
        ("fusion_picture", ["nowhere"], "nowhere"),
        ("flicker", ["nowhere"], "Expected videos in 'nowhere/visible'"),
        ("camera_faults", [], "Expected something to look at"),
        ("missing_camera", ["--results", "found.json"], "Expected sequences with frames enough"),
    ],
)
def test_bad_input_is_one_sentence(refusal, name, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert re.search(re.escape(message), refusal(f"accuracy/{name}", *arguments))


def test_every_script_is_tested():
    scripts = {path.stem for path in (BENCHMARKS / "accuracy").glob("*.py")} - {"nodes"}
    assert scripts == {
        "camera_faults",
        "missing_camera",
        "clock_stream",
        "flicker",
        "fusion_picture",
        "live_pairing",
        "nanotrack_reset",
        "people",
        "reliability",
        "rig_align",
        "rig_cases",
        "rig_sync",
        "rig_track",
        "two_nodes",
        "walkers",
    }
