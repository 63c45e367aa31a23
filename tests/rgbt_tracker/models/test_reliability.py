"""Reliability-aware fusion: what the gate computes, against a second formula in NumPy, and inside both trackers."""

import cv2
import numpy as np
import pytest
import torch

from rgbt_tracker import build_tracker
from rgbt_tracker.config import ReliabilityConfig, load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.reliability import MOST, ReliabilityGate

SIZE = 15


def logits(peaks: dict[tuple[int, int], float], floor: float = -4.0) -> torch.Tensor:
    """(1, 2, SIZE, SIZE) logits of one anchor whose log-odds are ``floor`` but for the ``peaks`` (y, x)."""
    odds = torch.full((SIZE, SIZE), floor)
    for (y, x), value in peaks.items():
        odds[y, x] = value
    return torch.stack([torch.zeros_like(odds), odds])[None]


def fuse(*branches: torch.Tensor, before: torch.Tensor | None = None, **settings):
    cls = torch.stack(branches)
    loc = torch.arange(len(branches), dtype=torch.float32).view(-1, 1, 1, 1, 1).expand(-1, 1, 4, SIZE, SIZE)
    return ReliabilityGate(ReliabilityConfig(**settings))(cls, loc, before)


SEES = logits({(7, 7): 4.0})
BLIND = logits({})
ELSEWHERE = logits({(1, 13): 2.0})


def by_hand(cls, loc, memory, now, part, rate):
    """The gate in NumPy, in probabilities: (B, N, 2A, h, w), (B, N, 4A, h, w), (B, N) -> the five outputs."""
    anchors = cls.shape[2] // 2
    background, target = np.exp(cls[:, :, :anchors]), np.exp(cls[:, :, anchors:])
    p = target / (background + target)
    most = 1 / (1 + np.exp(-MOST))
    p = p.clip(1 - most, most)
    evidence = np.log(p / (1 - p)).max(axis=(2, 3, 4))
    belief = np.exp(now * evidence) * np.exp(part * memory)
    weights = belief / belief.sum(0)
    # The product of experts: the geometric means of what speaks for and against the target, set in proportion.
    power = weights[:, :, None, None, None]
    yes, no = np.prod(p**power, 0), np.prod((1 - p) ** power, 0)
    shares = power * p / (power * p).sum(0)
    boxes = (shares[:, :, None] * loc.reshape(*loc.shape[:2], 4, anchors, *loc.shape[3:])).sum(0)
    shape = (loc.shape[1], *loc.shape[2:])
    new = (1 - rate) * memory + rate * evidence
    return yes / (yes + no), boxes.reshape(shape), weights, shares.mean(2, keepdims=True), new


