"""A tracker whose searches compute in 8-bit integers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from typer.testing import CliRunner

from nestfuse_core.common.checkpoints import save_checkpoint
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.graphs import key_in
from rgbt_tracker import build_tracker
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import load_config
from rgbt_tracker.export.integers import quantised, search_inputs
from rgbt_tracker.models.build import build_network
from rgbt_tracker.runtime.exports import find_export, key_of
from rgbt_tracker.runtime.interface import State
from rgbt_tracker.runtime.with_torch import TorchRuntime
from rgbt_tracker.sequences.vot_folder import write_vot
from rgbt_tracker.synthetic import draw_sequence

NANO = "nestfuse_nanotrack"


NETWORK = {
    "backbone": {"type": "mobilenetv2", "levels": [3, 5], "width": 0.25, "shared": True},
    "neck": {"channels": [8, 8], "crop": True},
    "head": {"type": "rpn", "channels": 8, "weighted": True},
}


def test_integers_answer_nearly_as_floats_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an untrained network: what trained ones do is measured by benchmarks/speed/forms.py."""
    monkeypatch.setenv("RGBT_CACHE", str(tmp_path / "cache"))
    scene = draw_sequence("street", length=7, size=(128, 96), seed=3)
    write_vot(scene, tmp_path)
    (tmp_path / "tiny.yaml").write_text(json.dumps({"name": "tiny", "modality": "rgb", "model": NETWORK}))
    config, weights, folder = load_config(tmp_path / "tiny.yaml"), tmp_path / "own.pt", tmp_path / "small"
    torch.manual_seed(2)
    network = build_network(config).eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.xavier_normal_(layer.weight)  # so that crops make a difference
    save_checkpoint(weights, network.state_dict())
    words = ["export", f"{tmp_path}/tiny.yaml", "--weights", f"{weights}", "--frames", "2", "--output", f"{folder}"]
    done = CliRunner().invoke(build_app(), [*words, "--int8", f"{tmp_path / scene.name}"])
    assert done.exit_code == 0 and "rgb: outputs differ by" in done.output
    kinds = [node.op_type for node in onnx.load(folder / "search_rgb.onnx").graph.node]
    assert kinds.count("QuantizeLinear") > 20
    assert key_in(folder) not in ("", key_of(config, weights)) and find_export(config, weights) is None

    (inputs,) = search_inputs(config, network, [f"{tmp_path / scene.name}"])[:1]
    kernels = tuple(inputs[name] for name in sorted(inputs) if name.startswith("kernel"))
    state, crops = State(kernels, ("rgb",)), inputs["images"]
    found = build_tracker(config, folder, "cpu").runtime.search(state, crops)
    on_torch = State(tuple(torch.from_numpy(kernel) for kernel in kernels), ("rgb",))
    expected = TorchRuntime(network).search(on_torch, crops)
    for one, other in ((found.cls, expected.cls), (found.loc, expected.loc)):
        assert 0 < np.abs(one - other).mean() < 0.1 * np.abs(other).mean()


def test_the_ends_stay_floats() -> None:
    """conv, conv, then two that answer."""
    make, kinds = onnx.helper, onnx.TensorProto
    names = ["first", "second", "cls", "loc"]
    rng = np.random.default_rng(0)
    taps = [onnx.numpy_helper.from_array(rng.normal(size=(2, 2, 1, 1)).astype("f4"), f"{name}.w") for name in names]
    paths = zip(("images", "a", "b", "b"), ("a", "b", "c", "d"), names, strict=True)
    nodes = [make.make_node("Conv", [into, f"{name}.w"], [out], name) for into, out, name in paths]
    shape = ["n", 2, 4, 4]
    inputs = [make.make_tensor_value_info("images", kinds.FLOAT, shape)]
    outputs = [make.make_tensor_value_info(name, kinds.FLOAT, shape) for name in "cd"]
    model = make.make_model(
        make.make_graph(nodes, "g", inputs, outputs, taps), opset_imports=[make.make_opsetid("", 17)]
    )
    model.ir_version = 8
    seen = [{"images": rng.uniform(0, 1, (1, 2, 4, 4)).astype(np.float32)}]
    found = quantised(model, seen)
    parameters = {tensor.name for tensor in found.graph.initializer}
    exact = {node.name for node in found.graph.node if node.op_type == "Conv" and node.input[1] in parameters}
    assert exact == {"first", "cls", "loc"}


def test_what_is_refused(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert "give --output DIR" in str(run(build_app(), ["export", NANO, "--int8", "clip:smoke"]).exception)
    assert "give --output DIR" in str(run(build_app(), ["export", "fusion", "--int8", "x", "-o", "y"]).exception)
    config = load_config(NANO)
    for length, words in ((2, "of more frames"), (3, "no ground truth to start from")):
        scene = draw_sequence("street", length=length, size=(128, 96), seed=3)
        write_vot(scene, tmp_path / words)
        if length == 3:
            (tmp_path / words / scene.name / "groundtruth.txt").unlink()
        with pytest.raises(UserError, match=words):
            search_inputs(config, build_network(config), [str(tmp_path / words / scene.name)])
