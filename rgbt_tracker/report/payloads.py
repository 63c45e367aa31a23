"""What the sequence player needs of one sequence, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rgbt_tracker.evaluation.diagnosis import Diagnosis, fitted
from rgbt_tracker.results.maps import read_maps
from rgbt_tracker.results.mot import read_mot
from rgbt_tracker.results.read import frames_without, read_frames
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.sequences.base import SequenceInfo
from rgbt_tracker.target_colours import css_of


@dataclass(frozen=True)
class Picture:
    """What is known about the images of a sequence: size in pixels, modalities shown and number of blocks."""

    width: int
    height: int
    modalities: list[str]
    blocks: int = 0


def to_json(value: object) -> str:
    """Return compact JSON that is safe inside a script element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def sequence_payload(
    info: SequenceInfo,
    picture: Picture,
    tracks: Mapping[int, Trajectory],
    diagnoses: Mapping[int, Diagnosis],
) -> str:
    """Return boxes, overlaps, errors, failures, missing cameras, attributes and weight maps of a sequence.

    Args:
        info: facts about the sequence, ground truth included.
        picture: its images.
        tracks: tracker number -> trajectory.
        diagnoses: tracker number -> what happened in each of its frames.
    """
    truth = np.asarray(info.groundtruth, dtype=np.float64)
    tags = {name: tag for name, tag in info.tags.items() if name != "empty" and tag.any()}
    return to_json(
        {
            "name": info.name,
            "length": len(truth),
            "fps": info.fps or 30,
            "width": picture.width,
            "height": picture.height,
            "modalities": picture.modalities,
            "truth": _boxes(truth),
            "tags": {name: _runs(tag) for name, tag in tags.items()},
            "tracks": {str(n): _track(fitted(track, len(truth)), diagnoses[n]) for n, track in tracks.items()},
        }
    )


def _track(track: Trajectory, diagnosis: Diagnosis) -> dict:
    content = {
        "boxes": _boxes(track.boxes),
        "overlap": _numbers(diagnosis.overlaps, 3),
        "error": _numbers(diagnosis.errors, 1),
        "failures": diagnosis.failures,
    }
    if np.isfinite(track.scores).any():
        content["score"] = _numbers(track.scores, 3)
    if track.frames is not None and (without := frames_without(read_frames(track.frames), len(track))):
        content["without"] = {camera: _runs(flags) for camera, flags in without.items()}
    if track.targets is not None:
        others = read_mot(track.targets, len(track))
        content["targets"] = [{"id": n, "color": css_of(n), "boxes": _boxes(boxes)} for n, boxes in others.items()]
    if track.maps is not None:
        content["maps"] = read_maps(track.maps, len(track))
    return content


def _numbers(values: ArrayLike, digits: int) -> list[float | None]:
    return [round(float(value), digits) if np.isfinite(value) else None for value in np.asarray(values)]


def _boxes(boxes: NDArray[np.float64]) -> list[list[float] | None]:
    return [[round(float(v), 1) for v in box] if np.isfinite(box).all() else None for box in boxes]


def _runs(tag: NDArray[np.bool_]) -> list[list[int]]:
    """Return [first, last] of each run of tagged frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], tag, [False]]).astype(np.int8)))
    return [[int(start), int(end) - 1] for start, end in edges.reshape(-1, 2)]
