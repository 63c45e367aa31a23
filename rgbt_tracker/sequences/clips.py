"""Short real recordings of two cameras that come with the package: two videos with boxes."""

from __future__ import annotations

from pathlib import Path

from nestfuse_core.cameras.matching import Timing
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.rig.file import Rig
from rgbt_tracker.sequences.annotations import annotate
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.sequences.pairs import open_timed

FOLDER = Path(__file__).parents[1] / "clips"
VIDEOS = ("visible.mp4", "infrared.mp4")


def list_clips() -> list[str]:
    """The names of the clips."""
    return sorted(path.name for path in FOLDER.iterdir() if (path / VIDEOS[0]).is_file()) if FOLDER.is_dir() else []


def open_clip(name: str, rig: str | Path | Rig | None = None) -> FrameSequence:
    """Open a clip, with its boxes; ``rig`` as of `rgbt_tracker.sequences.pairs.open_pair`.

    Raises:
        UserError: there is none of this name.
    """
    known = list_clips()
    if name not in known:
        raise UserError(f"There is no clip '{name}'{suggestion(name, known)} Clips of the package: {', '.join(known)}.")
    visible, infrared = (FOLDER / name / video for video in VIDEOS)
    sequence = open_timed(visible, infrared, name, Timing(), rig)
    annotate(sequence.info, FOLDER / name)
    return sequence
