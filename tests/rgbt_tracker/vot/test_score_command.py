"""``rgbt vot score``."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.evaluation.benchmark import load_regions
from rgbt_tracker.evaluation.reset_runs import load_runs


def score(*arguments):
    return CliRunner().invoke(build_app(), ["vot", "score", *map(str, arguments)])


@pytest.fixture
def folders(tmp_path):
    """Two sequences of 30 frames: 'a' answered exactly, 'b' two pixels off with a failure at frame 12."""
    truth, results = tmp_path / "truth", tmp_path / "results" / "baseline"
    (results / "b").mkdir(parents=True)
    line = "10,10,20,20\n"
    for name in "ab":
        (truth / name).mkdir(parents=True)
        (truth / name / "groundtruth.txt").write_text(line * 30)
        (truth / name / "sequence").write_text("name=x\nwidth=100\nheight=80\nfps=30%\n")
    (truth / "b" / "occlusion.tag").write_text("\n".join(["0"] * 10 + ["1"] * 10))
    (results / "a_001.txt").write_text("1\n" + line * 29)
    off = "12,10,20,20\n"
    (results / "b" / "b_001.txt").write_text("1\n" + off * 11 + "2\n" + "0\n" * 4 + "1\n" + off * 12)
    return results.parent, truth


def test_json(folders):
    results, truth = folders
    answer = score("--results", results, "--ground-truth", truth, "--low", 5, "--high", 20, "--json")
    assert answer.exit_code == 0, answer.output
    scores = json.loads(answer.output)
    assert set(scores) >= {"EAO", "accuracy", "failures"}
    overlap = 18 / 22
    # a: 20 valid frames at 1; b: frames 10, 11 and 27, 28, 29 valid.
    assert scores["accuracy"] == pytest.approx((20 + 5 * overlap) / 25)
    assert scores["failures"] == 1
    assert scores["attributes"]["occlusion"]["failures"] == 1
    assert 0.4 < scores["EAO"] < 1


def test_text_names_the_interval_and_subsets(folders):
    results, truth = folders
    answer = score("--results", results, "--ground-truth", truth, "--sequences", "a", "--low", 5, "--high", 20)
    assert answer.exit_code == 0
    assert "EAO 1.0000 over lengths 5-20" in answer.output and "1 sequences, 30 frames" in answer.output


def test_an_interval_past_the_data_is_null_in_json(folders):
    results, truth = folders
    answer = score("--results", results, "--ground-truth", truth, "--json")
    assert json.loads(answer.output)["EAO"] is None


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda results, truth: (results / "baseline" / "a_001.txt").unlink(), r"1 are missing \(a\)"),
        (lambda results, truth: (results / "baseline" / "a_001.txt").write_text("1\n"), "Expected 30 frames"),
        (lambda results, truth: (truth / "a" / "sequence").write_text("width=wide\n"), "Cannot read width"),
    ],
)
def test_bad_folders_are_named(folders, break_it, message):
    break_it(*folders)
    with pytest.raises(UserError, match=message):
        load_runs(*folders)


def test_several_trackers_and_one_pass_results_are_named(folders):
    results, truth = folders
    for tracker in ("one", "two"):
        (results / "all" / tracker / "baseline").mkdir(parents=True)
        (results / "all" / tracker / "baseline" / "a_001.txt").write_text("1\n" + "10,10,20,20\n" * 29)
    with pytest.raises(UserError, match=r"of one tracker in .*found one, two"):
        load_runs(results / "all", truth)
    (results / "boxes").mkdir()
    (results / "boxes" / "a.txt").write_text("10,10,20,20\n" * 30)
    with pytest.raises(UserError, match="found none"):
        load_runs(results / "boxes", truth)


def test_unknown_sequence_and_folders(folders, tmp_path):
    _, truth = folders
    with pytest.raises(UserError, match="no ground truth of 'aa'"):
        load_regions(truth, ["aa"])
    with pytest.raises(UserError, match="which is none"):
        load_regions(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="found neither"):
        load_regions(tmp_path / "empty")
    answer = score("--results", folders[0], "--ground-truth", truth, "--low", 9, "--high", 3)
    assert isinstance(answer.exception, UserError) and "low <= high" in str(answer.exception)


def test_sizes_come_from_the_json(tmp_path):
    (tmp_path / "a.txt").write_text("90,10,20,20\n")
    (tmp_path / "sequences.json").write_text(json.dumps({"a": {"width": 100, "height": 50}}))
    item = load_regions(tmp_path)["a"]
    assert item.size == (100, 50)
    np.testing.assert_array_equal(item.truth.codes, [-1])
