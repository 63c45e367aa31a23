"""Every script of benchmarks/speed runs on a small case and refuses bad input in one sentence."""

import importlib
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE_TRACKER = Path(__file__).resolve().parents[1] / "rgbt_tracker" / "vot"
SMALL = {
    "attention": (["--small", "--repeats", 1], "SVD loop", 4),
    "fusion": (["--size", "64x48", "--threads", 1], "ratio", 1),
    "metrics": (["--size", "80x72", "--crop", 72, "--against", "FMI_dct", "VIF"], "e-1", 2),
    "synthetic": (["street", "--size", "96x72", "--frames", 2], "street", 1),
    "training": (["--repeat", 1, "--batch", 1, "--dtypes", "float32"], "ratio", 2),
}


@pytest.mark.parametrize("name", SMALL)
def test_scripts_print_their_ratios(script, name):
    arguments, word, count = SMALL[name]
    lines = [line for line in script(f"speed/{name}", *arguments).splitlines() if word in line]
    assert len(lines) == count and all(re.search(r"\d\.\d|\d+x", line) for line in lines)


def test_sections_of_a_tracker(script, sequence):
    arguments = ["--config", "nestfuse_nanotrack", "--frames", 2, "--warm-up", 1, "--sequence", sequence]
    table = script("speed/tracker_speed", *arguments, "--device", "cpu")
    assert [line.split()[0] for line in table.splitlines()][2:5] == ["reading", "cropping", "backbone"]
    assert len(re.findall(r"\d+\.\d+", next(line for line in table.splitlines() if "in all" in line))) == 4


def test_targets_in_one_pass(script, sequence):
    arguments = ["--config", "nestfuse_nanotrack", "--frames", 2, "--targets", 1, 2, "--sequence", sequence]
    lines = script("speed/targets", *arguments).splitlines()
    assert [line.split(" ms")[0].rsplit(None, 1)[0] for line in lines[1:]] == [
        "reading", "1 in one pass", "2 in one pass", "2 one by one",
    ]  # fmt: skip
    assert "ratio 1.00 (1.00..1.00)" in lines[2] and "with reading" in lines[3]


def test_runtimes_take_turns(script, sequence):
    arguments = ["--weights", "untrained", "--runtimes", "torch", "--frames", 2, "--busy", 0, "--sequence", sequence]
    lines = script("speed/runtimes", *arguments).splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["beside 0 busy", "torch, rgb", "torch, rgbt"]
    assert lines[2].split()[-3:] == ["1.00", "1.00", "1.00"]


def test_forms_of_a_network(script, sequence):
    lines = script("speed/forms", "--frames", 5, "--sequences", sequence).splitlines()
    rows = {name: figures for _, name, *figures, _ in (re.split(r" ?\| ?", line) for line in lines[2:])}
    assert {"float32, ONNX Runtime", "float32, torch"} <= set(rows)
    floats, torch = rows["float32, ONNX Runtime"], rows["float32, torch"]
    assert float(floats[0]) > 2 and floats[3] == "1.00" and torch[0] == ""
    assert floats[4] == torch[4] and floats[5] == torch[5] == "1.000"


def test_remembered_answers(script):
    table = script("speed/tuning_memory", "--weights", "untrained", "--sequences", 1, "--length", 2)
    shares = [int(share) for share in re.findall(r"(\d+)%", table)]
    assert shares[:2] == [0, 100] and len(shares) == 8, "one search region, seen by the first trial"


def test_evaluations_are_compared(script, sequence, tmp_path, monkeypatch):
    pytest.importorskip("vot")
    pytest.importorskip("trax")
    monkeypatch.setenv("PYTHONPATH", str(TEMPLATE_TRACKER))
    workspace = tmp_path / "workspace"
    shutil.copytree(REPOSITORY / "rgbt_tracker" / "vot" / "workspace", workspace)
    command = "from rgbt_tracker.vot.adapter import main; main(factory='template_tracker:Drifter')"
    paths = f"{REPOSITORY}{os.pathsep}{TEMPLATE_TRACKER}"
    row = f"[Drifter]\nlabel = Drifter\nprotocol = traxpython\ncommand = {command}\npaths = {paths}\n"
    (workspace / "trackers.ini").write_text(row)
    arguments = ["--sequence", sequence, "--tracker", "Drifter", "--workspace", workspace, "--runs", 1]
    lines = script("speed/vot_evaluate", *arguments).splitlines()
    assert [line.endswith("6 files equal") for line in lines] == [True] * 3
    assert lines[0].startswith("vot evaluate ") and "x 1.00" in lines[0]


@pytest.mark.browser
def test_a_page_is_opened(script, tmp_path):
    pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install -e '.[test]'")
    if not shutil.which("chromedriver"):
        pytest.skip("needs Chromium and its driver, which are not here: apt-get install chromium chromium-driver")
    page = tmp_path / "index.html"
    page.write_text("<!DOCTYPE html><title>report</title><p id='p-stage' data-drawn='0'>stage")
    lines = script("speed/report_opening", page, "--runs", 1).splitlines()
    assert lines[0].startswith("index.html: 0.0 MB") and len(lines) == 4


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("attention", ["--repeats", "x"], "invalid int value: 'x'"),
        ("fusion", ["--size", "12"], "expected a size such as 640x480, got '12'"),
        ("fusion", ["--weights", "nobody"], "nobody"),
        ("metrics", ["--crop", 5000], "Expected a --crop"),
        ("report_opening", ["nowhere.html"], "found no file 'nowhere.html'"),
        ("synthetic", ["nowhere"], "nowhere"),
        ("tracker_speed", ["--config", "nobody"], "nobody"),
        ("training", ["--dtypes", "int8"], "int8"),
        ("forms", ["--sequences", "nowhere"], "nowhere"),
        ("tuning_memory", ["--config", "nobody"], "nobody"),
        ("vot_evaluate", ["--sequence", "nowhere"], "nowhere"),
        ("vot_evaluate", ["--sequence", "nowhere", "--workspace", "elsewhere"], "'elsewhere', found none"),
    ],
)
def test_bad_input_is_one_sentence(refusal, name, arguments, message):
    assert message in refusal(f"speed/{name}", *arguments)


def test_every_script_is_tested():
    scripts = {path.stem for path in (REPOSITORY / "benchmarks" / "speed").glob("*.py")} - {"timing"}
    others = {"forms", "runtimes", "targets", "tracker_speed", "tuning_memory", "vot_evaluate", "report_opening"}
    assert scripts == set(SMALL) | others


def test_turns_and_ratios(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(REPOSITORY / "benchmarks" / "speed"), *sys.path])
    timing = importlib.import_module("timing")
    called = []
    works = {name: lambda name=name: called.append(name) for name in "ab"}
    times = timing.in_turn(works, 2)
    assert called == ["a", "b"] * 3 and [len(values) for values in times.values()] == [2, 2]
    seconds = [timing.Seconds(3.0, 1.0), timing.Seconds(1.0, 5.0), timing.Seconds(2.0, 2.0)]
    assert timing.median(seconds) == (2.0, 2.0) and timing.least(seconds) == (1.0, 1.0)
    assert timing.ratios([2.0, 3.0, 8.0], [1.0, 1.0, 2.0]) == "3.00 (2.00..4.00)"
    assert timing.ratios([3.0], [2.0]) == "1.50"
