"""From a module of torch to an ONNX graph."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nestfuse_core.export.folder import SMALL

OPSET = 17


def traced(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
    folded: bool = True,
) -> Any:
    """An ``onnx.ModelProto`` of a module in evaluation mode.

    Args:
        axes: input or output -> the names of the sides that may be of any length.
        folded: compute what depends on parameters alone now, and not when the graph is opened.
    """
    import onnx

    file = io.BytesIO()
    with warnings.catch_warnings():
        # Of shapes that are the same for every picture, and of the tracer's age.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            file,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(sides) for name, sides in axes.items()},
            do_constant_folding=folded,
        )
    return onnx.load_model_from_string(file.getvalue())


def describe(model: Any, facts: Mapping[str, str]) -> None:
    """Put ``facts`` into a graph's metadata, and the batch's size as unknown wherever it was guessed."""
    for name, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    # Of values inside, shapes are those that were traced.
    del model.graph.value_info[:]


def halve_parameters(model: Any) -> None:
    """Keep parameters that are float16 numbers as such, half the size; the graph makes them float32 when opened."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.raw_data) <= SMALL:
            continue
        values = numpy_helper.to_array(tensor)
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
