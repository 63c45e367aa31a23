"""Bootstrap intervals against scipy's and their meaning."""

import numpy as np
import pytest
import scipy.stats

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.bootstrap import bootstrap_difference, bootstrap_differences, paired_bootstrap

RNG = np.random.default_rng(7)
FIRST, SECOND = RNG.uniform(size=60), RNG.uniform(size=60) * 0.9


def test_interval_agrees_with_scipy():
    ours = paired_bootstrap(FIRST, SECOND, samples=20_000)
    theirs = scipy.stats.bootstrap(
        (FIRST - SECOND,), np.mean, n_resamples=20_000, method="percentile"
    ).confidence_interval
    assert ours.difference == pytest.approx((FIRST - SECOND).mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_the_general_form_agrees_with_the_mean():
    general = bootstrap_difference(lambda i: FIRST[i].mean(), lambda i: SECOND[i].mean(), 60, samples=4000)
    plain = paired_bootstrap(FIRST, SECOND)
    assert (general.low, general.high) == pytest.approx((plain.low, plain.high), abs=0.01)
    assert general.difference == pytest.approx(plain.difference)


def test_seed_fixes_the_interval():
    assert paired_bootstrap(FIRST, SECOND, seed=3) == paired_bootstrap(FIRST, SECOND, seed=3)
    assert paired_bootstrap(FIRST, SECOND, seed=3) != paired_bootstrap(FIRST, SECOND, seed=4)


def test_swapping_trackers_mirrors_the_interval():
    ab, ba = paired_bootstrap(FIRST, SECOND), paired_bootstrap(SECOND, FIRST)
    assert (ab.difference, ab.low, ab.high) == pytest.approx((-ba.difference, -ba.high, -ba.low))


def test_weights_count_a_sequence_more_than_once():
    heavy = paired_bootstrap([1.0, 0.0], [0.0, 0.0], weights=[3, 1])
    assert heavy.difference == 0.75
    assert (heavy.low, heavy.high) == (0.0, 1.0)


def test_nan_sequences_are_left_out_and_significance():
    result = paired_bootstrap([0.9, 0.8, np.nan, 0.95], [0.1, 0.2, 0.3, 0.1])
    assert result.sequences == 3 and result.significant
    assert not paired_bootstrap([0.1, 0.9], [0.9, 0.1]).significant


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UserError, match="same sequences, got 2 and 3"):
        paired_bootstrap([1, 2], [1, 2, 3])
    with pytest.raises(UserError, match="at least one"):
        paired_bootstrap([np.nan], [1])


def test_every_pair_of_several_trackers_meets_the_same_draws():
    rng = np.random.default_rng(3)
    values = {name: rng.random(7) for name in "abc"}
    scores = {name: lambda indices, each=each: float(np.median(each[indices])) for name, each in values.items()}
    found = bootstrap_differences(scores, 7, samples=200, seed=5)
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    draws = np.random.default_rng(5).integers(7, size=(200, 7))
    for (first, second), interval in found.items():
        gaps = [np.median(values[first][drawn]) - np.median(values[second][drawn]) for drawn in draws]
        assert (interval.low, interval.high) == pytest.approx(tuple(np.percentile(gaps, [2.5, 97.5])))
        assert interval == bootstrap_difference(scores[first], scores[second], 7, samples=200, seed=5)
