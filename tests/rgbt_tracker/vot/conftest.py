"""A workspace of two short drawn sequences with the repository's stack and trackers of the tests."""

import os
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = Path(__file__).resolve().parents[3]
TRACKERS = {
    "Template": "factory='template_tracker:TemplateTracker'",
    "Drifter": "factory='template_tracker:Drifter'",
    "Dice": "factory='template_tracker:Dice'",
    "Crasher": "factory='template_tracker:Crasher'",
    "Thermal": "factory='template_tracker:TemplateTracker', modality='ir'",
    "Onnx": "config='nestfuse_nanotrack', runtime='onnx', threads=1",
    "Absent": "config='nestfuse_siamrpn_r50', weights='no_such_weights'",
}
SHORT = {"low: 109": "low: 10", "high: 322": "high: 25", "low: 115": "low: 10", "high: 755": "high: 25"}


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """The trackers of the tests can be imported."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(HERE)])


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Folder of two drawn sequences in the VOT layout: 'a' with rectangles, 'b' with polygons."""
    from rgbt_tracker.boxes import box_to_polygon
    from rgbt_tracker.sequences.vot_folder import write_vot
    from rgbt_tracker.synthetic import draw_sequence

    root = tmp_path_factory.mktemp("drawn")
    for name, scene, seed in (("a", "street", 3), ("b", "night", 4)):
        sequence = draw_sequence(scene, length=28, size=(96, 72), seed=seed)
        sequence.info.name = name
        write_vot(sequence, root)
    lines = (root / "b" / "groundtruth.txt").read_text().split()
    polygons = (box_to_polygon([float(value) for value in line.split(",")]) for line in lines)
    (root / "b" / "groundtruth.txt").write_text("\n".join(",".join(f"{v:g}" for v in p) for p in polygons) + "\n")
    return root


@pytest.fixture
def workspace(tmp_path, drawn):
    """A fresh copy of vot_workspace with short sequences, an EAO interval for them and the trackers of the tests."""
    pytest.importorskip("vot")
    pytest.importorskip("trax")
    root = tmp_path / "workspace"
    shutil.copytree(REPOSITORY / "vot_workspace", root, ignore=shutil.ignore_patterns("sequences", "results", "cache"))
    for stack in (root / "stack.yaml", root / "vot2020" / "stack.yaml"):
        text = stack.read_text()
        for old, new in SHORT.items():
            text = text.replace(old, new)
        stack.write_text(text)
    (root / "trackers.ini").write_text("\n".join(map(_row, TRACKERS)))
    shutil.copytree(drawn, root / "sequences")
    return root


def _row(name):
    paths = f"{REPOSITORY}{os.pathsep}{HERE}"
    command = f"from rgbt_tracker.vot.adapter import main; main({TRACKERS[name]})"
    return f"[{name}]\nlabel = {name}\nprotocol = traxpython\ncommand = {command}\npaths = {paths}\n"
