"""Where a run begins, and the boxes it is given: by its user, by the ground truth, or by a run that stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nestfuse_core.common import console
from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box
from rgbt_tracker.output.resume import ANEW, State, state_path
from rgbt_tracker.sequences.base import SequenceInfo
from rgbt_tracker.target_files import Targets, parse_init, read_targets


@dataclass(frozen=True)
class Plan:
    """What is known before the first frame.

    Attributes:
        start: number of the first frame to track.
        targets: whom to follow; none while the user will draw them.
        several: whether targets have numbers: there are more than one, or they came in a file.
        resumed: the run to go on with, or None.
    """

    start: int
    targets: Targets
    several: bool = False
    resumed: State | None = None

    @property
    def given(self) -> dict[int, Box]:
        """Frame -> x, y, w, h of the one target: in the first frame (unless the user will draw it) and in those where
        the tracker is put back on it."""
        return self.targets.get(1, {})

    def with_given(self, boxes: dict[int, Box]) -> Plan:
        """The same with other boxes of the one target."""
        return replace(self, targets={1: boxes})


def make_plan(
    info: SequenceInfo,
    modality: str,
    folder: Path,
    *,
    init: Sequence[str] = (),
    targets: Path | None = None,
    start: int | None = None,
    resume: bool = False,
    can_draw: bool = False,
) -> Plan:
    """Bring together what the user typed and what is known of the sequence.

    Says on stderr where an earlier run stopped and this one does not go on with it.

    Args:
        info: of the sequence.
        modality: of the tracker, which decides whose ground truth counts.
        folder: of the results.
        init: ``x,y,w,h`` of each target in the first frame; ``N:x,y,w,h`` of the only one in any frame.
        targets: file of targets (`rgbt_tracker.target_files.read_targets`).
        start: number of the first frame; 0 by default, or where the stopped run began.
        resume: go on with the run that stopped.
        can_draw: whether the user can draw the first box.

    Raises:
        UserError: boxes that are none or stand for no frame, a start that is none, nothing to go on with, or no box for
            the first frame.
    """
    if info.length is None and (resume or start):
        raise UserError(f"Live cameras begin now: leave {'--resume' if resume else '--start'} out.")
    path = state_path(folder, info.name)
    stopped = State.read(path) if resume else None
    if not resume and info.length is not None and path.is_file():
        console.note(f"An earlier run of '{info.name}' stopped early; --resume goes on with it instead.")
    begin = start if start is not None else stopped.start if stopped else 0
    if info.length is not None and not 0 <= begin < info.length:
        raise UserError(f"Expected --start from 0 to {info.length - 1} for '{info.name}', got {begin}.")
    if targets is not None and init:
        raise UserError("Both --init and --targets say where the targets are; give one of them.")
    found = parse_init(init, begin, info.length) if targets is None else read_targets(targets, begin, info.length)
    plan = Plan(begin, found, several=targets is not None or len(found) > 1)
    if plan.several and resume:
        raise UserError("--resume goes on with one target; leave it out to follow several from the beginning.")
    if plan.several:
        return plan
    return _continued(plan, stopped) if stopped else _with_first(plan, info, modality, can_draw)


def _continued(plan: Plan, stopped: State) -> Plan:
    """The plan of the run that stopped; boxes may be added for the frames to come."""
    if plan.start != stopped.start:
        raise UserError(f"Cannot go on from '{stopped.path}': it began at frame {stopped.start}; {ANEW}")
    for frame, box in plan.given.items():
        if frame < stopped.end and stopped.given.get(frame) != box:
            raise UserError(
                f"Cannot go on from '{stopped.path}': frames before {stopped.end} are tracked, and frame {frame} had "
                f"another box; {ANEW}"
            )
    return replace(plan.with_given(stopped.given | plan.given), resumed=stopped)


def _with_first(plan: Plan, info: SequenceInfo, modality: str, can_draw: bool) -> Plan:
    """The plan with the ground truth's box of the first frame, unless the user gave one."""
    known = info if info.length is None else info.part(plan.start, info.length)
    box = known.start_for(modality)
    if plan.start in plan.given or (box is None and can_draw):
        return plan
    if box is None:
        first = "first frame" if plan.start == 0 else f"frame {plan.start}"
        raise UserError(
            f"Where is the target? '{info.name}' has no ground truth for its {first}: give --init x,y,w,h (pixels, "
            "x and y of the top-left corner), or --show to draw the box with the mouse."
        )
    return plan.with_given({plan.start: box, **plan.given})
