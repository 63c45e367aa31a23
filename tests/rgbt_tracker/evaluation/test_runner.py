"""Jobs in this process, in several and on a (pretended) cluster, with a tracker that costs nothing."""

import os
import pickle
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fake_ray import FakeRay
from still import BOXES, setup, write_data

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation import runner
from rgbt_tracker.evaluation.benchmark import load_benchmark
from rgbt_tracker.evaluation.cluster import TRACEBACKS, run_on_cluster
from rgbt_tracker.evaluation.job import Experiment, Job, OnePass, Reset, Source
from rgbt_tracker.evaluation.plan import plan
from rgbt_tracker.evaluation.runner import Worker, run_jobs
from rgbt_tracker.evaluation.store import ResultFolder, Unkept, unfinished
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.results.read import read_one_pass
from rgbt_tracker.results.trajectory import INITIALISED, TRACKED

HERE = Path(__file__).resolve().parent


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results"


def jobs_of(data, **options):
    return plan(load_benchmark("rgbt234", data), setup(**options))


def run(jobs, folder, processes=1, **options):
    store = ResultFolder(folder)
    return list(run_jobs(unfinished(jobs, store), Worker(store), processes, **options))


def check_results(folder):
    for index, name in enumerate("abc"):
        np.testing.assert_array_equal(
            read_one_pass(folder / f"{name}.txt").boxes, [BOXES[0] + np.array([index, 0, 0, 0])] * 4
        )
        assert (folder / f"{name}_scores.txt").read_text().split() == ["1.0000", "0.5000", "0.5000", "0.5000"]
        assert len((folder / f"{name}_time.txt").read_text().split()) == 4
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_run_and_a_stopped_run_goes_on(data, folder, processes):
    with pytest.raises(UserError, match="third sequence"):
        run(jobs_of(data, fails_at=3.0), folder, processes)
    done = {path.name for path in folder.glob("?.txt")}
    assert "c.txt" not in done and (processes > 1 or done == {"a.txt", "b.txt"})
    before = {name: (folder / name).stat().st_mtime_ns for name in done}
    finished = [(job.name, len(track.boxes)) for job, track in run(jobs_of(data), folder, processes)]
    assert sorted(finished) == sorted((name, 4) for name in "abc" if f"{name}.txt" not in done)
    assert before == {name: (folder / name).stat().st_mtime_ns for name in done}
    check_results(folder)


def test_the_cluster_writes_the_same_files(data, folder):
    ray, store = FakeRay(cpus=2), ResultFolder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TRACEBACKS).write_text("of an earlier run")
    done = [job.name for job, _ in run_on_cluster(jobs_of(data), Worker(store), ray, gpus=0.5)]
    assert not (folder / TRACEBACKS).exists()
    assert sorted(done) == ["a", "b", "c"] and len(ray.actors) == 2
    assert ray.options == {"num_cpus": 1, "num_gpus": 0.5}
    check_results(folder)


def test_a_worker_without_a_job_is_let_go_while_others_run(data, folder):
    """Its place on the cluster is then free for a job whose machine was lost."""
    handles = []

    class Handle(SimpleNamespace):
        """Which a weak reference may point to."""

    class Counted(FakeRay):
        def _actor(self, actor):
            handle = Handle(**vars(super()._actor(actor)))
            handles.append(weakref.ref(handle))
            return handle

    running = run_on_cluster(jobs_of(data), Worker(ResultFolder(folder)), Counted(cpus=3))
    for held in (2, 1, 0):
        next(running)
        assert sum(handle() is not None for handle in handles) == held


def test_a_process_keeps_freed_memory_and_takes_its_device_and_its_share_of_the_cores(monkeypatch):
    asked, worker = [], Worker(Unkept())
    monkeypatch.setattr(runner, "end_with_parent", lambda stop: None)
    monkeypatch.setattr(runner, "keep_freed_memory", lambda: asked.append("memory"))
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setattr(runner, "_process", [])
    free = [None, "cuda:1"]
    runner._start_process(worker, type("Queue", (), {"get": free.pop}), 3, None)
    assert asked == ["memory", 3] and worker.device == "cuda:1"
    runner._start_process(worker, type("Queue", (), {"get": free.pop}), None, None)
    assert asked == ["memory", 3, "memory"] and worker.device is None


class Told(Experiment):
    """Returns the device and the threads that a tracker gets in its process."""

    def run(self, job, worker, on_progress):
        time.sleep(0.3)  # until the other process is up
        return worker.tracker(job.setup).device, torch.get_num_threads(), os.getpid()


