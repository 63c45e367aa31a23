"""Reliability-aware fusion: what the gate computes, on maps drawn by hand and inside both trackers."""

import cv2
import numpy as np
import pytest
import torch

from rgbt_tracker import build_tracker
from rgbt_tracker.config import ReliabilityConfig, load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.reliability import ReliabilityGate

SIZE = 15


def logits(peaks: dict[tuple[int, int], float], floor: float = -4.0) -> torch.Tensor:
    """(1, 2, SIZE, SIZE) logits of one anchor whose log-odds are ``floor`` but for the ``peaks`` (y, x)."""
    odds = torch.full((SIZE, SIZE), floor)
    for (y, x), value in peaks.items():
        odds[y, x] = value
    return torch.stack([torch.zeros_like(odds), odds])[None]


def fuse(*branches: torch.Tensor, memory: torch.Tensor | None = None, **settings):
    cls = torch.stack(branches)
    loc = torch.arange(len(branches), dtype=torch.float32).view(-1, 1, 1, 1, 1).expand(-1, 1, 4, SIZE, SIZE)
    return ReliabilityGate(ReliabilityConfig(**settings))(cls, loc, memory)


SEES = logits({(7, 7): 4.0})
BLIND = logits({})
ELSEWHERE = logits({(1, 13): 2.0})


@pytest.mark.parametrize("combine", ["mixture", "product"])
@pytest.mark.parametrize("other", [BLIND, ELSEWHERE])
def test_the_modality_that_sees_the_target_decides(combine: str, other: torch.Tensor) -> None:
    fused = fuse(SEES, other, combine=combine)
    assert fused.weights[0, 0] > 0.8
    place = (fused.cls[0, 1] - fused.cls[0, 0]).argmax()
    assert divmod(int(place), SIZE) == (7, 7)
    assert fused.loc[0, 0, 7, 7] < 0.05  # the box is the seeing branch's, not the mean of both


def test_equal_evidence_gives_equal_weights_and_the_same_response() -> None:
    fused = fuse(SEES, SEES)
    torch.testing.assert_close(fused.weights, torch.full((2, 1), 0.5))
    torch.testing.assert_close(torch.sigmoid(fused.cls[0, 1] - fused.cls[0, 0]), torch.sigmoid(SEES[0, 1]))


def test_the_joint_branch_counts_more_only_while_both_modalities_are_reliable() -> None:
    """By its ``together`` times 4 p (1 - p), p the share of one modality among the two."""
    unsure = logits({(7, 7): 1.0})
    for rgb, thermal in [(SEES, SEES), (unsure, SEES), (SEES, BLIND)]:
        plain, more = fuse(rgb, thermal, SEES), fuse(rgb, thermal, SEES, together=1.5)
        p = float((plain.weights[0, 0] / plain.weights[:2].sum()).detach())
        odds = [fused.weights[2, 0] / fused.weights[0, 0] for fused in (plain, more)]
        torch.testing.assert_close(torch.log(odds[1] / odds[0]), torch.tensor(1.5 * 4 * p * (1 - p)), rtol=0, atol=1e-3)
    both, blind = fuse(SEES, SEES, SEES, together=1.5), fuse(SEES, BLIND, SEES, together=1.5)
    assert both.weights[2, 0] > 0.6 > 0.55 > blind.weights[2, 0]


def test_where_the_modalities_disagree_the_joint_branch_is_asked() -> None:
    """The window takes the side of the one in the middle, to which the track was led, for every branch's mean."""
    aside, middle, joint = logits({(7, 11): 3.0}), logits({(7, 7): 2.0}), logits({(7, 11): 1.0})
    for place, better in (("mean", 1), ("joint", 0)):
        weights = fuse(aside, middle, joint, place=place, prior=0.455)[2][:2, 0]
        assert weights.argmax() == better


@pytest.mark.parametrize("own", [0.0, 0.25, 1.0])
def test_own_is_the_part_of_the_margin_at_a_branch_s_own_peak(own: float) -> None:
    """Agreed is (7, 7), where ELSEWHERE has -4 and at most 2 out of reach; at its own peak 2 and elsewhere -4."""
    memory = fuse(SEES, ELSEWHERE, SEES, rate=1.0, own=own, rivals=0.5).memory[:, 0]
    expected = (1 - own) * (-4 - 0.5 * 2) + own * (2 - 0.5 * -4)
    torch.testing.assert_close(memory[1, 0], torch.tensor(expected), rtol=0, atol=1e-3)
    torch.testing.assert_close(memory[0, 0], torch.tensor(4 - 0.5 * -4.0), rtol=0, atol=1e-3)
    torch.testing.assert_close(memory[1, 1], torch.tensor(np.hypot(6, 6) / 7.5, dtype=torch.float32))


