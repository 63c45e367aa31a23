"""What networks start from: random values, or a whole checkpoint."""

import pytest
import torch

from nestfuse_core.common.checkpoints import save_checkpoint
from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.training.loop.start import load_start

CONFIG = load_config("nestfuse_siamrpn_mobilev2_official").replace(
    **{
        "model.backbone.width": 1.0,
        "model.backbone.levels": (3, 5),
        "model.neck.channels": (16, 16),
        "model.head.channels": 16,
    }
)


@pytest.fixture
def checkpoint(tmp_path) -> str:
    torch.manual_seed(1)
    state = build_network(CONFIG).state_dict()
    save_checkpoint(tmp_path / "start.pt", {key: value for key, value in state.items() if not key.startswith("gate.")})
    return str(tmp_path / "start.pt")


def test_every_position_starts_as_background() -> None:
    network = build_network(CONFIG)
    load_start(network)
    background, target = network.rpn_head.rpn2.cls.head[3].bias.detach().unflatten(0, (2, -1))
    assert torch.allclose((target - background).sigmoid(), torch.tensor(0.01), atol=1e-5)


def test_a_checkpoint_is_taken_as_it_is(checkpoint) -> None:
    network = build_network(CONFIG)
    load_start(network, checkpoint)
    saved = torch.load(checkpoint, weights_only=True)
    for key, value in network.state_dict().items():
        assert key.startswith("gate.") or torch.equal(value, saved[key]), key


@pytest.mark.parametrize(
    "changes",
    [
        {"model.backbone.levels": (3, 5, 7), "model.neck.channels": (16, 16, 16)},
        {"model.neck.channels": (24, 24), "model.head.channels": 24},
    ],
)
def test_a_checkpoint_of_another_network_is_refused(checkpoint, changes) -> None:
    with pytest.raises(UserError, match="does not fit the recipe's model"):
        load_start(build_network(CONFIG.replace(**changes)), checkpoint)
