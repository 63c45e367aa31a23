"""Published scores on VOT-RGBT2019, and the paper's Table VI with ours beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.benchmark import load_regions
from rgbt_tracker.evaluation.reset_measures import Scores, score
from rgbt_tracker.evaluation.reset_runs import runs_of
from rgbt_tracker.results.find import find_results
from rgbt_tracker.vot.dataset import listed_sequences


@dataclass(frozen=True)
class Row:
    """One line of the table. ``failures`` is the attribute-weighted mean the paper prints; None: not published."""

    name: str
    source: str
    eao: float | None
    accuracy: float | None = None
    failures: float | None = None
    total_failures: float | None = None


PAPER = "NestFuse paper, Table VI"
PUBLISHED = (
    Row("SiamRPN++ infrared", PAPER, 0.2831, 0.5875, 43.9274),
    Row("SiamRPN++ RGB", PAPER, 0.3312, 0.6104, 37.5201),
    Row("SiamRPN++ with NestFuse", PAPER, 0.3493, 0.6661, 40.9503),
    Row("JMMAC", "published, R 0.821", 0.4826, 0.665),
    Row("SiamCDA", "published", 0.424),
    Row("TAAT", "published", 0.416),
    Row("DFAT", "published", 0.413),
    Row("ADRNet", "published", 0.396),
    Row("mfDiMP", "published", 0.388),
    Row("FSRPN", "published", 0.355),
    Row("HMFT", "published", 0.347),
    Row("MANet", "published", 0.346),
    Row("MPAT", "published", 0.318),
    Row("SiamFT", "published", 0.310),
    Row("CISRDCF", "published", 0.292),
)


def own_row(name: str, scores: Scores) -> Row:
    """A measured row; says so when it is not of the whole dataset."""
    whole = (scores.sequences, scores.pooled.frames) == (60, 20083)
    source = "measured" if whole else f"measured, {scores.sequences} of 60 sequences"
    eao = scores.eao if scores.eao == scores.eao else None
    return Row(name, source, eao, scores.weighted.accuracy, scores.weighted.failures, scores.pooled.failures)


def measured_rows(workspace: Path, experiment: str = "baseline") -> tuple[list[Row], list[str]]:
    """Rows of the workspace's trackers, and a note for each whose results are incomplete."""
    rows: list[Row] = []
    if not (workspace / "results").is_dir():
        return rows, []
    try:
        truths = load_regions(workspace / "sequences", listed_sequences(workspace / "sequences") or None)
        trackers = find_results([workspace / "results"], truths, experiment)
    except UserError as error:
        return rows, [str(error)]
    found = {tracker.folder.name for tracker in trackers}
    notes = [
        f"{folder.parent.name}: Expected results of {len(truths)} sequences in '{folder}', found none."
        for folder in sorted((workspace / "results").glob(f"*/{experiment}"))
        if folder.parent.name not in found
    ]
    for tracker in trackers:
        try:
            rows.append(own_row(tracker.name, score(runs_of(tracker, truths))))
        except UserError as error:
            notes.append(f"{tracker.name}: {error}")
    return rows, notes


def as_cells(rows: list[Row]) -> list[list[str]]:
    """The headings and the rows as texts, best EAO first."""
    header = ["tracker", "EAO", "accuracy", "failures", "failures, total", "source"]
    ordered = sorted(rows, key=lambda row: -(row.eao if row.eao is not None else -1.0))
    cells = [
        [
            row.name,
            _number(row.eao, 4),
            _number(row.accuracy, 4),
            _number(row.failures, 4),
            _number(row.total_failures, 0),
            row.source,
        ]
        for row in ordered
    ]
    return [header, *cells]


def as_markdown(rows: list[Row]) -> str:
    """A Markdown table, best EAO first."""
    header, *cells = as_cells(rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, ["---"] * len(header), *cells])


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
