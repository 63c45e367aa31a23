"""``rgbt vot check`` and ``rgbt vot table``."""

import shutil
import tempfile

import pytest
from typer.testing import CliRunner

from rgbt_tracker.cli.main import build_app


def check(workspace, tracker="Template"):
    return CliRunner().invoke(build_app(), ["vot", "check", tracker, "--workspace", str(workspace)])


def test_a_good_workspace(workspace):
    (workspace / "sequences" / "a" / "groundtruth_visible.txt").write_text("1,2,3,4\n" * 28)
    answer = check(workspace)
    assert answer.exit_code == 0, answer.output
    for line in ("ok   sequences: 2 of 2", "ok   dry run: first frames of 2 of 2", "ok   vot test: 3 frames"):
        assert line in answer.output
    assert "note sequence a: groundtruth_visible.txt would be further targets" in answer.output


def damage(workspace):
    (workspace / "sequences" / "a" / "ir" / "00000028i.jpg").unlink()
    (workspace / "sequences" / "b" / "color" / "00000001v.jpg").write_bytes(b"no image")


def no_thermal(workspace):
    for name in "ab":
        file = workspace / "sequences" / name / "sequence"
        file.write_text("\n".join(line for line in file.read_text().split("\n") if "channels.ir" not in line))


@pytest.mark.parametrize(
    ("change", "tracker", "expected"),
    [
        (damage, "Thermal", ["channel 'ir' has 27 frames", "not an image", "sequences: 0 of 2"]),
        (no_thermal, "Thermal", ["names no channel 'ir'"]),
        (lambda root: shutil.rmtree(root / "sequences"), "Thermal", ["rgbt vot prepare"]),
        (lambda root: (root / "config.yaml").unlink(), "Thermal", ["config.yaml"]),
        (lambda root: None, "Absent", ["FAIL tracker: ", "no_such_weights"]),
        (lambda root: None, "Nobody", ["Unknown tracker 'Nobody'; trackers.ini has"]),
    ],
)
def test_what_is_wrong_is_said(workspace, change, tracker, expected):
    change(workspace)
    answer = check(workspace, tracker)
    assert answer.exit_code == 2
    for text in expected:
        assert text in answer.output


def test_a_failing_tracker_shows_in_vot_test(workspace):
    rows = (workspace / "trackers.ini").read_text()
    (workspace / "trackers.ini").write_text(rows.replace("modality='ir'", "modality='ir', x=1"))
    answer = check(workspace, "Thermal")
    assert "Unknown argument 'x'" in answer.output and answer.exit_code == 2


def test_a_workspace_whose_path_trax_does_not_take(workspace):
    elsewhere = workspace.rename(workspace.with_name("vot-wörk"))
    answer = check(elsewhere)
    assert answer.exit_code == 2
    assert "FAIL paths: '" in answer.output and "vot-wörk/sequences/a' is not ASCII, and TraX takes no" in answer.output
    assert "rgbt vot evaluate" in answer.output and "ok   dry run" in answer.output


def test_trax_itself_stumbles_over_such_a_path(workspace, tmp_path, monkeypatch):
    """What `paths` finds is true: should TraX learn it, this fails and the finding can go."""
    folder = tmp_path / "öd"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    answer = check(workspace)
    assert answer.exit_code == 2 and "FAIL vot test: TraX was given a path that is not ASCII" in answer.output


def test_table(workspace, tmp_path):
    for name in "ab":
        folder = workspace / "results" / "Mine" / "baseline" / name
        folder.mkdir(parents=True)
        truth = (workspace / "sequences" / name / "groundtruth.txt").read_text().split()
        (folder / f"{name}_001.txt").write_text("\n".join(["1", *truth[1:]]) + "\n")
    (workspace / "results" / "Half" / "baseline").mkdir(parents=True)
    output = tmp_path / "table.md"
    arguments = ["vot", "table", "--workspace", str(workspace), "--output", str(output)]
    answer = CliRunner().invoke(build_app(), arguments)
    assert answer.exit_code == 0, answer.output
    text = output.read_text()
    assert "| SiamRPN++ with NestFuse | 0.3493 | 0.6661 | 40.9503 | - | NestFuse paper, Table VI |" in text
    assert "| Mine | - | 1.0000 | 0.0000 | 0 | measured, 2 of 60 sequences |" in text
    assert text.index("JMMAC") < text.index("DFAT") < text.index("Mine")
    assert "Half" not in text and "Half: Expected results of 2 sequences" in answer.stderr
