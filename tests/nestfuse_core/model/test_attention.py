"""The fusion strategy against its formulas written out one pixel at a time, and its properties."""

import numpy as np
import pytest
import torch

from nestfuse_core import fuse_features
from nestfuse_core.common.errors import UserError
from nestfuse_core.model.attention import CHANNEL_POOLS, STRATEGIES, channel_weights, spatial_weights
from nestfuse_core.model.nuclear import nuclear_norm


def features(k=2, n=2, c=3, h=5, w=4, seed=0, signed=False):
    values = torch.randn(k, n, c, h, w, generator=torch.Generator().manual_seed(seed))
    return values if signed else values.relu()


def written_out(stacked, channel):
    """Eq. 4, 5, 8, 9 in numpy, pixel by pixel, with numpy's own SVD."""
    f = stacked.double().numpy()
    k, n, c, h, w = f.shape
    pool = {"avg": np.mean, "max": np.max, "nuclear": lambda m: np.linalg.svd(m, compute_uv=False).sum()}[channel]
    fused = np.zeros((n, c, h, w))
    for item, ch, y, x in np.ndindex(n, c, h, w):
        norms = [np.abs(f[i, item, :, y, x]).sum() for i in range(k)]
        pools = [pool(np.abs(f[i, item, ch]) if channel != "nuclear" else f[i, item, ch]) for i in range(k)]
        for i in range(k):
            beta, alpha = norms[i] / sum(norms), pools[i] / sum(pools)
            fused[item, ch, y, x] += 0.5 * (alpha + beta) * f[i, item, ch, y, x]
    return fused


@pytest.mark.parametrize("channel", list(CHANNEL_POOLS))
@pytest.mark.parametrize("k", [2, 3])
def test_attention_is_the_papers_formula(channel, k):
    stacked = features(k) + 0.05
    fused = fuse_features(stacked, channel=channel)
    np.testing.assert_allclose(fused.numpy(), written_out(stacked, channel), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("channel", list(CHANNEL_POOLS))
@pytest.mark.parametrize("spatial", ["l1", "softmax"])
@pytest.mark.parametrize("signed", [False, True])
def test_weights_are_a_partition_of_one(channel, spatial, signed):
    stacked = features(3, signed=signed) + 0.01
    _, weights = fuse_features(stacked, spatial=spatial, channel=channel, return_weights=True)
    assert weights.spatial.shape == (3, 2, 1, 5, 4) and weights.channel.shape == (3, 2, 3, 1, 1)
    for weight in weights:
        assert weight.min() >= 0 and weight.max() <= 1
        torch.testing.assert_close(weight.sum(0), torch.ones_like(weight[0]), rtol=0, atol=1e-3)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_item_of_a_batch_is_fused_by_itself(strategy):
    stacked = features(n=3, signed=True)
    batch = fuse_features(stacked, strategy, channel="nuclear")
    for item in range(3):
        torch.testing.assert_close(
            batch[item : item + 1], fuse_features(stacked[:, item : item + 1], strategy, channel="nuclear")
        )


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "add"])
def test_equal_modalities_come_back_unchanged(strategy):
    one = features(1, signed=True)[0]
    torch.testing.assert_close(fuse_features([one, one, one], strategy), one, rtol=1e-4, atol=1e-4)


def test_baselines():
    a, b = features(signed=True)
    torch.testing.assert_close(fuse_features([a, b], "add"), a + b)
    torch.testing.assert_close(fuse_features([a, b], "mean"), (a + b) / 2)
    torch.testing.assert_close(fuse_features([a, b], "max"), torch.maximum(a, b))


def test_fsrpn_is_half_softmax_of_sum_and_half_softmax_of_pool():
    a, b = features()
    s = torch.softmax(torch.stack([a.sum(1), b.sum(1)]), 0)[:, :, None]
    p = torch.softmax(torch.stack([a.mean((2, 3)), b.mean((2, 3))]), 0)[..., None, None]
    expected = 0.5 * (s[0] * a + s[1] * b) + 0.5 * (p[0] * a + p[1] * b)
    torch.testing.assert_close(fuse_features([a, b], "fsrpn"), expected)


def test_softmax_is_the_released_codes_where_that_one_is_finite_and_survives_where_it_is_not():
    a, b = features()
    s1, s2 = a.mean(1, keepdim=True).exp(), b.mean(1, keepdim=True).exp()
    torch.testing.assert_close(spatial_weights([a, b], "softmax")[0], s1 / (s1 + s2 + 1e-5), atol=1e-5, rtol=0)
    assert spatial_weights([a + 500, b], "softmax").isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_half_precision_neither_overflows_nor_drifts(dtype, strategy):
    # 2048 channels of up to 200: the l1 norm leaves float16's range.
    wide = 200 * torch.rand(2, 1, 2048, 6, 5, generator=torch.Generator().manual_seed(1))
    fused = fuse_features(wide.to(dtype), strategy, channel="nuclear")
    assert fused.dtype == dtype
    # fsrpn's softmax of a sum over 2048 channels turns the inputs' rounding into another winner.
    if strategy != "fsrpn":
        torch.testing.assert_close(fused.float(), fuse_features(wide, strategy, channel="nuclear"), rtol=0.03, atol=0.5)
    assert fused.isfinite().all()


@pytest.mark.parametrize("channel", list(CHANNEL_POOLS))
def test_gradients_are_right_and_finite(channel):
    stacked = features(2, 1, 2, 4, 3, signed=True).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda f: fuse_features(f, channel=channel), stacked)
    silent = torch.zeros(2, 1, 2, 4, 3, requires_grad=True)
    fuse_features(silent, channel=channel).sum().backward()
    assert silent.grad.isfinite().all()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 4), (4, 9), (31, 31), (64, 48)])
def test_nuclear_norm_is_the_sum_of_singular_values(size):
    maps = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(nuclear_norm(maps), torch.linalg.svdvals(maps).sum(-1), rtol=2e-6, atol=1e-6)


def test_nuclear_norm_of_flat_and_silent_maps():
    maps = torch.stack([torch.zeros(6, 5), torch.ones(6, 5)]).requires_grad_()
    norms = nuclear_norm(maps)
    torch.testing.assert_close(norms.detach(), torch.tensor([0.0, 30**0.5]))
    norms.sum().backward()
    torch.testing.assert_close(maps.grad[0], torch.zeros(6, 5))
    torch.testing.assert_close(maps.grad[1], torch.full((6, 5), 30**-0.5))


def test_nuclear_norm_in_groups_is_the_same(monkeypatch):
    maps = torch.randn(5, 8, 6)
    whole = nuclear_norm(maps)
    monkeypatch.setattr("nestfuse_core.model.nuclear.GROUP_VALUES", 100)
    torch.testing.assert_close(nuclear_norm(maps), whole)


def test_bad_input_is_named():
    a, b = features()
    with pytest.raises(UserError, match="at least 2 modalities, but got 1"):
        fuse_features([a])
    with pytest.raises(UserError, match="one shape NxCxHxW"):
        fuse_features([a, b[:, :2]])
    with pytest.raises(UserError, match="did you mean 'attention'"):
        fuse_features([a, b], "atention")
    with pytest.raises(UserError, match="did you mean 'nuclear'"):
        channel_weights([a, b], "nuklear")


def test_silent_places_get_no_weight_and_stay_silent():
    fused, weights = fuse_features(torch.zeros(2, 1, 3, 4, 4), channel="nuclear", return_weights=True)
    assert not fused.any() and not weights.spatial.any() and not weights.channel.any()
