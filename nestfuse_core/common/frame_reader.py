"""What readers of recorded frames have in common, whatever the file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import TypeVar

from nestfuse_core.common.pictures import Image

Own = TypeVar("Own", bound="FrameReader")


class FrameReader(ABC):
    """Frames of a file, by index. A context manager that closes it; iterating yields every frame.

    Attributes:
        length: number of frames.
    """

    length: int

    @abstractmethod
    def read(self, index: int) -> Image:
        """Return frame ``index`` (0-based). Raises UserError naming the file and frame."""

    @abstractmethod
    def close(self) -> None:
        """Close the file; a later read opens it again."""

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Image]:
        return (self.read(index) for index in range(self.length))

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
