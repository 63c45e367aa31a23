"""Image files as frames: whatever their depth, in the order of their numbers; broken ones are named."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequence_files import picture, which

from nestfuse_core.cameras.files import frame_numbers, list_frames
from nestfuse_core.common import pictures
from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences import open_folder
from rgbt_tracker.sequences.images import FrameFormat


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("damage", ["cut", "text", "empty", "gone"])
def test_unreadable_frame_in_the_middle_is_named(tmp_path: Path, suffix: str, damage: str) -> None:
    rng = np.random.default_rng(0)
    for name in ("v", "i"):
        (tmp_path / name).mkdir()
        for number in range(5):
            cv2.imwrite(str(tmp_path / name / f"{number}{suffix}"), rng.integers(0, 255, (60, 80, 3), dtype=np.uint8))
    victim = tmp_path / "i" / f"2{suffix}"
    sequence = open_folder(tmp_path)
    if damage == "gone":
        victim.unlink()
    else:
        data = victim.read_bytes()
        victim.write_bytes({"cut": data[: len(data) // 2], "text": b"no image", "empty": b""}[damage])
    seen = []
    with pytest.raises(UserError, match=rf"Cannot read the thermal frame '.*2\{suffix}'"):
        for frame in sequence:
            seen.append(frame.index)
    assert seen == [0, 1]


def test_a_jpeg_with_a_thumbnail_and_trailing_bytes_is_whole(tmp_path: Path) -> None:
    _, data = cv2.imencode(".jpg", picture(3, "rgb"))
    whole = data.tobytes()
    thumbnail = b"\xff\xe1" + (len(whole) + 2).to_bytes(2, "big") + whole
    path = tmp_path / "frame.jpg"
    path.write_bytes(whole[:2] + thumbnail + whole[2:] + b"\0" * 2000)
    assert which(read_image(path, "rgb")) == 3
    path.write_bytes(whole[:2] + thumbnail + whole[2:-40])
    with pytest.raises(UserError, match="cut off"):
        read_image(path, "rgb")


# ---- channels and depths


def read_image(path: Path, camera: str) -> np.ndarray:
    return FrameFormat(camera).read(path)


def write_image(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def test_grey_visible_frames_get_three_channels(tmp_path: Path) -> None:
    image = read_image(write_image(tmp_path / "grey.png", np.full((4, 5), 7, np.uint8)), "rgb")
    assert image.shape == (4, 5, 3) and (image == 7).all()


def test_sixteen_bit_thermal_frames_stay_deep(tmp_path: Path) -> None:
    path = write_image(tmp_path / "deep.png", np.full((4, 5), 40_000, np.uint16))
    image = read_image(path, "ir")
    assert image.dtype == np.uint16 and image.shape == (4, 5) and (image == 40_000).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_visible_frames_of_more_bits_are_brought_to_eight(tmp_path: Path, channels: int) -> None:
    camera = FrameFormat("rgb")
    levels = (2000, 4095, 1000)  # of 12 bits; the last would be one of 10 bits by itself
    for number, level in enumerate(levels):
        path = write_image(tmp_path / f"{number}.png", np.full((4, 5, channels), level, np.uint16))
        image = camera.read(path)
        assert image.dtype == np.uint8 and image.shape == (4, 5, 3) and (image == round(level * 255 / 4095)).all()


def test_a_visible_frame_in_floating_point_has_no_white(tmp_path: Path) -> None:
    path = write_image(tmp_path / "f.tiff", np.ones((4, 5), np.float32))
    assert read_image(path, "ir").dtype == np.float32
    with pytest.raises(UserError, match=r"Expected uint8 or uint16 in the visible frame '.*f\.tiff', got float32"):
        read_image(path, "rgb")


@pytest.mark.parametrize("alpha", [255, 60])
def test_alpha_is_dropped(tmp_path: Path, alpha: int) -> None:
    image = np.full((4, 5, 4), alpha, np.uint8)
    image[..., :3] = 9
    for camera in ("rgb", "ir"):
        found = read_image(write_image(tmp_path / "a.png", image), camera)
        assert found.shape == (4, 5, 3) and (found == 9).all()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".jp2", ".pfm"])
@pytest.mark.parametrize(
    ("kind", "channels"), [*product([np.uint8, np.uint16], [1, 3, 4]), *product([np.float32], [1, 3])]
)
def test_tracking_reads_what_fusion_reads(tmp_path: Path, suffix: str, kind: type, channels: int) -> None:
    shape = (24, 32, channels) if channels > 1 else (24, 32)
    image = np.random.default_rng(0).integers(0, 255, shape).astype(kind)
    path = tmp_path / f"0{suffix}"
    try:
        if not cv2.imwrite(str(path), image):
            pytest.skip("OpenCV does not write such a file")
    except cv2.error:
        pytest.skip("OpenCV does not write such a file")
    fused = pictures.read_image(path)
    np.testing.assert_array_equal(read_image(path, "ir"), fused)
    if fused.dtype != np.float32:
        assert read_image(path, "rgb").shape == (24, 32, 3)
    assert list_frames(tmp_path) == [path]


# ---- numbering


@settings(max_examples=50, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 99_999), min_size=2, max_size=30, unique=True),
    before=st.sampled_from(["", "v", "cam1_", "2024-05-01_", "frame"]),
    after=st.sampled_from(["", "v", "_2", "_rgb"]),
    width=st.integers(1, 6),
)
def test_frames_sort_by_number(numbers, before, after, width, tmp_path_factory) -> None:
    files = [Path(f"{before}{number:0{width}d}{after}.png") for number in sorted(numbers)]
    read = frame_numbers(files)
    assert [row[-1] for row in read] == sorted(numbers)
