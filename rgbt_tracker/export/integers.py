"""Search graphs in 8-bit integers, whose ranges come from crops of one's own sequences (static quantisation).

Weights are -64..63 of their output channel's largest and activations 0..255 of the range that was seen: one bit less
than there is for weights, since sums of two products in 16 bits would overflow on x86-64 without VNNI.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import temporary_folder
from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.models.network import SiameseNetwork
from rgbt_tracker.runtime.interface import Answer, Floats, Pixels, State
from rgbt_tracker.runtime.with_torch import TorchRuntime
from rgbt_tracker.tracking.run import track_sequence
from rgbt_tracker.tracking.tracker import Tracker

FRAMES = 200
"""Of a sequence that are tracked, at most."""
CROPS = 100
"""That ranges come from, about, whatever the number of sequences."""


class _Recording(TorchRuntime):
    """Torch, which keeps what a search graph would have been given every few searches."""

    def __init__(self, network: SiameseNetwork, every: int) -> None:
        super().__init__(network)
        self.inputs: list[dict[str, Any]] = []
        self._every, self._searches = every, 0

    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        self._searches += 1
        if self._searches % self._every == 0:
            given = {f"kernel{number}": kernel.numpy() for number, kernel in enumerate(state.kernels)}
            self.inputs.append({"images": images, **given} | ({} if memory is None else {"memory": memory.copy()}))
        return super().search(state, images, memory, maps)


def search_inputs(config: TrackerConfig, network: SiameseNetwork, sequences: Sequence[str]) -> list[dict[str, Any]]:
    """What the search graph of a configuration's cameras is given while sequences are tracked.

    Args:
        sequences: folders or names, with a box in their first frame.

    Raises:
        UserError: a sequence that is not there, has no box to start from, or is too short.
    """
    runtime = _Recording(network, max(1, FRAMES * len(sequences) // CROPS))
    for name in sequences:
        with open_sequence(name) as sequence:
            track_sequence(Tracker(config, runtime), sequence.clip(0, FRAMES), sequence.info.start_for(config.modality))
    if not runtime.inputs:
        raise UserError(f"Expected sequences of more frames for the ranges of integers, got {', '.join(sequences)}.")
    return runtime.inputs


def quantised(model: Any, inputs: Sequence[dict[str, Any]]) -> Any:
    """An ``onnx.ModelProto`` whose convolutions compute in integers, but for the first and those that answer.

    Args:
        model: of floats, with its parameters inside.
        inputs: that ranges come from.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with temporary_folder() as folder:
        # Earlier versions take no other than paths, as text.
        given, prepared, result = (str(folder / f"{name}.onnx") for name in ("floats", "prepared", "integers"))
        onnx.save(model, given)
        quant_pre_process(given, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            result,
            _Reader(iter(inputs)),
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=_ends(onnx.load(prepared).graph),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(result)


class _Reader:
    """An ``onnxruntime.quantization.CalibrationDataReader``."""

    def __init__(self, inputs: Iterator[dict[str, Any]]) -> None:
        self._inputs = inputs

    def get_next(self) -> dict[str, Any] | None:
        return next(self._inputs, None)


def _ends(graph: Any) -> list[str]:
    """Names of the first convolution and of those that no other one follows."""
    convolved: set[str] = set()
    last = []
    for node in reversed(graph.node):  # which come in the order of computation
        followed = any(name in convolved for name in node.output)
        if node.op_type == "Conv" and not followed:
            last.append(node.name)
        if node.op_type == "Conv" or followed:
            convolved.update(node.input)
    return [next(node.name for node in graph.node if node.op_type == "Conv"), *last]
