"""The weights that come with the package: small, found by name, and they track."""

import pytest
import torch

from rgbt_tracker import build_tracker
from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.training.loop.validation import mean_iou
from rgbt_tracker.zoo.entries import shipped

NAMES = ("nestfuse_nanotrack",)


@pytest.mark.parametrize("name", NAMES)
def test_size_and_type(name):
    file = shipped()[name]
    assert file.stat().st_size <= 2e6 and file.with_suffix(".md").is_file()
    state = torch.load(file, weights_only=True)
    assert all(value.dtype == torch.half and torch.isfinite(value).all() for value in state.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("modality", ["rgb", "ir", "rgbt"])
def test_tracks_a_drawn_target(name, modality):
    sequence = draw_sequence("misaligned", length=60, seed=2_000_009).clip(0, 12)
    assert mean_iou(build_tracker(name, device="cpu", modality=modality), sequence) > 0.6
