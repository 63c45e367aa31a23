"""Several trackers side by side against sums written out by hand, and against published figures."""

from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import overlap
from rgbt_tracker.evaluation.attributes import UNTAGGED, with_untagged
from rgbt_tracker.evaluation.benchmark import Annotation, Benchmark, common_sequences, load_benchmark, load_regions
from rgbt_tracker.evaluation.comparison import compare_one_pass
from rgbt_tracker.evaluation.diagnosis import diagnose
from rgbt_tracker.evaluation.protocols import PROTOCOLS
from rgbt_tracker.evaluation.reset_comparison import compare_with_resets
from rgbt_tracker.results.find import find_results
from rgbt_tracker.results.read import read_results
from rgbt_tracker.results.trajectory import Trajectory


def compared(benchmark: Benchmark, tracks):
    diagnoses = {
        tracker: {name: diagnose(track, benchmark.sequences[name].truths) for name, track in each.items()}
        for tracker, each in tracks.items()
    }
    common = common_sequences(tracks, benchmark.sequences)
    return compare_one_pass(benchmark, tracks, diagnoses, common)


@pytest.fixture(scope="module")
def tracks(world):
    trackers = find_results([world.one_pass], world.truth)
    return {t.name: {name: each[0] for name, each in read_results(t).items()} for t in trackers}


@pytest.fixture(scope="module")
def plain(world) -> Benchmark:
    return load_benchmark("plain", world.sequences)


@pytest.fixture(scope="module")
def scored(plain, tracks):
    return compared(plain, tracks)


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
    for tracker, score in scored.scores.items():
        assert score.total.success.mean() == pytest.approx(summary[tracker])


def test_attributes_of_whole_sequences_under_the_rules_of_a_benchmark(world, tracks):
    scored = compared(load_benchmark("rgbt234", world.sequences), tracks)
    assert not scored.by_frame and set(scored.attributes["attribute"]) == {"occlusion"}
    summary = scored.summary.set_index("tracker")["success"]
    for row in scored.attributes.itertuples():
        assert (row.success, row.sequences) == (summary[row.tracker], 3)


def test_one_sequence_has_no_interval(plain, tracks):
    alone = {name: {"alpha": runs["alpha"]} for name, runs in tracks.items()}
    assert compared(plain, alone).differences["low"].isna().all()


def test_only_common_sequences_are_scored(plain, tracks):
    some = {name: {k: v for k, v in runs.items() if (name, k) != ("shaky", "beta")} for name, runs in tracks.items()}
    scores = compared(plain, some)
    assert scores.left_out == ["beta"] and set(scores.sequences["sequence"]) == {"alpha", "gamma"}
    apart = {"a": {"alpha": tracks["steady"]["alpha"]}, "b": {"gamma": tracks["shaky"]["gamma"]}}
    with pytest.raises(UserError, match="no sequence in common"):
        compared(plain, apart)


def test_results_that_end_early_are_refused(plain):
    with pytest.raises(UserError, match=r"a, alpha: Expected a box for each of 30 frames, got 3"):
        compared(plain, {"a": {"alpha": Trajectory.of_boxes(np.ones((3, 4)))}})


def test_frames_without_a_tag_are_an_attribute_where_there_are_tags():
    tags = {"empty": np.array([True, False]), "fast": np.array([False, True])}
    assert {name: tag.tolist() for name, tag in with_untagged(tags).items()} == {
        "fast": [False, True],
        UNTAGGED: [True, False],
    }
    assert with_untagged({}) == {}


def test_the_better_of_two_annotations_counts():
    visible = np.tile([10.0, 10, 20, 20], (4, 1))
    thermal = visible + np.array([30.0, 0, 0, 0])
    track = Trajectory.of_boxes(np.concatenate([visible[:2], thermal[2:]]))
    for truths, expected in (((visible, thermal), 1), ((visible,), 0.5)):
        benchmark = Benchmark("plain", PROTOCOLS["plain"], {"a": Annotation("a", truths, None)}, {})
        row = compared(benchmark, {"t": {"a": track}}).summary.iloc[0]
        assert (row["mean_iou"], row["precision"], row["failures"]) == (expected, expected, 2 * (1 - expected))


def test_reset_scores_of_the_small_world(world):
    truths = load_regions(world.sequences)
    runs = {tracker.name: read_results(tracker) for tracker in find_results([world.vot], world.truth)}
    scores = compare_with_resets(truths, runs, common_sequences(runs, truths), (5, 20))
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
    truths = load_regions(folder / "ground_truth")
    runs = {tracker.name: read_results(tracker) for tracker in find_results([folder / "published" / "DFAT"], truths)}
    row = compare_with_resets(truths, runs, common_sequences(runs, truths), (109, 322)).summary.iloc[0]
    assert (row["eao"], row["accuracy"], row["failures"]) == pytest.approx((0.4130, 0.6781, 48), abs=5e-5)
