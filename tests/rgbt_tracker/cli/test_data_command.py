"""``rgbt data``: folders that the readers read back, crop sets, clear refusals."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.locate import list_sequences, open_sequence
from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.training.data.crop_set import CropSet


def command(*arguments: object) -> str:
    """Run ``rgbt data ...`` and return what it printed; errors are raised."""
    result = CliRunner().invoke(build_app(), ["data", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_drawn_folder_reads_back(tmp_path: Path) -> None:
    command("draw", "blackout", "--output", tmp_path, "--length", 10, "--size", "320x240", "--seed", 4)
    drawn, read = draw_sequence("blackout", 10, (320, 240), 4), open_sequence(tmp_path / "blackout-4")
    assert (read.name, len(read), read.info.fps) == ("blackout-4", 10, 30.0)
    np.testing.assert_allclose(read.groundtruth, drawn.groundtruth)
    assert set(read.info.tags) == set(drawn.info.tags)
    for name, flags in drawn.info.tags.items():
        assert (read.info.tags[name] == flags).all()
    for index in (0, 9):
        frame, original = read.frame(index), drawn.frame(index)
        assert np.abs(frame.rgb.astype(int) - original.rgb).mean() < 4
        assert np.abs(frame.ir.reshape(240, 320, -1)[..., 0].astype(int) - original.ir).mean() < 2
    assert [path.name for path in list_sequences(tmp_path)] == ["blackout-4"]
    with pytest.raises(UserError, match="not to exist yet"):
        command("draw", "blackout", "--output", tmp_path, "--length", 10, "--seed", 4)


def test_crops_of_a_drawn_folder(tmp_path: Path) -> None:
    command("draw", "zoom", "--output", tmp_path / "data", "--length", 5, "--size", "320x240")
    command("crops", tmp_path / "data", "--output", tmp_path / "set", "--most", 3)
    pairs = CropSet(tmp_path / "set").pairs()["zoom"]
    assert [pair.frame for pair in pairs] == [1, 3, 5]
    assert all(pair.rgb is not None and pair.ir is not None for pair in pairs)


def test_drawn_crops_resume(tmp_path: Path) -> None:
    command("drawn-crops", "--output", tmp_path, "--count", 1, "--most", 2, "--part", "validation")
    first = (tmp_path / "index.json").read_bytes()
    crops = CropSet(tmp_path)
    assert len(crops) >= 2 and {entry.modality for entry in crops} == {"rgb", "ir"}
    command("drawn-crops", "--output", tmp_path, "--count", 1, "--most", 2, "--part", "validation")
    assert (tmp_path / "index.json").read_bytes() == first


def test_contact_sheet(tmp_path: Path) -> None:
    command("sheet", "--output", tmp_path / "a.png", "--scene", "zoom", "--columns", 2, "--width", 80)
    image = cv2.imread(str(tmp_path / "a.png"))
    assert image is not None and image.shape == (22 + 120 + 4, 160 + 8, 3)


def test_scenes_are_listed() -> None:
    assert "street" in command("scenes")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("draw", "stret", "--output", "x"), "did you mean 'street'"),
        (("draw", "street", "--output", "x", "--size", "big"), "640x480"),
        (("crops", "nowhere", "--output", "x"), "nowhere"),
        (("crops", "nowhere.csv", "--output", "x"), "found none"),
        (("drawn-crops", "--output", "x", "--part", "trian"), "did you mean 'train'"),
        (("sheet", "--output", "x.gif"), "a .jpg or .png"),
    ],
)
def test_mistakes_leave_nothing_behind(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        command(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_masks_ask_for_their_network(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ONNX file at .*none"):
        command("masks", tmp_path, "--model", tmp_path / "none.onnx", "--output", tmp_path / "masks")
    with pytest.raises(UserError, match="a folder of photographs"):
        command("masks", tmp_path / "nowhere", "--model", tmp_path / "none.onnx", "--output", tmp_path / "masks")
