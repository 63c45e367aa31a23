"""Between vot-toolkit's objects and the arrays of this package. Importing this module needs vot-toolkit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vot.dataset import Sequence
from vot.dataset.proxy import ProxySequence
from vot.region import Polygon, Rectangle, Special
from vot.region.io import read_trajectory
from vot.tracker import Results
from vot.tracker import Trajectory as ToolkitTrajectory

from nestfuse_core.common.files import write_bytes
from rgbt_tracker.results.region_overlap import Region
from rgbt_tracker.results.trajectory import Trajectory


def to_array(region: Any) -> Region | None:
    """(4,) or (2 n,) numbers of a toolkit region; None for a special one."""
    if isinstance(region, Rectangle):
        return np.array([region.x, region.y, region.width, region.height], dtype=np.float64)
    if isinstance(region, Polygon):
        return np.array([value for point in region.points() for value in point], dtype=np.float64)
    if isinstance(region, Special):
        return None
    raise TypeError(f"Expected a rectangle, a polygon or a special region, got {type(region).__name__}.")


def to_region(values: NDArray[np.float64]) -> Any:
    """Toolkit region of (4,) or (2 n,) numbers."""
    if len(values) == 4:
        return Rectangle(*values)
    return Polygon(list(zip(values[0::2], values[1::2], strict=True)))


def to_trajectory(regions: list[Any]) -> Trajectory:
    """Our trajectory of a list of toolkit regions."""
    arrays = ((to_array(region), region) for region in regions)
    return Trajectory.of_regions(region.code if array is None else array for array, region in arrays)


def tags_of(sequence: Sequence) -> dict[str, NDArray[np.bool_]]:
    """Attribute -> (N,) bool."""
    present = [set(sequence.tags(index)) for index in range(len(sequence))]
    return {tag: np.array([tag in tags for tags in present]) for tag in sequence.tags()}


class SingleTarget(ProxySequence):
    """A sequence whose ``groundtruth.txt`` is the one target.

    The toolkit takes every further ``groundtruth_*.txt`` for a target of its own, and ignores ``groundtruth.txt`` then;
    RGB-thermal datasets keep the boxes of either camera under such names.
    """

    _identifier = "object"

    def __init__(self, source: Sequence, file: Path) -> None:
        super().__init__(source)
        regions = read_trajectory(str(file))
        self._regions = regions + [Special(0)] * (len(source) - len(regions))

    def objects(self) -> list[str]:
        return [self._identifier]

    def object(self, id: str, index: int | None = None) -> Any:
        if id != self._identifier:
            return None
        return self._regions if index is None else self._regions[index]

    def groundtruth(self, index: int | None = None) -> Any:
        return self.object(self._identifier, index)


def with_single_target(sequence: Sequence) -> Sequence:
    """The sequence, or its ``groundtruth.txt`` alone where the toolkit found several targets."""
    root = sequence.metadata("root")
    if len(sequence.objects()) == 1 or not root:
        return sequence
    file = Path(root) / "groundtruth.txt"
    return SingleTarget(sequence, file) if file.is_file() else sequence


class _Memory:
    """Stands in for the toolkit's results storage and keeps what is written."""

    def __init__(self) -> None:
        self.files: dict[str, io.BytesIO | io.StringIO] = {}

    def write(self, name: str) -> Any:
        self.files[name] = _KeptBytes() if name.endswith(".bin") else _KeptText()
        return self.files[name]


class _KeptBytes(io.BytesIO):
    def close(self) -> None:
        """Stay readable: the toolkit closes what it has written."""


class _KeptText(io.StringIO):
    def close(self) -> None:
        """Stay readable: the toolkit closes what it has written."""


def write_trajectory(trajectory: ToolkitTrajectory, results: Results, name: str) -> None:
    """Write the toolkit's files of one repetition, each whole or not at all, the trajectory itself last.

    The toolkit counts a repetition as done when its trajectory exists, so nothing may be missing or cut off then.
    """
    memory = _Memory()
    trajectory.write(memory, name)
    folder = Path(results._storage.base)
    for file in sorted(memory.files, key=lambda file: not file.endswith(".value")):
        content = memory.files[file].getvalue()
        write_bytes(folder / file, content.encode("utf-8") if isinstance(content, str) else content)
