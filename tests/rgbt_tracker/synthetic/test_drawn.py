"""Drawn sequences: the same bits again, exact boxes, tags that say what the pixels show."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.synthetic import SCENES, DrawnSequence, draw_sequence, split
from rgbt_tracker.synthetic import renderer as renderer_module
from rgbt_tracker.synthetic.actors import Actor

LENGTH = 24


@pytest.fixture(scope="module")
def drawn() -> Callable[[str], DrawnSequence]:
    """Scenes of LENGTH frames, each drawn once for all tests of this file."""
    made: dict[str, DrawnSequence] = {}

    def get(name: str) -> DrawnSequence:
        if name not in made:
            made[name] = draw_sequence(name, LENGTH)
        return made[name]

    return get


def digest(sequence: DrawnSequence) -> str:
    """Hash of three frames, read out of order, and of the boxes."""
    total = hashlib.sha256(sequence.groundtruth.tobytes())
    for index in (17, 3, 0):
        frame = sequence.frame(index)
        total.update(frame.rgb.tobytes() + frame.ir.tobytes())
    return total.hexdigest()


PROGRAM = """
import sys; sys.path.insert(0, sys.argv[1])
from test_drawn import digest
from rgbt_tracker.synthetic import draw_sequence
print(digest(draw_sequence("smoke", 20, seed=5)))
"""


def test_same_bits_in_another_process() -> None:
    here = os.path.dirname(__file__)  # noqa: PTH120
    there = subprocess.run([sys.executable, "-c", PROGRAM, here], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == digest(draw_sequence("smoke", 20, seed=5))


def test_frames_do_not_depend_on_what_was_read_before() -> None:
    first, second = draw_sequence("street", 20, seed=3), draw_sequence("street", 20, seed=3)
    for index in range(5):
        second.frame(index)
    assert digest(first) == digest(second)


def test_seeds_give_different_sequences() -> None:
    one, other = draw_sequence("street", 5, seed=0), draw_sequence("street", 5, seed=1)
    assert one.name == "street" and other.name == "street-1"
    assert (one.frame(0).rgb != other.frame(0).rgb).mean() > 0.5


@pytest.mark.parametrize("name", sorted(SCENES))
def test_shape_and_kind_of_frames(name: str, drawn: Callable[[str], DrawnSequence]) -> None:
    sequence = drawn(name)
    frame = sequence.frame(LENGTH // 2)
    assert frame.rgb.shape == (480, 640, 3) and frame.ir.shape == (480, 640)
    assert frame.rgb.dtype == frame.ir.dtype == np.uint8
    assert sequence.groundtruth.shape == (LENGTH, 4) and len(sequence) == LENGTH
    assert all(flags.shape == (LENGTH,) and flags.dtype == bool for flags in sequence.info.tags.values())


@pytest.mark.parametrize("name", sorted(SCENES))
def test_target_stays_in_the_picture_and_is_large_enough(name: str, drawn: Callable[[str], DrawnSequence]) -> None:
    boxes = drawn(name).groundtruth
    assert np.isfinite(boxes).all()
    assert boxes[:, 2:].min() >= 16 and boxes[:, 2:].max() <= 400
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    assert (middle > 0).all() and (middle < (640, 480)).all()


@contextmanager
def only(sequence: DrawnSequence, chosen: Callable[[Actor], bool]) -> Iterator[None]:
    """Draw nobody who is not chosen."""
    everybody = sequence.renderer.actors
    sequence.renderer.actors = [actor for actor in everybody if chosen(actor)]
    try:
        yield
    finally:
        sequence.renderer.actors = everybody


def without_target(sequence: DrawnSequence, index: int) -> tuple[np.ndarray, np.ndarray]:
    """The two pictures of an instant with everybody else in them."""
    with only(sequence, lambda actor: actor is not sequence.renderer.target):
        return sequence.renderer.pictures(index)


@pytest.mark.parametrize("name", ["street", "zoom", "shake", "glare", "misaligned"])
def test_box_encloses_exactly_the_pixels_the_target_changes(
    name: str, drawn: Callable[[str], DrawnSequence], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draw with and without the target; what differs is the target (its shadow is switched off)."""
    monkeypatch.setattr(renderer_module, "cast_shadow", lambda *_: None)
    monkeypatch.setattr(renderer_module.Renderer, "_motion_blur", lambda _, image, index: image)
    sequence = drawn(name)
    for index in (0, 1, 3):
        row = sequence.renderer.target.row[index]
        with only(sequence, lambda actor, index=index, row=row: actor.row[index] <= row):
            changed = np.abs(sequence.frame(index).rgb.astype(int) - without_target(sequence, index)[0]).max(2) > 12
        x, y, w, h = cv2.boundingRect(changed.astype(np.uint8))
        left, top, width, height = sequence.groundtruth[index]
        edges = np.array([x, y, x + w, y + h]) - [left, top, left + width, top + height]
        assert np.abs(edges).max() <= 2, (index, edges)


@pytest.mark.parametrize("name", ["street", "blackout"])
def test_box_against_the_outline_of_the_drawing(name: str, drawn: Callable[[str], DrawnSequence]) -> None:
    """Second formula: corners of all opaque pixels of the full-size drawing, moved by the matrices."""
    sequence = drawn(name)
    renderer = sequence.renderer
    for index in (0, 9, 20):
        opaque = renderer.target.pose(index).colour[0][..., 3] >= 128
        rows, columns = np.nonzero(opaque)
        points = np.column_stack([columns, rows, np.ones(len(rows))])
        view = renderer.camera.matrix(index, renderer.size) @ np.vstack([renderer.target.matrix(index), [0, 0, 1]])
        moved = (points @ view.T)[:, :2]
        x, y, w, h = sequence.groundtruth[index]
        assert np.abs(moved.min(0) - (x, y)).max() < 1.6
        assert np.abs(moved.max(0) + 1 - (x + w, y + h)).max() < 1.6


