"""What a search leaves behind: the tuned configuration and the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from nestfuse_core.common.files import write_text
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.evaluation.job import Setup
from rgbt_tracker.tuning.study import Outcome


def verdict(outcome: Outcome, held_back: int) -> str:
    """One or two sentences: what was gained on the held-back sequences, or that nothing was."""
    bounds = f"95% interval {outcome.interval.low:+.4f} to {outcome.interval.high:+.4f}"
    change = f"{outcome.interval.difference:+.4f} on {held_back} held-back sequences ({bounds})"
    if outcome.best == outcome.default:
        return "No gain: no trial beat the default settings on the training split. Keep the default."
    if not outcome.gained:
        return f"No gain: the best trial changes the score by {change}. Keep the default."
    doubt = "" if outcome.interval.significant else "; the interval holds 0, so the gain may be chance"
    return f"Gain: {change}{doubt}."


def write_config(config: TrackerConfig, outcome: Outcome, path: Path, criterion: str) -> None:
    """Write the tuned configuration, whole, with its origin in a comment; `load_config` reads it."""
    tuned = outcome.best.apply(config)
    content = tuned.replace(name=path.stem).model_dump(mode="json", exclude_none=True)
    before, after = outcome.held_back
    comment = (
        f"# '{config.name}' with settings found by rgbt tune in {outcome.trials} trials.\n"
        f"# Mean {criterion} on {outcome.interval.sequences} held-back sequences: {after:.4f}, before {before:.4f}.\n"
    )
    write_text(path, comment + yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=110))


def as_json(outcome: Outcome, training: Sequence[str], held_back: Sequence[str], extra: dict[str, Any]) -> str:
    """The outcome as JSON text."""
    content = {
        "default": outcome.default.as_dict(),
        "best": outcome.best.as_dict(),
        "training": dict(zip(("default", "best"), outcome.training, strict=True)),
        "held_back": dict(zip(("default", "best"), outcome.held_back, strict=True)),
        "gain": outcome.interval.difference,
        "interval": [outcome.interval.low, outcome.interval.high],
        "gained": outcome.gained,
        "trials": outcome.trials,
        "pruned": outcome.pruned,
        "sequences": {"training": list(training), "held_back": list(held_back)},
        **extra,
    }
    return json.dumps(content, indent=2) + "\n"


def identity(setup: Setup, sequences: dict[str, int], criterion: str, fusions: Sequence[str]) -> dict[str, Any]:
    """What must stay the same when a study is continued; ``sequences`` maps names to lengths."""
    record = setup.record()
    return {
        "configuration": record["config"],
        "weights": setup.weights,
        "digest": record["digest"],
        "training sequences": sequences,
        "criterion": criterion,
        "fusion": list(fusions),
    }


def settings_table(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Rows name, default, best."""
    before, after = asdict(outcome.default), asdict(outcome.best)
    return [
        (name, _text(before[name]), _text(after[name])) for name in before if before[name] != "" or after[name] != ""
    ]


def _text(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
