"""The networks and the loop against the reference implementations' own outputs."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from nestfuse_core.common.checkpoints import save_checkpoint
from rgbt_tracker import build_tracker
from rgbt_tracker.config import load_config
from rgbt_tracker.export.write import export
from rgbt_tracker.models.build import build_network
from rgbt_tracker.runtime.with_onnx import OnnxRuntime
from rgbt_tracker.tracking.tracker import Tracker

SIAMRPN = {
    "siamrpn_r50_l234_dwxcorr": "nestfuse_siamrpn_r50",
    "siamrpn_mobilev2_l234_dwxcorr": "nestfuse_siamrpn_mobilev2_official",
    "siamrpn_alex_dwxcorr": "nestfuse_siamrpn_alex",
}
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def parity(shared: Path):
    spec = importlib.util.spec_from_file_location("parity_fill", shared / "parity" / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def close(actual: np.ndarray, expected: np.ndarray) -> None:
    assert np.abs(actual - expected).max() <= TOLERANCE * np.abs(expected).max()


def read_pair(folder: Path, number: int) -> tuple[np.ndarray, np.ndarray]:
    return cv2.imread(str(folder / f"color/{number:05d}v.jpg")), cv2.imread(str(folder / f"ir/{number:05d}i.jpg"))


@pytest.mark.shared
@pytest.mark.parametrize("golden", SIAMRPN)
def test_siamrpn_outputs_and_track(golden: str, shared: Path, parity, tmp_path: Path) -> None:
    expected = np.load(shared / "parity" / f"{golden}.npz")
    config = load_config(SIAMRPN[golden]).replace(modality="rgb")
    network = build_network(config).eval()
    network.load_state_dict(parity.fill(network.state_dict()))
    search = torch.from_numpy(expected["search"]).float()[None]
    with torch.inference_mode():
        output = network(torch.from_numpy(expected["template"]).float()[None], search)
        features = network.extract(search)
    close(output.cls.numpy(), expected["cls"])
    close(output.loc.numpy(), expected["loc"])
    for index, level in enumerate(features):
        assert tuple(level[0].shape) == tuple(expected[f"backbone{index}_shape"])
        close(level[0, 0].mean((1, 2)).numpy(), expected[f"backbone{index}_mean"])
    save_checkpoint(tmp_path / "filled.pth", network.state_dict())
    tracker = build_tracker(config, weights=tmp_path / "filled.pth", device="cpu")
    images, boxes = parity.frames(8, seed=int(expected["frames_seed"]))
    follows(tracker, images, boxes, expected)
    export(config, tmp_path / "filled.pth", tmp_path / "graphs", frames=1)
    follows(build_tracker(config, weights=tmp_path / "graphs"), images, boxes, expected)
    answers(OnnxRuntime(tmp_path / "graphs"), expected)


def answers(runtime: OnnxRuntime, expected: Any) -> None:
    """Exported graphs give the golden's outputs."""
    template, search = (expected[name].transpose(0, 2, 3, 1)[None].astype(np.uint8) for name in ("template", "search"))
    answer = runtime.search(runtime.template(template, ("rgb",)), search)
    close(answer.cls, expected["cls"])
    close(answer.loc, expected["loc"])


def follows(tracker: Tracker, images: list[np.ndarray], boxes: np.ndarray, expected: Any) -> None:
    """The golden's track, and its step at the picture's edge."""
    tracker.initialize(images[0], None, boxes[0])
    results = [tracker.update(image, None) for image in images[1:]]
    np.testing.assert_allclose([r.box for r in results], expected["track_boxes"], atol=0.01)
    np.testing.assert_allclose([r.score for r in results], expected["track_scores"], atol=1e-4)
    tracker.initialize(images[0], None, (300, 200, 60, 70))
    edge = tracker.update(images[1], None)
    np.testing.assert_allclose(edge.box, expected["edge_box"], atol=0.01)
    assert edge.score == pytest.approx(float(expected["edge_score"]), abs=1e-4)


@pytest.mark.shared
@pytest.mark.parametrize("golden", SIAMRPN)
def test_parameter_names_and_shapes_are_pysots(golden: str, shared: Path) -> None:
    expected = json.loads((shared / "parity" / f"keys_{golden}.json").read_text())
    with torch.device("meta"):
        state = build_network(load_config(SIAMRPN[golden])).state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == expected


@pytest.mark.shared
def test_nanotrack_outputs_and_real_tracks(shared: Path, tmp_path: Path) -> None:
    expected = np.load(shared / "parity" / "nanotrackv3.npz")
    weights = shared / "data" / "weights" / "nanotrackv3.pth"
    diamond = shared / "data" / "votrgbt2019" / "sequences" / "diamond"
    truth = np.loadtxt(diamond / "groundtruth_infrared.txt", delimiter=",")
    export(load_config("nanotrack_v3"), weights, tmp_path / "graphs", frames=1)
    answers(OnnxRuntime(tmp_path / "graphs"), expected)
    for modality, given in (
        ("rgb", weights),
        ("ir", weights),
        ("rgb", tmp_path / "graphs"),
        ("ir", tmp_path / "graphs"),
    ):
        tracker = build_tracker("nanotrack_v3", weights=given, device="cpu", modality=modality)
        start, count = int(expected["start"]), len(expected[f"{modality}_boxes"])
        frames = [read_pair(diamond, number) for number in range(start, start + count + 1)]
        tracker.initialize(*frames[0], truth[start - 1])
        results = [tracker.update(*frame) for frame in frames[1:]]
        np.testing.assert_allclose([r.box for r in results], expected[f"{modality}_boxes"], atol=0.01)
        np.testing.assert_allclose([r.score for r in results], expected[f"{modality}_scores"], atol=1e-4)
    network = build_tracker("nanotrack_v3", weights, "cpu", "ir", runtime="torch").runtime.network
    with torch.inference_mode():
        template = torch.from_numpy(expected["template"]).float()[None]
        output = network(template, torch.from_numpy(expected["search"]).float()[None])
        close(network.extract(template)[0][0].numpy(), expected["template_feature"])
    close(output.cls.numpy(), expected["cls"])
    close(output.loc.numpy(), expected["loc"])
