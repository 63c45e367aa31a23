"""Exported graphs: as a stranger's program opens them, beside torch, through the whole loop, and what is refused."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from typer.testing import CliRunner

from nestfuse_core.common.checkpoints import save_checkpoint
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.graphs import cached_folder, key_in
from nestfuse_core.export import write as fusion_write
from nestfuse_core.runtime.exports import key_of as fusion_key
from nestfuse_core.runtime.exports import shipped_folder as fusion_folder
from nestfuse_core.weights import locate
from rgbt_tracker import build_tracker
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import MODALITIES, load_config
from rgbt_tracker.export import write
from rgbt_tracker.export.check import Difference, refuse
from rgbt_tracker.models.build import build_network
from rgbt_tracker.runtime.choose import choose_onnx
from rgbt_tracker.runtime.exports import find_export, key_of, shipped_folder
from rgbt_tracker.runtime.with_onnx import OnnxRuntime
from rgbt_tracker.runtime.with_torch import TorchRuntime
from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.zoo import resolve

NANO = "nestfuse_nanotrack"
SHIPPED = shipped_folder(NANO)
BOTH = ("rgb", "ir")


def crops(cameras: int, targets: int, side: int) -> np.ndarray:
    return np.random.default_rng(side + targets).integers(0, 256, (cameras, targets, side, side, 3), np.uint8)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape and found.dtype == np.float32
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TorchRuntime]:
    """An export of an untrained network with a gate, and that network."""
    folder = tmp_path_factory.mktemp("gated")
    config = load_config(NANO)
    torch.manual_seed(1)
    network = build_network(config).eval()
    save_checkpoint(folder / "weights.pt", network.state_dict())
    differences = write.export(config, folder / "weights.pt", folder / "graphs", frames=2)
    assert [found.modality for found in differences] == ["rgbt", "rgb", "ir"]
    assert all(0 < found.outputs < 1e-4 and found.boxes < 0.01 for found in differences)
    return folder / "graphs", TorchRuntime(network)


def test_the_shipped_graphs_are_of_the_shipped_weights() -> None:
    """After new weights or other numbers of the gate: rgbt export nestfuse_nanotrack --shipped"""
    config = load_config(NANO)
    assert key_in(SHIPPED) == key_of(config, resolve(str(config.weights)))


def test_a_strangers_program_reads_names_and_shapes_and_tracks() -> None:
    """Nothing of this package but the files: docs/guides/export.md says the rest."""
    template, search = (onnxruntime.InferenceSession(SHIPPED / f"{part}_rgbt.onnx") for part in ("template", "search"))
    facts = search.get_modelmeta().custom_metadata_map
    assert json.loads(facts["config"])["name"] == NANO and facts["cameras"] == "rgb,ir"
    assert [value.name for value in template.get_inputs()] == ["images"]
    assert template.get_inputs()[0].shape == [2, "targets", 127, 127, 3]
    assert search.get_inputs()[0].shape == [2, "targets", 255, 255, 3]
    names = [value.name for value in template.get_outputs()]
    assert [value.name for value in search.get_inputs()] == ["images", "memory", *names]
    torch_runtime = build_tracker(NANO, device="cpu", runtime="torch").runtime
    for count in (1, 3):
        first, further = crops(2, count, 127), crops(2, count, 255)
        kernels = template.run(names, {"images": first})
        state, memory = torch_runtime.template(first, BOTH), np.full((3, count), np.nan, np.float32)
        for kernel, other in zip(kernels, state.kernels, strict=True):
            close(kernel, other.numpy())
        for _ in range(2):
            expected = torch_runtime.search(state, further, memory)
            inputs = {"images": further, "memory": memory, **dict(zip(names, kernels, strict=True))}
            cls, loc, memory = search.run(["cls", "loc", "next_memory"], inputs)
            close(cls, expected.cls)
            close(loc, expected.loc)


@pytest.mark.parametrize("cameras", [BOTH, ("rgb",), ("ir",)], ids=str)
def test_a_gate_and_its_memory_are_inside(gated: tuple[Path, TorchRuntime], cameras: tuple[str, ...]) -> None:
    folder, expected = gated
    found = OnnxRuntime(folder)
    memory = np.array([[np.nan, 1.5], [np.nan, -2.0], [np.nan, 0.5]], np.float32) if len(cameras) > 1 else None
    states = [runtime.template(crops(len(cameras), 2, 127), cameras) for runtime in (found, expected)]
    answers = [
        runtime.search(state, crops(len(cameras), 2, 255), memory, maps=True)
        for runtime, state in zip((found, expected), states, strict=True)
    ]
    for name in ("cls", "loc", "weights", "memory"):
        one, other = (getattr(answer, name) for answer in answers)
        assert (one is None) == (other is None) == (len(cameras) < 2 and name in ("weights", "memory"))
        if one is not None:
            close(one, other)
    assert answers[0].maps.keys() == answers[1].maps.keys()
    for name, shares in answers[0].maps.items():
        close(shares, answers[1].maps[name])
    assert not found.search(states[0], crops(len(cameras), 2, 255), memory).maps


def test_targets_stack(gated: tuple[Path, TorchRuntime]) -> None:
    runtime = OnnxRuntime(gated[0])
    first, further = crops(1, 3, 127), crops(1, 3, 255)
    parts = [runtime.template(first[:, [number]], ("ir",)) for number in range(3)]
    together = runtime.search(runtime.stack(parts), further)
    for number, part in enumerate(parts):
        assert runtime.stack([part]) is part
        close(together.cls[[number]], runtime.search(part, further[:, [number]]).cls)


def test_the_same_track_in_both_while_cameras_come_and_go() -> None:
    scene = draw_sequence("street", length=14, size=(320, 240), seed=3)
    boxes = []
    for name in ("torch", "onnx", "auto"):
        tracker = build_tracker(NANO, device="cpu", runtime=name)
        assert tracker.runtime.name == ("torch" if name == "torch" else "onnx")
        found = []
        for index in range(14):
            frame = scene.frame(index)
            pictures = None if index in (5, 6) else frame.rgb, None if index in (0, 1, 9) else frame.ir
            if index == 0:
                tracker.initialize(*pictures, scene.info.start_box)
            else:
                found.append(tracker.update(*pictures).box)
        boxes.append(np.array(found))
    np.testing.assert_allclose(boxes[1], boxes[0], atol=0.01)
    np.testing.assert_array_equal(boxes[2], boxes[1])


def test_the_command_fills_the_cache_and_auto_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RGBT_CACHE", str(tmp_path / "cache"))
    config, own = load_config(NANO).replace(modality="rgb"), tmp_path / "own.pt"
    save_checkpoint(own, build_network(config).state_dict())
    assert find_export(config, own) is None and find_export(config, resolve(NANO)) == SHIPPED
    (tmp_path / "one.yaml").write_text(json.dumps(config.model_dump(mode="json")))
    done = CliRunner().invoke(build_app(), ["export", f"{tmp_path}/one.yaml", "--weights", str(own), "--frames", "2"])
    assert done.exit_code == 0, done.output
    assert "rgb: outputs differ by" in done.output
    place = find_export(config, own)
    assert place is not None and place.parent == tmp_path / "cache" / "exports"
    assert build_tracker(config, own, "cpu").runtime.folder == place
    assert key_in(place) == key_of(load_config(NANO), own) != key_in(SHIPPED)
    assert find_export(config.replace(modality="ir"), own) is None


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_folder_that_was_carried_elsewhere_serves_as_weights(modality: str) -> None:
    tracker = build_tracker(NANO, SHIPPED, modality=modality)
    assert isinstance(tracker.runtime, OnnxRuntime) and tracker.runtime.digest() == key_in(SHIPPED)


def test_what_is_refused(tmp_path: Path) -> None:
    config = load_config(NANO)
    with pytest.raises(UserError, match=r"differ from torch by 2\.0e-04 of an output and 0\.000 px"):
        refuse([Difference("rgbt", 1e-6, 0.0), Difference("ir", 2e-4, 0.0)])
    with pytest.raises(UserError, match="nothing was written"):
        refuse([Difference("rgbt", float("nan"), 0.0)])
    with pytest.raises(UserError, match="did you mean 'onnx'"):
        choose_onnx(config, NANO, runtime="onxx")
    with pytest.raises(UserError, match="computes on a CPU, but the device is 'cuda'"):
        choose_onnx(config, NANO, "cuda", "onnx")
    save_checkpoint(tmp_path / "own.pt", build_network(config).state_dict())
    with pytest.raises(UserError, match=r"no export of the weights .*own.pt.*'rgbt export nestfuse_nanotrack"):
        choose_onnx(config, tmp_path / "own.pt", "cpu", "onnx")
    assert choose_onnx(config, tmp_path / "own.pt", "cpu") is None
    other = load_config("nanotrack_v3").replace(modality="rgbt")
    with pytest.raises(UserError, match="is of the configuration 'nestfuse_nanotrack'"):
        choose_onnx(other.replace(**{"model.fusion.strategy": "mean"}), SHIPPED)
    with pytest.raises(UserError, match="folder of an export"):
        choose_onnx(config, SHIPPED, runtime="torch")
    with pytest.raises(UserError, match="untrained network has no export"):
        build_tracker(config, "untrained", runtime="onnx")
    nuclear = config.replace(**{"model.fusion.channel": "nuclear"})
    with pytest.raises(UserError, match="singular values"):
        write.export(nuclear, resolve(NANO), tmp_path / "nuclear")
    assert not (tmp_path / "nuclear").exists()
    shutil.copytree(SHIPPED, tmp_path / "damaged")
    for name in ("search_rgbt.onnx", "template_rgb.onnx"):
        (tmp_path / "damaged" / name).write_bytes(b"nothing")
    (tmp_path / "damaged" / "template_ir.onnx").unlink()
    with pytest.raises(UserError, match=r"Cannot read the graph .*search_rgbt.onnx"):
        choose_onnx(config, tmp_path / "damaged")
    runtime = OnnxRuntime(tmp_path / "damaged")
    with pytest.raises(UserError, match="Cannot read the graph"):
        runtime.template(crops(1, 1, 127), ("rgb",))
    with pytest.raises(UserError, match=r"'template_ir.onnx' in the export .* 'rgbt export'"):
        runtime.template(crops(1, 1, 127), ("ir",))


def test_the_command_exports_the_network_that_fuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it writes is tested where that is written; here, what it is asked for."""
    monkeypatch.setenv("RGBT_CACHE", str(tmp_path / "cache"))
    asked: list[tuple] = []
    monkeypatch.setattr(fusion_write, "export", lambda *arguments: asked.append(arguments) or 0.00012)
    run = partial(CliRunner().invoke, build_app())
    assert run(["export", "fusion", "--weights", "released-lambda100"]).exit_code == 0
    assert asked.pop()[1] == cached_folder(fusion_key(locate("released-lambda100")))
    done = run(["export", "fusion", "--output", str(tmp_path / "own")])
    assert done.exit_code == 0 and "pictures differ by 0.00012 grey levels" in done.output
    assert run(["export", "fusion", "--weights", "released-lambda100", "--shipped"]).exit_code == 0
    assert [arguments[1] for arguments in asked] == [tmp_path / "own", fusion_folder("released-lambda100")]
    for ir, vis in asked[0][2]:
        assert ir.shape == vis.shape == (171, 253) and ir.dtype == vis.dtype == np.float32 and ir.std() > 5
    assert "give one of them" in str(run(["export", "fusion", "--shipped", "--output", "x"]).exception)
