"""The sequences that a search uses: drawn ones, or a folder of the user's."""

from __future__ import annotations

from pathlib import Path

from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences.base import ByteBudget, FrameSequence

KEPT_BYTES = 3 << 30


def drawn_set(count: int, length: int | None, kept_bytes: int = KEPT_BYTES) -> dict[str, FrameSequence]:
    """Draw ``count`` sequences of the validation set, which no training of ours uses, scene after scene.

    Args:
        count: of sequences.
        length: of each, in frames; the scene's own when None.
        kept_bytes: how much memory frames may take; the rest is drawn again for each trial.
    """
    from rgbt_tracker.synthetic import draw_sequence, split

    budget = ByteBudget(kept_bytes)
    sequences = [draw_sequence(scene, length=length, seed=seed) for scene, seed in split("validation", count)]
    return {sequence.name: sequence.cached(budget) for sequence in sequences}


def folder_set(folder: Path, kept_bytes: int = KEPT_BYTES) -> dict[str, FrameSequence]:
    """Open every annotated sequence below ``folder``.

    Raises:
        UserError: none there, or one whose first frame has no target.
    """
    from rgbt_tracker.locate import list_sequences, open_sequence

    budget = ByteBudget(kept_bytes)
    found: dict[str, FrameSequence] = {}
    for path in list_sequences(folder):
        sequence = open_sequence(path)
        if sequence.groundtruth is None:
            raise UserError(f"'{path}' has no ground truth to score against; move it away or annotate it.")
        if sequence.info.start_box is None:
            raise UserError(f"'{path}' has no target in its first frame, so that a tracker cannot start on it.")
        found[sequence.name] = sequence.cached(budget)
    if not found:
        raise UserError(f"Expected annotated sequence folders in {folder}, found none.")
    return found
