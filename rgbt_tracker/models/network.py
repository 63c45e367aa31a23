"""The siamese network for one or two modalities: backbones, fusion, neck and head."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import ModelConfig
from rgbt_tracker.models.backbones import build_backbone
from rgbt_tracker.models.fusion import FeatureFusion
from rgbt_tracker.models.heads.ban import BanHead
from rgbt_tracker.models.heads.rpn import DepthwiseRPN, MultiRPN
from rgbt_tracker.models.neck import Neck
from rgbt_tracker.models.reliability import ReliabilityGate
from rgbt_tracker.tracking.stopwatch import NoStopwatch


class Clock(Protocol):
    """Anything that opens a timed section."""

    def __call__(self, section: str) -> AbstractContextManager[None]: ...


class Template(NamedTuple):
    """What a search needs of the template: the head's kernels, and each branch's ``standing`` (B, N), if tried."""

    kernels: Any
    standing: Tensor | None = None


class Output(NamedTuple):
    """One search: ``cls`` (N, 2A, h, w) and ``loc`` (N, 4A, h, w) of the head, and the fusion's weight maps.

    ``maps`` holds one (K, N, 1, h, w) tensor a level, or None where the fusion has no map. ``weights`` (B, N) and
    ``memory`` belong to the reliability gate: pass ``memory`` to the next search of the same track. ``channels``
    (B, N, D, h, w), if asked for, is what the head classified each branch by (B is 1 without a gate).
    """

    cls: Tensor
    loc: Tensor
    maps: list[Tensor | None]
    weights: Tensor | None = None
    memory: Tensor | None = None
    channels: Tensor | None = None


def build_head(config: ModelConfig, anchors: int) -> nn.Module:
    """Return the head for the configuration; MultiRPN for more than one level."""
    levels = max(1, len(config.backbone.levels))
    if config.head.type == "ban":
        return BanHead(config.head.channels)
    if config.neck is None:
        return DepthwiseRPN(anchors, config.head.channels)
    return MultiRPN(anchors, config.head.channels, levels, config.head.weighted)


class SiameseNetwork(nn.Module):
    """SiamRPN++ (or NanoTrack) with one backbone per modality and their fusion before the neck.

    Images of the K modalities are stacked: (K, N, 3, H, W), float32, BGR, 0..255, in the order of ``modalities``.
    With shared weights the modalities run through the backbone as one batch of K N. Parameter names are PySOT's;
    an unshared thermal backbone is ``backbone_ir``.
    """

    def __init__(self, config: ModelConfig, modalities: tuple[str, ...], anchors: int) -> None:
        super().__init__()
        self.config = config
        self.modalities = modalities
        self.stopwatch: Clock = NoStopwatch()
        self.backbone = build_backbone(config.backbone)
        if not config.backbone.shared:
            self.backbone_ir = build_backbone(config.backbone)
        channels: tuple[int, ...] = self.backbone.channels  # type: ignore[assignment]
        if config.neck is not None:
            self.neck = Neck(channels, config.neck.channels, config.neck.crop)
            channels = config.neck.channels
        if any(count != config.head.channels for count in channels):
            raise UserError(f"model.head.channels = {config.head.channels}, but the features have {channels}.")
        head = build_head(config, anchors)
        # The head keeps the key that its own checkpoints use.
        self.head_name = "ban_head" if config.head.type == "ban" else "rpn_head"
        self.add_module(self.head_name, head)
        self.fusion = FeatureFusion(config.fusion)
        self.gate: ReliabilityGate | None = None
        if config.fusion.strategy == "reliable" and len(modalities) > 1:
            self.gate = ReliabilityGate(config.fusion.reliability)

    @property
    def head(self) -> nn.Module:
        return self.get_submodule(self.head_name)

    def extract(self, images: Tensor) -> list[Tensor]:
        """(K, N, 3, H, W) -> one (K, N, C, h, w) tensor a level, not fused."""
        count, batch = images.shape[:2]
        if self.config.backbone.shared:
            outputs = self.backbone(images.flatten(0, 1))
            return [level.unflatten(0, (count, batch)) for level in outputs]
        nets = [self.backbone if name == "rgb" else self.backbone_ir for name in self.modalities]
        per_modality = [net(image) for net, image in zip(nets, images, strict=True)]
        return [torch.stack(levels) for levels in zip(*per_modality, strict=True)]

    def apply_neck(self, features: list[Tensor]) -> list[Tensor]:
        """Levels (N, C, h, w) through the neck, if there is one."""
        return self.neck(features) if self.config.neck is not None else features

    def neck_each(self, features: list[Tensor]) -> list[Tensor]:
        """Levels (K, N, C, h, w) through the neck, every modality by itself."""
        count, batch = features[0].shape[:2]
        outputs = self.apply_neck([level.flatten(0, 1) for level in features])
        return [level.unflatten(0, (count, batch)) for level in outputs]

    def fused(self, images: Tensor) -> tuple[list[Tensor], list[Tensor | None]]:
        """Images to the head's input, one (N, C, h, w) tensor a level, and the weight maps of the fusion."""
        with self.stopwatch("backbone"):
            features = self.extract(images)
        if self.config.fusion.point == "neck":
            with self.stopwatch("neck"):
                features = self.neck_each(features)
            with self.stopwatch("fusion"):
                return self.fusion(features)
        with self.stopwatch("fusion"):
            levels, maps = self.fusion(features)
        with self.stopwatch("neck"):
            return self.apply_neck(levels), maps

    def branches(self, images: Tensor) -> list[Tensor]:
        """Images to the head's input of every branch of the gate: (B N, C, h, w) a level, modalities first."""
        assert self.gate is not None
        with self.stopwatch("backbone"):
            features = self.extract(images)
        after_neck = self.config.fusion.point == "neck"
        if after_neck:
            with self.stopwatch("neck"):
                features = self.neck_each(features)
        if self.gate.config.branches == "all":
            with self.stopwatch("fusion"):
                joint, _ = self.fusion(features)
                features = [torch.cat([level, one[None]]) for level, one in zip(features, joint, strict=True)]
        levels = [level.flatten(0, 1) for level in features]
        if after_neck:
            return levels
        with self.stopwatch("neck"):
            return self.apply_neck(levels)

    def template(self, images: Tensor) -> Template:
        """Template images (K, N, 3, 127, 127) -> what `search` correlates with."""
        features = self.fused(images)[0] if self.gate is None else self.branches(images)
        with self.stopwatch("head"):
            return Template(self.head.prepare(features))  # type: ignore[operator]

    @property
    def judges(self) -> bool:
        """Whether templates are to be tried on their own frame with `judge`."""
        return self.gate is not None and self.gate.config.template > 0

    def judge(self, template: Template, views: Tensor, places: Tensor) -> Template:
        """Try a template on V views of its own frame, where the target's place is known.

        Args:
            template: of one target.
            views: (K, V, 3, S, S) search images.
            places: (V, 2) rows and columns from the middle of the response to the target, in each view.

        Returns:
            The template with its branches' standing (B, 1) for `search`.
        """
        assert self.gate is not None
        features = [self.branches(view) for view in views.split(1, 1)]
        cls = torch.stack([self.head(template.kernels, levels)[0] for levels in features], 1)
        return template._replace(standing=self.gate.standing(cls, places))

    def search(
        self, template: Template, images: Tensor, memory: Tensor | None = None, channels: bool = False
    ) -> Output:
        """Search images (K, N, 3, S, S) -> the head's output, with its ``channels`` if asked for.

        ``memory`` is that of the track's previous search.
        """
        kept: list[Tensor] | None = [] if channels else None
        if self.gate is None:
            features, maps = self.fused(images)
            with self.stopwatch("head"):
                cls, loc = self.head(template.kernels, features, kept)
            output = Output(cls, loc, maps)
        else:
            output = self._gated(self.gate, template, images, memory, kept)
        if kept is None:
            return output
        return output._replace(channels=torch.cat(kept, 1).unflatten(0, (-1, images.shape[1])))

    def _gated(
        self,
        gate: ReliabilityGate,
        template: Template,
        images: Tensor,
        memory: Tensor | None,
        kept: list[Tensor] | None,
    ) -> Output:
        features = self.branches(images)
        with self.stopwatch("head"):
            cls, loc = self.head(template.kernels, features, kept)
        with self.stopwatch("fusion"):
            shape = (-1, images.shape[1])
            fused = gate(cls.unflatten(0, shape), loc.unflatten(0, shape), memory, template.standing)
        count = len(self.modalities)
        shares = fused.shares[:count]
        if len(fused.shares) > count:
            # The joint branch speaks for all modalities alike.
            shares = shares + fused.shares[count:] / count
        return Output(fused.cls, fused.loc, [shares], fused.weights, fused.memory)

    def forward(self, template_images: Tensor, search_images: Tensor) -> Output:
        return self.search(self.template(template_images), search_images)
