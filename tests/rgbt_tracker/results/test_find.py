"""Finding and reading result folders."""

from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.results.find import Mark, find_results, read_one_pass, read_reset


def test_one_pass_folder_holds_one_tracker_per_subfolder(world):
    trackers = find_results([world.one_pass])
    assert [tracker.name for tracker in trackers] == ["drifting", "shaky", "steady"]
    assert {tracker.kind for tracker in trackers} == {"one-pass"}
    assert list(trackers[0].files) == ["alpha", "beta", "gamma"]  # neither _scores nor _time


def test_a_trackers_own_folder_and_a_workspace(world):
    one, *rest = find_results([world.one_pass / "steady", world.vot])
    assert (one.name, one.kind) == ("steady", "one-pass")
    assert [(tracker.name, tracker.kind) for tracker in rest] == [("first", "reset"), ("second", "reset")]
    assert list(rest[0].files) == ["alpha", "beta", "gamma"]


def test_flat_archives_and_repetitions_are_grouped(tmp_path: Path):
    folder = tmp_path / "T" / "baseline"
    folder.mkdir(parents=True)
    for name in ("a_001.txt", "a_002.txt", "b_c_001.txt", "a_001_time.txt"):
        (folder / name).write_text("1\n")
    (tracker,) = find_results([tmp_path])
    assert {name: [file.name for file in files] for name, files in tracker.files.items()} == {
        "a": ["a_001.txt", "a_002.txt"],
        "b_c": ["b_c_001.txt"],
    }


def test_trackers_of_the_same_name_are_told_apart(tmp_path: Path):
    for run in ("monday", "tuesday"):
        (tmp_path / run / "nano").mkdir(parents=True)
        (tmp_path / run / "nano" / "a.txt").write_text("1,2,3,4\n")
    paths = [tmp_path / "monday", tmp_path / "tuesday", tmp_path / "tuesday"]
    assert [tracker.name for tracker in find_results(paths)] == ["monday/nano", "tuesday/nano", "tuesday/nano (2)"]


def test_missing_and_empty_folders_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="nowhere"):
        find_results([tmp_path / "nowhere"])
    with pytest.raises(UserError, match=r"No results in .*<tracker>/<sequence>\.txt"):
        find_results([tmp_path])


def test_one_pass_files_with_their_companions(world):
    track = read_one_pass(world.one_pass / "steady" / "alpha.txt")
    assert track.boxes.shape == (30, 4) and (track.marks == Mark.TRACKED).all()
    assert track.scores is not None and track.scores[0] == 1 and track.scores[-1] == 0.5
    assert track.seconds is not None and track.maps is not None
    assert read_one_pass(world.one_pass / "shaky" / "alpha.txt").maps is None


def test_companions_that_do_not_fit(tmp_path: Path):
    (tmp_path / "a.txt").write_text("1,2,3,4\n1,2,3,4\n")
    (tmp_path / "a_time.txt").write_text("0.1\n")
    assert read_one_pass(tmp_path / "a.txt").seconds is None
    (tmp_path / "a_time.txt").write_text("0.1\nfast\n")
    with pytest.raises(UserError, match=r"a_time\.txt"):
        read_one_pass(tmp_path / "a.txt")


def test_reset_results_keep_their_codes(tmp_path: Path):
    file = tmp_path / "a_001.txt"
    file.write_text("1\n10,20,30,40\n2\n0\n1\n5,5,9,5,9,7,5,7\n")
    track = read_reset(file)
    assert track.marks.tolist() == [Mark.STARTED, Mark.TRACKED, Mark.FAILED, Mark.SKIPPED, Mark.STARTED, Mark.TRACKED]
    np.testing.assert_allclose(track.boxes[1], [10, 20, 30, 40])
    np.testing.assert_allclose(track.boxes[5], [5, 5, 4, 2])
    assert np.isnan(track.boxes[[0, 2, 3, 4]]).all()
