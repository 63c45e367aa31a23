"""vot-toolkit itself on two short drawn sequences, and the same without TraX."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nestfuse_core.common.files import UNFINISHED

pytest.importorskip("vot")
pytest.importorskip("trax")

REPOSITORY = Path(__file__).resolve().parents[3]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{Path(__file__).parent}",
    "OMP_NUM_THREADS": "1",
    "RGBT_DEVICE": "cpu",
}


def start(*arguments, **environment):
    """Start ``vot ...`` or ``rgbt ...`` as its own process group."""
    module = {"vot": "vot", "rgbt": "rgbt_tracker.cli.main"}[arguments[0]]
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments[1:])],
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(*arguments, code=0, **environment):
    process = start(*arguments, **environment)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == code, output
    return output


def contents(workspace, experiment="baseline"):
    """Result files without the measured times: relative name -> bytes."""
    root = workspace / "results"
    files = [path for path in root.glob(f"*/{experiment}/*/*") if not path.name.endswith("_time.value")]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def move_results(workspace, name):
    (workspace / "results").rename(workspace / name)


def test_the_toolkit_evaluates_analyses_and_reports(workspace):
    output = run("vot", "evaluate", "Template", "Drifter", "--workspace", workspace)
    assert "concluded successfuly" in output
    assert "[rgbt] template_tracker:Drifter: rgb + ir on cpu" in output  # log lines reach the user
    assert "its last box is sent instead" in output
    files = contents(workspace)
    names = {name.split("/")[-1] for name in files if name.startswith("Drifter")}
    assert names == {f"{s}_00{i}{end}" for s in "ab" for i in (1, 2, 3) for end in (".bin", "_confidence.value")}
    assert contents(workspace, "realtime")

    run("vot", "analysis", "--workspace", workspace, "--name", "scores")
    document = json.loads((workspace / "analysis" / "scores.json").read_text())
    order = list(document["trackers"])
    eao, accuracy_failures, weighted = document["results"]["baseline"]["results"]
    for index, tracker in enumerate(order):
        options = ["--ground-truth", workspace / "sequences", "--low", 10, "--high", 25, "--json"]
        scores = json.loads(run("rgbt", "vot", "score", "--results", workspace / "results" / tracker, *options))
        assert eao[index][0] == pytest.approx(scores["EAO"])
        assert accuracy_failures[index][:2] == pytest.approx([scores["accuracy"], scores["failures"]])
        assert weighted[index] == pytest.approx(list(scores["attribute_weighted"].values()))
        assert 0 < scores["EAO"] < 1
    by_name = dict(zip(order, accuracy_failures, strict=True))
    assert by_name["Drifter"][1] > by_name["Template"][1] and by_name["Drifter"][1] == int(by_name["Drifter"][1])

    run("vot", "report", "--workspace", workspace, "--format", "html", "--name", "page")
    page = (workspace / "reports" / "page" / "report.html").read_text()
    for text in ("EAO", ">A<", ">F<", "Drifter", f"{eao[order.index('Template')][0]:.3f}"):
        assert text in page

    move_results(workspace, "by_toolkit")
    (workspace / "by_toolkit").rename(workspace.parent / "results_of_toolkit")
    run("rgbt", "vot", "evaluate", "Template", "Drifter", "--workspace", workspace)
    assert contents(workspace) == files
    assert "Everything is complete" in run("rgbt", "vot", "evaluate", "Template", "--workspace", workspace)


@pytest.mark.parametrize("command", [("vot",), ("rgbt", "vot")], ids=["vot evaluate", "rgbt vot evaluate"])
def test_a_killed_evaluation_resumes_to_the_same_bytes(workspace, command):
    arguments = [*command, "evaluate", "Drifter", "--workspace", workspace, "--experiments", "baseline"]
    first = workspace / "results" / "Drifter" / "baseline" / "a" / "a_003.bin"
    second = workspace / "results" / "Drifter" / "baseline" / "b"
    process = start(*arguments)
    deadline = time.monotonic() + 200
    while not second.is_dir() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert first.is_file()
    kept = first.stat().st_mtime_ns
    # What a kill between writing and renaming leaves:
    unfinished = second / f"{UNFINISHED}abcd"
    unfinished.mkdir()
    (unfinished / "b_001.bin").write_bytes(b"half")
    run(*arguments)
    assert first.stat().st_mtime_ns == kept
    resumed = contents(workspace)
    move_results(workspace, "resumed")
    run("rgbt", "vot", "evaluate", "Drifter", "--workspace", workspace, "--experiments", "baseline", "--repeat")
    assert contents(workspace) == resumed


def test_text_results_are_the_same_too_and_those_of_exported_graphs(workspace):
    arguments = ["evaluate", "Thermal", "Onnx", "--workspace", workspace, "--experiments", "baseline"]
    run("vot", *arguments, VOT_RESULTS_BINARY="false")
    files = contents(workspace)
    assert {name.rsplit(".", 1)[1] for name in files} == {"txt", "value"}
    rectangles = files["Thermal/baseline/a/a_001.txt"].decode().split()
    polygons = files["Thermal/baseline/b/b_001.txt"].decode().split()
    assert [len(lines[1].split(",")) for lines in (rectangles, polygons)] == [4, 8]
    assert sum(name.startswith("Onnx") for name in files) == sum(name.startswith("Thermal") for name in files)
    move_results(workspace, "by_toolkit")
    run("rgbt", "vot", *arguments, VOT_RESULTS_BINARY="false")
    assert contents(workspace) == files


@pytest.mark.parametrize(
    ("tracker", "reason"),
    [("Crasher", "out of cheese"), ("Absent", "no_such_weights")],
)
def test_a_failing_tracker_fails_the_evaluation(workspace, tracker, reason):
    output = run("vot", "evaluate", tracker, "--workspace", workspace, "--experiments", "baseline", code=1)
    assert reason in output and "failed on sequence a" in output
    (log,) = (workspace / "logs").glob(f"{tracker}_*.log")
    assert reason in log.read_text()
    assert not contents(workspace)
    output = run("rgbt", "vot", "evaluate", tracker, "--workspace", workspace, code=2)
    assert reason in output and "Traceback" not in output


def test_persist_goes_on_after_a_failure(workspace):
    output = run("vot", "evaluate", "Crasher", "--persist", "--workspace", workspace, "--experiments", "baseline")
    assert output.count("out of cheese") >= 2


def test_the_adapter_tells_bad_input_by_its_exit_code():
    command = "from rgbt_tracker.vot.adapter import main; main(konfig='x')"
    process = subprocess.run([sys.executable, "-c", command], env=ENVIRONMENT, capture_output=True, text=True)
    assert process.returncode == 2 and "Unknown argument 'konfig'" in process.stderr
