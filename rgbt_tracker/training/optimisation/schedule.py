"""The learning rate as a pure function of the step, so that a resumed run cannot differ."""

from __future__ import annotations

import math

from rgbt_tracker.training.recipe import Schedule


def factor(schedule: Schedule, step: int, steps: int) -> float:
    """Return the learning rate at ``step`` (0-based) of ``steps`` as a factor of the base rate."""
    return _cosine(schedule, step, steps) if schedule.type == "cosine" else _log(schedule, step, steps)


def _cosine(schedule: Schedule, step: int, steps: int) -> float:
    """Linear from 1/warmup to 1 over the warm-up, then end + (1 - end) (1 + cos(pi t)) / 2 (SGDR, one period)."""
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    t = (step - schedule.warmup) / max(1, steps - schedule.warmup)
    return schedule.end + (1 - schedule.end) * (1 + math.cos(math.pi * min(t, 1.0))) / 2


def _log(schedule: Schedule, step: int, steps: int) -> float:
    """PySOT's: ``start`` x m^epoch with m = (1/start)^(1/warm-up epochs), then log-spaced from 1 to ``end``."""
    epoch, epochs, warm = step // schedule.epoch, math.ceil(steps / schedule.epoch), schedule.warmup_epochs
    if epoch < warm:
        return schedule.start ** (1 - epoch / warm)
    last = max(1, epochs - warm - 1)
    return schedule.end ** min(1.0, (epoch - warm) / last)
