"""``rgbt bench``: run, stop, go on, score; with a tracker that costs nothing."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sequence_files import write_sequence
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.box_files import read_boxes
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation import runner
from rgbt_tracker.evaluation.groundtruth import load_benchmark
from rgbt_tracker.evaluation.runner import Setup, check_settings, plan, run_jobs
from rgbt_tracker.results.settings import benchmark_of

BOXES = np.array([[1.0, 2, 10, 8], [2, 3, 10, 8], [3, 3, 11, 9], [4, 4, 12, 9]])


class Still:
    """Reports the first box for ever; stops at the sequence whose box it is told."""

    def __init__(self, fails_at=None):
        self.fails_at = fails_at

    def initialize(self, rgb, ir, box):
        if self.fails_at is not None and box[0] == self.fails_at:
            raise UserError("the third sequence cannot be tracked")
        self.box = tuple(box)

    def update(self, rgb, ir):
        return SimpleNamespace(box=self.box, score=0.5)


@dataclass(frozen=True)
class StillSetup(Setup):
    fails_at: float | None = None

    def build(self):
        return Still(self.fails_at)


@pytest.fixture
def data(tmp_path):
    for index, name in enumerate(("a", "b", "c")):
        write_sequence(tmp_path / "data" / name, "rgbt234", BOXES + np.array([index, 0, 0, 0]))
    return tmp_path / "data"


def setup(fails_at=None):
    return StillSetup(load_config("nestfuse_nanotrack"), fails_at=fails_at)


def test_a_worker_keeps_freed_memory_and_its_share_of_the_cores(monkeypatch):
    asked = []
    monkeypatch.setattr(runner, "keep_freed_memory", lambda: asked.append("memory"))
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setattr(runner, "_worker", [])
    runner._start_worker(setup(), 3)
    assert asked == ["memory", 3]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_sequence_is_tracked_and_a_stopped_run_goes_on(data, tmp_path, workers):
    benchmark, folder = load_benchmark("rgbt234", data), tmp_path / "results"
    jobs = plan(benchmark, "rgbt")
    with pytest.raises(UserError, match="third sequence"):
        run_jobs(setup(fails_at=3.0), jobs, folder, workers=workers)
    done = {path.name for path in folder.glob("?.txt")}
    assert "c.txt" not in done and (workers > 1 or done == {"a.txt", "b.txt"})
    before = {name: (folder / name).stat().st_mtime_ns for name in done}
    reported = []
    run_jobs(setup(), jobs, folder, workers=workers, on_done=lambda *facts: reported.append(facts[:2]))
    assert sorted(reported) == sorted((name, 4) for name in "abc" if f"{name}.txt" not in done)
    assert before == {name: (folder / name).stat().st_mtime_ns for name in done}
    for index, name in enumerate("abc"):
        np.testing.assert_array_equal(read_boxes(folder / f"{name}.txt"), [BOXES[0] + np.array([index, 0, 0, 0])] * 4)
        assert (folder / f"{name}_scores.txt").read_text().split() == ["1.0000", "0.5000", "0.5000", "0.5000"]
        assert len((folder / f"{name}_time.txt").read_text().split()) == 4
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_thermal_tracker_starts_on_the_thermal_box(data):
    np.savetxt(data / "a" / "infrared.txt", BOXES + np.array([5, 0, 0, 0]), delimiter=",")
    benchmark = load_benchmark("rgbt234", data)
    assert plan(benchmark, "ir", ["a"])[0].box == (6, 2, 10, 8)
    assert plan(benchmark, "rgbt", ["a"])[0].box == (1, 2, 10, 8)


def test_plans_that_cannot_work_are_refused(data):
    benchmark = load_benchmark("rgbt234", data)
    with pytest.raises(UserError, match="no sequence 'z'"):
        plan(benchmark, "rgbt", ["z"])
    with pytest.raises(UserError, match="Only the annotations"):
        plan(load_benchmark("lasher", data_of_annotations(data)), "rgbt")
    np.savetxt(data / "a" / "visible.txt", BOXES * 0, delimiter=",")
    with pytest.raises(UserError, match="no target in its first frame"):
        plan(load_benchmark("rgbt234", data), "rgbt")


def data_of_annotations(data):
    np.savetxt(data.parent / "a.txt", BOXES, delimiter=",")
    flat = data.parent / "flat"
    flat.mkdir()
    (data.parent / "a.txt").rename(flat / "a.txt")
    return flat


def test_results_of_other_settings_are_not_continued(tmp_path):
    config = load_config("nestfuse_nanotrack")
    check_settings(tmp_path, Setup(config).record())
    check_settings(tmp_path, Setup(config).record())
    with pytest.raises(UserError, match=r"tracking\.window = 0\.455, now it is 0\.3"):
        check_settings(tmp_path, Setup(config.replace(**{"tracking.window": 0.3})).record())
    (tmp_path / "w.pth").write_bytes(b"x")
    with pytest.raises(UserError, match=r"weights = None, now it is w\.pth sha256:"):
        check_settings(tmp_path, Setup(config, str(tmp_path / "w.pth")).record())


@pytest.mark.parametrize("content", ["", "{'name'", "\udcff"])
def test_damaged_settings_are_named(tmp_path, content):
    (tmp_path / "settings.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"settings\.json', but it is damaged"):
        check_settings(tmp_path, {"name": "nano"})


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
    del settings["benchmark"]  # as they were written before: not refused, and completed
    (folder / "settings.json").write_text(json.dumps(settings))
    second = command.invoke(build_app(), run, catch_exceptions=False)
    assert "1 of 3 sequences are finished already" in second.stderr
    assert benchmark_of(folder) == "rgbt234"

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


def test_two_trackers_are_compared(data, tmp_path):
    jobs = plan(load_benchmark("rgbt234", data), "rgbt")
    run_jobs(setup(), jobs, tmp_path / "results" / "still")
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