def test_the_joint_branch_cannot_be_asked_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="branches: all"):
        ReliabilityConfig(place="joint", branches="modalities")


def test_two_branches_have_no_joint_one() -> None:
    torch.testing.assert_close(fuse(SEES, SEES, together=1.5).weights, torch.full((2, 1), 0.5))


def test_weights_and_shares_sum_to_one_and_order_does_not_matter() -> None:
    one, other = fuse(SEES, ELSEWHERE, BLIND), fuse(BLIND, SEES, ELSEWHERE)
    torch.testing.assert_close(one.weights.sum(0), torch.ones(1))
    torch.testing.assert_close(one.shares.sum(0), torch.ones(1, 1, SIZE, SIZE))
    torch.testing.assert_close(one.cls, other.cls)
    torch.testing.assert_close(one.weights[[2, 0, 1]], other.weights)


def test_memory_is_a_moving_average_of_the_evidence() -> None:
    first = fuse(SEES, BLIND, rate=0.25)
    second = fuse(BLIND, SEES, memory=first.memory, rate=0.25)
    fresh = fuse(BLIND, SEES, rate=0.25)
    torch.testing.assert_close(second.memory, 0.75 * first.memory + 0.25 * fresh.memory)
    assert second.weights[1, 0] < fresh.weights[1, 0]


def test_the_first_frame_counts_for_a_part_in_memory() -> None:
    """``first`` of what tells the branches apart; nothing of it leaves only the present frame's evidence."""
    whole, part, none = (fuse(SEES, BLIND, rate=0.25, first=first) for first in (1.0, 0.4, 0.0))
    spread = [float((fused.memory[0] - fused.memory[1]).detach()[0, 0]) for fused in (whole, part, none)]
    assert spread[1:] == pytest.approx([spread[0] * (0.25 + 0.75 * 0.4), spread[0] * 0.25])
    present = fuse(SEES, BLIND, gains=(0.18, 0.0, 0.75, 0.0))
    torch.testing.assert_close(none.weights, present.weights)
    assert whole.weights[0, 0] > part.weights[0, 0] > none.weights[0, 0]


def test_a_template_that_finds_its_own_target_counts_more() -> None:
    """By ``template`` times the difference of the confidences, in log-odds of the weights."""
    gate = ReliabilityGate(ReliabilityConfig(template=0.5))
    cls, loc = torch.stack([SEES, SEES]), torch.zeros(2, 1, 4, SIZE, SIZE)
    weights = gate(cls, loc, None, torch.tensor([[1.0], [5.0]])).weights
    torch.testing.assert_close(torch.log(weights[1] / weights[0]), torch.tensor([2.0]))
    torch.testing.assert_close(gate(cls, loc, None, torch.full((2, 1), 3.0)).weights, gate(cls, loc).weights)


def test_template_confidence_is_the_mean_log_odds_near_the_known_place() -> None:
    gate = ReliabilityGate(ReliabilityConfig())
    # Two views, the target 4.5 rows above and columns left of the middle (7), then below and right of it.
    first, second = (2, 3), (12, 11)
    sees = torch.cat([logits({first: 3.0, (2, 9): 6.0}), logits({second: 5.0})])
    smoke = torch.cat([logits({(7, 7): 6.0}), logits({(7, 7): 6.0})])
    sure = torch.cat([logits({first: 30.0}), logits({second: 30.0})])
    places = torch.tensor([[-4.5, -4.5], [4.5, 4.5]])
    confidence = gate.template_confidence(torch.stack([sees, smoke]), places)
    torch.testing.assert_close(confidence, torch.tensor([[4.0], [-4.0]]), atol=1e-3, rtol=0)
    # The third branch is the joint one: the mean of its cameras.
    confidence = gate.template_confidence(torch.stack([sees, sure, smoke]), places)
    most = float(np.log(999))
    torch.testing.assert_close(confidence, torch.tensor([[4.0], [most], [(4 + most) / 2]]), atol=1e-3, rtol=0)


