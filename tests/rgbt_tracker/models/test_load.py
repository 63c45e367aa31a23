"""Checkpoints: the forms they come in, and the refusal of those that do not fit."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from nestfuse_core.common.checkpoints import half, read_checkpoint, save_checkpoint
from nestfuse_core.common.errors import UserError
from rgbt_tracker import build_tracker
from rgbt_tracker.config import load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.inference import prepare_for_inference
from rgbt_tracker.models.load import load_weights


@pytest.fixture(scope="module")
def nano():
    torch.manual_seed(1)
    return build_network(load_config("nestfuse_nanotrack"))


class Malicious:
    def __reduce__(self):
        return (print, ("this must not run",))


def load_into(config_name: str, path: Path, **changes):
    config = load_config(config_name).replace(**changes)
    network = build_network(config)
    load_weights(network, config, path)
    return network


@pytest.mark.parametrize("form", ["flat", "wrapped", "parallel", "half", "no counters", "numpy number"])
def test_every_form_of_a_checkpoint_loads(form: str, nano, tmp_path: Path) -> None:
    state = nano.state_dict()
    content = {
        "flat": state,
        "wrapped": {"epoch": 3, "state_dict": state, "optimizer": {}},
        "parallel": {"state_dict": {f"module.{key}": value for key, value in state.items()}},
        "half": half(state),
        "no counters": {key: value for key, value in state.items() if "num_batches" not in key},
        "numpy number": {"state_dict": state, "best": np.float64(0.5)},
    }[form]
    save_checkpoint(tmp_path / "w.pth", content)
    loaded = load_into("nestfuse_nanotrack", tmp_path / "w.pth").state_dict()
    tolerance = 1e-3 if form == "half" else 0
    key = "ban_head.cls_tower.0.weight"
    torch.testing.assert_close(loaded[key], state[key], rtol=tolerance, atol=tolerance)


def test_the_wrong_configuration_is_refused_with_the_right_one(nano, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "w.pth", nano.state_dict())
    with pytest.raises(UserError) as caught:
        load_into("nestfuse_siamrpn_alex", tmp_path / "w.pth")
    message = str(caught.value)
    assert "tensors missing (first 'backbone.features.0.weight')" in message
    assert "left over" in message
    assert "they fit nanotrack_v3, nestfuse_nanotrack" in message


def test_other_widths_are_refused_with_the_shapes(tmp_path: Path) -> None:
    config = load_config("nestfuse_siamrpn_mobilev2_official").replace(**{"model.backbone.width": 1.0})
    save_checkpoint(tmp_path / "w.pth", build_network(config).state_dict())
    with pytest.raises(UserError, match=r"of another shape .*expected \(44, 3, 3, 3\), got \(32, 3, 3, 3\)"):
        load_into("nestfuse_siamrpn_mobilev2_official", tmp_path / "w.pth")


def test_one_backbone_fills_both_when_they_are_separate(nano, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "w.pth", nano.state_dict())
    network = load_into("nestfuse_nanotrack", tmp_path / "w.pth", **{"model.backbone.shared": False})
    images = torch.rand(1, 1, 3, 127, 127).expand(2, -1, -1, -1, -1) * 255
    with torch.inference_mode():
        visible, thermal = network.eval().extract(images)[0]
    torch.testing.assert_close(visible, thermal)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"not a checkpoint at all", "not a torch checkpoint"),
        (pickle.dumps({"a": Malicious()}), "refused|not a torch checkpoint"),
        (pickle.dumps([1, 2]), "holds no state dict|not a torch checkpoint"),
    ],
)
def test_damaged_foreign_and_malicious_files(content: bytes, message: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / "bad.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_into("nestfuse_nanotrack", path)
    assert "must not run" not in capsys.readouterr().out


def test_truncated_and_malicious_torch_files(nano, tmp_path: Path, capsys) -> None:
    whole = tmp_path / "whole.pth"
    save_checkpoint(whole, nano.state_dict())
    cut = tmp_path / "cut.pth"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(UserError, match="truncated"):
        read_checkpoint(cut)
    torch.save({"state_dict": Malicious()}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="refused"):
        read_checkpoint(tmp_path / "evil.pth")
    assert "must not run" not in capsys.readouterr().out


def test_missing_file_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.pth"):
        build_tracker("nestfuse_nanotrack", weights=tmp_path / "nowhere.pth")


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "tpu0"])
def test_unavailable_devices(device: str) -> None:
    with pytest.raises(UserError, match=device):
        build_tracker("nestfuse_nanotrack", weights="untrained", device=device)


@pytest.mark.parametrize("name", ["nestfuse_nanotrack", "nestfuse_siamrpn_mobilev2_official"])
def test_preparing_for_inference_changes_nothing_but_rounding(name: str) -> None:
    torch.manual_seed(3)
    network = build_network(load_config(name)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.8, 1.2)
    template, search = torch.rand(2, 1, 3, 127, 127) * 255, torch.rand(2, 1, 3, 255, 255) * 255
    with torch.inference_mode():
        before = network(template, search)
        prepare_for_inference(network)
        after = network(template, search)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    for a, b in zip(before[:2], after[:2], strict=True):
        assert (a - b).abs().max() <= 1e-4 * a.abs().max()


def test_the_gates_numbers_are_the_configurations(nano, tmp_path: Path) -> None:
    """Not a checkpoint's, which would overrule a changed configuration without a word."""
    path = tmp_path / "with_gate.pth"
    save_checkpoint(path, {**nano.state_dict(), "gate.now": torch.tensor(9.0)})
    changes = {"model.fusion.strategy": "reliable", "model.fusion.reliability": {"now": 0.1, "rate": 0.3}}
    network = load_into("nestfuse_nanotrack", path, **changes)
    assert (network.gate.now.item(), network.gate.rate.item()) == pytest.approx((0.1, 0.3))
