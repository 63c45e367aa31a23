"""What the reliability gate was given on drawn scenes, and what the tracker would have chosen under other weights.

The tracker follows targets in drawn scenes, in most of which one of the cameras fails; the answers of all branches are
kept. They do not depend on the gate, so every gate can be tried on them without a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.models.anchors import centred_overlap
from rgbt_tracker.models.reliability import ReliabilityGate, log_odds
from rgbt_tracker.runtime.with_torch import TorchRuntime
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.synthetic import draw_sequence, split
from rgbt_tracker.synthetic.random_scenes import draw_crowd, draw_random, random_seeds
from rgbt_tracker.tracking.candidates import Candidates
from rgbt_tracker.tracking.target import context_side
from rgbt_tracker.tracking.tracker import Tracker
from rgbt_tracker.training.augmentation.corrupted_sequences import initially_corrupted, temporarily_corrupted

PATIENCE = 8
"""Frames without the target after which the tracker is put back on it, so that what is kept stays worth learning."""
BLIND, FAILING = 0.25, 0.6
"""Shares of the scenes in which a camera sees nothing from the first frame on, and of the others in which one fails
later."""
SHARPNESS = 40.0
"""Of the softmax over candidates: a lead of 0.1 in rank counts 55 times."""


@dataclass
class Answers:
    """One track of T frames: what B branches answered, and what was right.

    ``odds`` (T, B, A, h, w) log-odds and ``loc`` (T, B, 4A, h, w), both float16; ``truth`` (T, 4) x, y, w, h, NaN where
    there is none, and ``size`` (T, 2) w, h of the target as the tracker last saw it, both in search-crop px, the crop's
    centre at 0.
    """

    odds: Tensor
    loc: Tensor
    truth: Tensor
    size: Tensor

    @property
    def evidence(self) -> Tensor:
        """(B, T) the gate's evidence."""
        return self.odds.float().amax((2, 3, 4)).T


def drawn_scene(part: str, number: int, length: int) -> FrameSequence:
    """Scene ``number`` of the part "train", "validation" or "test": by turns one of the named scenes, a random one with
    smaller targets, and a person among people; in most of them a camera fails (`BLIND`, `FAILING`)."""
    turn, kind = divmod(number, 3)
    if kind == 0:
        name, seed = split(part, turn + 1)[turn]
        scene = draw_sequence(name, length=length, seed=seed)
    elif kind == 1:
        scene = draw_random(random_seeds(part, number + 1)[number], length, small=turn % 2 == 1)
    else:
        scene = draw_crowd(random_seeds(part, number + 1)[number], length)
    blind = initially_corrupted(scene, number, BLIND)
    return blind if blind.corrupted else temporarily_corrupted(scene, number, FAILING)


def record(tracker: Tracker, sequence: FrameSequence) -> Answers | None:
    """Track ``sequence`` with a gated tracker and keep the branches' answers; None without a target to start from."""
    assert isinstance(tracker.runtime, TorchRuntime)
    gate, truth = tracker.runtime.network.gate, sequence.groundtruth
    assert gate is not None and truth is not None
    if np.isnan(truth[0]).any():
        return None
    given: list[tuple[Tensor, Tensor]] = []

    def keep(_: Any, arguments: tuple[Tensor, ...]) -> None:
        cls, loc = arguments[:2]
        # Kept in main memory, where the fit runs: thousands of frames need not stay on a GPU.
        given.append((log_odds(cls)[:, 0].half().cpu(), loc[:, 0].half().cpu()))

    rows: list[tuple[Tensor, ...]] = []
    misses, options = 0, tracker.config.tracking
    handle = gate.register_forward_pre_hook(keep)
    try:
        for index, frame in enumerate(sequence):
            if index == 0:
                tracker.initialize(frame.rgb, frame.ir, truth[0])
                continue
            cx, cy, w, h = tracker.target
            scale = options.exemplar / context_side(w, h, options.context)
            box = tracker.update(frame.rgb, frame.ir).box
            place = (truth[index] - np.array([cx, cy, 0, 0])) * scale
            rows.append((*given.pop(), torch.from_numpy(place).float(), torch.tensor([w * scale, h * scale])))
            if not np.isnan(place).any():
                misses = 0 if overlap(np.asarray(box), truth[index]) > 0.1 else misses + 1
            if misses > PATIENCE:
                tracker.relocate(truth[index])
                misses = 0
    finally:
        handle.remove()
    return Answers(*(torch.stack(values) for values in zip(*rows, strict=True)))


def remembered(evidence: Tensor, rate: Tensor) -> Tensor:
    """(B, T) evidence -> (B, T) the gate's memory when each frame comes, as `ReliabilityGate` keeps it."""
    memories = [evidence[:, 0]]
    for frame in evidence.T[:-1]:
        memories.append(torch.lerp(memories[-1], frame, rate))
    return torch.stack(memories, 1)


def gate_weights(gate: ReliabilityGate, answers: Answers) -> Tensor:
    """(B, T) what ``gate`` weighs the branches with, frame after frame."""
    evidence = answers.evidence
    return gate.weights(evidence, remembered(evidence, gate.rate))


class Replay:
    """The tracker's choice among its candidates, softened, for tracks that were recorded.

    Args:
        config: of the tracker that recorded them.
        count, size: anchors a position, and positions a side, of the head's output.
    """

    def __init__(self, config: TrackerConfig, count: int, size: int) -> None:
        self._candidates = Candidates(config, count, size)

    def overlaps(self, answers: Answers, weights: Tensor) -> Tensor:
        """Expected overlap with the truth, of every frame that has one, under (B, T) ``weights`` of the branches."""
        odds, loc = (values.transpose(0, 1).float() for values in (answers.odds, answers.loc))
        fused = ReliabilityGate.combine(odds, loc, weights, weights)
        boxes, scores = self._candidates.decode(fused.cls, fused.loc)
        ranked, _ = self._candidates.rank(boxes, scores, *answers.size.T[..., None])
        corner, side = answers.truth[:, :2], answers.truth[:, 2:]
        seen = ~answers.truth.isnan().any(1)
        truth = torch.cat([corner + side / 2, side], 1)[seen, :, None]
        return ((SHARPNESS * ranked[seen]).softmax(1) * centred_overlap(boxes[seen], truth)).sum(1)
