"""Starts in a row: a network with one more level answers as the checkpoint that it grew from."""

import pytest
import torch

from nestfuse_core.common.checkpoints import save_checkpoint
from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.network import SiameseNetwork
from rgbt_tracker.training.start import load_start

SMALL = load_config("nestfuse_siamrpn_mobilev2").replace(
    **{"model.backbone.levels": (3, 5), "model.neck.channels": (16, 16), "model.head.channels": 16}
)
LARGE = SMALL.replace(**{"model.backbone.levels": (3, 5, 7), "model.neck.channels": (16, 16, 16)})


@pytest.fixture
def files(tmp_path, published_state) -> list[str]:
    """An ImageNet file and a checkpoint of the small network whose levels differ in weight."""
    torch.save(published_state, tmp_path / "mobilenet.pt")
    torch.manual_seed(1)
    network = build_network(SMALL)
    with torch.no_grad():
        network.rpn_head.cls_weight.copy_(torch.tensor([0.3, 1.1]))
        network.rpn_head.loc_weight.copy_(torch.tensor([0.9, -0.4]))
    state = {key: value for key, value in network.state_dict().items() if not key.startswith("gate.")}
    save_checkpoint(tmp_path / "small.pt", state)
    return [str(tmp_path / "mobilenet.pt"), str(tmp_path / "small.pt")]


def answer(network: SiameseNetwork) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    template = 255 * torch.rand(2, 1, 3, 127, 127, generator=generator)
    search = 255 * torch.rand(2, 1, 3, 255, 255, generator=generator)
    with torch.no_grad():
        output = network.eval()(template, search)
    return output.cls, output.loc


def test_a_grown_network_answers_as_before(files) -> None:
    small, large = build_network(SMALL), build_network(LARGE)
    load_start(small, files[1])
    load_start(large, *files)
    for grown, own in zip(answer(large), answer(small), strict=True):
        torch.testing.assert_close(grown, own, rtol=1e-4, atol=1e-5)
    assert large.rpn_head.cls_weight.tolist() == pytest.approx([0.3, 1.1, 0.7])


def test_the_new_level_learns(files) -> None:
    network = build_network(LARGE)
    load_start(network, *files)
    output = network.train()(255 * torch.rand(1, 2, 3, 127, 127), 255 * torch.rand(1, 2, 3, 255, 255))
    (output.cls.square().sum() + output.loc.square().sum()).backward()
    for task in (network.rpn_head.rpn4.cls, network.rpn_head.rpn4.loc):
        assert task.head[3].weight.grad.abs().max() > 0


def test_a_start_of_as_many_levels_is_taken_as_it_is(files) -> None:
    network, alone = build_network(SMALL), build_network(SMALL)
    load_start(network, *files)
    load_start(alone, files[1])
    for (key, value), other in zip(network.state_dict().items(), alone.state_dict().values(), strict=True):
        assert torch.equal(value, other), key


def test_fewer_levels_need_a_start_before_them(files) -> None:
    with pytest.raises(UserError, match="does not fit"):
        load_start(build_network(LARGE), files[1])


def test_another_width_is_refused(files) -> None:
    wide = LARGE.replace(**{"model.neck.channels": (24, 24, 24), "model.head.channels": 24})
    with pytest.raises(UserError, match="of another shape"):
        load_start(build_network(wide), *files)
