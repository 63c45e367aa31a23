"""Jobs of a workspace: the toolkit's files, whoever runs them."""

import pickle
import sys
from pathlib import Path

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.cluster import run_on_cluster
from rgbt_tracker.evaluation.runner import Worker, run_jobs
from rgbt_tracker.evaluation.store import unfinished
from rgbt_tracker.vot.evaluate import WorkspaceStore, plan
from rgbt_tracker.vot.load import load_workspace, tracker_options

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evaluation"))
from fake_ray import FakeRay

HERE = Path(__file__).resolve().parent
pytest.importorskip("vot")
pytest.importorskip("trax")


def waiting(workspace, *names):
    """The store of a workspace and the jobs that are not complete in it."""
    store = WorkspaceStore(workspace)
    return store, list(unfinished(plan(store, *names), store))


def run(store, jobs, processes=1, **options):
    return [job for job, _ in run_jobs(jobs, Worker(store), processes, share_cores=False, **options)]


def test_the_cluster_writes_the_same_files(workspace):
    store, jobs = waiting(workspace, ["Drifter"], ["baseline"], [])
    assert [job.sequence for job in jobs] == ["a", "b"]
    assert [job for job, _ in run_on_cluster(jobs, Worker(store), FakeRay())] == jobs
    assert not waiting(workspace, ["Drifter"], ["baseline"], [])[1]
    files = result_files(workspace)
    (workspace / "results").rename(workspace.parent / "by_cluster")
    run(*waiting(workspace, ["Drifter"], ["baseline"], []))
    assert result_files(workspace) == files and len(files) == 12


def result_files(workspace):
    paths = (path for path in (workspace / "results").rglob("*") if path.is_file() and "_time" not in path.name)
    return {path.relative_to(workspace).as_posix(): path.read_bytes() for path in paths}


def test_analyses_are_not_cached_beyond_their_results(workspace):
    analysis = load_workspace(workspace).stack.experiments["baseline"].analyses[0]
    before = analysis.identifier
    assert analysis.identifier == before
    file = workspace / "results" / "Mine" / "baseline" / "a" / "a_001.txt"
    file.parent.mkdir(parents=True)
    file.write_text("1")
    after = analysis.identifier
    file.write_text("10")
    assert len({before, after, analysis.identifier}) == 3


def test_a_random_tracker_runs_every_repetition(workspace):
    run(*waiting(workspace, ["Dice"], ["baseline"], ["a"]))
    runs = {path.read_bytes() for path in (workspace / "results").rglob("a_*.bin")}
    assert len(runs) == 15


def test_several_processes_write_the_same_files(workspace, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    store, jobs = waiting(workspace, ["Template"], ["baseline"], [])
    assert sorted(map(str, run(store, jobs, 2, devices=["cpu"]))) == sorted(map(str, jobs))
    files = result_files(workspace)
    (workspace / "results").rename(workspace.parent / "by_processes")
    run(store, jobs)
    assert result_files(workspace) == files


def test_shares_of_a_job_are_reported_in_this_process(workspace):
    store, jobs = waiting(workspace, ["Drifter"], ["baseline"], ["a"])
    shares = []
    run(store, jobs, on_progress=lambda job, share: shares.append((str(job), share)))
    assert {name for name, _ in shares} == {"Drifter/baseline/a"}
    values = [share for _, share in shares]
    assert values == sorted(values) and 0 < values[0] < values[-1] <= 1


def test_a_store_goes_to_another_process_without_the_loaded_workspace(workspace):
    store = WorkspaceStore(workspace)
    store.sequences("baseline")
    copy = pickle.loads(pickle.dumps(store))
    assert "space" in store.__dict__ and "space" not in copy.__dict__
    assert copy.directory == workspace and list(copy.sequences("baseline")) == ["a", "b"]


def test_forced_jobs_run_again(workspace):
    store, jobs = waiting(workspace, ["Drifter"], ["baseline"], ["a"])
    run(store, jobs)
    file = next((workspace / "results").rglob("a_001.bin"))
    before = file.stat().st_mtime_ns
    run(store, jobs)
    assert file.stat().st_mtime_ns == before
    run(store, plan(store, ["Drifter"], ["baseline"], ["a"], force=True))
    assert file.stat().st_mtime_ns > before


def test_the_anchor_protocol_runs(workspace):
    """Anchors every 50 frames where the dataset has none; here the first frame and the last, backwards."""
    run(*waiting(workspace / "vot2020", ["Template"], [], []))
    names = sorted(path.name for path in (workspace / "vot2020" / "results").rglob("*.bin"))
    assert names == [f"{name}_{frame:08d}.bin" for name in "ab" for frame in (0, 27)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["Nobody"], [], []), "Unknown tracker 'Nobody'"),
        ((["Template"], ["basline"], []), "did you mean 'baseline'"),
        ((["Template"], [], ["c"]), "Unknown sequence 'c'"),
    ],
)
def test_unknown_names(workspace, arguments, message):
    with pytest.raises(UserError, match=message):
        plan(WorkspaceStore(workspace), *arguments)


def test_other_adapters_are_left_to_the_toolkit(workspace):
    with (workspace / "trackers.ini").open("a") as file:
        file.write("[Other]\nprotocol = traxpython\ncommand = other_tracker\n")
    with pytest.raises(UserError, match="use 'vot evaluate'"):
        plan(WorkspaceStore(workspace), ["Other"], [], [])


def test_the_rows_of_the_repository_are_ours():
    from vot.tracker import Registry

    registry = Registry([str(HERE.parents[2] / "vot_workspace" / "trackers.ini")])
    rows = {tracker.identifier: tracker_options(tracker) for tracker in registry}
    assert set(rows) == {
        "NestFuseSiamRPN",
        "SiamRPN-RGB",
        "SiamRPN-IR",
        "NestFuseNano",
        "NanoTrack-RGB",
        "NanoTrack-IR",
    }
    assert {options.config for options in rows.values()} == {
        "nestfuse_siamrpn_r50",
        "nestfuse_nanotrack",
        "nanotrack_v3",
    }
    assert [rows[name].modality for name in ("NestFuseSiamRPN", "SiamRPN-RGB", "SiamRPN-IR")] == [None, "rgb", "ir"]
