"""Parts of a sequence, frames kept in memory, and what every sequence has."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.frames import ByteBudget
from rgbt_tracker.sequences import Frame, FrameSequence, SequenceInfo, prefetch
from rgbt_tracker.synthetic import draw_sequence

SIZE = 2 * 6 * 8 * 3
"""Bytes of a pair of pictures."""


class Numbered(FrameSequence):
    """Pictures that hold their number; counts what was read, and whether it was closed."""

    def __init__(self, length: int | None = 4) -> None:
        super().__init__(SequenceInfo("numbered", length, fps=25.0, init=(1.0, 2.0, 3.0, 4.0)))
        self.read: list[int] = []
        self.closed = False

    def frame(self, index: int) -> Frame:
        self.read.append(index)
        return Frame(index, *np.full((2, 6, 8, 3), index, np.uint8))

    def close(self) -> None:
        self.closed = True


class TestClip:
    def test_frames_boxes_and_tags_move_together(self) -> None:
        whole = draw_sequence("smoke", length=12, seed=1)
        clip = whole.clip(5, 4)
        assert len(clip) == len(list(clip)) == 4
        assert [frame.index for frame in clip] == list(range(4))
        np.testing.assert_array_equal(clip.frame(2).rgb, whole.frame(7).rgb)
        np.testing.assert_array_equal(clip.groundtruth, whole.groundtruth[5:9])
        for name, frames in whole.info.tags.items():
            np.testing.assert_array_equal(clip.info.tags[name], frames[5:9])
        assert clip.size == whole.size == (640, 480) and clip.fps == whole.fps

    def test_to_the_end_and_not_beyond(self) -> None:
        source = Numbered(6)
        assert len(source.clip(0)) == 6 and len(source.clip(4)) == len(source.clip(4, 9)) == 2
        inner = source.clip(1).clip(2, 2)
        assert [int(frame.rgb[0, 0, 0]) for frame in inner] == [3, 4]  # type: ignore[index]
        for index in (-1, 2):
            with pytest.raises(UserError, match=f"Expected a frame from 0 to 1 of 'numbered', got {index}"):
                inner.frame(index)

    def test_the_first_box_belongs_to_the_first_frame(self) -> None:
        assert Numbered().clip(0, 2).info.init == (1.0, 2.0, 3.0, 4.0)
        assert Numbered().clip(1).info.init is None

    @pytest.mark.parametrize(("start", "length"), [(4, None), (-1, 2), (1, 0), (9, 3)])
    def test_nothing_is_no_clip(self, start: int, length: int | None) -> None:
        with pytest.raises(UserError, match="Expected frames from 0 to 3 of 'numbered'"):
            Numbered().clip(start, length)

    def test_a_live_source_has_no_parts(self) -> None:
        with pytest.raises(TypeError, match="live"):
            Numbered(None).clip(0, 2)


class TestCached:
    def test_frames_are_read_once(self) -> None:
        source = Numbered()
        kept = source.cached()
        first = list(kept)
        assert all(before is after for before, after in zip(first, kept, strict=True))
        assert source.read == [0, 1, 2, 3]

    def test_the_first_ones_are_kept_within_the_budget(self) -> None:
        source = Numbered()
        kept = source.cached(3 * SIZE)
        for _ in range(3):
            assert [frame.index for frame in kept] == [0, 1, 2, 3]
        assert source.read == [0, 1, 2, 3, 3, 3]

    def test_a_budget_for_several(self) -> None:
        budget = ByteBudget(5 * SIZE)
        sources = [Numbered(), Numbered()]
        for sequence in [source.cached(budget) for source in sources] * 2:
            list(sequence)
        assert sources[0].read == [0, 1, 2, 3] and sources[1].read == [0, 1, 2, 3, 1, 2, 3]

    def test_threads_get_the_same_frames(self) -> None:
        source = Numbered(50)
        kept = source.cached()
        passes: list[list[Frame]] = []
        threads = [threading.Thread(target=lambda: passes.append(list(prefetch(kept)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(source.read) == list(range(50))
        assert all(a is b for other in passes[1:] for a, b in zip(passes[0], other, strict=True))


def test_whatever_is_made_of_a_sequence_has_its_cameras_and_closes_it() -> None:
    for make in (lambda s: s.clip(1), lambda s: s.cached(), prefetch, lambda s: prefetch(s.cached().clip(1))):
        source = Numbered()
        source.cameras = ("ir",)
        with make(source) as sequence:
            assert sequence.cameras == ("ir",) and sequence.fps == 25.0 and not sequence.live
        assert source.closed


def test_a_live_source_says_so() -> None:
    assert Numbered(None).live
    with pytest.raises(TypeError, match="no length"):
        len(Numbered(None))
