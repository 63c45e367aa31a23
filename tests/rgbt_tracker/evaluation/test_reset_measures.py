"""EAO, accuracy and failures against the definition written out, and against DFAT's published results."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker.evaluation import reset_measures as measures
from rgbt_tracker.evaluation.interval import evaluation_interval
from rgbt_tracker.evaluation.reset_runs import Run, SequenceRuns, load_runs


def curve_from_the_definition(sequences, skip=5):
    """EAO curve in plain loops: one list per fragment, one mean per fragment and length."""
    longest = max(len(run.codes) for sequence in sequences for run in sequence.runs)
    fragments = []
    for sequence in sequences:
        for run in sequence.runs:
            count = len(run.codes)
            cuts = [0]
            for frame in range(count):
                if run.codes[frame] == 2 and frame + skip <= count - 1:
                    cuts.append(frame + skip)
            for number, cut in enumerate(cuts):
                is_last = number == len(cuts) - 1
                end = count - 1 if is_last else cuts[number + 1]
                row = [None] * longest if is_last else [0.0] * longest
                for frame in range(cut, end + 1):
                    special = run.codes[frame] in (0, 1, 2)
                    row[frame - cut] = 0.0 if special else float(run.overlaps[frame])
                fragments.append((1.0 / len(sequence.runs), row))
    curve = [1.0]
    for last in range(1, longest):
        defined = [(weight, row) for weight, row in fragments if row[last] is not None]
        means = [weight * sum(row[1 : last + 1]) / last for weight, row in defined]
        curve.append(sum(means) / sum(weight for weight, _ in defined) if defined else float("nan"))
    return np.array(curve)


def simulate(generator, length, failures, skip=5):
    """A run with random overlaps that fails at the given frames, as far as it is tracking there."""
    codes = np.full(length, 0)
    overlaps = np.full(length, np.nan)
    frame = 0
    while frame < length:
        codes[frame] = 1
        frame += 1
        while frame < length:
            if frame in failures:
                codes[frame] = 2
                frame += skip
                break
            codes[frame] = -1
            overlaps[frame] = generator.uniform(0.01, 1)
            frame += 1
    return Run(overlaps, codes)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_eao_agrees_with_the_definition_for_failures_anywhere(data):
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    sequences = []
    for index in range(data.draw(st.integers(1, 4))):
        length = data.draw(st.integers(2, 70))
        runs = [
            simulate(generator, length, data.draw(st.sets(st.integers(1, length - 1), max_size=8)))
            for _ in range(data.draw(st.integers(1, 3)))
        ]
        sequences.append(SequenceRuns(str(index), runs))
    curve, expected = measures.eao_curve(sequences), curve_from_the_definition(sequences)
    np.testing.assert_allclose(curve, expected, atol=1e-6)
    low = data.draw(st.integers(2, 40))
    high = data.draw(st.integers(low, 60))
    part = expected[low - 1 : high]
    if part.size:
        assert measures.eao_score(curve, low, high) == pytest.approx(np.nanmean(part), abs=1e-6)


@pytest.mark.parametrize("late", range(1, 12))
def test_a_failure_too_late_to_start_again_ends_the_last_fragment(late):
    """Fragments after which the tracker could not be started again are not continued with zeros."""
    length = 30
    run = simulate(np.random.default_rng(late), length, {length - late})
    other = simulate(np.random.default_rng(0), 60, set())
    sequences = [SequenceRuns("late", [run]), SequenceRuns("other", [other])]
    curve = measures.eao_curve(sequences)
    np.testing.assert_allclose(curve, curve_from_the_definition(sequences), atol=1e-12)
    clean = measures.eao_curve([SequenceRuns("other", [other])])
    continued = curve[59] < clean[59]
    assert continued == (late > 5)


def test_a_perfect_run_scores_its_overlap():
    run = simulate(np.random.default_rng(1), 40, set())
    run.overlaps[1:] = 0.6
    scores = measures.score([SequenceRuns("a", [run])], 10, 30)
    assert (scores.eao, scores.pooled.accuracy, scores.pooled.failures) == pytest.approx((0.6, 0.6, 0))


def test_burn_in_counts_from_each_initialisation():
    run = simulate(np.random.default_rng(2), 40, {15})
    kept = [frame for frame in range(40) if 10 <= frame < 15 or frame >= 30]
    np.testing.assert_array_equal(measures.valid_overlaps(run), run.overlaps[kept])


def test_frames_are_filtered_by_attribute_before_the_burn_in():
    run = simulate(np.random.default_rng(3), 40, {12})
    mask = np.zeros(40, dtype=bool)
    mask[10:20] = True  # drops the first initialisation and with it its burn-in; keeps the one at frame 17
    np.testing.assert_array_equal(measures.valid_overlaps(run, mask), run.overlaps[[10, 11]])


def test_attributes_are_weighted_by_their_frames():
    run = simulate(np.random.default_rng(4), 60, {30, 50})
    shade = np.zeros(60, dtype=bool)
    shade[25:55] = True
    fast = np.zeros(60, dtype=bool)
    fast[28:32] = True
    sequences = [SequenceRuns("a", [run, run, run], {"shade": shade, "fast": fast})]
    attributes = measures.by_attribute(sequences)
    assert {tag: (value.failures, value.frames) for tag, value in attributes.items()} == {
        "fast": (1, 4),
        "shade": (2, 30),
        "empty": (0, 30),
    }
    weighted = measures.attribute_weighted(attributes)
    assert weighted.failures == pytest.approx((1 * 4 + 2 * 30 + 0) / 64)
    accuracies = [attributes[tag].accuracy * frames for tag, frames in (("fast", 4), ("shade", 30), ("empty", 30))]
    assert weighted.accuracy == pytest.approx(sum(accuracies) / 64)
    assert measures.accuracy_failures(sequences).failures == 2


def test_repetitions_share_the_weight_of_their_sequence():
    good, bad = (simulate(np.random.default_rng(seed), 50, set()) for seed in (5, 6))
    good.overlaps[1:], bad.overlaps[1:] = 0.8, 0.2
    sequences = [SequenceRuns("often", [good, good, good]), SequenceRuns("once", [bad])]
    assert measures.score(sequences, 10, 40).eao == pytest.approx(0.5)
    assert measures.accuracy_failures(sequences).accuracy == pytest.approx(0.5)


def test_an_interval_past_every_sequence_has_no_score():
    run = simulate(np.random.default_rng(7), 20, set())
    assert np.isnan(measures.score([SequenceRuns("short", [run])], 109, 322).eao)


def test_ar_point():
    robustness, accuracy = measures.ar_point(measures.AccuracyFailures(0.7, 2, 300), sensitivity=30)
    assert (robustness, accuracy) == (pytest.approx(np.exp(-30 * 2 / 300)), 0.7)


@pytest.mark.shared
def test_dfat_scores_as_published(shared):
    root = shared / "data" / "votrgbt2019"
    runs = load_runs(root / "published" / "DFAT", root / "ground_truth")
    scores = measures.score(runs)
    assert len(runs) == 60 and scores.pooled.frames == 20083
    assert scores.eao == pytest.approx(0.4130, abs=5e-5)
    assert scores.pooled.accuracy == pytest.approx(0.6781, abs=5e-5)
    assert scores.pooled.failures == 48
    np.testing.assert_allclose(scores.curve, curve_from_the_definition(runs), atol=1e-9)


@pytest.mark.shared
def test_the_interval_of_vot_rgbt2019(shared):
    sizes = json.loads((shared / "data" / "votrgbt2019" / "ground_truth" / "sequences.json").read_text())
    low, high, peak = evaluation_interval([item["length"] for item in sizes.values()])
    assert (low, high, peak) == (109, 322, 210)
    assert (low, high) == measures.INTERVAL


def test_the_interval_holds_half_of_the_density():
    """Against scipy's kernel density with the same width, on a grid."""
    from scipy.stats import gaussian_kde

    lengths = np.random.default_rng(8).gamma(4, 60, size=80).astype(int) + 20
    low, high, peak = evaluation_interval(lengths)
    widths = np.linspace(0.05, 1, 400)
    grid = np.arange(1, lengths.max() + 1)

    def mass(width):
        density = gaussian_kde(lengths, bw_method=width)(grid)
        density /= density.sum()
        return density[low - 1 : high].sum(), density[low:high].sum(), density.argmax() + 1

    matching = [w for w in widths if mass(w)[0] >= 0.5 > mass(w)[1] - 0.02 and abs(mass(w)[2] - peak) <= 1]
    assert low < peak < high and matching
