"""``rgbt tune`` from the command line, on tiny pictures with an untrained network."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import load_config
from rgbt_tracker.tuning.sets import drawn_set, folder_set

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sequences"))
from sequence_files import write_sequence

pytest.importorskip("optuna", reason="needs optuna: pip install -e '.[tune]'")
BOXES = np.array([[1.0, 2, 10, 8], [2, 3, 10, 8], [3, 3, 11, 9]])


@pytest.fixture
def data(tmp_path):
    for index in range(4):
        write_sequence(tmp_path / "data" / f"s{index}", "vot", BOXES + np.array([2.0 * index, 0, 0, 0]))
    return tmp_path / "data"


def tune(data, output, *more):
    arguments = ["tune", "--config", "nestfuse_nanotrack", "--weights", "untrained", "--device", "cpu", "--json"]
    arguments += ["--sequences", str(data), "--output", str(output), *more]
    return CliRunner().invoke(build_app(), arguments, catch_exceptions=False)


def test_report_study_and_configuration_are_left_behind(data, tmp_path):
    first = tune(data, tmp_path / "out", "--trials", "3")
    report = json.loads(first.stdout)
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["trials"], report["default"]["window"]) == (3, 0.455)
    assert len(report["sequences"]["training"]) == len(report["sequences"]["held_back"]) == 2
    assert 0 < report["hit_rate"] < 1
    assert ("Gain: " in first.stderr) == report["gained"] and ("No gain: " in first.stderr) != report["gained"]
    written = tmp_path / "out" / "nestfuse_nanotrack-tuned.yaml"
    assert written.is_file() == report["gained"]
    if report["gained"]:
        assert load_config(written).tracking.window == report["best"]["window"]

    again = json.loads(tune(data, tmp_path / "out", "--trials", "3").stdout)
    assert {key: again[key] for key in ("best", "training", "held_back")} == {
        key: report[key] for key in ("best", "training", "held_back")
    }
    with pytest.raises(UserError, match="made with criterion = success, now it is precision"):
        tune(data, tmp_path / "out", "--trials", "3", "--criterion", "precision")


def test_fusion_variants_include_the_configured_one(data, tmp_path):
    report = json.loads(tune(data, tmp_path / "out", "--trials", "2", "--fusion", "mean,max").stdout)
    assert report["default"]["fusion"] == "reliable:avg:l1"
    with pytest.raises(UserError, match="did you mean 'mean'"):
        tune(data, tmp_path / "other", "--trials", "1", "--fusion", "maen")
    with pytest.raises(UserError, match="both modalities"):
        tune(data, tmp_path / "third", "--modality", "ir", "--fusion", "mean")


def test_sets_of_sequences(data, tmp_path):
    assert list(folder_set(data)) == ["s0", "s1", "s2", "s3"]
    (data / "s1" / "groundtruth.txt").unlink()
    with pytest.raises(UserError, match="s1' has no ground truth"):
        folder_set(data)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="found none"):
        folder_set(tmp_path / "empty")
    drawn = drawn_set(2, 3)
    assert len(drawn) == 2 and all(len(sequence) == 3 for sequence in drawn.values())
