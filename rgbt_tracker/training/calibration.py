"""Fitting the reliability gate to a tracker whose weights are done.

The tracker follows targets in drawn training scenes, in some of which one of the cameras is corrupted for a while; what
the gate is given in every frame is kept. Its gains and biases are then moved up the gradient of the expected overlap:
the overlap of every candidate box with the truth, weighted by a softmax of the tracker's own ranking. What the gate
calls evidence does not depend on them, so the frames can be replayed in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor

from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.anchors import centred_overlap
from rgbt_tracker.models.network import SiameseNetwork
from rgbt_tracker.models.reliability import ReliabilityGate
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.synthetic import draw_sequence, split
from rgbt_tracker.tracking.candidates import Candidates
from rgbt_tracker.tracking.tracker import Tracker
from rgbt_tracker.training.augmentation.corrupted_sequences import temporarily_corrupted

PATIENCE = 8
"""Frames without the target after which the tracker is put back on it, so that what is kept stays worth learning."""
CORRUPTED = 0.6
"""Share of the scenes in which a camera is corrupted for a while."""
SHARPNESS = 40.0
"""Of the softmax over candidates: a lead of 0.1 in rank counts 55 times."""
CHUNK = 64
"""Frames replayed at once."""
HELD = 5
"""One scene in so many is held back."""


@dataclass
class Frames:
    """What the gate was given, and what was right: T frames, B branches.

    ``cls`` (T, B, 2A, h, w) and ``loc`` (T, B, 4A, h, w) float16; ``memory`` (T, B, 2); ``confidence`` (T, B), 0 where
    it was not asked for; ``truth`` (T, 4) x, y, w, h and ``size`` (T, 2) w, h of the target as the tracker last saw it,
    both in search-crop px, the crop's centre at 0.
    """

    cls: Tensor
    loc: Tensor
    memory: Tensor
    confidence: Tensor
    truth: Tensor
    size: Tensor

    def __len__(self) -> int:
        return len(self.cls)

    def __getitem__(self, chosen: Tensor | slice) -> Frames:
        return Frames(*(value[chosen] for value in vars(self).values()))

    @staticmethod
    def joined(parts: Iterable[Frames]) -> Frames:
        return Frames(*(torch.cat(values) for values in zip(*(vars(part).values() for part in parts), strict=True)))


def record(tracker: Tracker, sequence: FrameSequence, seed: int) -> Frames | None:
    """Track ``sequence`` with a gated tracker and keep what the gate is given; None without a usable frame."""
    network, truth = tracker.network, sequence.groundtruth
    assert isinstance(network, SiameseNetwork) and network.gate is not None and truth is not None
    given: list[tuple[Tensor, ...]] = []

    def keep(_: Any, arguments: tuple[Tensor, ...], output: Any) -> None:
        cls, loc, memory, confidence = arguments
        # Without a memory the gate takes the evidence itself, which is what comes out as the memory then.
        memory = output.memory if memory is None else memory
        # Kept in main memory, where the fit runs: thousands of frames need not stay on a GPU.
        confidence = torch.zeros(len(cls)) if confidence is None else confidence[:, 0].cpu()
        given.append((cls[:, 0].half().cpu(), loc[:, 0].half().cpu(), memory[:, 0].cpu(), confidence))

    rows: list[tuple[Tensor, ...]] = []
    misses = 0
    handle = network.gate.register_forward_hook(keep)
    try:
        for index, frame in enumerate(temporarily_corrupted(sequence, seed, CORRUPTED)):
            if index == 0:
                if np.isnan(truth[0]).any():
                    return None
                tracker.initialize(frame.rgb, frame.ir, truth[0])
                continue
            cx, cy, w, h = tracker.target
            scale = tracker.config.tracking.exemplar / tracker.context_side(w, h)
            box = tracker.update(frame.rgb, frame.ir).box
            if np.isnan(truth[index]).any():
                continue
            place = (truth[index] - np.array([cx, cy, 0, 0])) * scale
            rows.append((*given[-1], torch.from_numpy(place).float(), torch.tensor([w * scale, h * scale])))
            misses = 0 if overlap(np.asarray(box), truth[index]) > 0.1 else misses + 1
            if misses > PATIENCE:
                tracker.relocate(truth[index])
                misses = 0
    finally:
        handle.remove()
    return Frames(*(torch.stack(values) for values in zip(*rows, strict=True))) if rows else None


class Replay:
    """The tracker's choice among its candidates, softened, for frames that were recorded.

    Args:
        config: of the tracker that recorded them.
        count, size: anchors a position, and positions a side, of the head's output.
    """

    def __init__(self, config: TrackerConfig, count: int, size: int) -> None:
        self._candidates = Candidates(config, count, size)

    def overlaps(self, gate: ReliabilityGate, frames: Frames) -> Tensor:
        """(T,) expected overlap with the truth under ``gate``."""
        fused = gate(
            frames.cls.transpose(0, 1).float(),
            frames.loc.transpose(0, 1).float(),
            frames.memory.transpose(0, 1),
            frames.confidence.T,
        )
        boxes, scores = self._candidates.decode(fused.cls, fused.loc)
        ranked, _ = self._candidates.rank(boxes, scores, *frames.size.T[..., None])
        corner, side = frames.truth[:, :2], frames.truth[:, 2:]
        truth = torch.cat([corner + side / 2, side], 1)[..., None]
        return ((SHARPNESS * ranked).softmax(1) * centred_overlap(boxes, truth)).sum(1)

    def mean(self, gate: ReliabilityGate, frames: Frames) -> float:
        """Mean expected overlap of all frames."""
        with torch.no_grad():
            parts = [self.overlaps(gate, frames[start : start + CHUNK]) for start in range(0, len(frames), CHUNK)]
        return float(torch.cat(parts).mean())


def fit(
    gate: ReliabilityGate,
    frames: Frames,
    replay: Replay,
    epochs: int = 6,
    rate: float = 0.03,
    seed: int = 0,
    on_epoch: Callable[[int, float], None] = lambda epoch, value: None,
) -> ReliabilityGate:
    """Move the gains and biases of a copy of ``gate`` up the gradient of the expected overlap (Adam), and return it.

    Gains stay at least 0: a clearer response must not count against a branch. The biases keep a mean of 0, since only
    their differences matter.
    """
    fitted = ReliabilityGate(gate.config)
    fitted.load_state_dict(gate.state_dict())
    optimiser = torch.optim.Adam(fitted.parameters(), lr=rate)
    order = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(frames), generator=order).split(CHUNK):
            value = replay.overlaps(fitted, frames[chosen]).mean()
            optimiser.zero_grad()
            (-value).backward()
            optimiser.step()
            with torch.no_grad():
                fitted.gains.clamp_(min=0)
                fitted.bias.sub_(fitted.bias.mean())
            total += float(value.detach()) * len(chosen)
        on_epoch(epoch, total / len(frames))
    return fitted


@dataclass(frozen=True)
class Calibration:
    """A fitted gate, and the mean expected overlap of recorded frames before and after, by (fitted to, held back)."""

    gate: ReliabilityGate
    frames: tuple[int, int]
    before: tuple[float, float]
    after: tuple[float, float]


def record_scenes(
    tracker: Tracker, count: int, length: int, seed: int, on_scene: Callable[[str], None]
) -> tuple[Frames, Frames]:
    """Track ``count`` drawn training scenes of ``length`` frames; every fifth is held back to judge by."""
    kept: list[Frames] = []
    judged: list[Frames] = []
    for index, (scene, number) in enumerate(split("train", count)):
        frames = record(tracker, draw_sequence(scene, length=length, seed=number), seed + index)
        if frames is not None:
            (judged if index % HELD == HELD - 1 else kept).append(frames)
        on_scene(scene)
    return Frames.joined(kept), Frames.joined(judged)


def calibrate(
    tracker: Tracker, train: Frames, held: Frames, epochs: int, seed: int, on_epoch: Callable[[float], None]
) -> Calibration:
    """Fit the gate of ``tracker``, whose frames were recorded, to ``train``."""
    assert isinstance(tracker.network, SiameseNetwork) and tracker.network.gate is not None
    gate = tracker.network.gate.cpu()
    replay = Replay(tracker.config, train.cls.shape[2] // 2, train.cls.shape[-1])
    before = replay.mean(gate, train), replay.mean(gate, held)
    fitted = fit(gate, train, replay, epochs, seed=seed, on_epoch=lambda _, value: on_epoch(value))
    return Calibration(fitted, (len(train), len(held)), before, (replay.mean(fitted, train), replay.mean(fitted, held)))


def as_yaml(found: Calibration, config: TrackerConfig) -> str:
    """The fitted gate as the section ``reliability`` of a configuration's ``model.fusion``."""
    section = config.model.fusion.reliability.model_dump(mode="json", exclude_defaults=True)
    section |= {name: [round(float(v), 3) for v in getattr(found.gate, name).tolist()] for name in ("gains", "bias")}
    (before, before_held), (after, after_held) = found.before, found.after
    return (
        f"# rgbt calibrate, {found.frames[0]} and {found.frames[1]} frames; expected overlap {before:.4f} -> "
        f"{after:.4f}, held back {before_held:.4f} -> {after_held:.4f}\n"
    ) + yaml.safe_dump({"reliability": section}, default_flow_style=None, sort_keys=False)
