"""Folding: each convolution with what follows it computes what the separate layers do."""

import copy

import pytest
import torch
from torch import nn

from rgbt_tracker.models import folding
from rgbt_tracker.models.folding import FoldedConv, fold


def layers(*behind: nn.Module) -> nn.Sequential:
    norm = nn.BatchNorm2d(6)
    nn.init.normal_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    return nn.Sequential(nn.Conv2d(4, 6, 3, 2, 1, groups=2), norm, *behind).eval()


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU6(), nn.Hardswish(), nn.Sigmoid(), None])
@pytest.mark.parametrize("threads", [1, 2])
def test_folded_layers_compute_the_same(activation: nn.Module | None, threads: int) -> None:
    torch.manual_seed(0)
    plain = layers(*([activation] if activation is not None else []), nn.Conv2d(6, 3, 1))
    folded = copy.deepcopy(plain)
    fold(folded)
    image = 8 * torch.randn(2, 4, 15, 15)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            torch.testing.assert_close(folded(image), plain(image), atol=1e-5, rtol=1e-5)
    finally:
        torch.set_num_threads(before)
    assert not any(isinstance(part, (nn.BatchNorm2d, nn.Conv2d)) for part in folded.modules())
    assert sum(isinstance(part, FoldedConv) for part in folded.modules()) == 2


def test_without_onednn_the_activation_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on CUDA."""
    torch.manual_seed(0)
    plain = layers(nn.ReLU6(inplace=True))
    folded = copy.deepcopy(plain)
    fold(folded)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    image = 8 * torch.randn(2, 4, 15, 15)
    with torch.inference_mode():
        torch.testing.assert_close(folded(image), plain(image), atol=1e-5, rtol=1e-5)


def test_an_activation_next_to_a_convolution_is_taken_only_from_plain_sequences() -> None:
    """Elsewhere the order of registration says nothing about the order of use."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.relu = nn.Conv2d(3, 3, 1), nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(self.relu(x))

    plain = Twice()
    folded = copy.deepcopy(plain)
    fold(folded)
    image = torch.randn(1, 3, 4, 4)
    with torch.inference_mode():
        torch.testing.assert_close(folded(image), plain(image))


def test_bfloat16_is_convolved_on_every_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where oneDNN cannot, the ordinary convolution does."""
    torch.manual_seed(0)
    plain = layers(nn.ReLU6())
    folded = copy.deepcopy(plain)
    fold(folded)
    image = 8 * torch.randn(2, 4, 15, 15)
    expected = plain(image)
    folded.bfloat16()
    for supported in (folding._onednn_takes(torch.bfloat16), False):
        monkeypatch.setattr(folding, "_onednn_takes", lambda dtype, supported=supported: supported)
        with torch.inference_mode():
            found = folded(image.bfloat16())
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found.float(), expected, atol=0.1, rtol=0.05)
