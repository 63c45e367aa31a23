"""What is wanted of a run, how it went, and the frames on their way to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rgbt_tracker.sequences.base import Frame
from rgbt_tracker.sequences.live import Stoppable

if TYPE_CHECKING:
    from nestfuse_core.fusion.fuser import VideoFuser


@dataclass(frozen=True)
class Request:
    """What is wanted of a run.

    Args:
        output: folder for the results.
        video: file for the overlay, or None.
        show: watch in a window.
        maps: show and keep the fusion weights of both cameras.
        fuse: makes the fused picture that video and window show beside the cameras'; None leaves it out.
    """

    output: Path
    video: Path | None
    show: bool
    maps: bool
    fuse: VideoFuser | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run went.

    Attributes:
        lines: for the user: the summary, where it stopped early, and the files written.
        error: what stopped it before the end of a recorded sequence; KeyboardInterrupt for Ctrl-C or a closed window.
    """

    lines: list[str]
    error: BaseException | None = None


class Counted(Iterator[Frame]):
    """Frames as they come, and how many came."""

    def __init__(self, source: Stoppable) -> None:
        self._frames = source.frames()
        self.count = 0

    def __next__(self) -> Frame:
        frame = next(self._frames)
        self.count += 1
        return frame

    def close(self) -> None:
        """End the thread that reads ahead, before the files that it reads are closed."""
        self._frames.close()
