"""Where a graph says that its parameters lie, beside what the library of ONNX finds in the same file."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.graph_files import locations
from nestfuse_core.common.graphs import WEIGHTS, Graph
from nestfuse_core.runtime.exports import DECODE, shipped_folder


def tensor_in(name: str, place: str | None) -> TensorProto:
    tensor = numpy_helper.from_array(np.ones((2, 3), np.float32), name)
    if place is not None:
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("offset", "0"), ("location", place), ("checksum", "location")):
            tensor.external_data.add(key=key, value=value)
    return tensor


def model_with(tensor: TensorProto, where: str) -> bytes:
    """A model that has the tensor in one of the places where there may be one."""
    inner = helper.make_graph([], "inner", [], [], [tensor])
    attribute = {"constant": tensor, "branch": inner, "several": [tensor]}.get(where)
    nodes = [] if attribute is None else [helper.make_node("Any", [], ["y"], given=attribute)]
    sparse = helper.make_sparse_tensor(tensor, tensor_in("indices", None), [9]) if where == "sparse" else None
    graph = helper.make_graph(nodes, "g", [], [], [tensor] if where == "initializer" else [])
    if sparse is not None:
        graph.sparse_initializer.append(sparse)
    model = helper.make_model(graph)
    if where == "function":
        node = helper.make_node("Constant", [], ["y"], value=tensor)
        model.functions.append(helper.make_function("own", "F", [], ["y"], [node], []))
    if where == "training":
        model.training_info.add().algorithm.CopyFrom(inner)
    return model.SerializeToString()


@pytest.mark.parametrize("where", ["initializer", "constant", "branch", "several", "sparse", "function", "training"])
def test_a_location_is_found_wherever_a_tensor_lies(where: str) -> None:
    assert locations(model_with(tensor_in("t", "../outside.bin"), where)) == {"../outside.bin"}
    assert locations(model_with(tensor_in("t", None), where)) == set()


def test_the_value_may_come_before_its_key() -> None:
    content = model_with(tensor_in("t", "../x"), "initializer")
    usual = b"\x0a\x08location\x12\x04../x"
    assert content.count(usual) == 1
    assert locations(content.replace(usual, b"\x12\x04../x\x0a\x08location")) == {"../x"}


@given(st.binary(max_size=200))
def test_any_bytes_end(content: bytes) -> None:
    try:
        locations(content)
    except ValueError:
        return


def test_the_shipped_graphs_keep_to_their_folder_and_others_are_refused(tmp_path: Path) -> None:
    folder = shipped_folder("paper-lambda100")
    assert locations((folder / DECODE).read_bytes()) == {WEIGHTS}
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert "output" in Graph(copy / DECODE).outputs

    shutil.move(copy / WEIGHTS, tmp_path / "outside.bin")
    (copy / WEIGHTS).symlink_to(tmp_path / "outside.bin")
    with pytest.raises(UserError, match=r"from elsewhere than 'weights.bin' in its folder \('weights.bin, a link'\)"):
        Graph(copy / DECODE)

    model = onnx.load(folder / DECODE, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            entry.value = "../outside.bin" if entry.key == "location" else entry.value
    (copy / DECODE).write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=r"in its folder \('../outside.bin'\)"):
        Graph(copy / DECODE)
