"""What the commands that follow a target are given: a sequence by name or folder, or the frames of each camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nestfuse_core.common.errors import UserError

if TYPE_CHECKING:
    from nestfuse_core.cameras.matching import Timing
    from rgbt_tracker.sequences.base import FrameSequence


def open_input(
    sequence: str | None,
    rgb: str | None,
    ir: str | None,
    timing: Timing,
    name: str | None = None,
    roots: Sequence[Path] = (),
    rig: str | None = None,
) -> FrameSequence:
    """Open ``--sequence``, or ``--rgb`` and ``--ir`` paired as ``timing`` says; thermal pictures laid as ``rig`` says.

    Raises:
        UserError: both were given, nothing can be opened, or a dataset's sequence with something about its times.
    """
    from nestfuse_core.cameras.matching import refuse_timing
    from rgbt_tracker.locate import open_sequence
    from rgbt_tracker.sequences.pairs import open_timed

    if sequence is None:
        return open_timed(rgb, ir, name, timing, rig)
    if rgb is not None or ir is not None:
        raise UserError("Give either --sequence or --rgb and --ir, not both.")
    refuse_timing(timing, sequence)
    frames = open_sequence(sequence, roots, rig)
    frames.info.name = name or frames.info.name
    return frames
