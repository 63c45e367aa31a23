"""``rgbt bench``: plan, run, stop, go on, score; with a tracker that costs nothing."""

import json

import numpy as np
import pytest
from still import BOXES, setup, write_data
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.evaluation.benchmark import load_benchmark
from rgbt_tracker.evaluation.plan import plan
from rgbt_tracker.evaluation.runner import Worker, run_jobs
from rgbt_tracker.evaluation.store import ResultFolder
from rgbt_tracker.results.settings import benchmark_of


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


def test_a_thermal_tracker_starts_on_the_thermal_box(data):
    np.savetxt(data / "a" / "infrared.txt", BOXES + np.array([5, 0, 0, 0]), delimiter=",")
    benchmark = load_benchmark("rgbt234", data)
    assert plan(benchmark, setup(modality="ir"), ["a"])[0].experiment.box == (6, 2, 10, 8)
    assert plan(benchmark, setup(), ["a"])[0].experiment.box == (1, 2, 10, 8)


def test_plans_that_cannot_work_are_refused(data):
    benchmark = load_benchmark("rgbt234", data)
    with pytest.raises(UserError, match="no sequence 'z'"):
        plan(benchmark, setup(), ["z"])
    with pytest.raises(UserError, match="Only the annotations"):
        plan(load_benchmark("lasher", data_of_annotations(data)), setup())
    np.savetxt(data / "a" / "visible.txt", BOXES * 0, delimiter=",")
    with pytest.raises(UserError, match="no target in its first frame"):
        plan(load_benchmark("rgbt234", data), setup())


def data_of_annotations(data):
    np.savetxt(data.parent / "a.txt", BOXES, delimiter=",")
    flat = data.parent / "flat"
    flat.mkdir()
    (data.parent / "a.txt").rename(flat / "a.txt")
    return flat


def test_run_and_score_from_the_command_line(data, tmp_path):
    command = CliRunner()
    run = ["bench", "run", "rgbt234", "--sequences", str(data), "--config", "nestfuse_nanotrack", "--device", "cpu"]
    run += ["--weights", "untrained", "--output", str(tmp_path / "results")]
    first = command.invoke(build_app(), [*run, "--only", "a"], catch_exceptions=False)
    assert first.exit_code == 0 and "--partial" in first.stderr
    folder = tmp_path / "results" / "rgbt234" / "nestfuse_nanotrack-rgbt"
    assert {path.name for path in folder.iterdir()} == {"settings.json", "a.txt", "a_scores.txt", "a_time.txt"}
    assert benchmark_of(folder) == "rgbt234"
    settings = json.loads((folder / "settings.json").read_text())
    del settings["benchmark"]  # as they were written before: not refused
    (folder / "settings.json").write_text(json.dumps(settings))
    second = command.invoke(build_app(), run, catch_exceptions=False)
    assert "1 of 3 sequences are finished already" in second.stderr

    score = ["bench", "score", "rgbt234", str(folder), "--sequences", str(data)]
    shown = command.invoke(build_app(), [*score, "--json", "--output", str(tmp_path / "csv")], catch_exceptions=False)
    figures = json.loads(shown.stdout)["trackers"]["nestfuse_nanotrack-rgbt"]
    assert set(figures["per_sequence"]) == {"a", "b", "c"} and 0 < figures["success"] <= 1
    assert {path.name for path in (tmp_path / "csv").iterdir()} == {"summary.csv", "sequences.csv", "curves.csv"}
    assert "MPR within 20 px" in command.invoke(build_app(), score, catch_exceptions=False).stdout

    (folder / "c.txt").unlink()
    with pytest.raises(UserError, match="2 of 3 RGBT234 sequences"):
        command.invoke(build_app(), score, catch_exceptions=False)
    partial = command.invoke(build_app(), [*score, "--partial", "--json"], catch_exceptions=False)
    assert json.loads(partial.stdout)["trackers"]["nestfuse_nanotrack-rgbt"]["sequences"] == 2


def test_another_tracker_is_measured_beside_ours(data, tmp_path):
    command = CliRunner()
    run = ["bench", "run", "rgbt234", "--sequences", str(data), "--output", str(tmp_path / "results")]
    run += ["--factory", "rgbt_tracker.tracking.opencv:mil", "--modality", "ir", "--only", "a"]
    assert command.invoke(build_app(), run, catch_exceptions=False).exit_code == 0
    folder = tmp_path / "results" / "rgbt234" / "mil-ir"
    assert np.loadtxt(folder / "a.txt", delimiter=",").shape == (4, 4)
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["factory"].endswith("opencv:mil") and settings["modality"] == "ir"
    for wrong in (run[:7], [*run, "--config", "nestfuse_nanotrack"]):
        with pytest.raises(UserError, match="either --config NAME or --factory"):
            command.invoke(build_app(), wrong, catch_exceptions=False)


def test_two_trackers_are_compared(data, tmp_path):
    jobs = plan(load_benchmark("rgbt234", data), setup())
    assert len(list(run_jobs(jobs, Worker(ResultFolder(tmp_path / "results" / "still"))))) == 3
    for job in jobs:
        (tmp_path / "results" / "truth").mkdir(exist_ok=True)
        truth = (data / job.name / "visible.txt").read_text()
        (tmp_path / "results" / "truth" / f"{job.name}.txt").write_text(truth)
    score = ["bench", "score", "rgbt234", str(tmp_path / "results"), "--sequences", str(data)]
    text = CliRunner().invoke(build_app(), score, catch_exceptions=False).stdout
    assert "truth - still: success +" in text and "over 3 sequences" in text
    out = tmp_path / "matlab"
    export = ["bench", "export", "rgbt234", str(tmp_path / "results"), "--sequences", str(data), "--output", str(out)]
    CliRunner().invoke(build_app(), [*export, "--layout", "matlab"], catch_exceptions=False)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        f"{t}_{s}.txt" for t in ("still", "truth") for s in "abc"
    )
