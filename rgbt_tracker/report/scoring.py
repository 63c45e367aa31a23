"""Scores of the trackers of a report, as data frames and curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.bootstrap import paired_bootstrap
from rgbt_tracker.evaluation.one_pass import center_errors, one_pass_curves, one_pass_scores, overlaps, present
from rgbt_tracker.results.find import Mark, Trajectory
from rgbt_tracker.sequences.base import SequenceInfo

SCORES = ("success", "precision", "normalised_precision", "mean_iou")
UNTAGGED = "no attribute"


@dataclass(frozen=True)
class OnePass:
    """One-pass scores of several trackers on the sequences that all of them ran.

    Attributes:
        sequences: one row for each tracker and sequence: tracker, sequence, frames, the `SCORES`, failures, lost, fps.
        summary: one row for each tracker: the means over sequences, the sum of failures.
        attributes: one row for each tracker and attribute, the means over the sequences with tagged frames.
        differences: one row for each pair of trackers and score, with its bootstrap interval.
        curves: tracker -> name -> mean curve over sequences (`one_pass_curves`).
        left_out: sequences that some tracker lacks.
    """

    sequences: pd.DataFrame
    summary: pd.DataFrame
    attributes: pd.DataFrame
    differences: pd.DataFrame
    curves: dict[str, dict[str, NDArray[np.float64]]]
    left_out: list[str]


def quality(track: Trajectory, groundtruth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Overlap in each frame with the better of its annotations, (K, N, 4), or with its only one, (N, 4).

    Returns:
        (N,) values, NaN where the target is absent and where VOT's protocol skipped the frame.
    """
    values = overlaps(track.boxes, groundtruth)
    values[track.marks == Mark.SKIPPED] = np.nan
    return values


def failures(track: Trajectory, groundtruth: NDArray[np.float64]) -> list[int]:
    """Frames in which the tracker lost the target, 0-based.

    A reset-based run says so itself; in one pass it is the first of each run of annotated frames without overlap.
    """
    if (track.marks == Mark.FAILED).any() or (track.marks == Mark.STARTED).any():
        return np.flatnonzero(track.marks == Mark.FAILED).tolist()
    values = overlaps(track.boxes, groundtruth)
    frames = np.flatnonzero(~np.isnan(values))
    lost = values[frames] == 0
    return frames[lost & ~np.concatenate([[False], lost[:-1]])].tolist()


def lost_share(track: Trajectory, groundtruth: NDArray[np.float64]) -> float:
    """Share of the annotated frames without any overlap: a tracker that never comes back fails only once."""
    values = overlaps(track.boxes, groundtruth)
    return float((values[~np.isnan(values)] == 0).mean()) if np.isfinite(values).any() else float("nan")


