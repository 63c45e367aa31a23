"""Remember what a network answered for the pixels it has already seen.

Trials of a search differ in how they turn the head's output into a box, not in the network. As long as two trials cut
the same search region out of a frame, the second one needs no network: crops are cut at whole pixels, so trials agree
from the first frame until their boxes differ by about one pixel, and again wherever they meet.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rgbt_tracker.models.network import SearchOutput, SiameseNetwork, Template

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


class RememberingNetwork:
    """A `SiameseNetwork` behind a `Memory`, for `rgbt_tracker.tracking.tracker.Tracker`.

    Crops are told apart by their pixels, so an answer is never given for another image.

    Args:
        network: in evaluation mode.
        memory: shared between the fusion variants.
        variant: name of the fusion variant; heads' outputs are remembered for each by itself.
        features: also remember the backbone's features, which variants of one set of weights have in common. They
            are many times larger than the outputs.
    """

    def __init__(self, network: SiameseNetwork, memory: Memory, variant: str, features: bool = False) -> None:
        self.network, self.answers, self.variant = network, memory, variant
        self._templates: dict[tuple[str, ...], tuple[Template, str]] = {}
        if features:
            extract = network.extract
            network.extract = lambda images, modalities=None: memory.recall(  # type: ignore[method-assign]
                "features", (digest(images), *(modalities or ())), lambda: extract(images, modalities)
            )

    def template(self, images: Tensor, modalities: tuple[str, ...] | None = None) -> Template:
        """As `SiameseNetwork.template`."""
        name = digest(images) + "".join(modalities or ())
        answer: Template = self.answers.recall(
            "template", (self.variant, name), lambda: self.network.template(images, modalities)
        )
        self._templates[answer.modalities] = answer, name
        return answer

    def search(self, template: Template, images: Tensor, memory: Tensor | None = None) -> SearchOutput:
        """As `SiameseNetwork.search`; ``template`` must be the one that `template` returned last for its modalities.

        ``memory`` is the track's own (of the reliability gate) and part of the question.
        """
        known, name = self._templates[template.modalities]
        assert template is known
        past = "" if memory is None else memory.cpu().numpy().tobytes().hex()
        key = (self.variant, name, digest(images), past)
        return self.answers.recall("search", key, lambda: self.network.search(template, images, memory))


def digest(images: Tensor) -> str:
    """Name of a stack of crops: equal for equal pixels. Crops hold whole numbers 0..255, so bytes describe them."""
    pixels = images.to(torch.uint8).cpu().numpy().tobytes()
    return f"{tuple(images.shape)}{hashlib.sha1(pixels, usedforsecurity=False).hexdigest()}"


def _bytes(answer: Any) -> int:
    if isinstance(answer, Tensor):
        return answer.numel() * answer.element_size()
    if isinstance(answer, (list, tuple)):
        return sum(_bytes(part) for part in answer)
    return sum(_bytes(part) for part in answer.values()) if isinstance(answer, dict) else 0
