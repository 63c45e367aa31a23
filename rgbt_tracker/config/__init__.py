"""The typed configuration of a tracker: one immutable value that is handed around; there is no global one."""

from nestfuse_core.common.sections import Section, read_yaml, validated
from rgbt_tracker.config.load import config_directory, config_names, load_config
from rgbt_tracker.config.schema import (
    MODALITIES,
    AnchorConfig,
    BackboneConfig,
    FusionConfig,
    Modality,
    ModelConfig,
    ReliabilityConfig,
    ThermalConfig,
    TrackerConfig,
    parse_config,
)

__all__ = [
    "MODALITIES",
    "AnchorConfig",
    "BackboneConfig",
    "FusionConfig",
    "Modality",
    "ModelConfig",
    "ReliabilityConfig",
    "Section",
    "ThermalConfig",
    "TrackerConfig",
    "config_directory",
    "config_names",
    "load_config",
    "parse_config",
    "read_yaml",
    "validated",
]
