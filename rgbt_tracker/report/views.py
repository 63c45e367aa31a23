"""What a report shows: tables, plots and sentences from the scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rgbt_tracker.evaluation.comparison import OnePassComparison
from rgbt_tracker.evaluation.protocols import NORMALISED_LIMIT, NORMALISED_THRESHOLDS, SUCCESS_THRESHOLDS, Protocol
from rgbt_tracker.evaluation.reset_comparison import ResetComparison
from rgbt_tracker.evaluation.reset_measures import ar_point
from rgbt_tracker.evaluation.scored import Scored
from rgbt_tracker.report.figures import Curves, Intervals, Line, Plot, Points
from rgbt_tracker.report.tables import Column, Table

TRACKER = {"tracker": "Tracker"}
FEW = 10  # sequences: with fewer, bootstrap intervals are too narrow
# Fewer are not better by themselves: who never finds the target again fails once. "Lost frames" tells.
FAILURES = Column("failures", "Failures", 0, better="", hint="Number of times the overlap fell to zero")
LOST = Column("lost", "Lost frames", better="low", hint="Share of frames without any overlap, target in view")
FRAMES = Column("frames", "Frames", 0, bar=False, better="")
COUNT = Column("sequences", "Sequences", 0, bar=False, better="")


def contents(scored: Scored, played: int) -> tuple[list[Table], list[Plot], list[str]]:
    """Return the tables, the plots and the sentences above them; with resets first.

    ``played`` is the number of sequences that the player holds.
    """
    tables, plots, headlines = [], [], []
    if reset := scored.reset:
        tables += reset_tables(reset)
        plots += reset_plots(reset, scored.numbers)
        headlines.append(headline(reset.summary, reset.differences, "eao", "EAO"))
    if one_pass := scored.one_pass:
        tables += one_pass_tables(one_pass)
        plots += one_pass_plots(one_pass, scored.numbers)
        headlines.append(headline(one_pass.summary, one_pass.differences, "success", one_pass.rules.labels[1]))
        headlines.append(scored.protocol)
    headlines.append(extent(scored, played))
    return tables, plots, headlines


def extent(scored: Scored, played: int) -> str:
    """Say how much the report rests on, and that the player holds ``played`` of the sequences where not all."""

    def count(number: int, noun: str) -> str:
        return f"{number:,} {noun}{'' if number == 1 else 's'}"

    sequences = scored.sequences
    frames = sum(len(sequence) for sequence in sequences.values())
    words = f"{count(len(scored.trackers), 'tracker')}, {count(len(sequences), 'sequence')}, {count(frames, 'frame')}."
    if others := sum(tracker.others for tracker in scored.trackers):
        words += f" {count(others, 'result file')} of other sequences {'is' if others == 1 else 'are'} passed over."
    if played < len(sequences):
        words += f" The player holds {played} of them, the hardest first; --player NAME adds others."
    return words


def labels(rules: Protocol) -> tuple[str, str]:
    """Return what the benchmark calls precision and success, to begin a heading with."""
    precision, success = (label if label.isupper() else label.capitalize() for label in rules.labels)
    return precision, success


def one_pass_columns(rules: Protocol) -> list[Column]:
    """Return the scores of one pass, the leading one first."""
    precision, success = labels(rules)
    pixels = f"{rules.precision_pixels:g} px"
    within = "below" if rules.strict else "up to"
    return [
        Column("success", success, hint="Area under the success curve: overlap thresholds 0 to 1"),
        Column("precision", f"{precision} {pixels}", hint=f"Frames with a centre error {within} {pixels}"),
        Column("normalised_precision", "Norm. precision", hint=f"Centre error up to {NORMALISED_LIMIT:g} target sizes"),
        Column("mean_iou", "Mean overlap", hint="Mean intersection over union"),
    ]


def one_pass_tables(scores: OnePassComparison) -> list[Table]:
    """Return summary, attributes, sequences and differences of one-pass results."""
    columns = one_pass_columns(scores.rules)
    speed = Column("fps", "Frames/s", 1, better="", hint="Without the first frame; only as comparable as the machines")
    timed = [speed] if scores.summary["fps"].notna().any() else []
    by_tag = {"attribute": "Attribute", **TRACKER}
    by_name = {"sequence": "Sequence", **TRACKER}
    rules = f"One pass, by the {'plain protocol' if scores.key == 'plain' else f'rules of {scores.rules.title}'}. "
    tagged = "Frames that carry the attribute, averaged over the sequences with some."
    whole = "Sequences that have the attribute, all of their frames."
    tables = [
        Table("summary", "summary", "One pass", scores.summary, TRACKER, [*columns, LOST, FAILURES, *timed, COUNT],
              (rules + _left_out(scores.left_out)).strip()),
        Table("attributes", "attributes", "Scores by attribute, one pass", scores.attributes, by_tag,
              [*columns[:3], FRAMES, COUNT], tagged if scores.by_frame else whole, group="attribute"),
        Table("sequences", "sequences", "Scores by sequence, one pass", scores.sequences, by_name,
              [*columns, LOST, FAILURES, *timed, FRAMES], group="sequence"),
        _differences_table("differences", "Differences, one pass", scores.differences),
    ]  # fmt: skip
    return [table for table in tables if len(table.data)]


def reset_tables(scores: ResetComparison) -> list[Table]:
    """Return summary, attributes, sequences and differences of VOT results."""
    low, high = next(iter(scores.scores.values())).interval
    accuracy = Column("accuracy", "Accuracy", hint="Mean overlap outside the ten frames after each start")
    columns = [
        Column("eao", "EAO", hint=f"Expected average overlap over lengths {low} to {high}"),
        accuracy,
        Column("robustness", "Robustness", hint="exp(-30 failures / frames)"),
        _failures(scores.summary["failures"]),
        COUNT,
    ]
    counted = [accuracy, _failures(scores.sequences["failures"]), FRAMES]
    note = f"Reset-based protocol, EAO over lengths {low} to {high}. {_left_out(scores.left_out)}"
    by_tag = {"attribute": "Attribute", **TRACKER}
    by_name = {"sequence": "Sequence", **TRACKER}
    tables = [
        Table("vot_summary", "summary", "VOT, with resets", scores.summary, TRACKER, columns, note.strip()),
        Table("vot_attributes", "attributes", "Scores by attribute, with resets", scores.attributes, by_tag, counted,
              group="attribute"),
        Table("vot_sequences", "sequences", "Scores by sequence, with resets", scores.sequences, by_name, counted,
              group="sequence"),
        _differences_table("vot_differences", "Differences, with resets", scores.differences),
    ]  # fmt: skip
    return [table for table in tables if len(table.data)]


def _failures(values: pd.Series) -> Column:
    """Show failures with a decimal where they are means of repetitions."""
    whole = bool((values == values.round()).all())
    return Column("failures", "Failures", 0 if whole else 2, better="low", hint="Mean of the repetitions, summed")


def _left_out(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(names[:8]) + (" and others" if len(names) > 8 else "")
    return f"Scored on the sequences that all trackers ran; left out: {listed}."


def _differences_table(name: str, title: str, data: pd.DataFrame) -> Table:
    columns = [Column("difference", "Difference", bar=False, better="")]
    if len(data) and data["low"].isna().all():
        note = "First minus second. One sequence says nothing about others, so there is no interval."
    else:
        note = (
            "First minus second, with its 95 % interval from a paired bootstrap over sequences. "
            "An interval that holds 0 does not show a difference."
        )
        if data["sequences"].max() < FEW:
            note += f" Fewer than {FEW} sequences make it too narrow."
        columns += [
            Column("low", "From", bar=False, better=""),
            Column("high", "To", bar=False, better=""),
        ]
        if "first_better" in data:
            columns += [
                Column("first_better", "First better", 0, bar=False, better="", hint="Sequences the first one wins"),
                Column("second_better", "Second better", 0, bar=False, better="", hint="Sequences the second one wins"),
            ]
    keys = {"score": "Score", "first": "First", "second": "Second"}
    return Table(name, "differences", title, data, keys, [*columns, COUNT], note)


def one_pass_plots(scores: OnePassComparison, numbers: dict[str, int]) -> list[Plot]:
    """Return success, precision and normalised precision plots and the intervals of the differences."""
    precision, success = labels(scores.rules)
    order = scores.summary.set_index("tracker")

    def lines(curve: str, score: str, x) -> list[Line]:
        return [
            Line(numbers[name], f"{name} [{order.loc[name, score]:.3f}]", x, getattr(scores.scores[name].total, curve))
            for name in order.index
        ]

    return [
        Curves("success", success, ("Overlap threshold", "Share of frames above it"),
                       lines("success", "success", SUCCESS_THRESHOLDS), top=1.02),
        Curves("precision", precision, ("Centre error threshold, px", "Share of frames within it"),
                       lines("precision", "precision", scores.rules.precision_thresholds), top=1.02),
        Curves("normalised_precision", "Normalised precision",
                       ("Centre error threshold, target sizes", "Share of frames within it"),
                       lines("normalised", "normalised_precision", NORMALISED_THRESHOLDS), top=1.02),
        *_interval_plots(scores.differences, numbers, scores.rules.labels[1], "differences",
                         f"Difference in {scores.rules.labels[1]}"),
    ]  # fmt: skip


def reset_plots(scores: ResetComparison, numbers: dict[str, int]) -> list[Plot]:
    """Return the EAO curve, the accuracy-robustness plot and the intervals of the differences in EAO."""
    order = list(scores.summary["tracker"])
    lines = []
    for name in order:
        curve, eao = scores.scores[name].curve, scores.scores[name].eao
        label = name if np.isnan(eao) else f"{name} [{eao:.3f}]"
        lines.append(Line(numbers[name], label, np.arange(1, len(curve) + 1, dtype=np.float64), curve))
    band = scores.scores[order[0]].interval
    longest = max(len(line.x) for line in lines)
    marks = [(numbers[name], name, *ar_point(scores.scores[name].pooled)) for name in order]
    return [
        Curves("eao", "Expected average overlap", ("Sequence length, frames", "Expected overlap"), lines,
                       band=band if band[0] < longest else None, top=1.02),
        Points("ar", "Accuracy and robustness", ("Robustness (S = 30)", "Accuracy"), marks),
        *_interval_plots(scores.differences, numbers, "EAO", "vot_differences", "Difference in EAO"),
    ]  # fmt: skip


def _interval_plots(data: pd.DataFrame, numbers: dict[str, int], score: str, name: str, title: str) -> list[Plot]:
    chosen = data[(data["score"] == score) & data["low"].notna()]
    rows = [
        (f"{row.first} − {row.second}", numbers[row.first if row.difference >= 0 else row.second],
         row.difference, row.low, row.high)
        for row in chosen.itertuples()
    ]  # fmt: skip
    return [Intervals(name, title, (f"{title}, 95 % interval", ""), rows)] if rows else []


def headline(summary: pd.DataFrame, differences: pd.DataFrame, score: str, label: str) -> str:
    """Say in a sentence which tracker leads and whether the next one is clearly behind it.

    Args:
        summary: best tracker first.
        score, label: name of the leading score in ``summary``, and in words (also its name in ``differences``).
    """
    best = summary.iloc[0]
    if np.isnan(best[score]):
        return f"No {label}: the sequences are shorter than its interval."
    if len(summary) == 1:
        return f"{best['tracker']}: {label} {best[score]:.3f}."
    second = summary.iloc[1]
    gap = best[score] - second[score]
    words = f"{best['tracker']} leads with {label} {best[score]:.3f}, {gap:.3f} above {second['tracker']}"
    if gap < 0.0005:
        words = f"{best['tracker']} and {second['tracker']} lead with {label} {best[score]:.3f}"
    names = {best["tracker"], second["tracker"]}
    pair = differences[
        differences["first"].isin(names) & differences["second"].isin(names) & (differences["score"] == label)
    ]
    if pair.empty or pair["low"].isna().all():
        return words + "."
    row = pair.iloc[0]
    low, high = (row["low"], row["high"]) if row["first"] == best["tracker"] else (-row["high"], -row["low"])
    clear = "a clear difference" if low > 0 else "not a clear difference"
    if row["sequences"] < FEW:
        clear += f", and {row['sequences']:.0f} sequences are few"
    return f"{words} (95 % interval {low:+.3f} to {high:+.3f}: {clear})."
