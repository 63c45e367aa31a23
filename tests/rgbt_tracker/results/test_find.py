"""Finding results in every layout."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.results.archives import unpacked
from rgbt_tracker.results.find import find_results
from rgbt_tracker.results.write import COMPANIONS, write_rows

NAMES = ("alpha", "beta", "gamma")
BOXES = np.array([[1.0, 2, 10, 8], [2.5, 3, 10, 8]])


def found(*paths, sequences=NAMES):
    """Tracker -> names of its sequences."""
    return {tracker.name: set(tracker.files) for tracker in find_results(paths, sequences)}


def test_one_pass_folder_holds_one_tracker_per_subfolder(world):
    trackers = find_results([world.one_pass], NAMES)
    assert [tracker.name for tracker in trackers] == ["drifting", "shaky", "steady"]
    assert {tracker.kind for tracker in trackers} == {"one-pass"}
    assert list(trackers[0].files) == ["alpha", "beta", "gamma"]  # neither _scores nor _time
    assert {tracker.others for tracker in trackers} == {0}


def test_a_trackers_own_folder_and_a_workspace(world):
    one, *rest = find_results([world.one_pass / "steady", world.vot], NAMES)
    assert (one.name, one.kind) == ("steady", "one-pass")
    assert [(tracker.name, tracker.kind) for tracker in rest] == [("first", "reset"), ("second", "reset")]
    assert list(rest[0].files) == ["alpha", "beta", "gamma"]
    with pytest.raises(UserError, match="rgbt vot score"):
        rest[0].one_pass_files()


@pytest.mark.parametrize("place", [".", "first", "first/baseline"])
def test_a_tracker_of_the_vot_toolkit_by_any_of_its_folders(world, place):
    assert next(iter(found(world.vot / "results" / place))) == "first"


def test_flat_archives_and_repetitions_are_grouped(tmp_path: Path):
    folder = tmp_path / "T" / "baseline"
    folder.mkdir(parents=True)
    for name in ("a_001.txt", "a_002.txt", "b_c_001.txt", "a_001_time.txt", "z_001.txt"):
        (folder / name).write_text("1\n")
    (tracker,) = find_results([tmp_path], ["a", "b_c"])
    assert {name: [file.name for file in files] for name, files in tracker.files.items()} == {
        "a": ["a_001.txt", "a_002.txt"],
        "b_c": ["b_c_001.txt"],
    }


def test_trackers_of_the_same_name_are_told_apart(tmp_path: Path):
    for run in ("monday", "tuesday"):
        write_rows(tmp_path / run / "nano" / "a.txt", BOXES)
    paths = [tmp_path / "monday", tmp_path / "tuesday", tmp_path / "tuesday"]
    assert list(found(*paths, sequences=["a"])) == ["monday/nano", "tuesday/nano", "tuesday/nano (2)"]


def test_missing_and_empty_folders_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="nowhere"):
        find_results([tmp_path / "nowhere"], NAMES)
    with pytest.raises(UserError, match=r"No results in .*TRACKER/SEQUENCE\.txt.* such as alpha, beta"):
        find_results([tmp_path], NAMES)


def test_the_layouts_of_the_matlab_toolkits(tmp_path):
    names = ["car", "redcar", "man"]
    for name in names:
        write_rows(tmp_path / "ours" / f"{name}.txt", BOXES)
        write_rows(tmp_path / "ours" / f"{name}_time.txt", BOXES[:, :1])
        write_rows(tmp_path / "shared" / f"HMFT_{name}.txt", BOXES)
        write_rows(tmp_path / "shared" / f"APF{name}.txt", BOXES)
    assert found(tmp_path / "ours", sequences=names) == {"ours": set(names)}
    assert found(tmp_path / "shared", sequences=names) == {"HMFT": set(names), "APF": set(names)}
    assert set(found(tmp_path, sequences=names)) == {"ours", "HMFT", "APF"}
    (tracker,) = find_results([tmp_path / "ours"], names)
    assert tracker.files["redcar"][0].name == "redcar.txt"


def test_results_of_a_larger_benchmark_are_one_tracker(tmp_path):
    for name in ("car", "bike", "man", "redcar", "manwithbike", "street"):
        write_rows(tmp_path / "CMR" / f"{name}.txt", BOXES)
    (tracker,) = find_results([tmp_path / "CMR"], ["car", "bike", "man"])
    assert (tracker.name, set(tracker.files), tracker.others) == ("CMR", {"car", "bike", "man"}, 3)


def test_a_tracker_may_be_spread_over_folders(tmp_path):
    write_rows(tmp_path / "day" / "T_car.txt", BOXES)
    write_rows(tmp_path / "night" / "T_man.txt", BOXES)
    assert found(tmp_path, sequences=["car", "man"]) == {"T": {"car", "man"}}


@pytest.mark.parametrize("kind", ["tar.xz", "tar.gz", "zip"])
def test_archives_are_read_as_they_are_downloaded(tmp_path, kind):
    write_rows(tmp_path / "in" / "a.txt", BOXES)
    archive = tmp_path / f"lasher_T.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            file.write(tmp_path / "in" / "a.txt", "a.txt")
    else:
        with tarfile.open(archive, f"w:{kind[4:]}") as file:
            file.add(tmp_path / "in" / "a.txt", "T/a.txt")
    with unpacked([archive, tmp_path / "in"]) as paths:
        assert found(*paths, sequences=["a"]) == {"lasher_T" if kind == "zip" else "T": {"a"}, "in": {"a"}}
    assert not paths[0].exists() and paths[1].exists()


def test_archives_that_are_none_or_reach_out_of_their_folder(tmp_path):
    (tmp_path / "a.txt").write_text("1,2,3,4\n")
    with pytest.raises(UserError, match=r"an archive .* got '.*a\.txt'"), unpacked([tmp_path / "a.txt"]):
        pass
    with tarfile.open(tmp_path / "evil.tar", "w") as file:
        file.add(tmp_path / "a.txt", "../../evil.txt")
    with pytest.raises(UserError, match=r"evil\.tar"), unpacked([tmp_path / "evil.tar"]):
        pass
    (tmp_path / "cut.tar.xz").write_bytes(b"\xfd7zXZ\x00\x00\x04")
    with pytest.raises(UserError, match=r"cut\.tar\.xz"), unpacked([tmp_path / "cut.tar.xz"]):
        pass


def test_what_lies_beside_a_track_is_none(tmp_path):
    write_rows(tmp_path / "ours" / "car.txt", BOXES)
    for end in COMPANIONS.values():
        (tmp_path / "ours" / f"car{end}").write_text("1\n")
    names = ["car", *(f"car{Path(end).stem}" for end in COMPANIONS.values() if not end.endswith(".txt"))]
    assert found(tmp_path / "ours", sequences=names) == {"ours": {"car"}}
