"""The paper's tables: rows, training of what is missing, other methods' pictures, and the command."""

import math

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from nestfuse_core import tables
from nestfuse_core.common.checkpoints import save_checkpoint
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import read_image
from nestfuse_core.fusion.baselines import BASELINES
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.pairs import match_folders
from nestfuse_core.metrics import METRICS, evaluate
from nestfuse_core.model.network import NestFuse
from rgbt_tracker.cli.main import build_app


@pytest.fixture
def folders(tmp_path):
    """Two pairs, another method's pictures (their mean), and a live network for each of Table V's rows."""
    random = np.random.default_rng(3)
    for name in ("pairs", "mean"):
        (tmp_path / name).mkdir()
    for index in (1, 2):
        ir, vis = (cv2.resize(random.integers(0, 256, (9, 9), np.uint8), (72, 66)) for _ in range(2))
        cv2.imwrite(str(tmp_path / f"pairs/IR{index}.png"), ir)
        cv2.imwrite(str(tmp_path / f"pairs/VIS{index}.png"), vis)
        cv2.imwrite(str(tmp_path / f"mean/fused_{index}.png"), ir // 2 + vis // 2)
    for name, deep in (("paper-lambda100", False), ("paper-deep-lambda100", True)):
        torch.manual_seed(1)
        network = NestFuse(deep_supervision=deep)
        for output in network.output_names:
            getattr(network, output).conv2d.weight.data.abs_()
        save_checkpoint(tmp_path / "runs" / name / "network.pt", network.state_dict())
    return tmp_path


def test_table_v_has_ours_the_papers_and_any_other_row(folders):
    pairs, _ = match_folders(folders / "pairs", folders / "pairs")
    networks = tables.open_networks("V", folders / "runs")
    frame = tables.build_table("V", networks, pairs, {"mean": folders / "mean"}, save=folders / "fused")
    here = frame[frame.source == "here"].set_index("method")
    assert list(here.index) == ["avg", "max", "nuclear", "add (DenseFuse)", "mean"]
    assert frame[frame.method == "IFCNN"].source.tolist() == ["paper"]
    # The saved pictures are what was scored.
    for label, folder in (("avg", folders / "fused" / "avg"), ("mean", folders / "mean")):
        scores = []
        for pair in pairs:
            picture = next(path for path in folder.iterdir() if path.stem[-1] == pair.name[-1])
            ir, vis, fused = (cv2.imread(str(path), 0) for path in (pair.ir, pair.vis, picture))
            scores.append(evaluate(ir, vis, fused))
        for name in METRICS:
            assert here.loc[label, name] == pytest.approx(np.mean([one[name] for one in scores]), abs=1e-12)


def test_a_table_takes_the_look(folders):
    pairs, _ = match_folders(folders / "pairs", folders / "pairs")
    networks = tables.open_networks("V", folders / "runs")
    values = {}
    for look in ("paper", "natural"):
        frame = tables.build_table("V", networks, pairs, look=look).set_index("method")
        fuser = Fuser(networks["lambda100"], "avg", look)
        fusions = [fuser(read_image(pair.ir), read_image(pair.vis)) for pair in pairs]
        values[look] = np.mean([evaluate(one.ir, one.vis, one.luminance)["VIF"] for one in fusions])
        assert frame[frame.source == "here"].loc["avg", "VIF"] == pytest.approx(values[look], abs=1e-12)
    assert values["paper"] != pytest.approx(values["natural"], abs=1e-6)


def test_methods_are_compared_by_all_metrics(folders):
    arguments = ["fusion", "table", "methods", "--pairs", folders / "pairs", "--look", "equations"]
    arguments += ["--method", f"theirs={folders / 'mean'}", "--output", folders / "t.csv", "--fused", folders / "out"]
    result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(folders / "t.csv").set_index("method")
    assert list(frame.index) == ["equations", *BASELINES, "theirs"]
    assert list(frame.columns) == [*METRICS, "SD_standard", "MI_standard", "VIF_standard"]
    pairs, _ = match_folders(folders / "pairs", folders / "pairs")
    for label in ("equations", "wavelet"):
        scores = {preset: [] for preset in ("paper", "standard")}
        for pair in pairs:
            ir, vis = (cv2.imread(str(path), 0) for path in (pair.ir, pair.vis))
            fused = cv2.imread(str(folders / "out" / label / f"{pair.name}.png"), 0)
            for preset, found in scores.items():
                found.append(evaluate(ir, vis, fused, preset))
        for name in METRICS:
            assert frame.loc[label, name] == pytest.approx(np.mean([one[name] for one in scores["paper"]]), abs=1e-9)
        for name in ("SD", "MI", "VIF"):
            expected = np.mean([one[name] for one in scores["standard"]])
            assert frame.loc[label, f"{name}_standard"] == pytest.approx(expected, abs=1e-9)


def test_table_iv_measures_each_output_of_one_network(folders):
    pairs, _ = match_folders(folders / "pairs", folders / "pairs")
    frame = tables.build_table("IV", tables.open_networks("IV", folders / "runs"), pairs[:1])
    here = frame[frame.source == "here"].set_index("method")
    assert here.loc[["output 1", "output 2", "output 3"], "VIF"].nunique() == 3
    assert math.isnan(frame[frame.source == "paper"].iloc[0].FMI_w)


def test_the_papers_mutual_information_is_twice_its_entropy():
    for scores in tables.PUBLISHED["V"].values():
        assert scores["MI"] == pytest.approx(2 * scores["En"], abs=1.1e-5)


def test_what_a_table_lacks_is_trained_from_its_name(folders, monkeypatch):
    monkeypatch.setattr(tables, "available", lambda: [])
    assert tables.missing_weights("III", folders / "runs") == ["paper-lambda1", "paper-lambda10", "paper-lambda1000"]
    monkeypatch.setattr(tables, "ENTRIES", {"III": (tables.Entry("lambda 1", "lambda1"),)})
    with pytest.raises(UserError, match="paper-lambda1, which are not shipped; train them"):
        tables.open_networks("III", folders / "runs")
    changes = {"steps": 2, "size": 16, "batch": 1}
    tables.train_missing("III", folders / "runs", str(folders / "mean"), changes, "cpu", lambda message: None)
    assert tables.open_networks("III", folders / "runs").keys() == {"lambda1"}


def test_the_recipe_follows_from_the_name():
    deep = tables.settings_for("paper-deep-lambda10", "photos", {})
    assert (deep.weight, deep.deep_supervision, deep.size) == (10, True, 64)
    assert tables.settings_for("paper-lambda1000", "photos", {"size": 96}).size == 96
    paper, released = (tables.settings_for(f"{version}-lambda100", "photos", {}) for version in ("paper", "released"))
    assert (paper.version, paper.steps) == ("paper", 4000)
    assert (released.version, released.steps) == ("released", 6000)


def test_a_table_of_the_other_network(folders, monkeypatch):
    monkeypatch.setattr(tables, "available", lambda: ["paper-lambda100"])
    with pytest.raises(UserError, match="needs the networks released-lambda100, which are not shipped"):
        tables.open_networks("V", folders / "runs", version="released")
    changes = {"steps": 1, "size": 16, "batch": 1}
    photos, silent = str(folders / "mean"), lambda message: None
    tables.train_missing("V", folders / "runs", photos, changes, "cpu", silent, "released")
    assert tables.open_networks("V", folders / "runs", version="released")["lambda100"].version == "released"
    monkeypatch.setattr(tables, "ENTRIES", {"V": (tables.Entry("add (DenseFuse)", "lambda100", "add"),)})
    scores = {}
    for version in ("paper", "released"):
        arguments = ["fusion", "table", "V", "--pairs", folders / "pairs", "--runs", folders / "runs"]
        arguments += ["--network", version, "--output", folders / f"{version}.csv"]
        result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
        assert result.exit_code == 0 and f"{version} network" in result.output
        scores[version] = pd.read_csv(folders / f"{version}.csv").VIF[0]
    assert scores["paper"] != pytest.approx(scores["released"], abs=1e-6)


def test_the_command_prints_and_writes_the_table(folders, monkeypatch):
    monkeypatch.setattr(tables, "ENTRIES", {"V": (tables.Entry("add (DenseFuse)", "lambda100", "add"),)})
    arguments = ["fusion", "table", "v", "--pairs", folders / "pairs", "--runs", folders / "runs"]
    arguments += ["--method", f"mean={folders / 'mean'}", "--output", folders / "table.csv"]
    result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    frame = pd.read_csv(folders / "table.csv")
    assert frame.method.tolist()[:2] == ["add (DenseFuse)"] * 2 and frame.method.tolist()[-1] == "mean"
    # Figures come whole, however narrow the terminal.
    assert all(f"{frame[name][0]:.5f}" in result.output for name in METRICS)


def test_bad_requests_are_named(folders):
    with pytest.raises(UserError, match="expected III, IV or V"):
        tables.check_table("VI")
    with pytest.raises(UserError, match=r"Unknown NestFuse version 'release'.*did you mean 'released'"):
        tables.open_networks("V", folders / "runs", version="release")
    result = CliRunner().invoke(
        build_app(), ["fusion", "table", "V", "--pairs", str(folders / "pairs"), "--method", "x"]
    )
    assert isinstance(result.exception, UserError) and "NAME=FOLDER" in str(result.exception)
