"""Checkpoints into networks, refused in clear words when they do not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from nestfuse_core.common.checkpoints import read_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig, config_names, load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.network import SiameseNetwork

THERMAL = "backbone_ir."
VISIBLE = "backbone."


def load_weights(network: SiameseNetwork, config: TrackerConfig, path: Path) -> None:
    """Load a checkpoint file into the network of ``config``.

    A checkpoint of one backbone fills both when the configuration has one for each modality.

    Raises:
        UserError: not a checkpoint, or one that does not fit; the message says what is missing, what is left over and
            which configuration would fit.
    """
    state = adapt(state_dict_of(read_checkpoint(path)), network)
    problem = misfit(network.state_dict(), state)
    if problem:
        raise UserError(
            f"The weights '{path}' do not fit the configuration '{config.name}': {problem}{_suggest(state)}."
        )
    network.load_state_dict(state, strict=False)


def adapt(state: Mapping[str, Tensor], network: SiameseNetwork) -> dict[str, Tensor]:
    """Drop entries that no configuration uses and give an unshared thermal backbone the visible one's weights."""
    own = network.state_dict()
    adapted = {key: value for key, value in state.items() if not _unused(key, own)}
    if any(key.startswith(THERMAL) for key in own) and not any(key.startswith(THERMAL) for key in adapted):
        copies = {THERMAL + k.removeprefix(VISIBLE): v for k, v in adapted.items() if k.startswith(VISIBLE)}
        adapted.update(copies)
    return adapted


def _unused(key: str, own: Mapping[str, Tensor]) -> bool:
    """NanoTrack's checkpoint carries a neck that it does not use; the gate is the configuration's."""
    nanos_neck = key.startswith("neck.") and key not in own and any(name.startswith("ban_head.") for name in own)
    return key.startswith("gate.") or nanos_neck


def misfit(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """Describe how ``given`` differs from ``expected``, or return an empty string.

    Batch-norm counters may be missing; a gate's gains are never in a checkpoint, they stay as configured.
    """
    missing = [
        k for k in expected if k not in given and not k.endswith("num_batches_tracked") and not k.startswith("gate.")
    ]
    extra = [key for key in given if key not in expected]
    shaped = [key for key in given if key in expected and given[key].shape != expected[key].shape]
    parts = [_count(missing, "missing"), _count(extra, "left over")]
    if shaped:
        key = shaped[0]
        parts.append(
            f"{len(shaped)} of another shape (first '{key}': expected {tuple(expected[key].shape)}, "
            f"got {tuple(given[key].shape)})"
        )
    return ", ".join(part for part in parts if part)


def _count(keys: list[str], what: str) -> str:
    return f"{len(keys)} tensors {what} (first '{keys[0]}')" if keys else ""


def _suggest(state: Mapping[str, Tensor]) -> str:
    fitting = fitting_configs(state, config_names())
    return f"; they fit {', '.join(fitting)}" if fitting else "; they fit none of the package's configurations"


def fitting_configs(state: Mapping[str, Tensor], names: Iterable[str]) -> list[str]:
    """Names of the configurations whose network takes ``state`` as it is."""
    fitting = []
    for name in names:
        config = load_config(name)
        with torch.device("meta"):
            network = build_network(config)
        if not misfit(network.state_dict(), adapt(state, network)):
            fitting.append(name)
    return fitting
