"""Fused as the released code does, the shipped networks give the authors' own picture of the sample pair."""

from dataclasses import replace

import numpy as np
import pytest

from nestfuse_core import load_network
from nestfuse_core.common.pictures import read_image
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.looks import LOOKS
from nestfuse_core.metrics import evaluate
from nestfuse_core.weights import available


@pytest.mark.shared
@pytest.mark.parametrize("weights", available())
def test_the_sample_as_released(shared, weights):
    names = ("IR1.png", "VIS1.png", "fused_nestfuse_1e2_avg_1.png")
    ir, vis, theirs = (read_image(shared / "metrics" / name) for name in names)

    def fuse(spatial):
        fuser = Fuser(load_network(weights), "avg", replace(LOOKS["paper"], spatial=spatial))
        fused = fuser(ir, vis).luminance
        return fused, np.sqrt(np.mean((fused - theirs.astype(float)) ** 2))

    ours, difference = fuse("softmax")
    # In grey levels; the two networks were trained apart, on other photographs.
    assert difference < 1.5
    assert fuse("l1")[1] > 4
    reference, scores = evaluate(ir, vis, theirs), evaluate(ir, vis, ours)
    for name, tolerance in (("En", 0.01), ("SD", 0.5), ("FMI_w", 0.005), ("SSIM", 0.005), ("VIF", 0.005)):
        assert scores[name] == pytest.approx(reference[name], abs=tolerance), name
