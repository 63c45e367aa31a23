"""What a picture shows about its camera, and what must not be said of real ones."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.cameras.watch import FAULTS, CameraWatch, Glance, PairWatch, emptiness, is_torn

SIZE = (120, 160)
GROUND = cv2.resize(np.random.default_rng(0).integers(30, 220, (9, 12)).astype(np.uint8), SIZE[::-1])


def view(index: int, noise: float = 2.0, seed: int = 0, walk: bool = True) -> np.ndarray:
    """A fixed camera's picture: a ground, somebody walking, and a sensor's noise."""
    picture = GROUND.astype(np.float32)
    if walk:
        left = 10 + 2 * index
        picture[40:80, left : left + 14] = 250
    picture = picture + np.random.default_rng((seed, index)).normal(0, noise, SIZE)
    return picture.clip(0, 255).astype(np.uint8)


def faults(rgb: list, ir: list, indices: list | None = None) -> list[dict[str, str]]:
    watch = PairWatch()
    numbers = indices or [{}] * len(rgb)
    return [watch({"rgb": a, "ir": b}, c) for a, b, c in zip(rgb, ir, numbers, strict=True)]


def frames(camera: str, said: list[dict[str, str]]) -> dict[int, str]:
    return {index: faults[camera] for index, faults in enumerate(said) if camera in faults}


RGB = [view(index, seed=1) for index in range(60)]
IR = [view(index, seed=2) for index in range(60)]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_a_camera_that_stands_still_while_the_other_moves(kind) -> None:
    thermal = [IR[19] if 20 <= index < 40 else image for index, image in enumerate(IR)]
    said = faults(RGB, [(image.astype(kind) * 3 if kind is not np.uint8 else image) for image in thermal])
    found = frames("ir", said)
    # A third repetition is needed before it is said, and the first new picture ends it.
    assert found == dict.fromkeys(range(22, 40), "frozen")
    assert not frames("rgb", said)


def coded(pictures: list[np.ndarray], codec: str, **options: str) -> list[np.ndarray]:
    """Through an encoder and back."""
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = SIZE[1], SIZE[0], "yuv420p"
    encoder.time_base, encoder.options = Fraction(1, 30), options
    decoder = av.CodecContext.create(codec.removeprefix("lib").replace("x264", "h264"), "r")
    packets = [packet for image in pictures for packet in encoder.encode(av.VideoFrame.from_ndarray(image, "gray8"))]
    decoded = [frame for packet in [*packets, *encoder.encode(None)] for frame in decoder.decode(packet)]
    return [frame.to_ndarray(format="bgr24") for frame in [*decoded, *decoder.decode(None)]]


@pytest.mark.parametrize(
    ("codec", "options", "latest"),
    [
        ("libx264", {"crf": "18"}, 23),
        ("libx264", {"crf": "30", "g": "12"}, 23),
        ("mpeg4", {"qmin": "6", "qmax": "6", "g": "12"}, 35),  # its first key frame comes before it is told
    ],
)
def test_a_codecs_residue_is_no_movement(codec: str, options: dict[str, str], latest: int) -> None:
    thermal = coded([IR[19] if 20 <= index < 40 else image for index, image in enumerate(IR)], codec, **options)
    assert len(thermal) == 60
    found = frames("ir", faults(RGB, thermal))
    assert set(range(latest, 40)) <= set(found) <= set(range(21, 40))
    assert set(found.values()) == {"frozen"}
    assert not frames("ir", faults(RGB, coded(IR, codec, **options)))


def test_nothing_is_said_where_nothing_moves() -> None:
    still = [view(index, walk=False, seed=1) for index in range(60)]
    assert not any(faults(still, [IR[0]] * 60))
    assert not any(faults([RGB[0]] * 60, [IR[0]] * 60))


@pytest.mark.parametrize("share", [0.3, 25 / 30, 0.5])
def test_a_slow_camera_stored_at_a_faster_rate_repeats_its_pictures(share: float) -> None:
    assert not any(faults(RGB, [IR[int(index * share)] for index in range(60)]))


def test_a_slow_camera_that_is_frozen_shows_in_time() -> None:
    slow = [IR[int(min(index, 150) * 0.3) % 60] for index in range(200)]
    said = faults([view(index % 60, seed=3) for index in range(200)], slow)
    assert min(frames("ir", said)) in range(150, 165)


def test_a_picture_that_is_paired_again_is_not_looked_at_again() -> None:
    slow = [int(index * 0.1) for index in range(60)]
    indices = [{"rgb": index, "ir": number} for index, number in enumerate(slow)]
    assert not any(faults(RGB, [IR[number] for number in slow], indices))


def test_a_camera_that_never_delivers_another_picture() -> None:
    found = frames("ir", faults(RGB, [IR[0]] * 60))
    assert found == dict.fromkeys(range(23, 60), "frozen")


def test_a_missing_picture_has_no_fault_and_breaks_nothing() -> None:
    thermal = [None if index % 5 == 0 else IR[19] if 20 <= index < 40 else image for index, image in enumerate(IR)]
    found = frames("ir", faults(RGB, thermal))
    assert set(found) and set(found) <= set(range(22, 40)) and not set(found) & {20, 25, 30, 35}
    assert not any(faults(RGB, [None] * 60))


def test_both_are_not_frozen_by_each_other() -> None:
    held = [20 if 20 <= index < 50 else index for index in range(60)]
    assert not any(faults([RGB[index] for index in held], [IR[index] for index in held]))


def test_a_blind_camera_shows_no_movement() -> None:
    flickering = [np.full(SIZE, 3 + 20 * (index % 2), np.uint8) for index in range(60)]
    assert not frames("ir", faults(flickering, [IR[19] if index > 19 else image for index, image in enumerate(IR)]))


NOISE = np.random.default_rng(5)
EMPTY = {
    "black": lambda: np.zeros((*SIZE, 3), np.uint8),
    "black with noise": lambda: NOISE.normal(6, 3, SIZE).clip(0, 255).astype(np.uint8),
    "white": lambda: np.full(SIZE, 255, np.uint8),
    "flat": lambda: NOISE.normal(120, 3, SIZE).astype(np.uint8),
    "flat of 16 bits": lambda: (29300 + NOISE.integers(-3, 4, SIZE)).astype(np.uint16),
    "flat of float": lambda: NOISE.normal(21.5, 0.04, SIZE).astype(np.float32),
    "black of float": lambda: np.full(SIZE, np.nan, np.float64),
    "noise": lambda: NOISE.integers(0, 256, (*SIZE, 3)).astype(np.uint8),
}


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("factor", [1, 4])
def test_pictures_of_nothing(kind: str, factor: int) -> None:
    picture = EMPTY[kind]()
    picture = np.concatenate([np.concatenate([picture] * factor, 1)] * factor)
    assert emptiness(Glance.at(picture)) == kind.partition(" ")[0]
    assert PairWatch()({"rgb": picture, "ir": IR[0]}) == {"rgb": kind.partition(" ")[0]}


def test_pictures_of_something_dark_or_pale() -> None:
    for level, contrast in ((4, 0.12), (120, 0.06), (235, 0.06), (120, 1.0)):
        dim = level + (GROUND.astype(np.float32) - GROUND.mean()) * contrast
        picture = (dim + NOISE.normal(0, 1.0, SIZE)).clip(0, 255).astype(np.uint8)
        assert emptiness(Glance.at(picture)) is None and not is_torn(Glance.at(picture))
    sky = NOISE.normal(180, 2, (480, 640))
    sky[200:224, 300:324] = 90  # a drone
    assert emptiness(Glance.at(sky.astype(np.uint8))) is None


def test_torn_pictures() -> None:
    whole = np.repeat(view(3)[..., None], 3, 2)
    smeared, filled, below = whole.copy(), whole.copy(), whole.copy()
    smeared[40:] = smeared[39]
    filled[30:, :140] = 128
    below[90:] = below[89]
    assert is_torn(Glance.at(smeared)) and is_torn(Glance.at(filled))
    assert not is_torn(Glance.at(below)) and not is_torn(Glance.at(whole))
    night = whole.copy()
    night[50:] = 0
    assert not is_torn(Glance.at(night))
    deep = smeared[..., 0].astype(np.uint16) * 50 + 20000
    assert is_torn(Glance.at(deep))
    assert PairWatch()({"rgb": smeared, "ir": IR[0]}) == {"rgb": "torn"}


@given(st.tuples(st.integers(1, 40), st.integers(1, 40)), st.sampled_from([np.uint8, np.uint16, np.float32]))
def test_every_size_is_looked_at(size: tuple[int, int], kind) -> None:
    picture = np.random.default_rng(0).integers(0, 200, size).astype(kind)
    watch = CameraWatch()
    for _ in range(2):
        watch.look(picture)
    assert watch.run == 1 and (watch.empty is None or watch.empty in FAULTS)
    watch.look(np.zeros((7, 9, 3), np.uint8))
    assert watch.run == 0
