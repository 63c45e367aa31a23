"""Annotated still images: COCO and CSV as crops."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data.crop_set import CropSet
from rgbt_tracker.training.data.cutting import CropWriter, crop_box
from rgbt_tracker.training.data.stills import read_stills, still_crops


@pytest.fixture
def images(tmp_path: Path) -> dict[str, Path]:
    folders = {"rgb": tmp_path / "visible", "ir": tmp_path / "thermal"}
    for folder in folders.values():
        folder.mkdir()
        cv2.imwrite(str(folder / "a.png"), np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8))
    return folders


COCO = {
    "images": [{"id": 7, "file_name": "a.png"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [100, 80, 40, 30]},
        {"id": 2, "image_id": 7, "category_id": 3, "bbox": [100, 80, 2, 2]},
        {"id": 3, "image_id": 7, "category_id": 3, "bbox": [0, 0, 300, 200], "iscrowd": 1},
    ],
    "categories": [{"id": 3, "name": "car"}],
}


def test_coco_stills(tmp_path: Path, images: dict[str, Path]) -> None:
    table = tmp_path / "boxes.json"
    table.write_text(json.dumps(COCO))
    with CropWriter(tmp_path / "set") as writer:
        assert sum(still_crops(still, images, writer) for still in read_stills(table)) == 2
        assert sum(still_crops(still, images, writer) for still in read_stills(table)) == 0
    (pair,) = CropSet(tmp_path / "set").pairs()["a-1"]
    assert pair.frame == 0 and pair.rgb is not None and pair.ir is not None
    assert (pair.rgb.kind, pair.rgb.object, pair.rgb.source_box) == ("still", "car", (100, 80, 40, 30))


def test_csv_stills(tmp_path: Path, images: dict[str, Path]) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text("path,x,y,w,h,object\na.png,100,80,40,30,dog\n")
    with CropWriter(tmp_path / "set") as writer:
        for still in read_stills(table):
            still_crops(still, {"rgb": images["rgb"]}, writer)
    (entry,) = CropSet(tmp_path / "set").entries
    assert (entry.modality, entry.object, entry.box) == ("rgb", "dog", crop_box((100, 80, 40, 30)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.png,1,2,3", "line 1: expected path,x,y,w,h"),
        ("a.png,1,2,3,four", "line 1: expected a box of four numbers"),
        ("1,1,295.8,154.8,57.2,195.2,1,-1,-1,-1\n2,1,296,155,57,195,1,-1,-1,-1", "MOT rows .* write path,x,y,w,h"),
        ("path,x,y,w,h\na.png,.1,.2,.3,.4\nb.png,0,0,1,.5", "normalised"),
    ],
)
def test_bad_csv_is_named(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "boxes.csv"
    table.write_text(text)
    with pytest.raises(UserError, match=message):
        read_stills(table)
