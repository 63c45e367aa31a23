"""A sequence folder in the VOT layout: what it says it holds, and whether it does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.reading import read_text
from rgbt_tracker.results.read import read_trajectory
from rgbt_tracker.sequences.folders import read_properties
from rgbt_tracker.sequences.images import FrameFormat
from rgbt_tracker.vot.session import CHANNELS

NUMBER = re.compile(r"%0?\d*d")


@dataclass
class SequenceFolder:
    """One sequence.

    Attributes:
        root: its folder, with the file ``sequence``, ``groundtruth.txt`` and the frames.
        properties: the lines of ``sequence``, keys in lower case.
        problems: what is wrong, one sentence each; empty when a tracker can run on it.
    """

    root: Path
    properties: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.root.name

    def channel_files(self, channel: str) -> list[Path]:
        """Files of the channel in order, as its pattern numbers them from 1 (0 if there is a frame 0)."""
        pattern = self.properties.get(f"channels.{channel}", "").replace("\\", "/")
        if not NUMBER.search(pattern):
            return []
        first = 0 if (self.root / (pattern % 0)).is_file() else 1
        files, index = [], first
        while (file := self.root / (pattern % index)).is_file():
            files.append(file)
            index += 1
        return files


def inspect_sequence(root: Path) -> SequenceFolder:
    """Check a folder: both channels, as many frames as boxes, readable first and last frames of the stated size."""
    folder = SequenceFolder(root)
    if not (root / "sequence").is_file():
        folder.problems.append("there is no file 'sequence'")
        return folder
    folder.properties = read_properties(root / "sequence")
    try:
        length = len(read_trajectory(root / "groundtruth.txt"))
    except UserError as error:
        folder.problems.append(str(error))
        return folder
    for camera, channel in CHANNELS.items():
        _inspect_channel(folder, camera, channel, length)
    stated = folder.properties.get("length", "")
    if stated.isdecimal() and int(stated) != length:
        folder.problems.append(f"'sequence' states {stated} frames, groundtruth.txt has {length} lines")
    for tag in sorted(root.glob("*.tag")):
        lines = len(read_text(tag, replace=True).split())
        if lines > length:
            folder.problems.append(f"'{tag.name}' has {lines} lines for {length} frames")
    return folder


def _inspect_channel(folder: SequenceFolder, camera: str, channel: str, length: int) -> None:
    if f"channels.{channel}" not in folder.properties:
        folder.problems.append(f"'sequence' names no channel '{channel}' (channels.{channel}=...)")
        return
    files = folder.channel_files(channel)
    pattern = folder.properties[f"channels.{channel}"]
    if len(files) != length:
        folder.problems.append(f"channel '{channel}' has {len(files)} frames '{pattern}', groundtruth.txt has {length}")
    for file in files[:1] + files[-1:]:
        try:
            height, width = FrameFormat(camera).read(file).shape[:2]
        except UserError as error:
            folder.problems.append(str(error))
            continue
        stated = (folder.properties.get("width"), folder.properties.get("height"))
        if all(stated) and stated != (str(width), str(height)):
            folder.problems.append(f"'{file.name}' has {width}x{height} pixels, 'sequence' states {'x'.join(stated)}")  # type: ignore[arg-type]


def several_targets(root: Path) -> list[str]:
    """Files that make the toolkit see several targets; our experiments ignore them, the toolkit's own do not."""
    return [path.name for path in sorted(root.glob("groundtruth_*.txt"))]


def listed_sequences(sequences: Path) -> list[str]:
    """Names in ``list.txt``; empty when there is none."""
    file = sequences / "list.txt"
    return read_text(file, replace=True).split() if file.is_file() else []
