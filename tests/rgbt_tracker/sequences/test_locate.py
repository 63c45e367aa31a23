"""From a name to a sequence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sequence_files import write_sequence

from nestfuse_core.common.errors import UserError
from rgbt_tracker.locate import find, list_sequences, open_sequence

BOXES = np.array([[1.0, 2, 10, 8], [2.5, 3, 10, 8], [3, 3.25, 11, 9], [4, 4, 12, 9]])


def test_names_are_found_in_roots_variable_and_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_sequence(tmp_path / "root" / "first", "vot", BOXES)
    write_sequence(tmp_path / "data" / "RGBT234" / "second", "rgbt234", BOXES)
    write_sequence(tmp_path / "data" / "LasHeR" / "test" / "third", "lasher", BOXES)
    write_sequence(tmp_path / "vot_workspace" / "sequences" / "fourth", "vot", BOXES)
    monkeypatch.setenv("RGBT_DATA", str(tmp_path / "data"))
    assert open_sequence("first", roots=[tmp_path / "root"]).name == "first"
    assert find("second") == tmp_path / "data" / "RGBT234" / "second"
    assert find("RGBT234/second") == tmp_path / "data" / "RGBT234" / "second"
    assert find("third") == tmp_path / "data" / "LasHeR" / "test" / "third"
    assert open_sequence("fourth").name == "fourth"


def test_unknown_names_say_where_they_were_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RGBT_DATA", raising=False)
    write_sequence(tmp_path / "root" / "biketwo", "vot", BOXES)
    with pytest.raises(UserError) as caught:
        open_sequence("biketow", roots=[tmp_path / "root"])
    for words in ("did you mean 'biketwo'?", str(tmp_path / "root"), "vot_workspace", "RGBT_DATA", "rgbt vot prepare"):
        assert words in str(caught.value)
    assert "drawn:" in str(caught.value)


@pytest.mark.parametrize("name", ["../root/biketwo", "", "/nowhere/at/all"])
def test_names_stay_inside_the_search_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    write_sequence(tmp_path / "root" / "biketwo", "vot", BOXES)
    (tmp_path / "vot_workspace" / "sequences").mkdir(parents=True)
    with pytest.raises(UserError, match="No sequence called"):
        find(name)


def test_list_sequences(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_sequence(tmp_path / "train" / name, "lasher", BOXES)
    assert [path.name for path in list_sequences(tmp_path / "train")] == ["a", "b"]
    assert [path.name for path in list_sequences(tmp_path)] == ["a", "b"]
    (tmp_path / "train" / "list.txt").write_text("b\na\nmissing\n")
    assert [path.name for path in list_sequences(tmp_path / "train")] == ["b", "a"]


def test_drawn_sequences_by_name() -> None:
    from rgbt_tracker.locate import drawn_scenes

    scene = drawn_scenes()[0]
    sequence = open_sequence(f"drawn:{scene}")
    frame = sequence.frame(0)
    assert frame.rgb is not None and frame.ir is not None and sequence.info.start_box is not None
    with pytest.raises(UserError, match="got 'nowhere'"):
        open_sequence("drawn:nowhere")


def test_a_rig_of_what_is_no_folder_is_said(tmp_path: Path) -> None:
    file = tmp_path / "rig.yaml"
    file.write_text("offset: 0.1\nthermal_range: [10, 90]\n")
    for name in ("drawn:street", "clip:smoke"):
        (said,) = (note for note in open_sequence(name, rig=file).info.notes if "rig file" in note)
        assert "0.100 s ahead" in said and "thermal range 10 to 90" in said
    assert any("offset 0.1 s" in note for note in open_sequence("clip:smoke", rig=file).info.notes)
