"""Scoring folders of fused images, whoever made them, and the tables that come of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.table import Column, Table

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import write_text
from nestfuse_core.common.pictures import Image, read_image, white_level
from nestfuse_core.common.spreadsheets import guarded
from nestfuse_core.fusion import thermal
from nestfuse_core.fusion.colour import luminance
from nestfuse_core.fusion.pairs import Pair, match_results
from nestfuse_core.metrics.evaluate import METRICS, evaluate

Row = dict[str, str | float]
Score = Callable[[Image, Image, Image], dict[str, float]]
"""Takes an infrared, a visible and a fused picture: `evaluate` or a form of it."""


def score_pair(pair: Pair, fused: Path, score: Score = evaluate) -> dict[str, float]:
    """Score one fused file. Infrared of more than 8 bits is scaled by its percentiles, as it is for fusion.

    Raises:
        UserError: a file cannot be read, or the sizes differ; the message names the fused file.
    """
    ir, vis, result = read_image(pair.ir), read_image(pair.vis), read_image(fused)
    try:
        return score(_thermal_grey(ir), _visible_grey(vis), _visible_grey(result))
    except UserError as error:
        raise UserError(f"Cannot score '{fused}': {error}") from error


def score_folder(
    pairs: Sequence[Pair], fused: Path, score: Score = evaluate, on_pair: Callable[[], None] = lambda: None
) -> list[Row]:
    """Score a folder of results; one row a pair: method (the folder's name), name, then the metrics."""
    results = match_results(list(pairs), fused)
    rows: list[Row] = []
    for pair in pairs:
        rows.append({"method": fused.resolve().name, "name": pair.name, **score_pair(pair, results[pair.name], score)})
        on_pair()
    return rows


def means(rows: Sequence[Row]) -> dict[str, float]:
    """Mean of every metric over the rows."""
    metrics = [name for name, value in rows[0].items() if not isinstance(value, str)]
    return {name: float(np.mean([float(row[name]) for row in rows])) for name in metrics}


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV with 8 decimals, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        texts = {key: f"{value:.8f}" if isinstance(value, float) else guarded(value) for key, value in row.items()}
        writer.writerow(texts)
    write_text(path, text.getvalue())


def means_table(title: str, methods: dict[str, dict[str, float]]) -> Table:
    """Return a table with one line a method, for the terminal."""
    table = Table(Column("", max_width=40, overflow="fold"), *METRICS, title=title)
    for method, values in methods.items():
        table.add_row(method, *(f"{values[name]:.5f}" for name in METRICS))
    return table


def _thermal_grey(image: Image) -> Image:
    grey = thermal.as_grey(image)
    if not thermal.needs_scaling(grey):
        return grey
    return thermal.to_grey_levels(grey, thermal.robust_range([grey])) / np.float32(255)


def _visible_grey(image: Image) -> Image:
    """8 bits rounded, as the metrics of the fusion itself are taken."""
    return np.rint(luminance(image) * np.float32(255 / white_level(image))).astype(np.uint8)
