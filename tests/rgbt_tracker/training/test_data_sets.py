"""From the training splits of LasHeR and VTUAV, as they are unpacked, to crops and a few steps of their recipe."""

import numpy as np
from sequence_files import write_sequence
from typer.testing import CliRunner

from rgbt_tracker.cli.main import build_app
from rgbt_tracker.training.data.crop_set import CropSet

BOXES = np.array([[4.0, 5, 9, 8], [6, 5, 9, 8], [8, 6, 10, 8]])


def rgbt(*arguments: object) -> str:
    result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_crops_and_recipe(tmp_path, tiny_model):
    lasher, vtuav = tmp_path / "LasHeR", tmp_path / "VTUAV"
    for name in ("boy", "car"):
        write_sequence(lasher / "trainingset" / name, "lasher", BOXES)
        write_sequence(vtuav / "train" / "train_ST_001" / f"uav_{name}", "vtuav", BOXES)
    write_sequence(lasher / "testingset" / "secret", "lasher", BOXES)
    crops = tmp_path / "crops"
    rgbt("data", "crops", lasher / "trainingset", vtuav / "train", "--output", crops)
    pairs = CropSet(crops).pairs()
    assert set(pairs) == {"boy", "car", "uav_boy", "uav_car"}
    # VTUAV has a box every ten frames, and only these are cut
    assert [pair.frame for pair in pairs["uav_boy"]] == [1, 11, 21] and len(pairs["boy"]) == 3
    assert all(set(pair.crops) == {"rgb", "ir"} for instants in pairs.values() for pair in instants)

    changes = {
        "model": tiny_model,
        "data.sources": f"[{{crops: {crops}}}]",
        "data.processes": "false",
        "data.workers": 0,
        "steps": 2,
        "batch": 2,
        "schedule.warmup": 1,
    }
    options = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
    rgbt("train", "lasher", "--output", tmp_path / "run", "--device", "cpu", *options)
    assert (tmp_path / "run" / "weights_0000002.pt").is_file()
