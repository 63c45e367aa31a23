"""Exported fusion networks: as a stranger's program opens them, beside torch at any size, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core import Fuser, load_network, open_runtime
from nestfuse_core.common.checkpoints import save_checkpoint
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.graphs import cached_folder, key_in
from nestfuse_core.export import write
from nestfuse_core.fusion import channels
from nestfuse_core.fusion.fuser import STRATEGIES
from nestfuse_core.model.network import NestFuse
from nestfuse_core.model.nuclear import nuclear_norm
from nestfuse_core.runtime.exports import find_export, key_of, shipped_folder
from nestfuse_core.runtime.with_onnx import OnnxRuntime
from nestfuse_core.runtime.with_torch import TorchRuntime
from nestfuse_core.weights import available, locate


def grey(seed: int, height: int = 33, width: int = 47) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (height, width)).astype(np.float32)


def same_shares(found: tuple, expected: tuple) -> None:
    for ours, theirs in zip(found[1] + found[2], expected[1] + expected[2], strict=True):
        # A channel that is all but silent has its share from rounding.
        assert np.quantile(np.abs(ours - theirs), 0.95) < 1e-5


@pytest.fixture(scope="module", params=["deep", "released"])
def exported(request, tmp_path_factory: pytest.TempPathFactory) -> tuple[OnnxRuntime, NestFuse]:
    """An untrained network's export, and that network."""
    folder = tmp_path_factory.mktemp("exported")
    torch.manual_seed(3)
    network = NestFuse("released" if request.param == "released" else "paper", request.param == "deep").eval()
    with torch.no_grad():
        getattr(network, network.output_names[-1]).conv2d.weight.abs_().mul_(300)
    save_checkpoint(folder / "weights.pt", network.state_dict())
    assert (
        0 < write.export(folder / "weights.pt", folder / "graphs", [(grey(1, 17, 19), grey(2, 17, 19))]) < write.LEVELS
    )
    return OnnxRuntime(folder / "graphs", 1), network


def test_the_shipped_graphs_are_of_the_shipped_weights() -> None:
    """After new weights: rgbt export fusion --weights NAME --shipped"""
    for name in available():
        assert key_in(shipped_folder(name)) == key_of(locate(name))
        assert find_export(locate(name)) == shipped_folder(name)
        found = open_runtime(name)
        assert isinstance(found, OnnxRuntime) and found.graphs.folder == shipped_folder(name)


def test_a_strangers_program_fuses() -> None:
    """Eq. 5 with nothing of this package but the files: docs/guides/export.md says the rest."""
    encode, attend, decode = (
        onnxruntime.InferenceSession(shipped_folder("paper-lambda100") / f"{name}.onnx")
        for name in ("encode", "attend_l1", "decode")
    )
    ir, vis = grey(1, 45, 70), grey(2, 45, 70)
    fused = {}
    encoded = [encode.run(None, {"image": image[None, None]}) for image in (ir, vis)]
    names = [output.name for output in encode.get_outputs()]
    for name, one, other in zip(names, *encoded, strict=True):
        means = np.stack([features[0].mean((1, 2)) for features in (one, other)])
        inputs = {"ir": one, "vis": other, "channel_weights": means / (means.sum(0) + 1e-5)}
        fused[name], by_place = attend.run(["fused", "spatial_weights"], inputs)
        assert by_place.shape == (2, *one.shape[2:])
    (output,) = decode.run(["output"], fused)
    images = [torch.from_numpy(image)[None, None] for image in (ir, vis)]
    with torch.inference_mode():
        expected = load_network("paper-lambda100")(*images).numpy()
    np.testing.assert_allclose(output, expected, atol=0.01)
    assert np.ptp(expected) > 50


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("look", ["natural", "equations"])
def test_any_size_and_strategy(exported: tuple[OnnxRuntime, NestFuse], look: str, strategy: str) -> None:
    for size in ((8, 9), (16, 17), (31, 90)):
        pair = grey(1, *size), grey(2, *size)
        found, expected = (Fuser(one, strategy, look, keep_maps=True).fuse_grey(*pair) for one in exported)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-2)
        assert len(found[1]) == len(found[2]) == (0 if strategy == "add" else 4)
        same_shares(found, expected)


