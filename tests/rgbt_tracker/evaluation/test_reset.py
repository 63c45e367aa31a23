"""The run with resets, on drawn boxes and trackers that fail on command."""

from types import SimpleNamespace

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.reset import reset_scores, reset_scores_of_set, run_with_resets, sequence_runs
from rgbt_tracker.frames import Frame, FrameSequence, SequenceInfo


class Blank(FrameSequence):
    """Empty images and a box that moves one pixel a frame."""

    def __init__(self, length=40, absent=()):
        truth = np.array([[10.0 + i, 20, 12, 16] for i in range(length)])
        truth[list(absent)] = np.nan
        super().__init__(SequenceInfo("blank", length, groundtruth=truth))

    def frame(self, index):
        image = np.zeros((60, 80), dtype=np.uint8)
        image[0, 0] = index
        return Frame(index, None, image)


class Scripted:
    """Follows the truth with an offset; loses the target, or says NaN, at given frames."""

    def __init__(self, lost=(), broken=()):
        self.lost, self.broken, self.starts, self.seen = set(lost), set(broken), [], []

    def initialize(self, rgb, ir, box):
        assert rgb is None
        self.starts.append((int(ir[0, 0]), box))

    def update(self, rgb, ir):
        frame = int(ir[0, 0])
        self.seen.append(frame)
        box = (10.0 + frame + 1, 20, 12, 16)
        if frame in self.lost:
            box = (70.0, 0, 5, 5)
        if frame in self.broken:
            box = (float("nan"),) * 4
        return SimpleNamespace(box=box, score=0.5)


def test_starts_again_five_frames_after_a_failure():
    tracker = Scripted(lost={7, 14, 37})
    run = run_with_resets(tracker, Blank())
    assert [frame for frame, _ in tracker.starts] == [0, 12, 19]
    assert tracker.starts[1][1] == (22.0, 20.0, 12.0, 16.0)
    np.testing.assert_array_equal(np.flatnonzero(run.codes == 2), [7, 14, 37])
    np.testing.assert_array_equal(np.flatnonzero(run.codes == 0), [8, 9, 10, 11, 15, 16, 17, 18, 38, 39])
    assert set(tracker.seen).isdisjoint({8, 9, 12, 15, 38})
    # As polygons, which count their corner pixels: 13 x 17 pixels, one column off.
    assert sequence_runs(Blank(), [run]).runs[0].overlaps[1] == 12 / 14
    assert run.scores[7] == 0.5 and np.isnan(run.scores[[0, 8]]).all()
    assert np.isfinite(run.seconds[[0, 1, 7, 12]]).all() and np.isnan(run.seconds[8])


def test_an_absent_target_is_neither_failure_nor_start():
    tracker = Scripted(lost={10, 20})
    sequence = Blank(absent=range(15, 30))
    run = run_with_resets(tracker, sequence)
    assert [frame for frame, _ in tracker.starts] == [0, 30]
    assert np.isnan(sequence_runs(sequence, [run]).runs[0].overlaps[15:30]).all()


def test_the_first_target_may_come_late():
    tracker = Scripted(lost={20})
    sequence = Blank(absent=[0, 1, 20])
    run = run_with_resets(tracker, sequence)
    assert [frame for frame, _ in tracker.starts] == [2]
    assert run.codes[20] == -1 and np.isnan(sequence_runs(sequence, [run]).runs[0].overlaps[20])


def test_an_unusable_box_is_replaced_by_the_last_one():
    run = run_with_resets(Scripted(broken={5, 6}), Blank())
    np.testing.assert_array_equal(run.regions[6], run.regions[4])


def test_scores():
    scores = reset_scores(Scripted(lost={25}), Blank())
    assert (scores.accuracy, scores.failures, scores.frames) == (pytest.approx(12 / 14), 1, 40)
    whole = reset_scores_of_set(Scripted(lost={25}), [Blank(), Blank(30)], low=20, high=29)
    assert whole.pooled.failures == 2 and 0 < whole.eao < 12 / 14 and whole.sequences == 2


def test_ground_truth_is_needed():
    sequence = Blank()
    sequence.info.groundtruth = None
    with pytest.raises(UserError, match="has no ground truth"):
        run_with_resets(Scripted(), sequence)