def errors(track: Trajectory, groundtruth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre error in pixels: (N,), NaN where there is no annotation or no box."""
    values = center_errors(track.boxes, groundtruth)
    return np.where(np.isfinite(values) & (track.marks == Mark.TRACKED), values, np.nan)


def speed(track: Trajectory) -> float:
    """Frames per second without the first frame, in which the tracker is set up; NaN without times."""
    if track.seconds is None or len(track.seconds) < 2:
        return float("nan")
    total = float(np.nansum(track.seconds[1:]))
    return (len(track.seconds) - 1) / total if total > 0 else float("nan")


def check_lengths(tracks: Mapping[str, Mapping[str, Trajectory]], infos: Mapping[str, SequenceInfo]) -> None:
    """Raise a UserError where a result has another number of frames than its sequence, or no ground truth."""
    for tracker, runs in tracks.items():
        for name, track in runs.items():
            truth = infos[name].groundtruth
            if truth is None:
                raise UserError(f"The sequence '{name}' has no ground truth, which the report compares with.")
            if len(track.boxes) != len(truth):
                raise UserError(
                    f"'{tracker}' has {len(track.boxes)} boxes for '{name}', expected {len(truth)}, one for each frame "
                    f"of the sequence in {infos[name].source or 'the given folder'}."
                )


def score_one_pass(
    tracks: Mapping[str, Mapping[str, Trajectory]], infos: Mapping[str, SequenceInfo], pixels: float = 20.0
) -> OnePass:
    """Score every tracker on the sequences they have in common.

    Args:
        tracks: tracker -> sequence -> trajectory.
        infos: sequence -> its facts, ground truth included.
        pixels: radius of the precision score.

    Raises:
        UserError: no common sequence, a missing ground truth, or a result of another length.
    """
    everything = sorted({name for runs in tracks.values() for name in runs})
    common = [name for name in everything if all(name in runs for runs in tracks.values())]
    if not common:
        raise UserError(f"The trackers {', '.join(tracks)} have no sequence in common, so there is nothing to compare.")
    check_lengths(tracks, infos)
    truths = {name: annotated_boxes(infos[name]) for name in common}
    rows = [
        {
            "tracker": tracker,
            "sequence": name,
            **one_pass_scores(runs[name].boxes, truths[name], precision_pixels=pixels),
            "failures": len(failures(runs[name], truths[name])),
            "lost": lost_share(runs[name], truths[name]),
            "fps": speed(runs[name]),
        }
        for name in common
        for tracker, runs in tracks.items()
    ]
    sequences = pd.DataFrame(rows)
    return OnePass(
        sequences,
        _summary(sequences, list(tracks)),
        _attributes(tracks, infos, common, pixels),
        differences(sequences, list(tracks), ("success", "precision")),
        {tracker: _mean_curves(runs, truths) for tracker, runs in tracks.items()},
        [name for name in everything if name not in common],
    )


def annotated_boxes(info: SequenceInfo) -> NDArray[np.float64]:
    """Return what boxes are compared with: (1, N, 4), or (2, N, 4) where a benchmark annotates both cameras.

    Every frame then counts with the better of the two, as on RGBT234 and GTOT (MPR and MSR).
    """
    truths = [info.groundtruths[camera] for camera in ("rgb", "ir") if camera in info.groundtruths]
    return np.asarray(truths if len(truths) == 2 else [info.groundtruth], dtype=np.float64)


def _summary(sequences: pd.DataFrame, trackers: list[str]) -> pd.DataFrame:
    means = sequences.groupby("tracker", sort=False)[[*SCORES, "lost", "fps"]].mean()
    means["failures"] = sequences.groupby("tracker", sort=False)["failures"].sum()
    means["sequences"] = sequences.groupby("tracker", sort=False)["sequence"].nunique()
    return means.loc[trackers].reset_index().sort_values("success", ascending=False, kind="stable", ignore_index=True)


def _attributes(tracks, infos, common: list[str], pixels: float) -> pd.DataFrame:
    """Score the tagged frames of each sequence, then average over the sequences that have some."""
    rows = []
    for name in common:
        truth, tags = annotated_boxes(infos[name]), frame_tags(infos[name])
        for attribute, tagged in tags.items():
            if not (tagged & present(truth).any(axis=0)).any():
                continue
            for tracker, runs in tracks.items():
                scores = one_pass_scores(runs[name].boxes[tagged], truth[:, tagged], precision_pixels=pixels)
                rows.append({"attribute": attribute, "tracker": tracker, "sequences": 1, **scores})
    if not rows:
        return pd.DataFrame(columns=["attribute", "tracker", "sequences", "frames", *SCORES])
    grouped = pd.DataFrame(rows).groupby(["attribute", "tracker"], sort=False)
    means = grouped[list(SCORES)].mean()
    means[["frames", "sequences"]] = grouped[["frames", "sequences"]].sum()
    table = means.reset_index()
    order = sorted(table["attribute"].unique(), key=lambda attribute: (attribute == UNTAGGED, attribute))
    table["attribute"] = pd.Categorical(table["attribute"], order)
    table = table.sort_values("attribute", kind="stable", ignore_index=True)
    return table.astype({"attribute": str})


def frame_tags(info: SequenceInfo) -> dict[str, NDArray[np.bool_]]:
    """Return the tags of a sequence, with the frames that carry none under "no attribute" when there are any tags."""
    tags = {name: np.asarray(values, dtype=bool) for name, values in info.tags.items() if name != "empty"}
    if tags:
        bare = ~np.logical_or.reduce(list(tags.values()))
        if bare.any():
            tags[UNTAGGED] = bare
    return tags


def differences(sequences: pd.DataFrame, trackers: list[str], scores: tuple[str, ...]) -> pd.DataFrame:
    """Compare every pair of trackers on every score: difference, 95 % interval, sequences won by either.

    One sequence alone says nothing about others, so its interval is NaN.
    """
    rows = []
    for score in scores:
        wide = sequences.pivot(index="sequence", columns="tracker", values=score)
        for first, second in combinations(trackers, 2):
            gap = (wide[first] - wide[second]).dropna()
            if gap.empty:
                continue
            interval = paired_bootstrap(wide[first], wide[second])
            several = interval.sequences > 1
            rows.append(
                {
                    "score": score,
                    "first": first,
                    "second": second,
                    "difference": interval.difference,
                    "low": interval.low if several else np.nan,
                    "high": interval.high if several else np.nan,
                    "sequences": interval.sequences,
                    "first_better": int((gap > 0).sum()),
                    "second_better": int((gap < 0).sum()),
                }
            )
    columns = ["score", "first", "second", "difference", "low", "high", "sequences", "first_better", "second_better"]
    return pd.DataFrame(rows, columns=columns)


def _mean_curves(runs: Mapping[str, Trajectory], truths) -> dict[str, NDArray[np.float64]]:
    each = [one_pass_curves(runs[name].boxes, truth) for name, truth in truths.items()]
    return {name: np.nanmean([curves[name] for curves in each], axis=0) for name in each[0]}
