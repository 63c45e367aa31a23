"""A report shows the figures of ``rgbt bench score`` and ``rgbt vot score``, digit for digit, by every protocol."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.box_files import absent_as_nan
from rgbt_tracker.boxes import box_to_polygon
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.evaluation.one_pass import one_pass_scores
from rgbt_tracker.evaluation.protocols import PROTOCOLS
from rgbt_tracker.results.settings import SETTINGS
from rgbt_tracker.results.write import write_rows

LENGTHS = {"a": 200, "b": 60, "c": 40}
TRACKERS = {"close": 1.5, "far": 4.0}
FIGURES = ["success", "precision", "normalised_precision", "mean_iou", "frames"]


def invoke(*arguments) -> str:
    result = CliRunner().invoke(build_app(), list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def course(length: int, seed: int) -> np.ndarray:
    """A target that walks, touches the left border and is away for a fifth of the time."""
    random = np.random.default_rng(seed)
    steps = np.cumsum(random.normal(0, 1, (length, 2)), axis=0) + np.array([120, 90])
    boxes = np.hstack([steps, np.tile([30.5, 24.25], (length, 1))]).round(2)
    boxes[3, 0] = 0
    boxes[length // 2 : length // 2 + length // 5] = 0
    return boxes


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """truth/KEY: three sequences annotated as each benchmark does it; results: two trackers on them."""
    root = tmp_path_factory.mktemp("protocols")
    for seed, (name, length) in enumerate(LENGTHS.items()):
        visible = course(length, seed)
        shown = visible[:, 2:3] > 0
        thermal = np.where(shown, visible + np.array([2, 1, 0, 0]), visible)
        corners = {k: np.hstack([v[:, :2], v[:, :2] + v[:, 2:]]) for k, v in (("v", visible), ("i", thermal))}
        for key in PROTOCOLS:
            folder = root / "truth" / key / name
            if key == "gtot":
                write_rows(folder / "groundTruth_v.txt", corners["v"], " ")
                write_rows(folder / "groundTruth_i.txt", corners["i"], " ")
            elif key == "vtuav":
                write_rows(folder / "rgb.txt", visible[::10], " ")
                write_rows(folder / "ir.txt", thermal[::10], " ")
            elif key in ("rgbt234", "plain"):
                write_rows(folder / "visible.txt", visible)
                write_rows(folder / "infrared.txt", thermal)
            else:
                write_rows(folder / "init.txt", visible)
            tag = (np.arange(length) % 7 < 3) if key == "plain" else np.arange(length) < (length if name != "c" else 0)
            (folder / "occlusion.tag").write_text("\n".join(map(str, tag.astype(int))))
        for tracker, spread in TRACKERS.items():
            noise = np.random.default_rng(seed + 10).normal(0, spread, visible.shape)
            boxes = np.where(shown, visible, visible[0]) + noise * [1, 1, 0.3, 0.3]
            boxes[length - 9 : length - 4] += [90, 0, 0, 0]
            boxes[length - 3, 2] = -1
            write_rows(root / "results" / tracker / f"{name}.txt", boxes)
            reset = [",".join(f"{v:.4f}" for v in box_to_polygon(box)) for box in boxes]
            reset[:20] = ["1", *reset[1:12], "2", "0", "0", "0", "0", "1", *reset[18:20]]
            folder = root / "vot" / tracker / "baseline" / name
            folder.mkdir(parents=True)
            (folder / f"{name}_001.txt").write_text("\n".join(reset) + "\n")
        regions = np.where(absent_as_nan(visible) > -1, visible, np.nan)
        write_rows(root / "truth" / "reset" / f"{name}.txt", box_to_polygon(regions))
    return root


def tables(output: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_csv(path, float_precision="round_trip") for path in (output / "tables").glob("*.csv")}


@pytest.mark.parametrize("key", list(PROTOCOLS))
def test_one_pass(data, tmp_path, key):
    truth = data / "truth" / key
    score = ["bench", "score", key, data / "results", "--sequences", truth]
    scores = json.loads(invoke(*score, "--json"))["trackers"]
    words = invoke(*score)
    invoke("report", data / "results", "--sequences", truth, "--output", tmp_path, "--protocol", key)
    found = tables(tmp_path)
    for row in found["summary"].itertuples():
        assert all(getattr(row, name) == scores[row.tracker][name] for name in FIGURES if name != "frames")
        assert row.sequences == 3 and f"{row.success:.4f}" in words
    for row in found["sequences"].itertuples():
        assert all(getattr(row, name) == scores[row.tracker]["per_sequence"][row.sequence][name] for name in FIGURES)
    assert set(found["attributes"]["attribute"]) == ({"occlusion", "no attribute"} if key == "plain" else {"occlusion"})
    for row in found["attributes"].itertuples():
        assert row.success == scores[row.tracker]["attributes"][row.attribute]["success"]
        assert row.sequences == scores[row.tracker]["attributes"][row.attribute]["sequences"]
    (row,) = (row for row in found["differences"].itertuples() if row.score == PROTOCOLS[key].labels[1])
    assert f"{row.difference:+.4f}, 95% interval {row.low:+.4f} to {row.high:+.4f}" in words
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    rules = "plain protocol" if key == "plain" else f"rules of {PROTOCOLS[key].title} (--protocol {key})"
    assert f"by the {rules}" in page


def test_absent_frames_count_as_each_benchmark_says(data, tmp_path):
    success = {}
    for key in PROTOCOLS:
        score = invoke("bench", "score", key, data / "results" / "close", "--sequences", data / "truth" / key, "--json")
        success[key] = json.loads(score)["trackers"]["close"]["per_sequence"]["a"]["success"]
    assert success["rgbt234"] < 0.85 * success["plain"] and success["lasher"] < 0.85 * success["plain"]


def test_resets(data, tmp_path):
    truth, interval = data / "truth" / "reset", ("--low", 20, "--high", 60)
    invoke("report", data / "vot", "--sequences", truth, "--output", tmp_path, *interval)
    for row in tables(tmp_path)["vot_summary"].itertuples():
        score = ["vot", "score", "--results", data / "vot" / row.tracker, "--ground-truth", truth, *interval, "--json"]
        scores = json.loads(invoke(*score))
        assert (row.eao, row.accuracy, row.failures) == (scores["EAO"], scores["accuracy"], scores["failures"])
        assert row.robustness == scores["robustness"] and row.sequences == scores["sequences"] == 3


def test_plain_figures_are_those_of_one_sequence_after_the_other(data, tmp_path):
    """Independent of results and benchmarks: the mean over the sequences of scores of plain arrays."""
    truth = data / "truth" / "plain"
    invoke("report", data / "results", "--sequences", truth, "--output", tmp_path)
    row = tables(tmp_path)["summary"].set_index("tracker").loc["far"]
    each = []
    for name in LENGTHS:
        read = {path.stem: np.loadtxt(path, delimiter=",") for path in (truth / name).glob("*.txt")}
        boxes = np.loadtxt(data / "results" / "far" / f"{name}.txt", delimiter=",")
        each.append(one_pass_scores(boxes, [read["visible"], read["infrared"]]))
    for name in ("success", "precision", "normalised_precision", "mean_iou"):
        assert row[name] == pytest.approx(np.mean([scores[name] for scores in each]), abs=1e-12)


def test_the_settings_of_the_results_decide_by_what_they_are_scored(data, tmp_path):
    for tracker in TRACKERS:
        for name in LENGTHS:
            text = (data / "results" / tracker / f"{name}.txt").read_text()
            (tmp_path / "results" / tracker).mkdir(parents=True, exist_ok=True)
            (tmp_path / "results" / tracker / f"{name}.txt").write_text(text)
    (tmp_path / "results" / "close" / SETTINGS).write_text('{"benchmark": "rgbt234", "weights": null}')
    (tmp_path / "results" / "far" / SETTINGS).write_text('{"weights": null}')  # of before benchmarks were noted
    report = ["report", tmp_path / "results", "--sequences", data / "truth" / "rgbt234", "--output", tmp_path / "out"]
    for more in ([], ["--protocol", "plain"]):
        invoke(*report, *more)
        page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
        assert "rules of RGBT234 (--protocol rgbt234), for which the results were made" in page
    (tmp_path / "results" / "far" / SETTINGS).write_text('{"benchmark": "lasher"}')
    with pytest.raises(UserError, match=r"different benchmarks \(close: rgbt234, far: lasher\)"):
        invoke(*report)
    with pytest.raises(UserError, match="did you mean 'rgbt234'"):
        invoke("report", data / "results", *report[2:], "--protocol", "rgbt243")


def test_another_radius_of_precision(data, tmp_path):
    report = ["report", data / "results", "--sequences", data / "truth" / "plain", "--output", tmp_path]
    invoke(*report, "--precision", "2.5")
    markdown = (tmp_path / "tables" / "summary.md").read_text()
    assert re.search(r"\| Precision 2\.5 px \|", markdown)
    near = tables(tmp_path)["summary"]["precision"].to_numpy()
    invoke(*report)
    assert (near < tables(tmp_path)["summary"]["precision"].to_numpy()).all()


def test_files_of_other_sequences_are_told(data, tmp_path):
    write_rows(data / "results" / "close" / "zebra.txt", np.ones((3, 4)))
    invoke("report", data / "results", "--sequences", data / "truth" / "plain", "--output", tmp_path)
    assert "1 result file of other sequences" in (tmp_path / "index.html").read_text(encoding="utf-8")
    (data / "results" / "close" / "zebra.txt").unlink()
