"""Nine more people of M3SVD's videos as sequences, from boxes placed by hand (`people.yaml`).

    python benchmarks/accuracy/people.py M3SVD OUTPUT [--people FILE]
    rgbt ablation --sequences OUTPUT

M3SVD is a folder with visible/CLIP.mp4 and infrared/CLIP.mp4 of that data set (MIT, Linfeng Tang). OUTPUT gets a VOT
directory a person. Boxes between the key frames are interpolated; a hidden person has none (tag ``occlusion``). FILE
lists other people in the form of `people.yaml`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import check_writable
from nestfuse_core.common.guard import run
from rgbt_tracker.sequences import open_pair
from rgbt_tracker.sequences.vot_folder import write_vot

PEOPLE = Path(__file__).with_suffix(".yaml")


def read_people(file: Path) -> dict[str, dict[str, Any]]:
    """Name -> clip, boxes by frame, and perhaps hidden frames."""
    people = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(people, dict) or not all({"clip", "boxes"} <= set(person) for person in people.values()):
        raise UserError(f"Expected people with a clip and boxes in '{file}', as in {PEOPLE.name}.")
    return people


def interpolated(boxes: dict[int, list[float]], hidden: list[list[int]]) -> tuple[int, NDArray[np.float64]]:
    """Key frames' x, y, w, h and the gaps' first and last frames -> first key frame, and a box a frame from it on."""
    keys = sorted(boxes)
    frames = np.arange(keys[0], keys[-1] + 1)
    placed = np.array([boxes[key] for key in keys])
    truth = np.stack([np.interp(frames, keys, column) for column in placed.T], 1)
    for first, last in hidden:
        truth[(frames >= first) & (frames <= last)] = np.nan
    return keys[0], truth


def write_people(m3svd: Path, output: Path, people: Path) -> None:
    """Write every person's directory that is not there yet.

    Raises:
        UserError: no such clips, people of another form, or a folder that cannot be written to.
    """
    check_writable(output)
    for name, person in read_people(people).items():
        if (output / name).exists():
            continue
        videos = [m3svd / camera / f"{person['clip']}.mp4" for camera in ("visible", "infrared")]
        for video in videos:
            if not video.is_file():
                raise UserError(f"Expected {video}, found none; give M3SVD's folder with visible/ and infrared/.")
        first, truth = interpolated(person["boxes"], person.get("hidden", []))
        with open_pair(*map(str, videos)).clip(first, len(truth)) as sequence:
            tags = {"occlusion": np.asarray(np.isnan(truth).any(1))}
            sequence.info = replace(sequence.info, name=name, groundtruth=truth, tags=tags)
            print(write_vot(sequence, output))


def main(args: list[str] | None = None) -> None:
    """Write the sequences and print their folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("m3svd", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--people", type=Path, default=PEOPLE)
    options = parser.parse_args(args)
    write_people(options.m3svd, options.output, options.people)


if __name__ == "__main__":
    run(main)
