"""Schedules against the formulas they restate."""

import math

import numpy as np
import pytest

from rgbt_tracker.training.optimisation.schedule import factor
from rgbt_tracker.training.recipe import Schedule


def test_log_schedule_is_pysot_s():
    # PySOT, 20 epochs: warm-up 0.001 -> 0.005 over 5, then np.logspace(log10(.005), log10(.0005), 15)
    schedule = Schedule(type="log", epoch=10, warmup_epochs=5, start=0.2, end=0.1)
    rates = [0.005 * factor(schedule, epoch * 10 + 3, 200) for epoch in range(20)]
    warm = 0.001 * (5 ** (1 / 5)) ** np.arange(5)
    np.testing.assert_allclose(rates, [*warm, *np.logspace(math.log10(0.005), math.log10(0.0005), 15)], rtol=1e-12)


def test_cosine_schedule():
    schedule = Schedule(type="cosine", warmup=4, end=0.1)
    assert [factor(schedule, step, 104) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert factor(schedule, 4, 104) == 1
    assert factor(schedule, 54, 104) == pytest.approx(0.55)
    assert factor(schedule, 103, 104) == pytest.approx(0.1, abs=1e-3)