def test_an_export_in_the_users_cache_is_found(
    exported: tuple[OnnxRuntime, NestFuse], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = exported[0].graphs.folder
    weights = folder.parent / "weights.pt"
    monkeypatch.setenv("RGBT_CACHE", str(tmp_path))
    assert isinstance(open_runtime(weights), TorchRuntime)
    shutil.copytree(folder, cached_folder(key_of(weights)))
    found = open_runtime(weights)
    assert isinstance(found, OnnxRuntime) and tmp_path in found.graphs.folder.parents


@pytest.mark.parametrize("strategy", ["avg", "nuclear", "add"])
def test_tiles(strategy: str) -> None:
    pair = grey(1, 70, 139), grey(2, 70, 139)
    whole, tiled = (
        Fuser(None, strategy, "equations", tile=tile, keep_maps=True).fuse_grey(*pair) for tile in (None, 64)
    )
    np.testing.assert_allclose(tiled[0], whole[0], rtol=1e-5, atol=1e-3)
    same_shares(tiled, whole)


@given(st.integers(8, 40), st.integers(8, 40))
def test_the_nuclear_norm_is_the_models(height: int, width: int) -> None:
    sides = [(height >> scale, width >> scale) for scale in range(4)]
    features = [grey(scale, 3 * h, w).reshape(1, 3, h, w) for scale, (h, w) in enumerate(sides)]
    runtime = OnnxRuntime(Path())
    picture = channels.in_one_piece(runtime, features, (height, width))
    found = channels.channel_weights([picture, picture], "nuclear")
    for scale, weights in zip(features, found, strict=True):
        norms = nuclear_norm(torch.from_numpy(scale[0])).numpy()
        np.testing.assert_allclose(weights[0], norms / (2 * norms + 1e-5), rtol=1e-5)


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path / "own.pt", NestFuse().state_dict())
    with pytest.raises(UserError, match=r"no export of the weights .*own.pt.*'rgbt export fusion --weights"):
        open_runtime(tmp_path / "own.pt", runtime="onnx")
    assert isinstance(open_runtime(tmp_path / "own.pt"), TorchRuntime)
    with pytest.raises(UserError, match="folder of an export"):
        open_runtime(shipped_folder("paper-lambda100"), runtime="torch")
    with pytest.raises(UserError, match="did you mean 'onnx'"):
        open_runtime(runtime="onxx")
    with pytest.raises(UserError, match="at least 8 px a side, got 30x7; give --runtime torch"):
        Fuser()(np.zeros((7, 30), np.uint8), np.zeros((7, 30), np.uint8))
    with pytest.raises(UserError, match=r"'encode.onnx' in the export .* 'rgbt export'"):
        OnnxRuntime(tmp_path).encode(grey(1))
    monkeypatch.setattr(write, "trace", lambda network: {})
    monkeypatch.setattr(write, "difference", lambda *_: float("nan"))
    with pytest.raises(UserError, match="differ from torch by nan grey levels"):
        write.export(tmp_path / "own.pt", tmp_path / "exported", [])
    assert not (tmp_path / "exported").exists()


@pytest.mark.parametrize("name", ["attend_softmax.onnx", "decode.onnx", "encode.onnx"])
def test_answers_of_another_shape_are_refused(name: str, tmp_path: Path) -> None:
    """A graph of a stranger with the right names, whose answers are single numbers."""
    import onnx
    from onnx import helper, numpy_helper

    shutil.copytree(shipped_folder("paper-lambda100"), tmp_path / "graphs")
    sound = onnx.load(tmp_path / "graphs" / name, load_external_data=False).graph
    one = numpy_helper.from_array(np.ones(1, np.float32))
    nodes = [helper.make_node("Constant", [], [output.name], value=one) for output in sound.output]
    shapes = [helper.make_tensor_value_info(output.name, onnx.TensorProto.FLOAT, [1]) for output in sound.output]
    graph = helper.make_graph(nodes, "g", list(sound.input), shapes)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "graphs" / name)
    fuse = Fuser(OnnxRuntime(tmp_path / "graphs"))
    with pytest.raises(UserError, match=f"{name}' answers with the shape"):
        fuse.fuse_grey(grey(1, 64, 80), grey(2, 64, 80))
