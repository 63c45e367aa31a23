"""Cutting crops: geometry against independent computations, round trip, resuming."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from rgbt_tracker.frames import Frame, FrameSequence, SequenceInfo
from rgbt_tracker.training.data.crop_set import CropSet
from rgbt_tracker.training.data.cutting import CropWriter, crop_box, cut, sequence_crops, spread, usable
from rgbt_tracker.training.geometry import context_scale


def reference_crop(image: np.ndarray, box: tuple[float, ...]) -> np.ndarray:
    """The documented geometry, pixel by pixel: crop (u, v) looks at centre + (u - 191, v - 191) / k, bilinearly."""
    x, y, w, h = box
    c = (w + h) / 2
    k = 127 / np.sqrt((w + c) * (h + c))
    source = image.astype(float)
    if 1 / k > 1.5:
        source = ndimage.gaussian_filter(source, (0.45 / k, 0.45 / k, 0)[: image.ndim], mode="mirror")
    v, u = np.mgrid[:383, :383]
    places = [y + h / 2 - 0.5 + (v - 191) / k, x + w / 2 - 0.5 + (u - 191) / k]
    planes = source[..., None] if image.ndim == 2 else source
    means = image.reshape(-1, planes.shape[2]).mean(0)
    sampled = [
        ndimage.map_coordinates(planes[..., n], places, order=1, mode="grid-constant", cval=means[n])
        for n in range(planes.shape[2])
    ]
    return np.squeeze(np.stack(sampled, -1))


def picture(height: int = 240, width: int = 320, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).random((height, width, 3))
    return np.rint(255 * np.clip(0.5 + 4 * (ndimage.gaussian_filter(noise, (2, 2, 0)) - 0.5), 0, 1)).astype(np.uint8)


@pytest.mark.parametrize(
    "box", [(140.0, 90.0, 20.0, 45.0), (100.5, 60.25, 90.0, 60.0), (2, 5, 30, 30), (20, 20, 200, 180)]
)
def test_crop_against_pixel_by_pixel_computation(box: tuple[float, ...]) -> None:
    image = picture()
    difference = np.abs(cut(image, box).astype(float) - reference_crop(image, box))
    # OpenCV places samples on a grid of 1/32 px, which moves steep edges by a few grey levels.
    assert difference.mean() < 0.7 and np.percentile(difference, 99) < 6


def test_crop_of_grey_image() -> None:
    image = picture()[..., 0]
    crop = cut(image, (140, 90, 20, 45))
    assert crop.shape == (383, 383)
    assert np.abs(crop - reference_crop(image, (140, 90, 20, 45))).mean() < 0.7


BOXES = st.tuples(st.floats(-50, 300), st.floats(-50, 200), st.floats(6, 150), st.floats(6, 150))


@given(BOXES)
@settings(max_examples=60, deadline=None)
def test_box_in_crop_has_the_exemplar_window_in_the_middle(box: tuple[float, float, float, float]) -> None:
    x, y, w, h = crop_box(box)
    assert x + w / 2 == pytest.approx(191.5, abs=0.011) and y + h / 2 == pytest.approx(191.5, abs=0.011)
    context = (w + h) / 2
    assert np.sqrt((w + context) * (h + context)) == pytest.approx(127, abs=0.03)
    assert w / h == pytest.approx(box[2] / box[3], rel=2e-3)


def test_a_dot_in_the_middle_of_the_box_lands_in_the_middle_of_the_crop() -> None:
    image = np.zeros((200, 200), np.uint8)
    image[80, 120] = 255
    crop = cut(image, (120.5 - 15, 80.5 - 10, 30, 20)).astype(float)
    assert ndimage.center_of_mass(crop - crop.min()) == pytest.approx((191, 191), abs=0.1)


@pytest.mark.shared
def test_boxes_of_the_reference_set(shared: Path) -> None:
    """Every row of the reference set's index states the box in the frame and in the crop."""
    rows = json.loads((shared / "data/crops/index.json").read_text())
    assert len(rows) == 5782
    exact = 0
    for row in rows:
        error = np.abs(np.subtract(crop_box(row["source_box"]), row["box"])).max()
        whole = all(float(value).is_integer() for value in row["source_box"])
        exact += whole
        # Other source boxes are rounded to 0.1 px there, which the crop magnifies by k; one whole one is off by 0.04.
        assert error <= (0.05 if whole else 0.011 + 0.06 * context_scale(row["source_box"][2:])), row
    assert exact == 3930


