"""Crop sets: the reference set reads, a broken index is named."""

from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.data.crop_set import CropSet
from rgbt_tracker.training.data.cutting import CropWriter


@pytest.mark.shared
def test_reader_reads_the_reference_set(shared: Path) -> None:
    crops = CropSet(shared / "data/crops")
    assert len(crops) == 5782 and len(crops.pairs()) == 1688
    grey = next(entry for entry in crops if entry.modality == "ir")
    assert crops.load(grey).shape == (383, 383, 3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("{}", "Expected a list"),
        ("[", "not valid JSON"),
        ('[{"sequence": "a"}]', "row 0: expected the key 'modality'"),
        ('[{"sequence":"a","modality":"uv","frame":1,"file":"a","box":[1,2,3,4]}]', "modality 'rgb' or 'ir'"),
        ('[{"sequence":"a","modality":"ir","frame":1,"file":"a","box":[1,2,0,4]}]', "positive sides"),
    ],
)
def test_bad_index_is_named(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "index.json").write_text(rows)
    with pytest.raises(UserError, match=message):
        CropSet(tmp_path)


def test_missing_set_and_missing_crop(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="rgbt data crops"):
        CropSet(tmp_path)
    with CropWriter(tmp_path) as writer:
        writer.add("a", 1, {"rgb": np.zeros((80, 80, 3), np.uint8)}, (20, 20, 30, 30))
    crops = CropSet(tmp_path)
    (tmp_path / crops.entries[0].file).unlink()
    with pytest.raises(UserError, match=r"Cannot read the crop .*check the path"):
        crops.load(crops.entries[0])
