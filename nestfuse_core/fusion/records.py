"""A run of ``rgbt fuse`` as it was asked for, and what is written beside its fused pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nestfuse_core.cameras.matching import Timing
from nestfuse_core.common import console
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image, write_image
from nestfuse_core.fusion.fuser import Fuser, Fusion, VideoFuser
from nestfuse_core.fusion.maps import write_maps
from nestfuse_core.fusion.overlay import Overlay, VideoOverlay
from nestfuse_core.fusion.scores import Row, means, means_table, write_csv
from nestfuse_core.fusion.sheet import Sheet, chosen_rows
from nestfuse_core.metrics.evaluate import evaluate

MOST_NOTES = 5

Fuse = Fuser | VideoFuser | Overlay | VideoOverlay
"""Takes a thermal and a visible picture, and where the first shows nothing, and returns a `Fusion`."""

Lay = Callable[[Image, tuple[int, int]], tuple[Image, NDArray[np.bool_]]]
"""Lays an infrared picture on a visible one of a width and height, and tells where it shows nothing."""


@dataclass(frozen=True)
class Request:
    """One run: the inputs and everything to be written. Paths as the user typed them.

    ``levels`` are ``image``, each pair's by itself, ``steady`` over frames in their order, or ``auto``: as fits;
    ``lay``: puts infrared pictures on the visible ones first (`nestfuse_core.rig.lay.Laying`).
    """

    ir: Path
    vis: Path
    output: Path
    maps: Path | None = None
    metrics: Path | None = None
    preset: str = "paper"
    sheet: Path | None = None
    levels: str = "auto"
    resume: bool = False
    skip_unpaired: bool = False
    timing: Timing = field(default_factory=Timing)
    lay: Lay | None = None


class Records:
    """What is written beside the fused pictures: maps at once, metrics and sheet at the end, notes on stderr."""

    def __init__(self, request: Request, count: int) -> None:
        self._request = request
        self._rows: list[Row] = []
        self._sheet = Sheet()
        self._on_sheet = set(chosen_rows(count)) if request.sheet is not None else set()
        self._seen: set[str] = set()

    def add(self, index: int, name: str, vis: Image, fusion: Fusion) -> None:
        for note in fusion.notes:
            self._note(name, note)
        if self._request.maps is not None and fusion.shares:
            write_maps(self._request.maps, name, fusion)
        if self._request.metrics is not None:
            try:
                scores = evaluate(fusion.ir, fusion.vis, fusion.luminance, self._request.preset)
            except UserError as error:
                raise UserError(f"No metrics for '{name}': {error}") from error
            self._rows.append({"name": name, **scores})
        if index in self._on_sheet:
            self._sheet.add(name, fusion.ir, vis, fusion.image)

    def finish(self) -> None:
        if self._request.metrics is not None and self._rows:
            write_csv(self._request.metrics, self._rows)
            title = f"mean of {len(self._rows)}, preset {self._request.preset}"
            console.print_table(means_table(title, {str(self._request.output): means(self._rows)}))
        if self._request.sheet is not None and self._on_sheet:
            write_image(self._request.sheet, self._sheet.draw())

    def _note(self, name: str, note: str) -> None:
        if note in self._seen:
            return
        self._seen.add(note)
        if len(self._seen) <= MOST_NOTES:
            console.stderr.print(f"{name}: {note}", markup=False, highlight=False)
        elif len(self._seen) == MOST_NOTES + 1:
            console.stderr.print("(further notes of this kind are left out)", markup=False)


def fuse_pair(fuse: Fuse, request: Request, ir: Image, vis: Image) -> Fusion:
    """Fuse a pair, its infrared picture laid on the visible one if the request says how."""
    if request.lay is None:
        return fuse(ir, vis)
    laid, nothing = request.lay(ir, (vis.shape[1], vis.shape[0]))
    return fuse(laid, vis, nothing)


def refuse_overwriting(output: Path, *inputs: Path) -> None:
    """Raise UserError where the output is an input."""
    for source in inputs:
        if output.resolve() == source.resolve():
            raise UserError(f"--output is the input '{source}'; name another file, so that no input is overwritten.")


def fuse_of(request: Request, fuser: Fuser | Overlay, over_time: bool = False) -> Fuse:
    """Return what fuses the pairs of a run one after the other, with levels of their own or steady ones.

    Args:
        request: what was asked for.
        fuser: what makes the pictures.
        over_time: whether the pictures are known to be frames in their order.
    """
    steady = request.levels == "steady" or (request.levels == "auto" and over_time)
    return fuser.video() if steady else fuser


def pass_over(fuse: Fuse, ir: Image) -> None:
    """Leave out a pair, whose infrared picture the levels of those after it may depend on."""
    if isinstance(fuse, (VideoFuser, VideoOverlay)):
        fuse.pass_over(ir)
