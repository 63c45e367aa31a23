"""The ablation table: what it sums up, and that it resumes."""

import json
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import file_hash
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.ablation import (
    SETTINGS,
    Cell,
    Contender,
    OnePassFigures,
    ResetFigures,
    measure_all,
)
from rgbt_tracker.evaluation.ablation_tables import as_markdown, differences, summary, table
from rgbt_tracker.evaluation.job import Source
from rgbt_tracker.models.build import build_network
from rgbt_tracker.results.trajectory import FAILED, INITIALISED, TRACKED, UNKNOWN
from rgbt_tracker.synthetic import draw_sequence

IOU = {"RGB": (0.2, 0.8), "thermal": (0.6, 0.4), "paper": (0.5, 0.5), "reliable": (0.62, 0.77)}


@pytest.fixture
def cells() -> list[Cell]:
    overlaps = [None, *[0.5] * 20, None, *[None] * 4, None, *[0.7] * 20]
    codes = [INITIALISED, *[TRACKED] * 20, FAILED, *[UNKNOWN] * 4, INITIALISED, *[TRACKED] * 20]
    return [
        Cell("ours", setting, name, OnePassFigures(IOU[setting][index], 0.5, 30.0), ResetFigures(overlaps, codes))
        for index, name in enumerate(("smoke", "sun"))
        for setting in SETTINGS
    ]


def drawn(length: int) -> Source:
    return Source(draw_sequence, ("street", length), {"seed": 3}, cached=True)


def test_tables_by_hand(cells: list[Cell]) -> None:
    iou = table(cells, "mean_iou")
    assert list(iou.columns) == ["smoke", "sun", "mean"]
    assert iou.loc[("ours", "RGB"), "mean"] == pytest.approx(0.5)
    assert table(cells, "failures").loc[("ours", "paper"), "total"] == 2
    # 9 + 9 frames... burn-in 10 from each initialisation leaves 11 frames of .5 and 11 of .7
    assert table(cells, "accuracy").loc[("ours", "paper"), "smoke"] == pytest.approx(0.6)
    rows = summary(cells, 2, 20)
    assert rows.loc[("ours", "reliable"), "mean IoU"] == pytest.approx(0.695)
    assert 0 < rows.loc[("ours", "RGB"), "EAO"] < 0.7


def test_differences_to_each_and_to_the_better_single(cells: list[Cell]) -> None:
    rows = differences(cells)
    assert rows.loc[("ours", "reliable - RGB"), "difference"] == pytest.approx(0.195)
    better = rows.loc[("ours", "reliable - better single")]
    assert better["difference"] == pytest.approx((0.02 - 0.03) / 2)
    assert (better["worst"], better["on"]) == (pytest.approx(-0.03), "sun")
    assert better["low"] <= better["difference"] <= better["high"]
    assert "| ours | reliable - RGB | 0.195 |" in as_markdown(rows)


def test_differences_of_failures_are_totals_and_the_most_is_the_worst(cells: list[Cell]) -> None:
    calm = [INITIALISED, *[TRACKED] * 46]
    kept = {("RGB", "smoke"), ("thermal", "sun"), ("reliable", "smoke"), ("paper", "smoke"), ("paper", "sun")}
    codes = [calm if (cell.setting, cell.sequence) in kept else cell.reset.codes for cell in cells]
    runs = [replace(cell, reset=replace(cell.reset, codes=run)) for cell, run in zip(cells, codes, strict=True)]
    rows = differences(runs, "failures")
    # Failures on (smoke, sun): RGB 0, 1; thermal 1, 0; paper 0, 0; reliable 0, 1.
    assert list(rows["difference"]) == pytest.approx([0, 0, 1, 1])
    better = rows.loc[("ours", "reliable - better single")]
    assert (better["low"], better["high"], better["worst"], better["on"]) == (0, 2, 1, "sun")
    assert rows.loc[("ours", "reliable - thermal"), "on"] == "sun"


def test_measuring_resumes_and_notices_another_configuration(tmp_path) -> None:
    config = load_config("nestfuse_nanotrack")
    sources = [drawn(4)]
    first = measure_all([Contender("nano", config, "untrained")], sources, tmp_path, "cpu")
    assert [cell.setting for cell in first] == list(SETTINGS)
    assert all(0 <= cell.one_pass.mean_iou <= 1 for cell in first)
    kept = tmp_path / "nano" / "RGB" / "one-pass" / f"{first[0].sequence}.json"
    content = json.loads(kept.read_text())
    content["result"]["mean_iou"] = 0.123
    kept.write_text(json.dumps(content))
    again = measure_all([Contender("nano", config, "untrained")], sources, tmp_path, "cpu")
    assert again[0].one_pass.mean_iou == 0.123
    assert [cell.reset for cell in again] == [cell.reset for cell in first]
    other = config.replace(**{"tracking.window": 0.3})
    assert measure_all([Contender("nano", other, "untrained")], sources, tmp_path, "cpu")[0].one_pass.mean_iou != 0.123