def test_processes_take_the_devices_in_turn_and_share_the_cores():
    jobs = [Job(str(index), setup(), None, Told()) for index in range(12)]
    told = {result for _, result in run_jobs(jobs, Worker(Unkept()), 2, devices=["cpu", "cuda:1"])}
    assert {device for device, _, _ in told} == {"cpu", "cuda:1"}
    assert {threads for _, threads, _ in told} == {max(1, (os.cpu_count() or 1) // 2)}
    assert len({process for _, _, process in told}) == 2 and os.getpid() not in {process for _, _, process in told}


def test_a_single_job_needs_no_process_of_its_own(data, folder):
    assert run(jobs_of(data)[:1], folder, 4)
    assert run_in_this_process() == os.getpid()


def run_in_this_process():
    [(_, (_, _, process))] = run_jobs([Job("x", setup(), None, Told())], Worker(Unkept()), 4)
    return process


class Counting:
    """A setup that counts what it builds."""

    def __init__(self, label, built):
        self.label, self.built = label, built

    def build(self, device=None):
        self.built.append(self.label)
        return self.label


def test_a_tracker_is_built_once_a_setup():
    built = []
    worker = Worker(Unkept(), models=2)
    one, two, three = (Counting(label, built) for label in "123")
    assert [worker.tracker(item) for item in (one, two, one, two)] == ["1", "2", "1", "2"] and built == ["1", "2"]
    worker.tracker(one)
    worker.tracker(three)  # drives out the one used longest ago
    worker.tracker(one)
    assert built == ["1", "2", "3"]
    worker.tracker(two)
    assert built == ["1", "2", "3", "2"]


def test_a_sequence_is_opened_once_for_jobs_in_a_row(data):
    opened = []
    source = Source(lambda folder: opened.append(folder) or open_sequence(folder), (data / "a",), cached=True)
    worker = Worker(Unkept())
    first = worker.sequence(source)
    assert worker.sequence(replace(source)) is first and len(opened) == 1
    assert first.frame(1) is first.frame(1), "a cached source decodes a frame once"
    worker.sequence(Source(open_sequence, (data / "b",)))
    assert worker.sequence(source) is not first and len(opened) == 2


def test_a_worker_goes_to_another_process_without_its_trackers(data):
    worker = Worker(ResultFolder(data), models=3, device="cpu")
    worker.tracker(setup())
    worker.sequence(Source(open_sequence, (data / "a",)))
    copy = pickle.loads(pickle.dumps(worker))
    assert (copy._trackers, copy._opened, copy.models, copy.device) == ([], None, 3, "cpu")
    assert copy.store.folder == data


def test_one_pass_and_reset_from_a_later_frame(data):
    source, worker = Source(open_sequence, (data / "a",)), Worker(Unkept())
    track = worker.run(Job("a", setup(), source, OnePass(start=1)))
    np.testing.assert_array_equal(track.boxes, [BOXES[1]] * 3)
    run = worker.run(Job("a", setup(), source, Reset(start=1)))
    assert list(run.codes) == [INITIALISED, TRACKED, TRACKED]


def test_a_plan_is_made_as_it_is_needed(data, folder):
    planned, store = [], ResultFolder(folder)

    def jobs():
        for job in jobs_of(data):
            planned.append(job.name)
            yield job

    job, _ = next(run_jobs(jobs(), Worker(store)))
    assert job.name == "a" and planned == ["a", "b"]  # one ahead: a single job would not need processes


SCRIPT = """
import sys
from still import setup
from rgbt_tracker.evaluation.benchmark import load_benchmark
from rgbt_tracker.evaluation.plan import plan
from rgbt_tracker.evaluation.runner import Worker, run_jobs
from rgbt_tracker.evaluation.store import ResultFolder
from nestfuse_core.common.guard import run

def main(args):
    jobs = plan(load_benchmark("rgbt234", __import__("pathlib").Path(args[0])), setup(waits_at=3.0))
    for job, _ in run_jobs(jobs, Worker(ResultFolder(__import__("pathlib").Path(args[1]))), 2):
        print(job, flush=True)

if __name__ == "__main__":
    run(main, sys.argv[1:])
"""


def start(tmp_path, data, folder):
    """Run the three sequences in two processes, one of which thinks for a minute; returns when the others are done."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    paths = os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parents[2])))
    process = subprocess.Popen(
        [sys.executable, script, data, folder],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not ((folder / "a.txt").is_file() and (folder / "b.txt").is_file()):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(0.5)
    return process


def test_ctrl_c_leaves_finished_neighbours_and_nothing_half_written(tmp_path, data, folder):
    process = start(tmp_path, data, folder)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert {path.name for path in folder.iterdir()} == {
        f"{name}{end}.txt" for name in "ab" for end in ("", "_scores", "_time")
    }
    assert {job.name for job, _ in run(jobs_of(data), folder)} == {"c"}


def test_a_killed_process_is_one_sentence_and_the_run_goes_on(tmp_path, data, folder):
    process = start(tmp_path, data, folder)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    for child in map(int, children):
        command = Path(f"/proc/{child}/cmdline").read_text()
        if "spawn_main" in command:
            os.kill(child, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2 and "ended from outside" in errors and "Traceback" not in errors
    assert {job.name for job, _ in run(jobs_of(data), folder)} == {"c"}
    check_results(folder)
