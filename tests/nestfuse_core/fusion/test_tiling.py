"""Tiles leave no trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.fusion import channels, tiling
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.model.network import NestFuse


@given(
    st.integers(1, 700), st.integers(1, 700), st.integers(1, 20), st.sampled_from([tiling.HALO, tiling.ENCODER_HALO])
)
def test_cores_cover_every_feature_once(height, width, eighths, halo):
    parts = tiling.tiles(height, width, 8 * eighths, halo)
    for scale, size in enumerate(tiling.scale_sizes(height, width)):
        seen = np.zeros(size, int)
        for part in parts:
            seen[part.place(scale)] += 1
        assert (seen == 1).all()
    for part in parts:
        for (start, end), (outer_start, outer_end), length in zip(part.core, part.outer, (height, width), strict=True):
            assert end - start <= 8 * eighths and start % 8 == outer_start % 8 == 0
            assert outer_start == max(0, start - halo) and outer_end == min(length, end + halo)


@pytest.mark.parametrize("strategy", ["avg", "max", "add"])
@pytest.mark.parametrize("size", [(139, 101), (64, 213)])
def test_tiled_equals_whole(random_network, picture, strategy, size):
    ir, vis = (picture(seed, *size).astype(np.float32) for seed in (1, 2))
    whole = Fuser(random_network, strategy, "equations", keep_maps=True).fuse_grey(ir, vis)
    tiled = Fuser(random_network, strategy, "equations", tile=64, keep_maps=True).fuse_grey(ir, vis)
    # On 0..255, where float32 rounds at about 2e-5; sums (add) reach beyond 255 and round in proportion.
    np.testing.assert_allclose(tiled[0], whole[0], rtol=0, atol=1e-4 * max(1, whole[0].max() / 255))
    assert np.ptp(whole[0]) > 20
    for ours, theirs in zip(tiled[1] + tiled[2], whole[1] + whole[2], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_nuclear_norms_come_out_of_strips_and_groups(random_network, picture, monkeypatch):
    ir, vis = (picture(seed, 75, 141).astype(np.float32) for seed in (1, 2))
    monkeypatch.setattr(channels, "GRAM_BYTES", 8 * 75**2 * 40)  # two passes for the finest scale
    for turn in (np.asarray, np.transpose):
        images = [np.ascontiguousarray(turn(image)) for image in (ir, vis)]
        whole = Fuser(random_network, "nuclear", "equations").fuse_grey(*images)[0]
        tiled = Fuser(random_network, "nuclear", "equations", tile=96).fuse_grey(*images)[0]
        np.testing.assert_allclose(tiled, whole, atol=1e-3)


@pytest.mark.parametrize(("version", "side"), [("paper", 47), ("released", 47)])
def test_the_halo_covers_what_the_network_sees(version, side):
    """Changing the picture beyond the halo of an aligned pixel must not change that pixel."""
    torch.manual_seed(0)
    network = NestFuse(version).eval()
    image = 255 * torch.rand(1, 1, 9, 160)
    other = image.clone()
    # The core ends before column 64 + 8; the outer part would end at 72 + HALO.
    other[..., 72 + tiling.HALO :] = 0
    with torch.inference_mode():
        before, after = (network(x, x)[..., :72] for x in (image, other))
    # Equal inputs fuse to equal shares whatever the statistics, so that only the convolutions' reach counts.
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert side < tiling.HALO


def test_progress_is_told_in_advance(plain_network, picture):
    calls = []
    for strategy in ("avg", "add"):
        fuser = Fuser(plain_network, strategy, "equations", tile=64)
        fuser.on_tile = lambda: calls.append(1)
        calls.clear()
        fuser.fuse_grey(*(picture(seed, 100, 130).astype(np.float32) for seed in (1, 2)))
        assert len(calls) == fuser.steps(100, 130)
    assert Fuser(plain_network, look="equations").steps(100, 130) == 0
