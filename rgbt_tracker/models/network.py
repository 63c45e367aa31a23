"""The siamese network for one or two modalities: backbones, fusion, neck and head."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import ModelConfig
from rgbt_tracker.models.backbones import build_backbone
from rgbt_tracker.models.fusion import FeatureFusion
from rgbt_tracker.models.heads import Head, Kernels
from rgbt_tracker.models.heads.ban import BanHead
from rgbt_tracker.models.heads.rpn import DepthwiseRPN, MultiRPN
from rgbt_tracker.models.neck import Neck
from rgbt_tracker.models.reliability import ReliabilityGate
from rgbt_tracker.models.timing import NoTimer, Timer


class Template(NamedTuple):
    """What a search needs of the template: the head's kernels, and the ``modalities`` that it was made of, in the
    network's order."""

    kernels: Kernels
    modalities: tuple[str, ...]


class SearchOutput(NamedTuple):
    """One search: ``cls`` (N, 2A, h, w) and ``loc`` (N, 4A, h, w) of the head, and how they were fused.

    ``maps`` holds each modality's share in what was fused, name -> (K, N, 1, h, w): of every level, or of the gate's
    "response"; it is empty where the fusion has no map, or had nothing to fuse. ``weights`` (B, N) and ``memory`` are
    the reliability gate's: pass ``memory`` to the next search of the same track.
    """

    cls: Tensor
    loc: Tensor
    maps: dict[str, Tensor]
    weights: Tensor | None = None
    memory: Tensor | None = None


def as_images(crops: Tensor) -> Tensor:
    """(K, N, S, S, 3) uint8 -> the network's (K, N, 3, S, S) float32, over the same memory order (channels last)."""
    return crops.permute(0, 1, 4, 2, 3).float()


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

    A network of two modalities answers for one of them too, named wherever images are given: its features go past the
    fusion unchanged and it alone speaks for the gate, so that the answer is that of a network of this one modality.
    """

    def __init__(self, config: ModelConfig, modalities: tuple[str, ...], anchors: int) -> None:
        super().__init__()
        self.config = config
        self.modalities = modalities
        self.timer: Timer = NoTimer()
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
    def head(self) -> Head:
        return cast(Head, self.get_submodule(self.head_name))

    def extract(self, images: Tensor, modalities: tuple[str, ...] | None = None) -> list[Tensor]:
        """(K, N, 3, H, W) of ``modalities`` (all by default) -> one (K, N, C, h, w) tensor a level, not fused."""
        names = modalities or self.modalities
        if self.config.backbone.shared:
            outputs = self.backbone(images.flatten(0, 1))
            return [level.unflatten(0, (images.shape[0], -1)) for level in outputs]
        nets = [self.backbone if name == "rgb" else self.backbone_ir for name in names]
        per_modality = [net(image) for net, image in zip(nets, images, strict=True)]
        return [torch.stack(levels) for levels in zip(*per_modality, strict=True)]

    def apply_neck(self, features: list[Tensor]) -> list[Tensor]:
        """Levels (N, C, h, w) through the neck, if there is one."""
        return self.neck(features) if self.config.neck is not None else features

    def neck_each(self, features: list[Tensor]) -> list[Tensor]:
        """Levels (K, N, C, h, w) through the neck, every modality by itself."""
        outputs = self.apply_neck([level.flatten(0, 1) for level in features])
        return [after.unflatten(0, before.shape[:2]) for before, after in zip(features, outputs, strict=True)]

    def fused(
        self, images: Tensor, modalities: tuple[str, ...] | None = None
    ) -> tuple[list[Tensor], list[Tensor | None]]:
        """Images to the head's input, one (N, C, h, w) tensor a level, and the weight maps of the fusion."""
        with self.timer("backbone"):
            features = self.extract(images, modalities)
        if self.config.fusion.point == "neck":
            with self.timer("neck"):
                features = self.neck_each(features)
            with self.timer("fusion"):
                return self.fusion(features)
        with self.timer("fusion"):
            levels, maps = self.fusion(features)
        with self.timer("neck"):
            return self.apply_neck(levels), maps

    def branches(self, images: Tensor) -> list[Tensor]:
        """Images to the head's input of every branch: (B N, C, h, w) a level, modalities first, then their fusion."""
        with self.timer("backbone"):
            features = self.extract(images)
        after_neck = self.config.fusion.point == "neck"
        if after_neck:
            with self.timer("neck"):
                features = self.neck_each(features)
        with self.timer("fusion"):
            joint, _ = self.fusion(features)
            features = [torch.cat([level, one[None]]) for level, one in zip(features, joint, strict=True)]
        levels = [level.flatten(0, 1) for level in features]
        if after_neck:
            return levels
        with self.timer("neck"):
            return self.apply_neck(levels)

    def template(self, images: Tensor, modalities: tuple[str, ...] | None = None) -> Template:
        """Template images (K, N, 3, 127, 127) of ``modalities`` (all by default) -> what `search` correlates with."""
        names = modalities or self.modalities
        features = self.fused(images, names)[0] if self._gate_of(names) is None else self.branches(images)
        with self.timer("head"):
            return Template(self.head.prepare(features), names)

    def search(self, template: Template, images: Tensor, memory: Tensor | None = None) -> SearchOutput:
        """Search images (K, N, 3, S, S) of the template's modalities -> the head's output.

        ``memory`` is that of the tracks' previous search; only the gate takes it.
        """
        gate = self._gate_of(template.modalities)
        if gate is not None:
            return self._gated_search(gate, template, images, memory)
        features, maps = self.fused(images, template.modalities)
        with self.timer("head"):
            cls, loc = self.head(template.kernels, features)
        names = [f"level{level}" for level in self.config.backbone.levels or (0,)]
        shares = {name: level for name, level in zip(names, maps, strict=True) if level is not None}
        return SearchOutput(cls, loc, shares)

    def _gate_of(self, modalities: tuple[str, ...]) -> ReliabilityGate | None:
        """The gate, where it has more than one branch to weigh."""
        return self.gate if len(modalities) > 1 else None

    def _gated_search(
        self, gate: ReliabilityGate, template: Template, images: Tensor, memory: Tensor | None
    ) -> SearchOutput:
        features = self.branches(images)
        with self.timer("head"):
            cls, loc = self.head(template.kernels, features)
        with self.timer("fusion"):
            shape = (len(self.modalities) + 1, -1)
            fused = gate(cls.unflatten(0, shape), loc.unflatten(0, shape), memory)
        count = len(self.modalities)
        # The joint branch speaks for all modalities alike.
        shares = fused.shares[:count] + fused.shares[count:] / count
        return SearchOutput(fused.cls, fused.loc, {"response": shares}, fused.weights, fused.memory)

    def forward(self, template_images: Tensor, search_images: Tensor) -> SearchOutput:
        return self.search(self.template(template_images), search_images)
