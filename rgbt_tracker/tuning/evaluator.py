"""The score of a setting on a sequence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.tuning.memory import Memory, RememberingNetwork

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


class Evaluator:
    """Scores settings of one configuration; networks, answers and frames are kept between trials.

    Args:
        config: to start from.
        weights: as for `rgbt_tracker.build_tracker`.
        device: likewise.
        criterion: which of `one_pass_scores` counts.
        memory: of the networks' answers; with a limit of 0 every answer is computed.
        variants: whether several fusion variants will be asked for, so that backbone features are worth keeping.
    """

    def __init__(
        self,
        config: TrackerConfig,
        weights: str | None = None,
        device: str = "auto",
        criterion: str = "success",
        memory: Memory | None = None,
        variants: bool = False,
    ) -> None:
        if criterion not in CRITERIA:
            raise UserError(f"Expected a criterion of {', '.join(CRITERIA)}, got '{criterion}'.")
        self.config, self.weights, self.device, self.criterion = config, weights, device, criterion
        self.memory, self.variants = Memory() if memory is None else memory, variants
        self._networks: dict[str, tuple[Any, Any]] = {}

    def __call__(self, setting: Setting, sequence: FrameSequence) -> float:
        """Track the sequence from its first annotation and return the score, 0..1."""
        from rgbt_tracker.tracking.run import track_sequence
        from rgbt_tracker.tracking.tracker import Tracker

        network, device = self._network(setting)
        tracker = Tracker(setting.apply(self.config), network, device)
        modality = self.config.modality
        track = track_sequence(tracker, sequence, sequence.info.start_for(modality))
        truth = sequence.info.truth_for(modality)
        assert truth is not None  # `sets` offers annotated sequences only
        return one_pass_scores(track.boxes, truth)[self.criterion]

    def _network(self, setting: Setting) -> tuple[Any, Any]:
        if setting.fusion not in self._networks:
            from rgbt_tracker import build_tracker

            tracker = build_tracker(setting.apply(self.config), self.weights, self.device)
            network: Any = tracker.network
            if self.memory.limit:
                network = RememberingNetwork(network, self.memory, setting.fusion, self.variants)
            self._networks[setting.fusion] = network, tracker.device
        return self._networks[setting.fusion]