@pytest.mark.parametrize(
    "content", ["smoke", "[]", '{"result": {}}', '{"result": {"fps": 1}, "made_with": null}', "\udcff"]
)
def test_a_damaged_run_is_named(tmp_path, content: str) -> None:
    contender = Contender("nano", load_config("nestfuse_nanotrack"), "untrained")
    sources = [drawn(3)]
    cells = measure_all([contender], sources, tmp_path, "cpu")
    kept = tmp_path / "nano" / "RGB" / "one-pass" / f"{cells[0].sequence}.json"
    made_with = json.dumps(json.loads(kept.read_text())["made_with"])
    kept.write_bytes(content.replace("null", made_with).encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=f"{kept.name}.*damaged; delete it"):
        measure_all([contender], sources, tmp_path, "cpu")


def test_another_gate_is_measured_where_there_is_one(tmp_path) -> None:
    config = load_config("nestfuse_nanotrack")
    sources = [drawn(3)]
    measure_all([Contender("nano", config, "untrained")], sources, tmp_path, "cpu")
    for path in tmp_path.rglob("one-pass/*.json"):
        content = json.loads(path.read_text())
        content["result"]["mean_iou"] = 0.123
        path.write_text(json.dumps(content))
    other = config.replace(**{"model.fusion.reliability": {"now": 2.0}})
    cells = measure_all([Contender("nano", other, "untrained")], sources, tmp_path, "cpu")
    assert [cell.setting for cell in cells if cell.one_pass.mean_iou != 0.123] == ["reliable"]


def test_starts_of_a_sequence_are_averaged(cells: list[Cell]) -> None:
    later = [
        replace(
            cell,
            start=10,
            one_pass=replace(cell.one_pass, mean_iou=cell.one_pass.mean_iou / 2),
            reset=ResetFigures([None], [1]),
        )
        for cell in cells
    ]
    both = cells + later
    assert table(both, "mean_iou").loc[("ours", "RGB"), "smoke"] == pytest.approx((0.2 + 0.1) / 2)
    assert table(both, "failures").loc[("ours", "paper"), "total"] == pytest.approx(1)
    rows = summary(both, 2, 20)
    assert rows.loc[("ours", "reliable"), "mean IoU"] == pytest.approx(0.695 * 0.75)
    assert rows.loc[("ours", "RGB"), "failures"] == pytest.approx(1)


def test_measuring_from_several_starts(tmp_path) -> None:
    config = load_config("nestfuse_nanotrack")
    sources = [drawn(21)]
    cells = measure_all([Contender("nano", config, "untrained")], sources, tmp_path, "cpu", starts=2)
    assert [(cell.setting, cell.start) for cell in cells][:3] == [("RGB", 0), ("RGB", 10), ("thermal", 0)]
    assert [len(cell.reset.codes) for cell in cells[:2]] == [21, 11]
    assert {path.name for path in (tmp_path / "nano" / "RGB" / "reset").iterdir()} == {
        f"{cells[0].sequence}.json",
        f"{cells[0].sequence}@10.json",
    }


def test_other_weights_under_the_same_name_are_measured_anew(tmp_path) -> None:
    config = load_config("nestfuse_nanotrack")
    sources = [drawn(3)]
    file = tmp_path / "weights.pth"
    for seed in (0, 1):
        torch.manual_seed(seed)
        torch.save(build_network(config).state_dict(), file)
        [first, *_] = measure_all([Contender("nano", config, str(file))], sources, tmp_path / "runs", "cpu")
        kept = json.loads((tmp_path / "runs" / "nano" / "RGB" / "one-pass" / f"{first.sequence}.json").read_text())
        assert kept["made_with"]["digest"] == f"sha256:{file_hash(file)}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Nothing to measure on"),
        (["--drawn", "test:x"], "SET:COUNT"),
        (["--drawn", "tests:3"], "did you mean 'test'"),
        (["--drawn", "test:1", "--low", "300", "--high", "200"], "got 300-200"),
        (["--config", "nestfuse_nano", "--drawn", "test:1"], "nestfuse_nanotrack"),
    ],
)
def test_bad_arguments(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(build_app(), ["ablation", *arguments])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)


def test_starts_are_as_far_apart_as_asked(tmp_path) -> None:
    contender = Contender("nano", load_config("nestfuse_nanotrack"), "untrained")
    sources = [drawn(6)]
    cells = measure_all([contender], sources, tmp_path, "cpu", starts=2, apart=3)
    assert [(cell.start, len(cell.reset.codes)) for cell in cells] == [(0, 6), (3, 3)] * len(SETTINGS)
