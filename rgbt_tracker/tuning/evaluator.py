"""The score of a setting on a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.evaluation.job import OnePass, Setup
from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.tracking.tracker import Tracker
from rgbt_tracker.tuning.memory import Memory, RememberingRuntime

CRITERIA = ("success", "precision", "normalised_precision", "mean_iou")


@dataclass(frozen=True)
class Setting:
    """What a search chooses.

    Attributes:
        penalty: of a change of size and shape, >= 0.
        window: influence of the cosine window, 0..1.
        lr: learning rate of the size, 0..1.
        fusion: variant as ``STRATEGY[:CHANNEL[:SPATIAL]]``, for example ``attention:max``; "" for the configured one.
    """

    penalty: float
    window: float
    lr: float
    fusion: str = ""

    def apply(self, config: TrackerConfig) -> TrackerConfig:
        """Return the configuration with this setting.

        Raises:
            UserError: no such fusion variant.
        """
        changes: dict[str, Any] = {
            "tracking.penalty": self.penalty,
            "tracking.window": self.window,
            "tracking.lr": self.lr,
        }
        parts = self.fusion.split(":") if self.fusion else []
        if len(parts) > 3:
            raise UserError(f"Expected a fusion variant STRATEGY[:CHANNEL[:SPATIAL]], got '{self.fusion}'.")
        changes |= {
            f"model.fusion.{key}": part for key, part in zip(("strategy", "channel", "spatial"), parts, strict=False)
        }
        return config.replace(**changes)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, without the fusion variant where none was chosen."""
        return {key: value for key, value in asdict(self).items() if value != ""}


def configured(config: TrackerConfig, fusion: str = "") -> Setting:
    """Return the setting that a configuration holds."""
    return Setting(config.tracking.penalty, config.tracking.window, config.tracking.lr, fusion)


def starting_point(config: TrackerConfig, fusions: Sequence[str]) -> tuple[Setting, list[str]]:
    """Return the configured setting, and the fusion variants to choose from, which then hold its own.

    Raises:
        UserError: a variant that does not exist, or variants for a single camera.
    """
    if fusions and config.modality != "rgbt":
        raise UserError(f"--fusion needs both modalities, but the configuration uses '{config.modality}' alone.")
    own = config.model.fusion
    for variant in fusions:
        setting = configured(config, variant)
        if setting.apply(config).model.fusion == own:
            return setting, list(fusions)
    if not fusions:
        return configured(config), []
    default = configured(config, f"{own.strategy}:{own.channel}:{own.spatial}")
    return default, [default.fusion, *fusions]


class Evaluator:
    """Scores settings of one tracker; networks and answers are kept between trials.

    Args:
        setup: of the tracker to start from.
        criterion: which of `one_pass_scores` counts.
        memory: of the networks' answers; with a limit of 0 every answer is computed.
        variants: whether several fusion variants will be asked for, so that backbone features are worth keeping.
    """

    def __init__(
        self, setup: Setup, criterion: str = "success", memory: Memory | None = None, variants: bool = False
    ) -> None:
        if criterion not in CRITERIA:
            raise UserError(f"Expected a criterion of {', '.join(CRITERIA)}, got '{criterion}'.")
        self.setup, self.criterion = setup, criterion
        self.memory, self.variants = Memory() if memory is None else memory, variants
        self._trackers: dict[str, Tracker] = {}

    def __call__(self, setting: Setting, sequence: FrameSequence) -> float:
        """Track the sequence from its first annotation and return the score, 0..1."""
        built = self._tracker(setting)
        config = setting.apply(self.setup.config)
        tracker = Tracker(config, built.runtime)
        start = sequence.info.start_for(config.modality)
        track = OnePass(box=start, read_ahead=False).follow(tracker, sequence)
        truth = sequence.info.truth_for(config.modality)
        assert truth is not None  # `sets` offers annotated sequences only
        return one_pass_scores(track.boxes, truth)[self.criterion]

    def _tracker(self, setting: Setting) -> Tracker:
        """A tracker of the setting's fusion variant, whose network all settings of that variant share."""
        variant = setting.fusion
        if variant not in self._trackers:
            tracker = replace(self.setup, config=setting.apply(self.setup.config)).build()
            if self.memory.limit:
                runtime = RememberingRuntime(tracker.runtime, self.memory, variant, self.variants)
                tracker = Tracker(tracker.config, runtime)
            self._trackers[variant] = tracker
        return self._trackers[variant]
