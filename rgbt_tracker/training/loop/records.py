"""What a run leaves behind to look at: CSV tables and curves."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import replacing, write_text
from nestfuse_core.common.spreadsheets import guarded, unguarded

LOG_FIELDS = (
    "step",
    "loss",
    "positive",
    "negative",
    "location",
    "teacher",
    "iou",
    "rate",
    "gradient",
    "pairs_per_second",
    "skipped",
)
VALIDATION_FIELDS = ("step", "sequence", "modality", "mean_iou")


class Table:
    """A CSV file that grows by rows of one run; ``step`` is its first column.

    Opened for a resumed run, rows from the step on that is resumed are dropped. Raises UserError for a damaged file.
    """

    def __init__(self, path: Path, fields: Sequence[str], before: int) -> None:
        self.path, self.fields = path, fields
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, fields, lineterminator="\n")
        writer.writeheader()
        try:
            for row in read_table(path) if path.is_file() else ():
                if float(row["step"]) < before:
                    writer.writerow({key: guarded(cell) for key, cell in row.items()})
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            raise UserError(
                f"'{path}' is not a table of this run, or it is damaged; delete it to go on without its rows."
            ) from error
        write_text(path, buffer.getvalue())

    def add(self, row: Mapping[str, object]) -> None:
        """Append a row; numbers with six significant digits."""
        values = {key: f"{value:.6g}" if isinstance(value, float) else guarded(value) for key, value in row.items()}
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self.fields, lineterminator="\n").writerow(values)


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a header, as they were given to `Table`."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{key: unguarded(cell) if isinstance(cell, str) else cell for key, cell in row.items()} for row in rows]


def draw_curves(folder: Path) -> Path:
    """Draw ``log.csv`` and ``validation.csv`` of a run to ``curves.png``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    panels = figure.subplots(2, 2)
    rows = read_table(folder / "log.csv")
    steps = [int(row["step"]) for row in rows]
    shown = (
        (panels[0, 0], ("loss", "positive", "negative", "location", "teacher")),
        (panels[0, 1], ("iou",)),
        (panels[1, 0], ("rate",)),
    )
    for panel, names in shown:
        for name in names:
            # a run may have begun before a column existed
            values = [float(row[name] or 0) for row in rows]
            panel.plot(steps, _smooth(values), label=name)
    _draw_validation(panels[1, 1], folder / "validation.csv")
    for panel in panels.flat:
        panel.set_xlabel("step")
        panel.grid(alpha=0.3)
        if panel.lines:
            panel.legend(fontsize=8)
    with replacing(folder / "curves.png") as temporary:
        figure.savefig(temporary, dpi=110)
    return folder / "curves.png"


def _draw_validation(panel: object, path: Path) -> None:
    """Mean over the sequences, one line a modality."""
    panel.set_title("validation, one-pass mean IoU", fontsize=9)  # type: ignore[attr-defined]
    if not path.is_file():
        return
    scores: dict[str, dict[int, list[float]]] = {}
    for row in read_table(path):
        scores.setdefault(row["modality"], {}).setdefault(int(row["step"]), []).append(float(row["mean_iou"]))
    for modality, points in scores.items():
        means = [sum(values) / len(values) for values in points.values()]
        panel.plot(list(points), means, marker="o", label=modality)  # type: ignore[attr-defined]


def _smooth(values: list[float], decay: float = 0.9) -> list[float]:
    smoothed: list[float] = []
    for value in values:
        smoothed.append(value if not smoothed else decay * smoothed[-1] + (1 - decay) * value)
    return smoothed
