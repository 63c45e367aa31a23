"""The network against the released implementation's outputs, its published size, and any image size."""

import importlib.util

import numpy as np
import pytest
import torch

from nestfuse_core import NestFuse, weights
from nestfuse_core.common.checkpoints import half, save_checkpoint
from nestfuse_core.common.errors import UserError
from nestfuse_core.model.network import load_network, network_from_state


def parameters(network):
    return sum(p.numel() for p in network.parameters())


@pytest.fixture(scope="module")
def golden_network(shared):
    spec = importlib.util.spec_from_file_location("fill", shared / "parity" / "fill.py")
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    network = NestFuse("released").eval()
    state = fill.fill(network.state_dict())
    state["conv0.conv2d.weight"] /= 64
    state["conv_out.conv2d.weight"].abs_()
    network.load_state_dict(state)
    return network


@pytest.mark.shared
@pytest.mark.parametrize("size", ["64x80", "61x83"])
def test_released_network_meets_the_reference(golden_network, shared, size):
    golden = np.load(shared / "parity" / f"nestfuse_{size}.npz")

    def check(ours, name):
        theirs = golden[name]
        assert np.abs(ours.numpy() - theirs).max() <= 1e-4 * np.abs(theirs).max(), name

    with torch.inference_mode():
        encoded = [golden_network.encode(torch.from_numpy(golden[name]).float()) for name in ("ir", "vis")]
        for scale in range(4):
            check(encoded[0][scale].mean((0, 2, 3)), f"enc_ir{scale}_mean")
        for channel in ("avg", "max", "nuclear"):
            fused = golden_network.fuse(encoded, spatial="softmax", channel=channel)
            for scale in range(4):
                check(fused[scale].mean((0, 2, 3)), f"attention_{channel}_fused{scale}_mean")
            check(golden_network.decode(fused), f"attention_{channel}")


def test_sizes_are_the_published_ones():
    assert parameters(NestFuse("paper")) == 464_609
    assert parameters(NestFuse("released")) == 2_732_761
    assert len(NestFuse("released").state_dict()) == 44
    assert parameters(NestFuse("paper", deep_supervision=True)) == 464_609 + 2 * 65


@pytest.mark.parametrize("version", ["paper", "released"])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 3), (1, 40), (7, 5), (15, 15), (16, 33)])
def test_any_size_comes_out_as_it_went_in(version, size):
    network = NestFuse(version).eval()
    images = [255 * torch.rand(2, 1, *size) for _ in range(2)]
    with torch.inference_mode():
        assert network(*images).shape == images[0].shape
        assert network(images[0]).isfinite().all()


def test_deep_supervision_gives_three_outputs_and_each_can_be_picked():
    network = NestFuse(deep_supervision=True).eval()
    images = 255 * torch.rand(1, 1, 24, 17)
    outputs = network.decode_all(network.encode(images))
    assert len(outputs) == 3
    for index in range(3):
        torch.testing.assert_close(network(images, output=index), outputs[index])
    torch.testing.assert_close(network(images), outputs[2])


@pytest.mark.parametrize("version", ["paper", "released"])
@pytest.mark.parametrize("deep", [False, True])
def test_a_file_says_which_network_it_is_for(tmp_path, version, deep):
    network = NestFuse(version, deep).eval()
    save_checkpoint(tmp_path / "some.model", network.state_dict())
    loaded = load_network(tmp_path / "some.model")
    assert (loaded.version, loaded.deep_supervision, loaded.training) == (version, deep, False)
    image = 255 * torch.rand(1, 1, 20, 20)
    torch.testing.assert_close(loaded(image), network(image))


def test_shipped_weights_go_by_name(tmp_path, monkeypatch):
    assert weights.DEFAULT in weights.available()
    for name in weights.available():
        assert load_network(name).version == name.partition("-")[0]
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    for version in ("paper", "released"):
        save_checkpoint(tmp_path / f"{version}-lambda100.pt", half(NestFuse(version).state_dict()))
    assert load_network("released-lambda100").version == "released"
    assert load_network().version == "paper"
    listing = r"shipped name \(paper-lambda100, released-lambda100\); did you mean 'released-lambda100'"
    with pytest.raises(UserError, match=listing):
        load_network("released-lambda10")


def test_files_that_do_not_fit_are_refused(tmp_path):
    state = NestFuse().state_dict()
    with pytest.raises(UserError, match="0 missing, 1 left over"):
        network_from_state({**state, "extra": torch.zeros(1)})
    with pytest.raises(UserError, match="1 missing"):
        network_from_state({key: value for key, value in state.items() if key != "DB2_1.denseblock.0.conv2d.bias"})
    with pytest.raises(UserError, match="of another shape, such as 'DB1_0"):
        network_from_state({**state, "DB1_0.denseblock.0.conv2d.bias": torch.zeros(3)})
    with pytest.raises(UserError, match="holds no NestFuse weights"):
        network_from_state({"backbone.conv1.weight": torch.zeros(1)})
    with pytest.raises(UserError, match="No weights at"):
        load_network(tmp_path / "absent.pt")
    with pytest.raises(UserError, match="did you mean 'released'"):
        NestFuse("realeased")