class Moving(FrameSequence):
    """A bright square that moves over a textured background."""

    def __init__(self, length: int = 10, deep: bool = False) -> None:
        boxes = np.array([(20.0 + 8 * n, 60.0, 30.0, 40.0) for n in range(length)])
        boxes[3] = np.nan
        self.deep = deep
        super().__init__(SequenceInfo("moving", length, groundtruth=boxes))

    def frame(self, index: int) -> Frame:
        rgb = picture(seed=1)
        x = 20 + 8 * index
        rgb[60:100, x : x + 30] = (0, 0, 255)
        ir = np.full((240, 320), 100, np.uint8)
        ir[60:100, x : x + 30] = 220
        return Frame(index, rgb, ir.astype(np.uint16) * 50 if self.deep else ir)


def test_round_trip(tmp_path: Path) -> None:
    with CropWriter(tmp_path) as writer:
        assert sequence_crops(Moving(), writer, most=5, source="here", licence="CC0") == 10
    crops = CropSet(tmp_path)
    pairs = crops.pairs()["moving"]
    assert [pair.frame for pair in pairs] == [1, 3, 6, 8, 10]
    for pair in pairs:
        assert pair.rgb is not None and pair.ir is not None and pair.rgb.box == pair.ir.box
        assert (pair.rgb.source, pair.rgb.licence, pair.rgb.kind) == ("here", "CC0", "video")
        x, y, w, h = (round(value) for value in pair.rgb.box)
        for entry, channel in ((pair.rgb, 2), (pair.ir, 0)):
            image = crops.load(entry)[..., channel].astype(int)
            assert image.shape == (383, 383)
            assert image[y + 5 : y + h - 5, x + 5 : x + w - 5].min() > 180
            assert image[y + h + 8, x + w // 2] < 180 or channel == 2
    stored = cv2.imread(str(tmp_path / pairs[0].ir.file), cv2.IMREAD_UNCHANGED)  # type: ignore[union-attr]
    assert stored.ndim == 2


def test_deep_thermal_frames_are_scaled(tmp_path: Path) -> None:
    with CropWriter(tmp_path) as writer:
        sequence_crops(Moving(deep=True), writer, most=2)
    entry = next(entry for entry in CropSet(tmp_path) if entry.modality == "ir")
    image = CropSet(tmp_path).load(entry)
    assert image[191, 191].min() > 230 and image[191, 250].max() < 30


def test_resuming_keeps_what_is_there(tmp_path: Path) -> None:
    with CropWriter(tmp_path) as writer:
        sequence_crops(Moving(), writer, most=5)
    index = (tmp_path / "index.json").read_bytes()
    gone = tmp_path / "rgb/moving/00006.jpg"
    gone.unlink()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg") if "00006" not in path.name}
    with CropWriter(tmp_path) as writer:
        assert sequence_crops(Moving(), writer, most=5) == 2
    assert (tmp_path / "index.json").read_bytes() == index and gone.is_file()
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())


def test_index_is_written_when_interrupted(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), CropWriter(tmp_path) as writer:
        sequence_crops(Moving(), writer, most=3)
        raise KeyboardInterrupt
    assert len(CropSet(tmp_path)) == 6


@pytest.mark.parametrize(
    ("box", "good"),
    [
        ((10, 10, 20, 20), True),
        ((10, 10, 5, 20), False),
        ((10, 10, 10, 81), False),
        ((-5, 10, 20, 20), False),
        ((-4, 10, 20, 20), True),
        ((float("nan"), 1, 2, 3), False),
        ((400, 10, 20, 20), False),
    ],
)
def test_which_boxes_are_used(box: tuple[float, ...], good: bool) -> None:
    assert usable(box, 320, 240) == good


def test_frames_are_spread_evenly() -> None:
    boxes = np.tile([10.0, 10, 20, 20], (101, 1))
    assert spread(boxes, 320, 240, 5) == [0, 25, 50, 75, 100]
    assert spread(boxes[:3], 320, 240, 5) == [0, 1, 2]
    assert spread(boxes * np.nan, 320, 240, 5) == []