@pytest.mark.parametrize("anchors", [1, 5])
def test_the_gate_computes_what_the_second_formula_does(anchors: int) -> None:
    rng = np.random.default_rng(anchors)
    cls, loc = rng.normal(0, 4, (3, 2, 2 * anchors, 5, 5)), rng.normal(0, 10, (3, 2, 4 * anchors, 5, 5))
    memory = rng.normal(0, 3, (3, 2))
    gate = ReliabilityGate(ReliabilityConfig(now=0.4, memory=0.7, rate=0.3))
    fused = gate(*(torch.from_numpy(values).float() for values in (cls, loc, memory)))
    expected = by_hand(cls, loc, memory, 0.4, 0.7, 0.3)
    found = (fused.cls.unflatten(1, (2, anchors)).softmax(1)[:, 1], *fused[1:])
    for value, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(value.detach().numpy(), reference, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("other", [BLIND, ELSEWHERE])
def test_the_camera_that_sees_the_target_decides(other: torch.Tensor) -> None:
    fused = fuse(SEES, other, BLIND, now=0.8, memory=0.8)
    assert fused.weights[0, 0] > 0.8
    place = (fused.cls[0, 1] - fused.cls[0, 0]).argmax()
    assert divmod(int(place), SIZE) == (7, 7)
    assert fused.loc[0, 0, 7, 7] < 0.05  # the box is the seeing branch's, not the mean of all


def test_equal_evidence_gives_equal_weights_and_the_same_response() -> None:
    fused = fuse(SEES, SEES, SEES)
    torch.testing.assert_close(fused.weights, torch.full((3, 1), 1 / 3))
    torch.testing.assert_close(torch.sigmoid(fused.cls[0, 1] - fused.cls[0, 0]), torch.sigmoid(SEES[0, 1]))


def test_weights_and_shares_sum_to_one_and_order_does_not_matter() -> None:
    one, other = fuse(SEES, ELSEWHERE, BLIND), fuse(BLIND, SEES, ELSEWHERE)
    torch.testing.assert_close(one.weights.sum(0), torch.ones(1))
    torch.testing.assert_close(one.shares.sum(0), torch.ones(1, 1, SIZE, SIZE))
    torch.testing.assert_close(one.cls, other.cls)
    torch.testing.assert_close(one.weights[[2, 0, 1]], other.weights)


def test_the_first_frame_stands_for_a_memory_and_later_ones_move_it() -> None:
    first = fuse(SEES, BLIND, BLIND, rate=0.25)
    torch.testing.assert_close(first.memory[:, 0], torch.tensor([4.0, -4.0, -4.0]))
    second = fuse(BLIND, SEES, BLIND, before=first.memory, rate=0.25)
    torch.testing.assert_close(second.memory[:, 0], torch.tensor([2.0, -2.0, -4.0]))
    assert second.weights[1, 0] < fuse(BLIND, SEES, BLIND, rate=0.25).weights[1, 0]


def test_samples_of_a_batch_do_not_mix() -> None:
    gate = ReliabilityGate(ReliabilityConfig())
    cls = torch.stack([torch.cat([SEES, BLIND]), torch.cat([BLIND, SEES]), torch.cat([SEES, ELSEWHERE])])
    loc = torch.randn(3, 2, 4, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    both = gate(cls, loc)
    for index in range(2):
        single = gate(cls[:, index : index + 1], loc[:, index : index + 1])
        torch.testing.assert_close(both.cls[index], single.cls[0])
        torch.testing.assert_close(both.loc[index], single.loc[0])


def test_gradients_reach_the_maps_and_the_numbers() -> None:
    gate = ReliabilityGate(ReliabilityConfig())
    cls = torch.stack([SEES, ELSEWHERE, BLIND]).requires_grad_()
    loc = torch.randn(3, 1, 4, SIZE, SIZE).requires_grad_()
    fused = gate(cls, loc)
    (fused.cls[0, 1, 7, 7] + fused.loc[0, 0, 7, 7]).backward()
    for tensor in (cls, loc, gate.now, gate.memory):
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad.abs().sum() > 0


def test_extreme_logits_stay_finite() -> None:
    fused = fuse(logits({(7, 7): 200.0}, floor=-200.0), logits({}, floor=-200.0), BLIND)
    assert torch.isfinite(fused.cls).all()
    assert torch.isfinite(fused.loc).all()


@pytest.mark.parametrize("name", ["nestfuse_nanotrack", "nestfuse_siamrpn_mobilev2_official"])
@pytest.mark.parametrize("point", ["backbone", "neck"])
def test_both_trackers_run_with_it(name: str, point: str) -> None:
    config = load_config(name).replace(**{"model.fusion.strategy": "reliable", "model.fusion.point": point})
    tracker = build_tracker(config, "untrained", "cpu")
    tracker.record_maps = True
    rng = np.random.default_rng(0)
    rgb, ir = rng.integers(0, 256, (2, 120, 160, 3)).astype(np.uint8)
    tracker.initialize(rgb, ir, (60, 40, 30, 24))
    results = [tracker.update(rgb, ir) for _ in range(2)]
    assert len(results[1].weights) == 3
    assert sum(results[1].weights) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(results[1].maps["response"].sum(0), 1, atol=1e-4)


def test_a_camera_of_noise_has_little_weight() -> None:
    """A visible picture of nothing but noise, a thermal one with a warm disc that walks over a cold patchwork."""
    rng = np.random.default_rng(3)
    ground = cv2.resize(rng.integers(40, 90, (12, 16), dtype=np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    tracker = build_tracker("nestfuse_nanotrack", device="cpu")
    for step in range(4):
        rgb = rng.normal(150, 12, (240, 320, 3)).clip(0, 255).astype(np.uint8)
        ir = ground.copy()
        cv2.circle(ir, (150 + 3 * step, 110), 18, 230, -1)
        if step == 0:
            tracker.initialize(rgb, ir, (132.0, 92.0, 37.0, 37.0))
        else:
            visible, thermal, _ = tracker.update(rgb, ir).weights
    assert visible < 0.5 * thermal


def test_one_modality_has_no_gate() -> None:
    config = load_config("nestfuse_nanotrack").replace(**{"model.fusion.strategy": "reliable"})
    assert build_network(config).gate is not None
    assert build_network(config.replace(modality="ir")).gate is None
