"""Hostile exports: folders of ONNX graphs, as ``--weights`` takes them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from judge import Case, command

CONFIG = "nestfuse_nanotrack"
SEARCH, TEMPLATE = "search_rgbt.onnx", "template_rgbt.onnx"
Change = Callable[[Path], None]


def graph(*outputs: tuple[str, Any], facts: dict[str, str] | None = None, search: bool = True, inputs: Any = ()) -> Any:
    """A model that answers with constants; ``outputs`` are names and arrays."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, described = [], []
    for name, value in outputs:
        tensor = numpy_helper.from_array(value, name)
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        described.append(helper.make_tensor_value_info(name, tensor.data_type, None))
    kinds = {"images": TensorProto.UINT8, "memory": TensorProto.FLOAT}
    names = ["images", *(["memory", *(f"kernel{number}" for number in range(kernels()))] if search else []), *inputs]
    given = [helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), None) for name in names]
    model = helper.make_model(
        helper.make_graph(nodes, "g", given, described), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    for key, text in (sound_facts() if facts is None else facts).items():
        model.metadata_props.add(key=key, value=text)
    return model


def shipped() -> Path:
    from rgbt_tracker.runtime.exports import shipped_folder

    return shipped_folder(CONFIG)


def loaded(name: str) -> Any:
    import onnx

    return onnx.load(shipped() / name, load_external_data=False)


def kernels() -> int:
    return sum(value.name.startswith("kernel") for value in loaded(SEARCH).graph.input)


def sound_facts() -> dict[str, str]:
    return {item.key: item.value for item in loaded(SEARCH).metadata_props}


def replaced(name: str, make: Callable[[], bytes]) -> Change:
    return lambda folder: (folder / name).write_bytes(make()) and None  # type: ignore[func-returns-value]


def with_facts(**changes: str | None) -> Change:
    """A sound graph that says something else of itself; None takes a fact out."""

    def change(folder: Path) -> None:
        model = loaded(SEARCH)
        facts = {key: text for key, text in {**sound_facts(), **changes}.items() if text is not None}
        del model.metadata_props[:]
        for key, text in facts.items():
            model.metadata_props.add(key=key, value=text)
        (folder / SEARCH).write_bytes(model.SerializeToString())

    return change


def answering(**changes: Any) -> Change:
    """A search that answers with these arrays in place of sound ones; None leaves an output out."""

    def change(folder: Path) -> None:
        import numpy as np

        sound = {
            "cls": np.zeros((1, 2, 15, 15), np.float32),
            "loc": np.ones((1, 4, 15, 15), np.float32),
            "weights": np.full((3, 1), 1 / 3, np.float32),
            "next_memory": np.ones((3, 1), np.float32),
        }
        outputs = {name: value for name, value in {**sound, **changes}.items() if value is not None}
        (folder / SEARCH).write_bytes(graph(*outputs.items()).SerializeToString())

    return change


def learning(*kernels: Any) -> Change:
    """A template that answers with these kernels."""
    return lambda folder: replaced(
        TEMPLATE, lambda: graph(*((f"kernel{n}", k) for n, k in enumerate(kernels)), search=False).SerializeToString()
    )(folder)


def pointing(place: str, offset: str = "0", length: str | None = None, name: str = SEARCH) -> Change:
    """Parameters that lie in another file."""

    def change(folder: Path) -> None:
        (folder.parent / "outside.bin").write_bytes(bytes(3_000_000))
        model = loaded(name)
        for tensor in model.graph.initializer:
            if tensor.external_data:
                kept = {item.key: item.value for item in tensor.external_data}
                kept |= {"location": place, "offset": offset, "length": length or kept["length"]}
                del tensor.external_data[:]
                for key, value in kept.items():
                    tensor.external_data.add(key=key, value=value)
        (folder / name).write_bytes(model.SerializeToString())

    return change


def growing(kind: str) -> Change:
    """A search that wants more memory than there is."""

    def change(folder: Path) -> None:
        import numpy as np
        from onnx import TensorProto, helper, numpy_helper

        shape = numpy_helper.from_array(np.array([1, 2, 400_000, 400_000], np.int64), "shape")
        model = graph(("loc", np.ones((1, 4, 15, 15), np.float32)))
        model.graph.node.add().CopyFrom(helper.make_node("Constant", [], ["shape"], value=shape))
        model.graph.node.add().CopyFrom(helper.make_node(kind, ["shape"], ["cls"]))
        model.graph.output.add().CopyFrom(helper.make_tensor_value_info("cls", TensorProto.FLOAT, None))
        (folder / SEARCH).write_bytes(model.SerializeToString())

    return change


def foreign_operation(folder: Path) -> None:
    from onnx import helper

    model = graph()
    model.graph.node.add().CopyFrom(helper.make_node("Runs", ["images"], ["cls"], domain="stranger"))
    model.opset_import.add(domain="stranger", version=1)
    (folder / SEARCH).write_bytes(model.SerializeToString())


def parameters(data: Callable[[bytes], bytes]) -> Change:
    return lambda folder: replaced("weights.bin", lambda: data((shipped() / "weights.bin").read_bytes()))(folder)


def _arrays() -> dict[str, Change]:
    import numpy as np

    zeros = lambda *shape, kind=np.float32: np.zeros(shape, kind)  # noqa: E731
    return {
        "no cls": answering(cls=None),
        "no loc": answering(loc=None),
        "no weights": answering(weights=None),
        "no memory": answering(next_memory=None),
        "nothing": answering(cls=None, loc=None, weights=None, next_memory=None),
        "NaN": answering(cls=np.full((1, 2, 15, 15), np.nan, np.float32)),
        "infinite boxes": answering(loc=np.full((1, 4, 15, 15), np.inf, np.float32)),
        "NaN as weights": answering(weights=np.full((3, 1), np.nan, np.float32)),
        "NaN as memory": answering(next_memory=np.full((3, 1), np.nan, np.float32)),
        "text": answering(cls=np.full((1, 2, 15, 15), "x", object)),
        "whole numbers": answering(cls=zeros(1, 2, 15, 15, kind=np.int64)),
        "complex numbers": answering(cls=zeros(1, 2, 15, 15, kind=np.complex64)),
        "one number": answering(cls=zeros()),
        "no place": answering(cls=zeros(1, 2, 0, 0), loc=zeros(1, 4, 0, 0)),
        "no anchor": answering(cls=zeros(1, 0, 15, 15), loc=zeros(1, 0, 15, 15)),
        "half an anchor": answering(cls=zeros(1, 3, 15, 15)),
        "five anchors": answering(cls=zeros(1, 10, 15, 15), loc=zeros(1, 20, 15, 15)),
        "places that differ": answering(cls=zeros(1, 2, 14, 14)),
        "places in a row": answering(cls=zeros(1, 2, 1, 225), loc=zeros(1, 4, 1, 225)),
        "two targets": answering(cls=zeros(2, 2, 15, 15), loc=zeros(2, 4, 15, 15)),
        "weights of one branch": answering(weights=zeros(1, 1)),
        "memory of one branch": answering(next_memory=zeros(1, 1)),
        "no kernel": learning(),
        "a kernel of nothing": learning(zeros(0)),
        "kernels of another shape": learning(zeros(3, 1, 5), zeros(3, 1, 5)),
        "a hundred kernels": learning(*[zeros(1)] * 100),
        "kernels of text": learning(*[np.full((3, 1), "x", object)] * 2),
    }


def changes() -> dict[str, Change]:
    """What is done to a sound export."""
    config = json.loads(sound_facts()["config"])
    return {
        "no graph": lambda folder: (folder / SEARCH).unlink(),
        "no template": lambda folder: (folder / TEMPLATE).unlink(),
        "no parameters": lambda folder: (folder / "weights.bin").unlink(),
        "a folder as graph": lambda folder: (folder / SEARCH).rename(folder / "away") and (folder / SEARCH).mkdir(),
        "an empty graph": replaced(SEARCH, lambda: b"\n"),
        "a text as graph": replaced(SEARCH, lambda: b"version https://git-lfs.github.com/spec/v1\n"),
        "half a graph": replaced(SEARCH, lambda: (shipped() / SEARCH).read_bytes()[:70_000]),
        "the template as search": replaced(SEARCH, lambda: (shipped() / TEMPLATE).read_bytes()),
        "a byte as parameters": parameters(lambda data: b"x"),
        "half the parameters": parameters(lambda data: data[: len(data) // 2]),
        "NaN as parameters": parameters(lambda data: b"\xff" * len(data)),
        "parameters outside": pointing("../outside.bin"),
        "the template's outside": pointing("../outside.bin", name=TEMPLATE),
        "parameters of the system": pointing("/etc/passwd", length="16"),
        "a device as parameters": pointing("/dev/zero"),
        "parameters beyond the end": pointing("weights.bin", offset=str(10**15)),
        "parameters before the beginning": pointing("weights.bin", offset="-8"),
        "a word as offset": pointing("weights.bin", offset="many"),
        "a link to parameters outside": linked,
        "an operation of its own": foreign_operation,
        "600 GB": growing("ConstantOfShape"),
        "no facts": with_facts(config=None, key=None, cameras=None, format=None),
        "no configuration": with_facts(config=None),
        "another format": with_facts(format="999"),
        "no JSON as configuration": with_facts(config="{"),
        "a number as configuration": with_facts(config="3"),
        "a list as configuration": with_facts(config="[]"),
        "a configuration nested deep": with_facts(config="[" * 50_000 + "]" * 50_000),
        "a configuration without a model": with_facts(config='{"name": "x"}'),
        "a text as model": with_facts(config=json.dumps({**config, "model": "x"})),
        "a text as tracking": with_facts(config=json.dumps({**config, "tracking": "x"})),
        "another network's name in two lines": with_facts(config=json.dumps({**config, "model": {}, "name": "a\nb"})),
        "a list as name": with_facts(config=json.dumps({**config, "model": {}, "name": [1] * 5000})),
        **{f"answers: {name}": change for name, change in _arrays().items()},
    }


def linked(folder: Path) -> None:
    (folder.parent / "outside.bin").write_bytes(bytes(3_000_000))
    (folder / "weights.bin").unlink()
    (folder / "weights.bin").symlink_to(folder.parent / "outside.bin")


def _case(name: str, change: Change, sequence: Path) -> Case:
    def make(folder: Path) -> Callable[[], None]:
        export = folder / "stranger"
        shutil.copytree(shipped(), export)
        change(export)
        options = ("--config", CONFIG, "--weights", export, "--device", "cpu", "--output", folder / "out")
        return command("track", "--sequence", sequence, *options)

    # What only the loop can know is said with the configuration's name.
    return Case(name, make, CONFIG if "anchors" in name else "stranger")


def cases(sequence: Path) -> list[Case]:
    """Every one is refused with the name of its folder."""
    return [_case(name, change, sequence) for name, change in changes().items()]