def test_thermal_target_is_where_the_misalignment_puts_it(drawn: Callable[[str], DrawnSequence]) -> None:
    sequence = drawn("misaligned")
    index = 0
    changed = np.abs(sequence.frame(index).ir.astype(float) - without_target(sequence, index)[1]) > 3
    ours = mask_middle(sequence, index)
    there = np.array(cv2.boundingRect(changed.astype(np.uint8)))
    expected = sequence.renderer.alignment @ (*ours, 1)
    assert np.linalg.norm(expected[:2] - ours) > 3
    assert np.abs(there[:2] + there[2:] / 2 - expected[:2]).max() < 4


def mask_middle(sequence: DrawnSequence, index: int) -> np.ndarray:
    box = np.array(cv2.boundingRect(sequence.renderer.mask(index)))
    return box[:2] + box[2:] / 2


def brightness(sequence: DrawnSequence, camera: str, flags: np.ndarray) -> float:
    chosen = np.flatnonzero(flags)[::3]
    return float(np.mean([getattr(sequence.frame(int(index)), camera).mean() for index in chosen]))


@pytest.mark.parametrize("camera", ["rgb", "ir"])
def test_black_camera_is_black_exactly_where_tagged(camera: str, drawn: Callable[[str], DrawnSequence]) -> None:
    sequence = drawn("blackout")
    flags = sequence.info.tags[f"{camera}_black"]
    assert 0 < flags.sum() < LENGTH
    for index in range(LENGTH):
        assert (getattr(sequence.frame(index), camera).max() == 0) == flags[index]


def test_low_light_is_dark(drawn: Callable[[str], DrawnSequence]) -> None:
    sequence = drawn("night")
    dark = sequence.info.tags["low_light"]
    assert brightness(sequence, "rgb", dark) < 0.4 * brightness(sequence, "rgb", ~dark)
    assert brightness(sequence, "ir", dark) == pytest.approx(brightness(sequence, "ir", ~dark), rel=0.1)


def test_glare_is_bright(drawn: Callable[[str], DrawnSequence]) -> None:
    sequence = drawn("glare")
    bright = sequence.info.tags["glare"]
    assert brightness(sequence, "rgb", bright) > 1.15 * brightness(sequence, "rgb", ~bright)


def contrast(sequence: DrawnSequence, camera: int, index: int) -> float:
    """How much the target changes the pixels it covers."""
    with_target = sequence.renderer.pictures(index)[camera].astype(float)
    changed = np.abs(with_target - without_target(sequence, index)[camera])
    return float(changed[sequence.renderer.mask(index) > 0].mean())


@pytest.mark.parametrize(("name", "tag", "camera"), [("smoke", "smoke", 0), ("crossover", "thermal_crossover", 1)])
def test_tagged_camera_sees_less_of_the_target(
    name: str, tag: str, camera: int, drawn: Callable[[str], DrawnSequence]
) -> None:
    sequence = drawn(name)
    flags = sequence.info.tags[tag]
    assert 0 < flags.sum() < LENGTH
    means = [
        [np.mean([contrast(sequence, c, int(i)) for i in np.flatnonzero(f)[::3]]) for f in (flags, ~flags)]
        for c in (0, 1)
    ]
    # The target's own way changes its contrast in both cameras, so they are compared with each other.
    kept = [flagged / clear for flagged, clear in means]
    assert kept[camera] < 0.5
    assert kept[1 - camera] > 2.5 * kept[camera]


def test_scale_change_and_occlusion_tags(drawn: Callable[[str], DrawnSequence]) -> None:
    zoom = drawn("zoom")
    size = np.sqrt(zoom.groundtruth[:, 2:].prod(1))
    ratio = size / size[0]
    assert (zoom.info.tags["scale_change"] == ((ratio > 1.4) | (ratio < 1 / 1.4))).all()
    # At its own length: occluders pass at a walking pace and would fill a short one.
    occluded = draw_sequence("occlusion")
    assert 0 < occluded.info.tags["occlusion"].sum() < len(occluded) / 2


def test_camera_shake_moves_the_background(drawn: Callable[[str], DrawnSequence]) -> None:
    def jumps(name: str) -> float:
        camera = drawn(name).renderer.camera
        return float(np.abs(np.diff(camera.y, 2)).mean())

    assert drawn("shake").info.tags["camera_shake"].all()
    assert jumps("shake") > 3 * jumps("clutter")


def test_size_and_length() -> None:
    sequence = draw_sequence("street", 4, (320, 240), seed=1)
    assert sequence.frame(3).rgb.shape == (240, 320, 3)
    half = draw_sequence("street", 4, (640, 480), seed=1)
    assert np.abs(sequence.groundtruth * 2 - half.groundtruth).max() <= 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_sequence("stret"), "did you mean 'street'"),
        (lambda: draw_sequence("street", 0), "at least 1 frame"),
        (lambda: draw_sequence("street", 5, (10, 10)), "64x64"),
        (lambda: draw_sequence("street", 5, seed=-1), "seed of 0 or more"),
        (lambda: split("trian", 3), "did you mean 'train'"),
    ],
)
def test_mistakes_are_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()


def test_frame_out_of_range(drawn: Callable[[str], DrawnSequence]) -> None:
    with pytest.raises(UserError, match="from 0 to 23"):
        drawn("street").frame(24)
