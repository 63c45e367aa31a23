"""PySOT's YAML files as they are: the sections that tracking uses, translated to `TrackerConfig`."""

from __future__ import annotations

from typing import Any

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.sections import shown
from rgbt_tracker.config.schema import TrackerConfig, parse_config

# Sections that only training reads: accepted and left alone.
TRAINING_SECTIONS = ("DATASET", "TRAIN", "CUDA")
SECTIONS = ("META_ARC", "BACKBONE", "ADJUST", "RPN", "MASK", "REFINE", "ANCHOR", "TRACK", *TRAINING_SECTIONS)
ONE_OUTPUT = ("alexnet", "alexnetlegacy")
# PySOT's own default for keys that a file leaves out.
TRACK_DEFAULTS = {"PENALTY_K": 0.04, "WINDOW_INFLUENCE": 0.44, "LR": 0.4, "EXEMPLAR_SIZE": 127, "INSTANCE_SIZE": 255}
DEFAULT_LEVELS = {"mobilenetv2": [3, 5, 7]}


def parse_pysot(content: dict[str, Any], name: str, source: str) -> TrackerConfig:
    """Translate a PySOT configuration; the modality is ``rgbt`` and the fusion NestFuse's.

    Raises:
        UserError: an unknown section, a mask branch, or a network part that PySOT's three RPN trackers do not use.
    """
    for section in content:
        if section not in SECTIONS:
            raise UserError(f"{source}: unknown section '{section}' in a PySOT file{suggestion(section, SECTIONS)}")
    if _part(content, "MASK", source).get("MASK", False):
        raise UserError(f"{source}: MASK.MASK is true (SiamMask), which is not supported; use a SiamRPN++ file.")
    track, anchor = _part(content, "TRACK", source), _part(content, "ANCHOR", source)
    values = {**TRACK_DEFAULTS, **track}
    return parse_config(
        {
            "name": name,
            "model": _model(content, source),
            "anchors": {
                "stride": anchor.get("STRIDE", 8),
                "ratios": anchor.get("RATIOS", [0.33, 0.5, 1, 2, 3]),
                "scales": anchor.get("SCALES", [8]),
            },
            "tracking": {
                "penalty": values["PENALTY_K"],
                "window": values["WINDOW_INFLUENCE"],
                "lr": values["LR"],
                "exemplar": values["EXEMPLAR_SIZE"],
                "instance": values["INSTANCE_SIZE"],
                "context": values.get("CONTEXT_AMOUNT", 0.5),
            },
        },
        source=source,
    )


def _model(content: dict[str, Any], source: str) -> dict[str, Any]:
    backbone, rpn, adjust = (_part(content, section, source) for section in ("BACKBONE", "RPN", "ADJUST"))
    kind = backbone.get("TYPE", "")
    options, head, neck = (_part(part, "KWARGS", source) for part in (backbone, rpn, adjust))
    default = next((levels for name, levels in DEFAULT_LEVELS.items() if name == kind), [2, 3, 4])
    levels = [] if kind in ONE_OUTPUT else options.get("used_layers", default)
    if rpn.get("TYPE", "MultiRPN") not in ("MultiRPN", "DepthwiseRPN"):
        raise UserError(f"{source}: RPN.TYPE '{rpn['TYPE']}' is not supported; expected MultiRPN or DepthwiseRPN.")
    if adjust.get("ADJUST") and "out_channels" not in neck:
        raise UserError(f"{source}: ADJUST.KWARGS.out_channels is missing; it says how wide the neck is.")
    return {
        "backbone": {"type": kind, "levels": levels, "width": options.get("width_mult", 1.0)},
        "neck": {"channels": _as_list(neck["out_channels"])} if adjust.get("ADJUST") else None,
        "head": {
            "type": "rpn",
            "channels": next(iter(_as_list(head.get("in_channels", 256))), None),
            "weighted": bool(head.get("weighted", False)),
        },
    }


def _part(content: dict[str, Any], name: str, source: str) -> dict[str, Any]:
    """A section of the file or of another section; empty where it is not there."""
    part = content.get(name)
    if part is not None and not isinstance(part, dict):
        raise UserError(f"{source}: {name} = {shown(part)}; expected a section of keys and values.")
    return part or {}


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
