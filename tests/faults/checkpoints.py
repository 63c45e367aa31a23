"""Hostile checkpoints: files that claim to be weights."""

from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from judge import Case, command


class Marks:
    """Unpickled, it writes a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("open('MARK', 'w').close()",)


def nested(depth: int) -> list[Any]:
    content: list[Any] = []
    for _ in range(depth):
        content = [content]
    return content


def saved(content: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def packed() -> bytes:
    """A torch file whose record would become a hundred times as much."""
    source, target = zipfile.ZipFile(io.BytesIO(saved({"x": torch.zeros(1_000_000)}))), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in source.infolist():
            archive.writestr(item.filename, source.read(item))
    return target.getvalue()


def changed(position: int) -> bytes:
    """A file with one byte changed."""
    data = bytearray(GOOD)
    data[position] ^= 0xFF
    return bytes(data)


def deep(depth: int = 20_000) -> bytes:
    """A torch file whose pickle is that many lists in each other."""
    target = io.BytesIO(without("data.pkl"))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b".")
    return target.getvalue()


def without(name: str) -> bytes:
    source, target = zipfile.ZipFile(io.BytesIO(GOOD)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for item in source.infolist():
            if not item.filename.endswith(name):
                archive.writestr(item.filename, source.read(item))
    return target.getvalue()


GOOD = saved({"a": torch.ones(4, 4)})
TENSORS: dict[str, Callable[[], Any]] = {
    "one NaN": lambda: torch.tensor([1.0, float("nan")]),
    "infinity": lambda: torch.tensor([float("inf")]),
    "NaN in half precision": lambda: torch.tensor([float("nan")]).half(),
    "NaN in bfloat16": lambda: torch.tensor([float("nan")]).bfloat16(),
    "400 GB expanded": lambda: torch.zeros(1).expand(100_000, 1_000_000),
    "expanded twice": lambda: torch.zeros(2).expand(4, 2),
    "complex": lambda: torch.zeros(2, dtype=torch.complex64),
    "complex, double": lambda: torch.zeros(2, dtype=torch.complex128),
    "sparse": lambda: torch.eye(3).to_sparse(),
    "sparse rows": lambda: torch.eye(3).to_sparse_csr(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8),
    "without memory": lambda: torch.empty(3, device="meta"),
    "overflowing": lambda: torch.tensor([1e300], dtype=torch.float64),
    "number": lambda: 3.0,
    "text": lambda: "weights",
    "list of tensors": lambda: [torch.ones(2)],
    "mapping of numbers": lambda: {"deeper": 1},
    "none": lambda: None,
}
CONTENTS: dict[str, Callable[[], Any]] = {
    "a tensor alone": lambda: torch.ones(3),
    "a list": lambda: [torch.ones(3)],
    "nothing in it": dict,
    "an empty state dict": lambda: {"state_dict": {}},
    "numbers as names": lambda: {1: torch.ones(2)},
    "tuples as names": lambda: {("a",): torch.ones(2)},
    "lists in lists": lambda: {"a": nested(100)},
    "a whole network": lambda: torch.nn.Linear(2, 2),
    "code": lambda: {"a": Marks()},
    "code in an ordered dict": lambda: OrderedDict(a=torch.ones(1), b=Marks()),
}
FILES: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"version https://git-lfs.github.com/spec/v1\n",
    "a page": lambda: b"<!DOCTYPE html><html></html>",
    "random bytes": lambda: random.Random(1).randbytes(3000),
    "half": lambda: GOOD[: len(GOOD) // 2],
    "a plain pickle of code": lambda: pickle.dumps(Marks()),
    "an old file of code": lambda: saved({"a": Marks()}, _use_new_zipfile_serialization=False),
    "a pickle that never ends": lambda: b"\x80\x02" + b"(" * 100_000,
    "nested 20,000 deep": deep,
    "packed": packed,
    "no pickle": lambda: without("data.pkl"),
    "no record": lambda: without("data/0"),
    "a byte of its end": lambda: changed(-22),
    "a byte of its pickle": lambda: changed(GOOD.index(b"\x80\x02")),
}


def _case(name: str, data: Callable[[], bytes]) -> Case:
    def make(folder: Path) -> Callable[[], None]:
        file = folder / "stranger.pt"
        file.write_bytes(data())
        return command("weights", "add", "own", file)

    return Case(name, make)


def cases() -> list[Case]:
    """Every one is refused by what adopts weights."""
    tensors = [_case(f"tensor: {name}", lambda make=make: saved({"a": make()})) for name, make in TENSORS.items()]
    contents = [_case(f"content: {name}", lambda make=make: saved(make())) for name, make in CONTENTS.items()]
    return tensors + contents + [_case(f"file: {name}", make) for name, make in FILES.items()]
