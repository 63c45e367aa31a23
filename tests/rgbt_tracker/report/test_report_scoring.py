"""Scores of a report against sums written out by hand, and against published figures."""

from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import overlap
from rgbt_tracker.report.build import read_tracks
from rgbt_tracker.report.reset import score_reset
from rgbt_tracker.report.scoring import (
    UNTAGGED,
    annotated_boxes,
    failures,
    frame_tags,
    lost_share,
    quality,
    score_one_pass,
    speed,
)
from rgbt_tracker.report.sources import BoxesOnly, open_sequences
from rgbt_tracker.results.find import Mark, Trajectory, find_results
from rgbt_tracker.sequences.base import SequenceInfo


def tracked(boxes, **more) -> Trajectory:
    boxes = np.asarray(boxes, dtype=float)
    return Trajectory(boxes, np.full(len(boxes), Mark.TRACKED, np.uint8), **more)


@pytest.fixture(scope="module")
def scored(world):
    trackers = find_results([world.one_pass])
    infos = {name: sequence.info for name, sequence in open_sequences(world.sequences, world.truth).items()}
    return score_one_pass(read_tracks(trackers), infos)


def test_a_failure_is_the_first_frame_of_a_run_without_overlap():
    truth = np.tile([10.0, 10, 20, 20], (8, 1))
    boxes = truth.copy()
    boxes[[2, 3, 6]] += 100
    boxes[7] = np.nan
    truth[4] = np.nan  # absent: neither a failure nor the end of one
    boxes[4:6] += [[0], [0]]
    assert failures(tracked(boxes), truth) == [2, 6]
    boxes[5] += 100
    assert failures(tracked(boxes), truth) == [2]


def test_a_reset_run_names_its_failures_itself():
    truth = np.tile([10.0, 10, 20, 20], (4, 1))
    track = Trajectory(truth + 100, np.array([Mark.STARTED, Mark.TRACKED, Mark.FAILED, Mark.SKIPPED], np.uint8))
    assert failures(track, truth) == [2]
    assert np.isnan(quality(track, truth)[3])


def test_summary_is_the_mean_over_sequences(world, scored):
    for tracker in ("steady", "shaky", "drifting"):
        success, mean = [], []
        for name, truth in world.truth.items():
            boxes = np.loadtxt(world.one_pass / tracker / f"{name}.txt", delimiter=",")
            values = overlap(boxes, truth)
            success.append(np.mean([(values > step / 20).mean() for step in range(21)]))
            mean.append(values.mean())
        row = scored.summary.set_index("tracker").loc[tracker]
        # The annotations are on disk with four decimals.
        assert row["success"] == pytest.approx(np.mean(success), abs=2e-3)
        assert row["mean_iou"] == pytest.approx(np.mean(mean), abs=1e-4)
    assert list(scored.summary["tracker"]) == ["steady", "shaky", "drifting"]


def test_drifting_loses_the_target_twice_in_each_sequence(scored):
    assert scored.summary.set_index("tracker")["failures"].to_dict() == {"steady": 0, "shaky": 0, "drifting": 6}


def test_attributes_count_tagged_frames_only(world, scored):
    table = scored.attributes.set_index(["attribute", "tracker"])
    assert set(scored.attributes["attribute"]) == {"occlusion", UNTAGGED}
    assert table.loc[("occlusion", "steady"), "frames"] == 18 and table.loc[("occlusion", "steady"), "sequences"] == 3
    assert table.loc[(UNTAGGED, "steady"), "frames"] == sum(map(len, world.truth.values())) - 18
    # Four of the six tagged frames lie in the first failure of "drifting".
    values = []
    for name, truth in world.truth.items():
        boxes = np.loadtxt(world.one_pass / "drifting" / f"{name}.txt", delimiter=",")
        values.append(overlap(boxes, truth)[8:14].mean())
    assert table.loc[("occlusion", "drifting"), "mean_iou"] == pytest.approx(np.mean(values), abs=1e-4)


def test_differences_and_curves(scored):
    row = scored.differences.set_index(["score", "first", "second"]).loc[("success", "drifting", "steady")]
    summary = scored.summary.set_index("tracker")["success"]
    assert row["difference"] == pytest.approx(summary["drifting"] - summary["steady"])
    assert row["low"] <= row["difference"] <= row["high"] < 0
    assert (row["first_better"], row["second_better"], row["sequences"]) == (0, 3, 3)
    for tracker, curves in scored.curves.items():
        assert curves["success"].mean() == pytest.approx(summary[tracker])


