"""One-pass scores against plain loops, geometry and hand-made cases."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation import one_pass as scores
from rgbt_tracker.evaluation.per_frame import center_errors, normalised_errors, overlaps
from rgbt_tracker.evaluation.protocols import PROTOCOLS

coordinate = st.integers(-40, 400).map(float)
size = st.integers(1, 150).map(float)
box = st.tuples(coordinate, coordinate, size, size)
tracks = st.lists(st.tuples(box, box, box), min_size=1, max_size=30)


def pixel_iou(a, b):
    """Overlap by counting pixels, for boxes with whole numbers."""
    covered = [
        {(x, y) for x in range(int(v[0]), int(v[0] + v[2])) for y in range(int(v[1]), int(v[1] + v[3]))} for v in (a, b)
    ]
    return len(covered[0] & covered[1]) / len(covered[0] | covered[1])


def reference(boxes, truths):
    """The four scores by plain loops over frames and thresholds."""
    ious, distances, scaled = [], [], []
    for frame, predicted in enumerate(boxes):
        per_truth = []
        for truth in truths:
            x, y, w, h = truth[frame]
            dx, dy = predicted[0] + predicted[2] / 2 - x - w / 2, predicted[1] + predicted[3] / 2 - y - h / 2
            per_truth.append((math.hypot(dx, dy), math.hypot(dx / w, dy / h)))
        distances.append(min(d for d, _ in per_truth))
        scaled.append(min(s for _, s in per_truth))
        ious.append(max(pixel_iou(predicted, truth[frame]) for truth in truths))
    auc = sum(sum(iou > step / 20 for iou in ious) / len(ious) for step in range(21)) / 21
    return auc, sum(d <= 20 for d in distances) / len(ious), sum(s <= 0.2 for s in scaled) / len(ious), ious


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 12)] * 2)] * 3), min_size=1))
def test_scores_match_plain_loops(frames):
    boxes, first, second = (np.array(column, dtype=float) for column in zip(*frames, strict=True))
    for truths in ([first], [first, second]):
        auc, precision, normalised, ious = reference(boxes, truths)
        # Overlaps that sit on a threshold may fall on either side of it in floating point.
        edges = sum(abs(iou * 20 - round(iou * 20)) < 1e-9 for iou in ious) / len(ious) / 21
        got = scores.one_pass_scores(boxes, truths if len(truths) > 1 else truths[0])
        assert got["mean_iou"] == pytest.approx(np.mean(ious))
        assert got["success"] == pytest.approx(auc, abs=edges + 1e-9)
        assert got["precision"] == precision
        slack = float(np.mean(np.abs(normalised_errors(boxes, truths) - 0.2) < 1e-9))
        assert got["normalised_precision"] == pytest.approx(normalised, abs=slack + 1e-12)


@given(tracks, st.floats(-500, 500), st.floats(0.1, 10))
def test_scores_do_not_depend_on_place_and_overlap_not_on_scale(frames, shift, scale):
    boxes, truth, _ = (np.array(column) for column in zip(*frames, strict=True))
    moved = [value + np.array([shift, shift, 0, 0]) for value in (boxes, truth)]
    np.testing.assert_allclose(overlaps(*moved), overlaps(boxes, truth), atol=1e-9)
    np.testing.assert_allclose(overlaps(boxes * scale, truth * scale), overlaps(boxes, truth), atol=1e-9)
    np.testing.assert_allclose(
        normalised_errors(boxes * scale, truth * scale), normalised_errors(boxes, truth), atol=1e-9
    )
    np.testing.assert_allclose(
        center_errors(boxes * scale, truth * scale), scale * center_errors(boxes, truth), atol=1e-6
    )


@given(tracks)
def test_a_second_annotation_never_makes_a_score_worse(frames):
    boxes, first, second = (np.array(column) for column in zip(*frames, strict=True))
    alone, both = scores.one_pass_scores(boxes, first), scores.one_pass_scores(boxes, [first, second])
    assert all(both[key] >= alone[key] - 1e-12 for key in alone)


@given(tracks)
def test_curves_are_monotonic_and_hold_the_scores(frames):
    boxes, truth, _ = (np.array(column) for column in zip(*frames, strict=True))
    score = scores.score_sequence(PROTOCOLS["plain"], boxes, [truth])
    result = scores.one_pass_scores(boxes, truth)
    assert (np.diff(score.success) <= 0).all()
    assert (np.diff(score.precision) >= 0).all()
    assert score.success.mean() == pytest.approx(result["success"])
    assert score.precision[20] == result["precision"]
    assert score.normalised[20] == result["normalised_precision"]


def test_perfect_trajectory():
    truth = np.array([[10.0, 20, 30, 40]] * 5)
    result = scores.one_pass_scores(truth, truth)
    assert result == {
        "success": pytest.approx(20 / 21),  # an overlap of 1 does not exceed the last threshold, 1
        "precision": 1.0,
        "normalised_precision": 1.0,
        "mean_iou": 1.0,
        "frames": 5.0,
    }


@pytest.mark.parametrize("gone", [[np.nan] * 4, [0, 0, 0, 0], [5, 5, 0, 10]])
def test_absent_frames_are_left_out(gone):
    truth = np.array([[10.0, 20, 30, 40], gone, [12, 20, 30, 40]])
    boxes = np.array([[11.0, 20, 30, 40], [300, 300, 5, 5], [50, 60, 30, 40]])
    assert scores.one_pass_scores(boxes, truth) == scores.one_pass_scores(boxes[[0, 2]], truth[[0, 2]])
    assert np.isnan(overlaps(boxes, truth)[1])


def test_a_target_seen_by_one_camera_counts():
    truth = np.array([[10.0, 20, 30, 40]])
    gone = np.full((1, 4), np.nan)
    assert scores.one_pass_scores(truth, [gone, truth])["mean_iou"] == 1.0


def test_nan_boxes_are_misses():
    truth = np.array([[10.0, 20, 30, 40]] * 2)
    boxes = np.array([[10.0, 20, 30, 40], [np.nan] * 4])
    result = scores.one_pass_scores(boxes, truth)
    assert (result["precision"], result["mean_iou"], result["frames"]) == (0.5, 0.5, 2.0)


def test_no_annotated_frame_gives_nan():
    result = scores.one_pass_scores(np.ones((2, 4)), np.zeros((2, 4)))
    assert math.isnan(result["success"]) and math.isnan(result["mean_iou"]) and result["frames"] == 0


def test_precision_radius():
    truth, boxes = np.array([[0.0, 0, 10, 10]]), np.array([[6.0, 0, 10, 10]])
    assert scores.one_pass_scores(boxes, truth)["precision"] == 1
    assert scores.one_pass_scores(boxes, truth, precision_pixels=5.5)["precision"] == 0


def test_lengths_must_agree():
    with pytest.raises(UserError, match="each of the 3 annotated frames"):
        scores.one_pass_scores(np.ones((2, 4)), np.ones((3, 4)))
    with pytest.raises(UserError, match="shape"):
        scores.one_pass_scores(np.ones((2, 5)), np.ones((2, 5)))
    with pytest.raises(UserError, match="equal length"):
        scores.one_pass_scores(np.ones((2, 4)), [np.ones((2, 4)), np.ones((3, 4))])
