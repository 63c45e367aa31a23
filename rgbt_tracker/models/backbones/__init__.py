"""Feature extractors: Nx3xHxW images (BGR, 0..255) to one NxCxhxw tensor a level, keys as in their checkpoints."""

from __future__ import annotations

from torch import nn

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import BackboneConfig
from rgbt_tracker.models.backbones.alexnet import AlexNet, AlexNetLegacy
from rgbt_tracker.models.backbones.mobilenetv2 import MobileNetV2
from rgbt_tracker.models.backbones.mobilenetv3 import MobileNetV3Small
from rgbt_tracker.models.backbones.resnet import BasicBlock, Bottleneck, ResNet

BUILDERS = {
    "resnet18": lambda config: ResNet(BasicBlock, (2, 2, 2, 2), config.levels),
    "resnet34": lambda config: ResNet(BasicBlock, (3, 4, 6, 3), config.levels),
    "resnet50": lambda config: ResNet(Bottleneck, (3, 4, 6, 3), config.levels),
    "mobilenetv2": lambda config: MobileNetV2(config.levels, config.width),
    "mobilenetv3_small": lambda config: MobileNetV3Small(),
    "alexnet": lambda config: AlexNet(),
    "alexnetlegacy": lambda config: AlexNetLegacy(),
}


def build_backbone(config: BackboneConfig) -> nn.Module:
    """Return the backbone; it offers ``channels``, one number for each output level.

    Raises:
        UserError: levels that the backbone does not have.
    """
    highest = {"resnet": 4, "mobilenetv2": 7}
    for family, last in highest.items():
        if config.type.startswith(family) and (not config.levels or not all(0 <= i <= last for i in config.levels)):
            raise UserError(
                f"model.backbone.levels = {list(config.levels)}: {config.type} needs one or more from 0 to {last}."
            )
    return BUILDERS[config.type](config)
