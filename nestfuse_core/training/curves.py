"""Loss curves: a CSV file a run, and the plot of one or several (the paper's Fig. 9)."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing, write_text
from nestfuse_core.common.reading import read_table


class Row(NamedTuple):
    """One step: the loss that was minimised, its two parts without lambda, seconds since the run began."""

    step: int
    loss: float
    pixel: float
    ssim: float
    seconds: float


def write_rows(path: str | os.PathLike[str], rows: Sequence[Row]) -> None:
    """Write the curve as CSV; floats so that they read back as they were."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows((row.step, repr(row.loss), repr(row.pixel), repr(row.ssim), f"{row.seconds:.2f}") for row in rows)
    write_text(path, text.getvalue())


def read_rows(path: str | os.PathLike[str]) -> list[Row]:
    """Read what :func:`write_rows` wrote."""
    try:
        header, *rows = read_table(path)
        table = [dict(zip(header, row, strict=True)) for row in rows]
        return [Row(int(row["step"]), *(float(row[name]) for name in Row._fields[1:])) for row in table]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"The file '{path}' is not a loss curve with columns {', '.join(Row._fields)}.") from error


def _smooth(values: Sequence[float], window: int) -> list[float]:
    """Mean over the last ``window`` values."""
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    return [(sums[i + 1] - sums[max(0, i + 1 - window)]) / min(i + 1, window) for i in range(len(values))]


def plot(curves: Mapping[str, Sequence[Row]], path: str | os.PathLike[str]) -> None:
    """Draw total, pixel and SSIM loss against the step, one line a run, as PNG or PDF by the suffix of ``path``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    panels = (("total loss", "loss"), ("pixel loss", "pixel"), ("1 - SSIM", "ssim"))
    for axes, (title, field) in zip(figure.subplots(1, 3), panels, strict=True):
        for label, rows in curves.items():
            values = _smooth([getattr(row, field) for row in rows], max(1, len(rows) // 100))
            axes.plot([row.step for row in rows], values, label=label, linewidth=1)
        axes.set(title=title, xlabel="step", yscale="log")
        axes.grid(alpha=0.3)
        if curves:
            axes.legend(fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
