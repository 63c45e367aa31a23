"""``rgbt track`` with several targets: what it is given, and what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_tracking import COUNT, Fake, count_frames, files, nano, refused

from rgbt_tracker.output import window as windows
from rgbt_tracker.results.mot import read_mot
from rgbt_tracker.tracking.interface import Result


class FakeMany:
    """Moves the box of each target by as many px to the right a frame as its number says."""

    def __init__(self, config: Any, runtime: Any) -> None:
        self.boxes: dict[int, Any] = {}

    @property
    def targets(self) -> tuple[int, ...]:
        return tuple(self.boxes)

    def add(self, rgb: Any, ir: Any, box: Any, number: int) -> None:
        self.boxes[number] = tuple(box)

    def relocate(self, number: int, box: Any) -> None:
        self.boxes[number] = tuple(box)

    def update(self, rgb: Any, ir: Any, without: Any = ()) -> dict[int, Result]:
        for number in set(self.boxes) - set(without):
            x, *rest = self.boxes[number]
            self.boxes[number] = (x + number, *rest)
        return {
            number: Result(box, 0.8, cameras=("rgb", "ir"))
            for number, box in self.boxes.items()
            if number not in without
        }


@pytest.fixture(autouse=True)
def many(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rgbt_tracker.output.several.MultiTracker", FakeMany)


def boxes(name: str) -> np.ndarray:
    return np.loadtxt(Path("out") / f"{name}.txt", delimiter=",")


def test_init_twice_follows_two(folder: Path, rgbt: Any) -> None:
    done = rgbt("--sequence", folder, "--init", "10,12,16,12", "--init", "30,20,8,8", *nano("--video", "two.mp4"))
    assert done.code == 0, done.err
    own = [f"street_{number}{end}" for number in (1, 2) for end in (".txt", "_frames.csv", "_scores.txt", "_time.txt")]
    assert files(Path("out")) == sorted([*own, "street_mot.txt"])
    assert np.allclose(boxes("street_1"), [[10 + frame, 12, 16, 12] for frame in range(COUNT)])
    assert np.allclose(boxes("street_2"), [[30 + 2 * frame, 20, 8, 8] for frame in range(COUNT)])
    assert {number: each.tolist() for number, each in read_mot(Path("out/street_mot.txt"), COUNT).items()} == {
        number: boxes(f"street_{number}").tolist() for number in (1, 2)
    }
    assert count_frames("two.mp4") == COUNT and "2 targets, 6 frames" in done.out


def test_targets_of_a_table_appear_later_and_are_put_back(folder: Path, rgbt: Any) -> None:
    Path("who.csv").write_text("frame,id,x,y,w,h\n0,3,10,12,16,12\n2,5,30,20,8,8\n4,3,20,12,16,12\n")
    assert rgbt("--sequence", folder, "--targets", "who.csv", *nano()).code == 0
    assert boxes("street_3")[:, 0].tolist() == [10, 13, 16, 19, 20, 23]
    late = boxes("street_5")
    assert np.isnan(late[:2]).all() and late[2:, 0].tolist() == [30, 35, 40, 45]


def test_one_target_of_a_table_keeps_its_number(folder: Path, rgbt: Any) -> None:
    Path("who.csv").write_text("1,4,10,12,16,12\n")
    assert rgbt("--sequence", folder, "--targets", "who.csv", "--start", "1", *nano()).code == 0
    assert np.isnan(boxes("street_4")[0]).all() and boxes("street_4")[1:, 0].tolist() == [10, 14, 18, 22, 26]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--init", "1,2,3,4", "--targets", "who.csv"), "give one of them"),
        (("--targets", "none.csv"), "Cannot read targets from 'none.csv'"),
        (("--init", "1,2,3,4", "--init", "5,6,7,8", "--init", "3:1,2,3,4"), "which one is put back"),
        (("--init", "1,2,3,4", "--init", "5,6,7,8", "--maps"), "leave it out with several"),
        (("--init", "1,2,3,4", "--init", "500,6,7,8"), "outside the 64x48 image"),
    ],
)
def test_what_cannot_be_done_is_said(folder: Path, rgbt: Any, more: Any, words: str) -> None:
    Path("who.csv").write_text("1,4,10,12,16,12\n")
    refused(rgbt("--sequence", folder, *nano(*more)), words)


def test_boxes_are_drawn_one_after_another(
    folder: Path, rgbt: Any, window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "init.txt").unlink()
    drawn, pictures = iter([(4, 5, 8, 6), (84, 10, 8, 6), (0, 0, 0, 0)]), []

    def select(title: str, image: np.ndarray, showCrosshair: bool) -> Any:
        pictures.append(image.copy())
        return next(drawn)

    monkeypatch.setattr(windows.cv2, "selectROI", select)
    assert rgbt("--sequence", folder, "--show", *nano()).code == 0
    assert boxes("street_1")[0].tolist() == [4, 5, 8, 6] and boxes("street_2")[0].tolist() == [20, 10, 8, 6]
    assert not np.array_equal(pictures[0], pictures[1]), "the box drawn first is shown while the next one is drawn"
