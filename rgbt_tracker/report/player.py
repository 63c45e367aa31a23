"""What the player of a report plays, and which sequences those are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from rgbt_tracker.evaluation.diagnosis import Diagnosis
from rgbt_tracker.report.frames import FrameEncoder
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.sequences.base import FrameSequence

PLAYER_FRAMES = 5000  # with images, about 450 MB
BOX_FRAMES = 60_000  # without


@dataclass(frozen=True)
class Player:
    """Everything in the player.

    Attributes:
        sequences: those to play, in order.
        tracks: tracker -> sequence -> trajectory.
        diagnoses: tracker -> sequence -> what happened in each frame.
        numbers: tracker -> its number on the page.
        images: where the frames go: "auto", "inside", "beside" or "none".
        side: longer side of the images in pixels.
    """

    sequences: dict[str, FrameSequence]
    tracks: dict[str, dict[str, Trajectory]]
    diagnoses: dict[str, dict[str, Diagnosis]]
    numbers: dict[str, int]
    images: str
    side: int

    def encoders(self) -> dict[str, FrameEncoder]:
        """Return an encoder for each sequence that has images and is to show them."""
        if self.images == "none":
            return {}
        encoders = {name: FrameEncoder(sequence, self.side) for name, sequence in self.sequences.items()}
        return {name: encoder for name, encoder in encoders.items() if encoder.modalities}


def choose_player(
    opened: dict[str, FrameSequence],
    diagnoses: Mapping[str, Mapping[str, Diagnosis]],
    wanted: Sequence[str],
    limit: int = PLAYER_FRAMES,
) -> list[str]:
    """Return the sequences of the player: those wanted, else the hardest first, ``limit`` frames at most.

    Raises:
        UserError: a wanted sequence that no result belongs to.
    """
    for name in wanted:
        if name not in opened:
            raise UserError(f"No results for the sequence '{name}' of the player{suggestion(name, opened)}")
    if wanted:
        return list(dict.fromkeys(wanted))
    means = {
        name: float(np.nanmean([_mean(runs[name].overlaps) for runs in diagnoses.values() if name in runs]))
        for name in opened
    }
    chosen: list[str] = []
    frames = 0
    for name in sorted(opened, key=lambda name: (pd.isna(means[name]), means[name])):
        if not chosen or frames + len(opened[name]) <= limit:
            chosen.append(name)
            frames += len(opened[name])
    return chosen


def _mean(values: NDArray[np.float64]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else 0.0
