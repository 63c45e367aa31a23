"""The typed configuration of a tracker.

A configuration is one immutable value that is handed around; there is no global configuration.
"""

from __future__ import annotations

import os
from typing import Any, Literal

from pydantic import BaseModel, Field, PositiveFloat, field_validator, model_validator

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.names import Name
from nestfuse_core.common.sections import Section, validated

Modality = Literal["rgbt", "rgb", "ir"]
MODALITIES: dict[str, tuple[str, ...]] = {"rgbt": ("rgb", "ir"), "rgb": ("rgb",), "ir": ("ir",)}
MOST_PIXELS, MOST_WIDTH, MOST_CHANNELS = 4096, 16, 16384
"""No network is larger; what is would take all memory before it says anything."""
BACKBONES = ("resnet18", "resnet34", "resnet50", "mobilenetv2", "mobilenetv3_small", "alexnet", "alexnetlegacy")


class BackboneConfig(Section):
    """The feature extractor of each modality.

    ``levels`` are the stages whose outputs are used (ResNet 0-4, MobileNetV2 0-7); empty for one-output backbones.
    ``shared`` false gives the thermal image a backbone of its own.
    """

    type: Literal["resnet18", "resnet34", "resnet50", "mobilenetv2", "mobilenetv3_small", "alexnet", "alexnetlegacy"]
    levels: tuple[int, ...] = ()
    width: float = Field(default=1.0, gt=0, le=MOST_WIDTH)
    shared: bool = True


class NeckConfig(Section):
    """1x1 convolution + batch norm of each level to ``channels``; ``crop`` keeps the template's centre 7x7."""

    channels: tuple[int, ...]
    crop: bool = True


class HeadConfig(Section):
    """``rpn``: depthwise RPN with anchors, one for each level; ``ban``: NanoTrack's anchor-free head."""

    type: Literal["rpn", "ban"] = "rpn"
    channels: int = Field(default=256, gt=0, le=MOST_CHANNELS)
    weighted: bool = True


class ReliabilityConfig(Section):
    """The gate of ``strategy: reliable`` (`rgbt_tracker.models.reliability`), as `rgbt calibrate` fits it.

    A branch's logit among the branches is ``now`` times the log-odds of its best candidate plus ``memory`` times their
    moving average over the frames before, to which a new frame adds with ``rate``.
    """

    now: float = Field(default=0.5, ge=0)
    memory: float = Field(default=0.5, ge=0)
    rate: float = Field(default=0.2, gt=0, le=1)


class FusionConfig(Section):
    """How the modalities' features become one (`nestfuse_core.model.attention`), and where.

    ``point`` is ``backbone`` (before the neck, as the paper does) or ``neck`` (after it). ``attention`` is
    NestFuse's strategy: the mean of a spatial and a channel attention. ``reliable`` is
    `rgbt_tracker.models.reliability`: it also asks which modality sees the target.
    """

    strategy: Literal["attention", "reliable", "fsrpn", "mean", "max", "add"] = "attention"
    point: Literal["backbone", "neck"] = "backbone"
    spatial: Literal["l1", "softmax"] = "l1"
    channel: Literal["avg", "max", "nuclear"] = "avg"
    reliability: ReliabilityConfig = ReliabilityConfig()


class ModelConfig(Section):
    """Everything that decides the network's architecture."""

    backbone: BackboneConfig
    neck: NeckConfig | None = None
    head: HeadConfig = HeadConfig()
    fusion: FusionConfig = FusionConfig()

    @model_validator(mode="after")
    def _levels_match(self) -> ModelConfig:
        count = max(1, len(self.backbone.levels))
        if self.neck is not None and len(self.neck.channels) != count:
            raise ValueError(f"neck.channels has {len(self.neck.channels)} entries for {count} backbone levels")
        if self.head.type == "ban" and count != 1:
            raise ValueError("the 'ban' head takes one backbone level")
        return self


class AnchorConfig(Section):
    """Anchors (``rpn``) or points (``ban``): ``stride`` px between positions; widths int(sqrt(stride^2 / ratio))."""

    stride: int = Field(default=8, gt=0, le=MOST_PIXELS)
    ratios: tuple[PositiveFloat, ...] = Field(default=(0.33, 0.5, 1.0, 2.0, 3.0), min_length=1, max_length=100)
    scales: tuple[PositiveFloat, ...] = Field(default=(8.0,), min_length=1, max_length=100)

    @property
    def count(self) -> int:
        """Anchors at one position."""
        return len(self.ratios) * len(self.scales)


class TrackingConfig(Section):
    """The tracking loop: scale and shape ``penalty``, ``window`` influence, size learning rate ``lr``, crops in px.

    ``lost_below`` is the score under which a result is flagged as lost; it changes no box.
    """

    penalty: float = Field(default=0.04, ge=0)
    window: float = Field(default=0.44, ge=0, le=1)
    lr: float = Field(default=0.4, ge=0, le=1)
    exemplar: int = Field(default=127, gt=0, le=MOST_PIXELS)
    instance: int = Field(default=255, gt=0, le=MOST_PIXELS)
    context: float = Field(default=0.5, ge=0, le=10)
    lost_below: float = Field(default=0.3, ge=0, le=1)


class ThermalConfig(Section):
    """How a thermal frame is laid on the visible one: resized to its size, or warped by a 3x3 ``homography``.

    ``homography`` maps thermal pixel coordinates to visible ones (row by row).
    """

    homography: tuple[tuple[float, float, float], ...] | None = None

    @field_validator("homography")
    @classmethod
    def _three_rows(cls, value: tuple[tuple[float, float, float], ...] | None) -> Any:
        if value is not None and len(value) != 3:
            raise ValueError(f"expected 3 rows of 3 numbers, got {len(value)} rows")
        return value


class TrackerConfig(Section):
    """One tracker: its network, its loop, and the name of its weights.

    ``inference: exact`` computes as the reference does, operation by operation; ``fast`` folds batch norms into the
    convolutions and lays weights out for the processor. They differ by rounding, which a long track can amplify.
    """

    name: Name
    modality: Modality = "rgbt"
    weights: str | None = None
    inference: Literal["exact", "fast"] = "exact"
    model: ModelConfig
    anchors: AnchorConfig = AnchorConfig()
    tracking: TrackingConfig = TrackingConfig()
    thermal: ThermalConfig = ThermalConfig()

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities in use, in stacking order: ("rgb", "ir"), ("rgb",) or ("ir",)."""
        return MODALITIES[self.modality]

    def weights_or(self, given: str | os.PathLike[str] | None) -> str | os.PathLike[str]:
        """``given``, a file or a name, or else the configuration's own weights. Raises UserError without either."""
        name = self.weights if given is None else given
        if name is None:
            raise UserError(f"The configuration '{self.name}' names no weights; give --weights FILE or a name.")
        return name

    def replace(self, **changes: Any) -> TrackerConfig:
        """Return a validated copy with dotted keys changed: ``replace(modality="ir", **{"tracking.window": 0.3})``."""
        content = self.model_dump()
        for dotted, value in changes.items():
            *parents, key = dotted.split(".")
            section = content
            for parent in parents:
                section = section[parent]
            if isinstance(value, BaseModel):
                value = value.model_dump()
            section[key] = value
        return parse_config(content, source=f"configuration '{self.name}'")


def parse_config(content: dict[str, Any], source: str) -> TrackerConfig:
    """Validate a mapping; ``source`` is named in the message when it does not fit."""
    return validated(TrackerConfig, content, source)
