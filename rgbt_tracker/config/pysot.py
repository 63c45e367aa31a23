"""PySOT's YAML files as they are: the sections that tracking uses, translated to `TrackerConfig`."""

from __future__ import annotations

from typing import Any

from nestfuse_core.common.errors import UserError, suggestion
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
    if (content.get("MASK") or {}).get("MASK", False):
        raise UserError(f"{source}: MASK.MASK is true (SiamMask), which is not supported; use a SiamRPN++ file.")
    track, anchor = content.get("TRACK") or {}, content.get("ANCHOR") or {}
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
    backbone, rpn, adjust = content["BACKBONE"], content.get("RPN") or {}, content.get("ADJUST") or {}
    kind = backbone.get("TYPE", "")
    options = backbone.get("KWARGS") or {}
    levels = [] if kind in ONE_OUTPUT else options.get("used_layers", DEFAULT_LEVELS.get(kind, [2, 3, 4]))
    head = rpn.get("KWARGS") or {}
    if rpn.get("TYPE", "MultiRPN") not in ("MultiRPN", "DepthwiseRPN"):
        raise UserError(f"{source}: RPN.TYPE '{rpn['TYPE']}' is not supported; expected MultiRPN or DepthwiseRPN.")
    channels = head.get("in_channels", 256)
    return {
        "backbone": {"type": kind, "levels": levels, "width": options.get("width_mult", 1.0)},
        "neck": {"channels": _as_list(adjust["KWARGS"]["out_channels"])} if adjust.get("ADJUST") else None,
        "head": {"type": "rpn", "channels": _as_list(channels)[0], "weighted": bool(head.get("weighted", False))},
    }


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
