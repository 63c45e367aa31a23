"""Tracking held-out sequences with the present weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from torch import Tensor

from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import Modality, TrackerConfig
from rgbt_tracker.models.build import build_network
from rgbt_tracker.runtime.with_torch import TorchRuntime
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.tracking.run import track_sequence
from rgbt_tracker.tracking.tracker import Tracker
from rgbt_tracker.training.recipe import Validation

MODALITIES: tuple[Modality, ...] = ("rgb", "ir", "rgbt")


def held_out(options: Validation) -> list[FrameSequence]:
    """Open the sequences a recipe validates on.

    Raises:
        UserError: an unknown drawn sequence, or a folder that is none.
    """
    from rgbt_tracker.locate import open_sequence
    from rgbt_tracker.synthetic import draw_sequence

    drawn = [draw_sequence(name, length=options.frames, seed=options.seed) for name in options.drawn]
    return [*drawn, *(open_sequence(str(path)).clip(0, options.frames) for path in options.sequences)]


def mean_iou(tracker: Tracker, sequence: FrameSequence) -> float:
    """Mean IoU of one pass, without the first frame; frames without ground truth do not count."""
    boxes = track_sequence(tracker, sequence).boxes
    assert sequence.groundtruth is not None
    values = overlap(boxes[1:], sequence.groundtruth[1 : len(boxes)])
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def validate(
    config: TrackerConfig, state: Mapping[str, Tensor], sequences: list[FrameSequence]
) -> Iterator[dict[str, object]]:
    """Yield sequence, modality and mean_iou for each of ``rgb``, ``ir`` and ``rgbt`` that the configuration can run."""
    modalities = MODALITIES if config.modality == "rgbt" else (config.modality,)
    for modality in modalities:
        single = config.replace(modality=modality)
        network = build_network(single)
        own = network.state_dict()
        network.load_state_dict({key: value for key, value in state.items() if key in own}, strict=False)
        tracker = Tracker(single, TorchRuntime(network.eval()))
        for sequence in sequences:
            yield {"sequence": sequence.name, "modality": modality, "mean_iou": mean_iou(tracker, sequence)}