def test_one_sequence_has_no_interval(world):
    trackers = find_results([world.one_pass])
    tracks = {name: {"alpha": runs["alpha"]} for name, runs in read_tracks(trackers).items()}
    infos = {name: sequence.info for name, sequence in open_sequences(world.sequences, ["alpha"]).items()}
    assert score_one_pass(tracks, infos).differences["low"].isna().all()


def test_only_common_sequences_are_scored(world):
    tracks = read_tracks(find_results([world.one_pass]))
    del tracks["shaky"]["beta"]
    infos = {name: sequence.info for name, sequence in open_sequences(world.sequences, world.truth).items()}
    scores = score_one_pass(tracks, infos)
    assert scores.left_out == ["beta"] and set(scores.sequences["sequence"]) == {"alpha", "gamma"}
    with pytest.raises(UserError, match="no sequence in common"):
        score_one_pass({"a": {"alpha": tracks["steady"]["alpha"]}, "b": {"gamma": tracks["shaky"]["gamma"]}}, infos)


def test_lengths_that_differ_are_refused(world):
    infos = {name: sequence.info for name, sequence in open_sequences(world.sequences, ["alpha"]).items()}
    with pytest.raises(UserError, match=r"'a' has 3 boxes for 'alpha', expected 30"):
        score_one_pass({"a": {"alpha": tracked(np.ones((3, 4)))}}, infos)


def test_tags_and_speed():
    tags = {"empty": np.array([True, False]), "fast": np.array([False, True])}
    info = SequenceInfo("a", 2, groundtruth=np.ones((2, 4)), tags=tags)
    assert {name: tag.tolist() for name, tag in frame_tags(info).items()} == {
        "fast": [False, True],
        UNTAGGED: [True, False],
    }
    assert speed(tracked(np.ones((3, 4)), seconds=np.array([5.0, 0.1, 0.3]))) == pytest.approx(5)
    assert np.isnan(speed(tracked(np.ones((3, 4)))))


def test_reset_scores_of_the_small_world(world):
    scores = score_reset(find_results([world.vot]), world.sequences, (5, 20))
    table = scores.summary.set_index("tracker")
    assert table["failures"].to_dict() == {"first": 3, "second": 6}
    assert list(scores.summary["tracker"]) == ["first", "second"] and table.loc["first", "eao"] > 0.5
    assert scores.sequences.groupby("tracker")["failures"].sum().to_dict() == {"first": 3, "second": 6}
    # "first" fails in frame 9, inside the tagged frames 8 to 13; "second" outside them.
    tagged = scores.attributes.set_index(["attribute", "tracker"])["failures"]
    assert tagged[("occlusion", "first")] == 3 and tagged[("occlusion", "second")] == 0
    row = scores.differences.set_index("score").loc["failures"]
    assert (row["difference"], row["low"], row["high"]) == (-3, -3, -3)


@pytest.mark.shared
def test_published_results_of_dfat(shared: Path):
    """EAO 0.413 as published; pooled accuracy and failures as in ../shared/reference/vot-rgbt2019.md."""
    folder = shared / "data" / "votrgbt2019"
    trackers = find_results([folder / "published" / "DFAT"])
    row = score_reset(trackers, folder / "ground_truth", (109, 322)).summary.iloc[0]
    assert (row["eao"], row["accuracy"], row["failures"]) == pytest.approx((0.4130, 0.6781, 48), abs=5e-5)
    boxes = BoxesOnly(folder / "ground_truth", "diamond")
    assert len(boxes) == 454 and boxes.frame(0).rgb is None


def test_lost_frames_are_counted_where_failures_are_not():
    truth = np.tile([10.0, 10, 20, 20], (10, 1))
    boxes = truth.copy()
    boxes[4:] += 100
    truth[9] = np.nan
    assert failures(tracked(boxes), truth) == [4]
    assert lost_share(tracked(boxes), truth) == pytest.approx(5 / 9)


def test_the_better_of_two_annotations_counts():
    visible = np.tile([10.0, 10, 20, 20], (4, 1))
    thermal = visible + np.array([30.0, 0, 0, 0])
    boxes = np.concatenate([visible[:2], thermal[2:]])
    info = SequenceInfo("a", 4, groundtruth=visible, groundtruths={"rgb": visible, "ir": thermal})
    assert annotated_boxes(info).shape == (2, 4, 4)
    scores = score_one_pass({"t": {"a": tracked(boxes)}}, {"a": info})
    row = scores.summary.iloc[0]
    assert (row["mean_iou"], row["precision"], row["failures"]) == (1, 1, 0)
    single = SequenceInfo("a", 4, groundtruth=visible)
    assert score_one_pass({"t": {"a": tracked(boxes)}}, {"a": single}).summary.iloc[0]["mean_iou"] == 0.5
