"""Which runtime computes a tracker: torch, or ONNX Runtime where that is faster and an export is at hand."""

from __future__ import annotations

import json
import os

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import expanded
from nestfuse_core.common.graphs import uses_onnx
from nestfuse_core.common.names import safe_name
from nestfuse_core.common.sections import shown
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.runtime.exports import FORMAT, find_export, graph_file
from rgbt_tracker.runtime.with_onnx import OnnxRuntime


def choose_onnx(
    config: TrackerConfig,
    weights: str | os.PathLike[str],
    device: str = "auto",
    runtime: str = "auto",
    threads: int | None = None,
) -> OnnxRuntime | None:
    """ONNX Runtime with an export of the weights, or None where torch is to compute.

    Args:
        config: of the tracker.
        weights: a file or a name of ``rgbt weights list``, or the folder of an export.
        device: as `rgbt_tracker.build_tracker` takes it.
        runtime: ``auto`` takes ONNX on a CPU where ONNX Runtime is installed and an export exists.
        threads: see `OnnxRuntime`.

    Raises:
        UserError: an unknown runtime; ONNX where it cannot be had; or a folder of another tracker.
    """
    folder = expanded(weights)
    given = folder.is_dir()
    if not uses_onnx(runtime, device, folder if given else None):
        return None
    if given:
        found = OnnxRuntime(folder, threads)
        _check(found, config)
        return found
    from rgbt_tracker.zoo import resolve

    place = find_export(config, resolve(weights))
    if place is None and runtime == "onnx":
        raise UserError(
            f"There is no export of the weights '{weights}' for the configuration '{config.name}': make it with "
            f"'rgbt export {config.name} --weights {weights}', or leave --runtime out."
        )
    return None if place is None else OnnxRuntime(place, threads)


def _check(runtime: OnnxRuntime, config: TrackerConfig) -> None:
    """Refuse an export of another network."""
    facts = runtime.facts(graph_file("search", config.modalities))
    try:
        given = json.loads(facts["config"])
        name, network = safe_name(given["name"]), _network(given)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UserError(
            f"The graphs in '{runtime.folder}' do not say which network they are; make them again with 'rgbt export'."
        ) from error
    if facts.get("format") != str(FORMAT):
        raise UserError(
            f"The export '{runtime.folder}' is of the format {shown(facts.get('format'))}, this program's is {FORMAT}; "
            "make it again with 'rgbt export'."
        )
    if network != _network(config.model_dump(mode="json")):
        raise UserError(
            f"The export '{runtime.folder}' is of the configuration '{name}', whose network differs from that of "
            f"'{config.name}'; give --config {name}."
        )


def _network(config: dict[str, dict[str, object]]) -> list[object]:
    return [config["model"], config["anchors"], config["tracking"]["exemplar"], config["tracking"]["instance"]]
