"""Trackers that are not ours, by the name of the function that makes them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from numpy.typing import ArrayLike

from nestfuse_core.common.errors import UserError
from rgbt_tracker.tracking.interface import Result, SingleObjectTracker


def from_factory(name: str, weights: str | None = None) -> SingleObjectTracker:
    """The tracker that ``module:function`` makes; modules of the working directory are found, too.

    Args:
        name: of a function, or class, that returns an object with ``initialize`` and ``update``.
        weights: given to it as its one argument; without, it is called with none.

    Raises:
        UserError: it cannot be imported or called, or what it made cannot track.
    """
    module, _, function = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"Expected a tracker factory as 'module:function', cannot load '{name}': {error}.") from error
    try:
        tracker: SingleObjectTracker = make() if weights is None else make(weights)
    except TypeError as error:
        raise UserError(f"The tracker factory '{name}' was called {_how(weights)}: {error}.") from error
    for method in ("initialize", "update"):
        if not hasattr(tracker, method):
            raise UserError(f"The tracker factory '{name}' returned a {type(tracker).__name__} without '{method}'.")
    return tracker


def _how(weights: str | None) -> str:
    return "without arguments; if it needs a file, give it as --weights" if weights is None else f"with '{weights}'"


class Limited:
    """A tracker that is shown some of the cameras only.

    Args:
        cameras: of "rgb" and "ir"; None is passed for the other one.
    """

    def __init__(self, tracker: SingleObjectTracker, cameras: tuple[str, ...]) -> None:
        self.tracker, self.cameras = tracker, cameras

    def initialize(self, rgb: ArrayLike | None, ir: ArrayLike | None, box: ArrayLike) -> None:
        """As the tracker's."""
        self.tracker.initialize(*self._shown(rgb, ir), box)

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Result:
        """As the tracker's."""
        return self.tracker.update(*self._shown(rgb, ir))

    def _shown(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> tuple[ArrayLike | None, ArrayLike | None]:
        return rgb if "rgb" in self.cameras else None, ir if "ir" in self.cameras else None
