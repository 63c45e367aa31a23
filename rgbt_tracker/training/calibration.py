"""Fitting the reliability gate to a tracker whose weights are done, and what each of its numbers is worth.

The gate's numbers are moved up the gradient of the log of the expected overlap (`rgbt_tracker.training.replay`): that
of every candidate box with the truth, weighted by a softmax of the tracker's own ranking. Its log, because the frames
that matter are the few in which the target is all but lost; of the mean they are drowned out by all those in which the
cameras agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import ReliabilityConfig
from rgbt_tracker.models.reliability import ReliabilityGate
from rgbt_tracker.runtime.with_torch import TorchRuntime
from rgbt_tracker.tracking.tracker import Tracker
from rgbt_tracker.training.replay import Answers, Replay, drawn_scene, gate_weights, record

BATCH = 4
"""Tracks of one step."""
FLOOR = 1e-3
"""Least expected overlap that the fit tells apart."""
RATIO = 0.05
"""Step of the memory's rate, of which hundredths matter, in steps of the gains."""
SLOWEST = 0.01
"""Least rate of the memory."""
NUMBERS: dict[str, dict[str, float]] = {"now": {"now": 0.0}, "memory": {"memory": 0.0}, "rate": {"rate": 1.0}}
"""Each of the gate's numbers -> what takes it away."""


@dataclass(frozen=True)
class Effect:
    """A way to weigh the branches: mean expected overlap over the judged scenes, and how much less it is than that of
    the fitted gate, with the standard error of this difference over scenes."""

    name: str
    overlap: float
    loss: float
    error: float


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers, the tracks and frames they were fitted to and judged by, and the effects, the fitted gate's
    first."""

    fitted: ReliabilityConfig
    tracks: tuple[int, int]
    frames: tuple[int, int]
    effects: tuple[Effect, ...]


def record_scenes(
    tracker: Tracker, part: str, count: int, length: int, on_scene: Callable[[str], None] = lambda name: None
) -> list[Answers]:
    """Track the first ``count`` drawn scenes of ``part``, ``length`` frames each.

    Raises:
        UserError: none of them has a target to start from.
    """
    found: list[Answers] = []
    for number in range(count):
        scene = drawn_scene(part, number, length)
        answers = record(tracker, scene)
        if answers is not None:
            found.append(answers)
        on_scene(scene.name)
    if not found:
        raise UserError(f"Expected a target to start from in {count} drawn scenes, found none; ask for more.")
    return found


def fit(
    gate: ReliabilityGate,
    tracks: Sequence[Answers],
    replay: Replay,
    epochs: int,
    rate: float = 0.05,
    seed: int = 0,
    on_epoch: Callable[[float], None] = lambda value: None,
) -> ReliabilityConfig:
    """Numbers for ``gate``, which stays as it is, that make the log of the expected overlap larger (Adam).

    ``now`` and ``memory`` stay at least 0: a clearer response must not count against a branch.

    Args:
        on_epoch: called with the mean log of the expected overlap.
    """
    fitted = ReliabilityGate(ReliabilityConfig())
    fitted.load_state_dict(gate.state_dict())
    gains = {"params": [fitted.now, fitted.memory], "lr": rate}
    optimiser = torch.optim.Adam([gains, {"params": [fitted.rate], "lr": RATIO * rate}])
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        values: list[Tensor] = []
        for chosen in torch.randperm(len(tracks), generator=order).split(BATCH):
            parts = [replay.overlaps(tracks[i], gate_weights(fitted, tracks[i])) for i in chosen]
            value = torch.cat(parts).clamp_min(FLOOR).log()
            optimiser.zero_grad()
            (-value.mean()).backward()
            optimiser.step()
            with torch.no_grad():
                fitted.now.clamp_(min=0)
                fitted.memory.clamp_(min=0)
                fitted.rate.clamp_(SLOWEST, 1)
            values.append(value.detach())
        on_epoch(float(torch.cat(values).mean()))
    names = ReliabilityConfig.model_fields
    return ReliabilityConfig(**{name: round(float(getattr(fitted, name).detach()), 2) for name in names})


def effects(fitted: ReliabilityConfig, tracks: Sequence[Answers], replay: Replay) -> tuple[Effect, ...]:
    """What the gate is worth on ``tracks``: as fitted, without each of its numbers, with equal weights, and every
    branch alone."""
    gates = {"as fitted": fitted}
    gates |= {f"without {name}": fitted.model_copy(update=change) for name, change in NUMBERS.items()}
    gates["equal weights"] = fitted.model_copy(update={"now": 0.0, "memory": 0.0})
    overlaps = {name: _judged(tracks, replay, ReliabilityGate(settings)) for name, settings in gates.items()}
    overlaps |= {name: _judged(tracks, replay, branch) for branch, name in enumerate(("RGB", "thermal", "paper"))}
    found = []
    for name, values in overlaps.items():
        loss = overlaps["as fitted"] - values
        error = float(np.std(loss, ddof=1) / len(loss) ** 0.5) if len(loss) > 1 else float("nan")
        found.append(Effect(name, float(values.mean()), float(loss.mean()), error))
    return tuple(found)


def _judged(tracks: Sequence[Answers], replay: Replay, chosen: ReliabilityGate | int) -> NDArray[np.float64]:
    """Mean expected overlap of each track under a gate, or in one branch alone."""
    found = []
    with torch.no_grad():
        for answers in tracks:
            if isinstance(chosen, ReliabilityGate):
                weights = gate_weights(chosen, answers)
            else:
                weights = torch.zeros_like(answers.evidence)
                weights[chosen] = 1
            found.append(float(replay.overlaps(answers, weights).mean()))
    return np.array(found)[~np.isnan(found)]


def calibrate(
    tracker: Tracker,
    train: Sequence[Answers],
    judged: Sequence[Answers],
    epochs: int,
    seed: int = 0,
    on_epoch: Callable[[float], None] = lambda value: None,
) -> Calibration:
    """Fit the gate of ``tracker``, which recorded the tracks, to ``train``, and measure it on ``judged``."""
    assert isinstance(tracker.runtime, TorchRuntime) and tracker.runtime.network.gate is not None
    shape = train[0].odds.shape
    replay = Replay(tracker.config, shape[2], shape[-1])
    fitted = fit(tracker.runtime.network.gate.cpu(), train, replay, epochs, seed=seed, on_epoch=on_epoch)
    frames = tuple(sum(len(answers.odds) for answers in tracks) for tracks in (train, judged))
    return Calibration(fitted, (len(train), len(judged)), (frames[0], frames[1]), effects(fitted, judged, replay))


def as_yaml(found: Calibration) -> str:
    """The fitted gate as the section ``reliability`` of a configuration's ``model.fusion``; the effects as comments."""
    first, *others = found.effects
    lines = [
        f"# rgbt calibrate: fitted to {found.frames[0]} frames of {found.tracks[0]} drawn training scenes",
        f"# expected overlap in {found.frames[1]} frames of {found.tracks[1]} validation scenes: {first.overlap:.4f}",
        *(f"# {effect.name:<16} {-effect.loss:+.4f} +- {effect.error:.4f}" for effect in others),
    ]
    section = {"reliability": found.fitted.model_dump(mode="json")}
    return "\n".join(lines) + "\n" + yaml.safe_dump(section, default_flow_style=None, sort_keys=False)
