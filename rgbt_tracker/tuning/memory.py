"""Remember what a network answered for the pixels it has already seen.

Trials of a search differ in how they turn the head's output into a box, not in the network. As long as two trials cut
the same search region out of a frame, the second one needs no network: crops are cut at whole pixels, so trials agree
from the first frame until their boxes differ by about one pixel, and again wherever they meet.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgbt_tracker.models.network import SiameseNetwork
from rgbt_tracker.runtime.interface import Answer, Floats, Pixels, Runtime, State
from rgbt_tracker.runtime.with_torch import TorchRuntime

Key = tuple[str, ...]


class Memory:
    """The answers used last, up to a number of bytes.

    Attributes:
        hits, misses: of each kind of answer ("features", "search", "template").
        seconds: that computing the misses took.
    """

    def __init__(self, limit: int = 1 << 30) -> None:
        self.limit = limit
        self.hits: dict[str, int] = {}
        self.misses: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self._answers: OrderedDict[Key, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def recall(self, kind: str, key: Key, compute: Callable[[], Any]) -> Any:
        """Return the remembered answer, or compute and remember it."""
        name = (kind, *key)
        if name in self._answers:
            self._answers.move_to_end(name)
            self.hits[kind] = self.hits.get(kind, 0) + 1
            return self._answers[name][0]
        self.misses[kind] = self.misses.get(kind, 0) + 1
        clock = time.perf_counter()
        answer = compute()
        self.seconds[kind] = self.seconds.get(kind, 0.0) + time.perf_counter() - clock
        size = _bytes(answer)
        if size <= self.limit:
            self._answers[name] = answer, size
            self._bytes += size
            while self._bytes > self.limit:
                self._bytes -= self._answers.popitem(last=False)[1][1]
        return answer

    def rate(self, kind: str) -> float:
        """Share of the questions of this kind that needed no network, in [0, 1]."""
        hits, misses = self.hits.get(kind, 0), self.misses.get(kind, 0)
        return hits / (hits + misses) if hits + misses else 0.0

    def saved(self) -> float:
        """Seconds that the answered searches would have taken at the mean time of the computed ones."""
        misses = self.misses.get("search", 0)
        return self.hits.get("search", 0) * self.seconds.get("search", 0.0) / misses if misses else 0.0


class RememberingRuntime:
    """A runtime behind a `Memory`, for `rgbt_tracker.tracking.tracker.Tracker`.

    Crops are told apart by their pixels, so an answer is never given for another image.

    Args:
        runtime: computes what is not remembered.
        memory: shared between the fusion variants.
        variant: name of the fusion variant; heads' outputs are remembered for each by itself.
        features: also remember the backbone's features, which variants of one set of weights have in common; in torch
            only. They are many times larger than the outputs.
    """

    def __init__(self, runtime: Runtime, memory: Memory, variant: str, features: bool = False) -> None:
        self.runtime, self.answers, self.variant = runtime, memory, variant
        self.name, self.device = runtime.name, runtime.device
        self._templates: dict[tuple[str, ...], tuple[State, str]] = {}
        if features and isinstance(runtime, TorchRuntime):
            _remember_features(runtime.network, memory)

    def template(self, images: Pixels, cameras: tuple[str, ...]) -> State:
        """As `Runtime.template`."""
        name = digest(images) + "".join(cameras)
        answer: State = self.answers.recall(
            "template", (self.variant, name), lambda: self.runtime.template(images, cameras)
        )
        self._templates[cameras] = answer, name
        return answer

    def search(self, state: State, images: Pixels, memory: Floats | None = None, maps: bool = False) -> Answer:
        """As `Runtime.search`; ``state`` must be the one that `template` returned last for its cameras.

        ``memory`` is the track's own (of the reliability gate) and part of the question.
        """
        known, name = self._templates[state.cameras]
        assert state is known
        past = "" if memory is None else memory.tobytes().hex()
        key = (self.variant, name, digest(images), past, str(maps))
        return self.answers.recall("search", key, lambda: self.runtime.search(state, images, memory, maps))

    def stack(self, states: Sequence[State]) -> State:
        """As `Runtime.stack`; a memory serves trackers of one target."""
        (state,) = states
        return state

    def digest(self) -> str:
        """As `Runtime.digest`."""
        return self.runtime.digest()


def _remember_features(network: SiameseNetwork, memory: Memory) -> None:
    extract = network.extract

    def recalled(images: Tensor, modalities: tuple[str, ...] | None = None) -> list[Tensor]:
        # Crops hold whole numbers 0..255, so bytes describe them.
        key = digest(images.to(torch.uint8).cpu().numpy()), *(modalities or ())
        return memory.recall("features", key, lambda: extract(images, modalities))

    network.extract = recalled  # type: ignore[method-assign]


def digest(images: Pixels) -> str:
    """Name of a stack of crops: equal for equal pixels and shapes."""
    return f"{images.shape}{hashlib.sha1(images.tobytes(), usedforsecurity=False).hexdigest()}"


def _bytes(answer: Any) -> int:
    if isinstance(answer, (Tensor, np.ndarray)):
        return answer.nbytes
    if isinstance(answer, (list, tuple)):
        return sum(_bytes(part) for part in answer)
    return sum(_bytes(part) for part in answer.values()) if isinstance(answer, dict) else 0
