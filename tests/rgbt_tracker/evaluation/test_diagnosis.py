"""What happened to a trajectory, frame by frame."""

import numpy as np
import pytest

from rgbt_tracker.evaluation.diagnosis import diagnose, fitted
from rgbt_tracker.results.trajectory import FAILED, INITIALISED, TRACKED, UNKNOWN, Trajectory

TRUTH = np.tile([10.0, 10, 20, 20], (10, 1))


def test_a_failure_is_the_first_frame_of_a_run_without_overlap():
    truth = TRUTH[:8].copy()
    boxes = truth.copy()
    boxes[[2, 3, 6]] += 100
    boxes[7] = np.nan
    truth[4] = np.nan  # absent: neither a failure nor the end of one
    found = diagnose(Trajectory.of_boxes(boxes), [truth])
    assert found.failures == [2, 6] and found.overlaps[7] == 0 and np.isnan(found.errors[7])
    boxes[5] += 100
    assert diagnose(Trajectory.of_boxes(boxes), [truth]).failures == [2]


def test_a_run_with_resets_names_its_failures_itself():
    codes = np.array([INITIALISED, TRACKED, FAILED, UNKNOWN])
    track = Trajectory([None, TRUTH[0] + 100, None, None], codes)
    found = diagnose(track, [TRUTH[:4]])
    assert found.failures == [2] and np.isnan(found.overlaps[3])
    np.testing.assert_array_equal(diagnose(track, [TRUTH[:4]], np.arange(4)).overlaps, np.arange(4))


def test_lost_frames_are_counted_where_failures_are_not():
    truth, boxes = TRUTH.copy(), TRUTH.copy()
    boxes[4:] += 100
    truth[9] = np.nan
    found = diagnose(Trajectory.of_boxes(boxes), [truth])
    assert found.failures == [4] and found.lost == pytest.approx(5 / 9)


def test_speed_leaves_out_the_first_frame():
    track = Trajectory.of_boxes(TRUTH[:3], seconds=[5.0, 0.1, 0.3])
    assert diagnose(track, [TRUTH[:3]]).fps == pytest.approx(5)
    assert np.isnan(diagnose(Trajectory.of_boxes(TRUTH[:3]), [TRUTH[:3]]).fps)


def test_results_of_another_length_are_cut_and_filled():
    track = Trajectory.of_boxes(TRUTH[:5], scores=np.arange(5))
    assert len(fitted(track, 3)) == 3 and fitted(track, 3).scores.tolist() == [0, 1, 2]
    longer = fitted(track, 7)
    assert longer.boxes.shape == (7, 4) and np.isnan(longer.boxes[5:]).all() and longer.codes[6] == UNKNOWN
    assert diagnose(track, [TRUTH]).overlaps.tolist() == [1] * 5 + [0] * 5
