"""Files that hold the same tensors are the same bytes; files that hold something else are refused."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch

from nestfuse_core.common.checkpoints import read_checkpoint, save_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError


def test_the_same_content_is_the_same_bytes(tmp_path):
    whole = torch.arange(12.0).reshape(3, 4)
    views = {"x": whole[:, 1:3], "".join(["y", "y"]): torch.ones(6)[:3]}
    copies = OrderedDict(x=whole[:, 1:3].clone(), yy=torch.ones(3))
    save_checkpoint(tmp_path / "a.pt", views)
    save_checkpoint(tmp_path / "longer-name.pth", copies)
    save_checkpoint(tmp_path / "again.pt", read_checkpoint(tmp_path / "a.pt"))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    save_checkpoint(tmp_path / "other.pt", {"x": whole[:, 1:3], "yy": torch.zeros(3)})
    assert (tmp_path / "other.pt").read_bytes() != (tmp_path / "a.pt").read_bytes()


def test_a_training_state_comes_back_as_it_was(tmp_path):
    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "recipe": {"a": [1, None], "b": (1,)},
    }
    save_checkpoint(tmp_path / "a.pt", state)
    found = read_checkpoint(tmp_path / "a.pt")
    assert found["recipe"] == state["recipe"]
    torch.testing.assert_close(found["network"], dict(state["network"]), rtol=0, atol=0)
    moments = found["optimiser"]["state"][0]["exp_avg"]
    torch.testing.assert_close(moments, state["optimiser"]["state"][0]["exp_avg"], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (torch.tensor([float("nan")]), "not finite"),
        (torch.zeros(1).expand(100_000, 1_000_000), r"stretches 4 bytes to the shape \(100000, 1000000\)"),
        (torch.zeros(2, dtype=torch.complex64), "another kind"),
    ],
)
def test_weights_that_are_none(tensor, reason):
    with pytest.raises(UserError, match=rf"The checkpoint's entry 'a' .*{reason}"):
        state_dict_of({"a": tensor})
