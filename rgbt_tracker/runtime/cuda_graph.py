"""The work of a frame as one CUDA graph, which a GPU starts at once instead of kernel after kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nestfuse_core.common.console import note

Tensors = dict[str, Tensor]
Work = Callable[[Mapping[str, Tensor]], Tensors]
Replay = Callable[[], None]
Record = Callable[[Work, Tensors], tuple[Replay, Tensors]]
MOST = 8
"""Recordings that are kept, each with memory of its own; further kinds of input are computed without."""
WARM_UP = 3
"""Calls before a recording, in which libraries choose their kernels."""
APART = 1e-3
"""Largest difference of a recording from the work itself, as a part of an output's largest magnitude."""


def record_cuda(work: Work, inputs: Tensors) -> tuple[Replay, Tensors]:
    """Record ``work`` on ``inputs``; return what computes it again, and where its outputs then are.

    Raises:
        RuntimeError: work that cannot be recorded, as it waits for the GPU in between.
    """
    device = next(iter(inputs.values())).device
    # A recording that fails does not give the stream back by itself.
    with torch.cuda.device(device), torch.cuda.stream(torch.cuda.current_stream(device)):
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                work(inputs)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            outputs = work(inputs)
        return graph.replay, outputs


class Recorded:
    """Work that is recorded once for every kind of input and replayed from then on.

    A recording is compared with the work's own answer before it serves. Where it cannot be made, or answers otherwise,
    the work is done as it is from then on, and one line says so.

    Args:
        work: from named tensors to named tensors, of the same names and shapes for the same names and shapes; it reads
            nothing else that changes.
        record: see `record_cuda`.
    """

    def __init__(self, work: Work, record: Record) -> None:
        self._work, self._record = work, record
        self._recordings: dict[object, tuple[Tensors, Replay, Tensors]] = {}
        self._refused = False

    def __call__(self, inputs: Mapping[str, Tensor]) -> Tensors:
        """The work's outputs; those of a recording hold until its next call."""
        kind = tuple((name, values.shape, values.dtype) for name, values in inputs.items())
        found = self._recordings.get(kind)
        if found is None:
            expected = self._work(inputs)
            if not self._refused and len(self._recordings) < MOST:
                self._try(kind, inputs, expected)
            return expected
        places, replay, outputs = found
        for name, place in places.items():
            place.copy_(inputs[name])
        replay()
        return outputs

    def _try(self, kind: object, inputs: Mapping[str, Tensor], expected: Tensors) -> None:
        try:
            places = {name: values.clone() for name, values in inputs.items()}
            replay, outputs = self._record(self._work, places)
            replay()
            far = [name for name, values in expected.items() if not _close(outputs[name], values)]
        except RuntimeError as error:
            far, why = list(expected), str(error).splitlines()[0][:200]
        else:
            why = f"it answers otherwise ({', '.join(far)})"
        if far:
            self._refused = True
            note(f"The network cannot be recorded as a CUDA graph, and is computed kernel by kernel: {why}")
        else:
            self._recordings[kind] = places, replay, outputs


def _close(found: Tensor, expected: Tensor) -> bool:
    largest = expected.abs().max()
    return found.shape == expected.shape and bool((found - expected).abs().max() <= APART * largest)
