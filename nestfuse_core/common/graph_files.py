"""Which files an ONNX graph takes its parameters from, read from the graph's own file without a further library.

A graph names such a file anywhere it has a tensor, and some versions of ONNX Runtime follow ``../x`` and links out of
the graph's folder. This walks the file as Protocol Buffers write it (onnx.proto), down to all tensors.
"""

from __future__ import annotations

from collections.abc import Iterator

Parts = dict[int, str]
TENSORS = "tensor"
# Number of a field -> what lies there, of those under which a tensor may lie.
MESSAGES: dict[str, Parts] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: TENSORS, 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: TENSORS, 6: "graph", 10: TENSORS, 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: TENSORS, 2: TENSORS},
    TENSORS: {13: "entry"},
    "entry": {},
}
KEY, VALUE = 1, 2
LOCATION = b"location"
BYTES = 2
"""The kind of a field that is a text or a message; of others only the length matters."""
FIXED = {1: 8, 5: 4}


def locations(content: bytes) -> set[str]:
    """Names of the files that the graph in ``content`` takes parameters from.

    Raises:
        ValueError: no file of that kind.
    """
    found = set()
    waiting = [("model", memoryview(content))]
    while waiting:
        kind, message = waiting.pop()
        texts: dict[int, bytes] = {}
        for number, value in _fields(message):
            # Most of a graph names no file: only what holds the word can.
            if number in MESSAGES[kind] and LOCATION in bytes(value):
                waiting.append((MESSAGES[kind][number], value))
            elif kind == "entry":
                texts[number] = bytes(value)
        if texts.get(KEY) == LOCATION:
            found.add(texts.get(VALUE, b"").decode(errors="replace"))
    return found


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Numbers and contents of a message's texts and messages."""
    place, end = 0, len(message)
    while place < end:
        tag, place = _number(message, place)
        kind = tag & 7
        if kind == 0:
            _, place = _number(message, place)
            continue
        length = FIXED.get(kind, 0)
        if kind == BYTES:
            length, place = _number(message, place)
        elif not length:
            raise ValueError(f"a field of the kind {kind}")
        if place + length > end:
            raise ValueError("it ends in a field")
        if kind == BYTES:
            yield tag >> 3, message[place : place + length]
        place += length


def _number(message: memoryview, place: int) -> tuple[int, int]:
    """A number of seven bits a byte from ``place`` on, and the place after it."""
    found = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, place
    raise ValueError("a number without an end")