def test_samples_of_a_batch_do_not_mix() -> None:
    gate = ReliabilityGate(ReliabilityConfig())
    cls = torch.stack([torch.cat([SEES, BLIND]), torch.cat([BLIND, SEES])])
    loc = torch.randn(2, 2, 4, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    both = gate(cls, loc)
    for index in range(2):
        single = gate(cls[:, index : index + 1], loc[:, index : index + 1])
        torch.testing.assert_close(both.cls[index], single.cls[0])
        torch.testing.assert_close(both.loc[index], single.loc[0])


@pytest.mark.parametrize("combine", ["mixture", "product"])
def test_gradients_reach_the_maps_and_the_gains(combine: str) -> None:
    gate = ReliabilityGate(ReliabilityConfig(combine=combine, rivals=0.5))
    cls = torch.stack([SEES, ELSEWHERE]).requires_grad_()
    loc = torch.randn(2, 1, 4, SIZE, SIZE).requires_grad_()
    fused = gate(cls, loc)
    (fused.cls[0, 1, 7, 7] + fused.loc[0, 0, 7, 7]).backward()
    for tensor in (cls, loc, gate.gains):
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad.abs().sum() > 0


def test_extreme_logits_stay_finite() -> None:
    for combine in ("mixture", "product"):
        fused = fuse(logits({(7, 7): 200.0}, floor=-200.0), logits({}, floor=-200.0), combine=combine)
        assert torch.isfinite(fused.cls).all()
        assert torch.isfinite(fused.loc).all()


@pytest.mark.parametrize("name", ["nestfuse_nanotrack", "nestfuse_siamrpn_mobilev2"])
@pytest.mark.parametrize("branches", ["modalities", "all"])
@pytest.mark.parametrize("point", ["backbone", "neck"])
def test_both_trackers_run_with_it(name: str, branches: str, point: str) -> None:
    changes = {"model.fusion.strategy": "reliable", "model.fusion.point": point}
    config = load_config(name).replace(**changes, **{"model.fusion.reliability": {"branches": branches}})
    tracker = build_tracker(config, "untrained", "cpu")
    tracker.record_maps = True
    rng = np.random.default_rng(0)
    rgb, ir = rng.integers(0, 256, (2, 120, 160, 3)).astype(np.uint8)
    tracker.initialize(rgb, ir, (60, 40, 30, 24))
    results = [tracker.update(rgb, ir) for _ in range(2)]
    assert len(results[1].weights) == (3 if branches == "all" else 2)
    assert sum(results[1].weights) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(results[1].maps["response"].sum(0), 1, atol=1e-4)


def smoke_and_disc() -> tuple[np.ndarray, np.ndarray, tuple[float, float, float, float]]:
    """A visible picture of nothing but noise, a thermal one with a warm disc on a cold patchwork, and its box."""
    rng = np.random.default_rng(3)
    rgb = rng.normal(150, 12, (240, 320, 3)).clip(0, 255).astype(np.uint8)
    ir = cv2.resize(rng.integers(40, 90, (12, 16), dtype=np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    cv2.circle(ir, (150, 110), 18, 230, -1)
    return rgb, ir, (132.0, 92.0, 37.0, 37.0)


def test_a_template_of_smoke_has_low_confidence_and_little_weight() -> None:
    rgb, ir, box = smoke_and_disc()
    weights = []
    for gain in (0.0, 1.0):
        config = load_config("nestfuse_siamrpn_mobilev2").replace(**{"model.fusion.reliability.template": gain})
        tracker = build_tracker(config, device="cpu")
        learn, templates = tracker.network.template, []
        tracker.network.template = lambda *asked, learn=learn, made=templates: made.append(learn(*asked)) or made[-1]
        tracker.initialize(rgb, ir, box)
        weights.append(tracker.update(rgb, ir).weights[0])
        confidence = templates[0].confidence
        assert (confidence is None) == (gain == 0)
    visible, thermal, _ = confidence[:, 0].tolist()
    assert visible < thermal - 2
    assert weights[1] < 0.5 * weights[0]


def test_a_template_is_tried_where_the_target_is() -> None:
    """The views are cut off-centre; their places must point at the target, for both strides."""
    rgb, ir, box = smoke_and_disc()
    for name in ("nestfuse_siamrpn_mobilev2", "nestfuse_nanotrack"):
        config = load_config(name).replace(**{"model.fusion.strategy": "reliable"})
        config = config.replace(**{"model.fusion.reliability": {"template": 1.0}})
        tracker = build_tracker(config, "untrained", "cpu")
        seen = []
        tracker.network.template = lambda images, views, cameras, seen=seen: seen.append(views)
        tracker.initialize(rgb, ir, box)
        views, places = seen[0]
        assert views.shape[:3] == (2, 4, 3) and places.shape == (4, 2)
        for view, place in zip(views[1, :, 0].numpy(), places.numpy(), strict=True):
            warm = np.argwhere(view > 200).mean(0) - (view.shape[0] - 1) / 2
            # Crops begin at whole pixels of the image, of which one is 0.3 positions here.
            np.testing.assert_allclose(warm / config.anchors.stride, place, atol=0.4)
        assert len({tuple(np.sign(place)) for place in places.numpy()}) == 4


def test_one_modality_has_no_gate() -> None:
    config = load_config("nestfuse_nanotrack").replace(**{"model.fusion.strategy": "reliable"})
    assert build_network(config).gate is not None
    assert build_network(config.replace(modality="ir")).gate is None
