"""Sequence folders: five layouts, one result; missing and broken frames are named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sequence_files import LAYOUTS, picture, which, write_frames, write_sequence

from nestfuse_core.cameras.pairing import NONE
from nestfuse_core.common.errors import UserError
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.sequences import open_folder, open_pair
from rgbt_tracker.sequences.folders import is_sequence

BOXES = np.array([[1.0, 2, 10, 8], [2.5, 3, 10, 8], [3, 3.25, 11, 9], [4, 4, 12, 9]])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("start", [0, 1, 300])
def test_layouts_read_the_same(tmp_path: Path, layout: str, start: int) -> None:
    sequence = open_folder(write_sequence(tmp_path / "target", layout, BOXES, start))
    step = 10 if layout == "vtuav" else 1
    assert sequence.name == "target"
    assert len(sequence) == len(BOXES) * step
    assert sequence.groundtruth is not None
    np.testing.assert_allclose(sequence.groundtruth[::step], BOXES)
    assert sequence.info.start_box == tuple(BOXES[0])
    assert sequence.info.notes == []
    for frame in sequence:
        assert frame.rgb is not None and frame.ir is not None
        assert which(frame.rgb) == which(frame.ir) == frame.index % 12
        assert frame.rgb.shape == (24, 32, 3)
        if frame.index == 3:
            break


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    boxes=st.lists(
        st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(2, 80), st.integers(2, 80)),
        min_size=2,
        max_size=4,
    )
)
def test_any_boxes_read_the_same_in_all_layouts(tmp_path_factory: pytest.TempPathFactory, boxes) -> None:
    folder, truth = tmp_path_factory.mktemp("layouts"), np.array(boxes, dtype=float)
    for layout in LAYOUTS:
        sequence = open_folder(write_sequence(folder / layout, layout, truth))
        assert sequence.groundtruth is not None
        np.testing.assert_array_equal(sequence.groundtruth[:: 10 if layout == "vtuav" else 1], truth, err_msg=layout)


def test_facts_of_a_vot_directory(tmp_path: Path) -> None:
    info = open_folder(write_sequence(tmp_path / "target", "vot", BOXES)).info
    assert info.fps == 20
    assert info.tags["occlusion"].tolist() == [False, True, False, True]
    assert info.labelled is None


def test_vtuav_labels_every_tenth_frame(tmp_path: Path) -> None:
    info = open_folder(write_sequence(tmp_path / "target", "vtuav", BOXES)).info
    assert info.labelled is not None and info.groundtruth is not None
    assert np.flatnonzero(info.labelled).tolist() == [0, 10, 20, 30]
    assert np.isnan(info.groundtruth[~info.labelled]).all()


def test_both_cameras_ground_truth(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "target", "rgbt234", BOXES)
    shifted = BOXES + np.array([3, 0, 0, 0])
    np.savetxt(folder / "infrared.txt", shifted, delimiter=",")
    info = open_folder(folder).info
    np.testing.assert_allclose(info.groundtruths["rgb"], BOXES)
    np.testing.assert_allclose(info.groundtruths["ir"], shifted)
    assert set(info.files) == {"groundtruth", "rgb", "ir"}


def test_absent_target_is_nan(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "target", "lasher", BOXES)
    (folder / "visible.txt").write_text("0,0,0,0\n1,2,3,4\nNaN,NaN,NaN,NaN\n1,2,3,4\n")
    info = open_folder(folder).info
    assert info.groundtruth is not None
    assert np.isnan(info.groundtruth).all(axis=1).tolist() == [True, False, True, False]
    assert info.start_box is None, "a tracker cannot start where the target is absent"


def test_first_box_alone(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "target", "lasher", BOXES)
    (folder / "visible.txt").unlink()
    (folder / "infrared.txt").unlink()
    (folder / "init.txt").write_text("5\t6\t7\t8\n")
    info = open_folder(folder).info
    assert info.groundtruth is None and info.start_box == (5, 6, 7, 8)


@pytest.mark.parametrize(("rows", "words"), [(6, "the rest is not used"), (3, "not annotated")])
def test_other_number_of_boxes_is_noted(tmp_path: Path, rows: int, words: str) -> None:
    folder = write_sequence(tmp_path / "target", "rgbt234", BOXES)
    np.savetxt(folder / "init.txt", np.resize(BOXES, (rows, 4)), delimiter=",")
    info = open_folder(folder).info
    assert info.groundtruth is not None and len(info.groundtruth) == 4
    assert any(words in note for note in info.notes)


# ---- frames that are missing, extra, broken


@pytest.mark.parametrize("layout", ["vot", "rgbt234", "lasher"])
def test_missing_thermal_frame_is_named(tmp_path: Path, layout: str) -> None:
    folder = write_sequence(tmp_path / "target", layout, BOXES)
    victim = sorted((folder / ("ir" if layout == "vot" else "infrared")).iterdir())[2]
    victim.unlink()
    partner = victim.name.replace("i", "v")
    with pytest.raises(UserError, match=rf"4 visible .* 3 thermal ones: no thermal frame for 1 \({partner}\); add"):
        open_folder(folder)


def test_extra_thermal_frames_are_named(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "target", "rgbt234", BOXES)
    write_frames(folder / "infrared", "%05di.png", list(range(90, 100)), "ir")
    with pytest.raises(UserError, match=r"no visible frame for 10 \(00090i\.png, .*00094i\.png, \.\.\.\)"):
        open_folder(folder)


def test_missing_in_both_names_both(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "target", "rgbt234", np.resize(BOXES, (8, 4)))
    (folder / "infrared" / "00003i.png").unlink()
    (folder / "infrared" / "00004i.png").unlink()
    (folder / "visible" / "00007v.png").unlink()
    with pytest.raises(UserError, match=r"no thermal frame for 2 \(00003v.* and no visible frame for 1 \(00007i"):
        open_folder(folder)


def test_unlike_numbering_and_counts(tmp_path: Path) -> None:
    write_frames(tmp_path / "a", "%d.png", [1, 2, 3], "rgb")
    write_frames(tmp_path / "b", "%d.png", [1001, 1002], "ir")
    with pytest.raises(UserError, match=r"numbered differently.*--fps VISIBLE,THERMAL"):
        open_pair(tmp_path / "a", tmp_path / "b")


def test_equal_counts_with_other_gaps_are_paired_in_order_and_noted(tmp_path: Path) -> None:
    write_frames(tmp_path / "a", "%d.png", [1, 2, 4], "rgb")
    write_frames(tmp_path / "b", "%d.png", [1, 3, 4], "ir")
    assert "paired in order" in open_pair(tmp_path / "a", tmp_path / "b").info.notes[0]


def test_names_that_are_times_pair_by_time(tmp_path: Path) -> None:
    for camera, name, count, rate in (("rgb", "eye", 30, 30), ("ir", "heat", 10, 10)):
        (tmp_path / name).mkdir()
        for index in range(count):
            path = tmp_path / name / f"{1_700_000_000 + index / rate}.png"
            assert cv2.imwrite(str(path), picture(round(index * 30 / rate) % 12, camera))
    sequence = open_pair(tmp_path / "eye", tmp_path / "heat")
    assert "30 fps (file names), thermal 10 fps (file names)" in sequence.info.notes[0]
    assert len(sequence) == 30 and sequence.fps == pytest.approx(30, abs=1e-3)
    for frame in sequence:
        assert frame.rgb is not None and which(frame.rgb) == frame.index % 12
        assert frame.time == pytest.approx(frame.index / 30, abs=1e-6)
        if frame.index < 29:
            assert frame.ir is not None and which(frame.ir) == 3 * round(frame.index / 3) % 12


def test_rates_and_files_of_times(tmp_path: Path) -> None:
    write_frames(tmp_path / "eye", "%d.png", list(range(9)), "rgb")
    write_frames(tmp_path / "heat", "%d.png", list(range(3)), "ir")
    with pytest.raises(UserError, match=r"no thermal frame for 6.*--fps VISIBLE,THERMAL"):
        open_pair(tmp_path / "eye", tmp_path / "heat")
    by_rate = open_pair(tmp_path / "eye", tmp_path / "heat", fps=(9, 3))
    expected = [0, 0, 1, 1, 1, 2, 2, 2, NONE]
    assert by_rate.info.fps == pytest.approx(9)
    assert [NONE if frame.ir_index is None else frame.ir_index for frame in by_rate] == expected
    (tmp_path / "eye" / "times.csv").write_text("".join(f"{index}.png,{index / 9}\n" for index in range(9)))
    (tmp_path / "t.txt").write_text("0\n0.3333\n0.6667\n")
    by_file = open_pair(tmp_path / "eye", tmp_path / "heat", times={"ir": tmp_path / "t.txt"})
    assert [NONE if frame.ir_index is None else frame.ir_index for frame in by_file] == expected
    assert "were taken from" in by_file.info.notes[0] and "times.csv" in by_file.info.notes[0]
    later = open_pair(tmp_path / "eye", tmp_path / "heat", fps=(9, 3), offset=-1 / 3)
    assert [NONE if frame.ir_index is None else frame.ir_index for frame in later][3:] == expected[:6]
    with pytest.raises(UserError, match="the thermal ones have no times: say how often"):
        open_pair(tmp_path / "eye", tmp_path / "heat", fps=(9, None), pair="time")


def test_a_file_of_times_that_does_not_fit_is_noted(tmp_path: Path) -> None:
    write_frames(tmp_path / "eye", "%d.png", [0, 1, 2], "rgb")
    write_frames(tmp_path / "heat", "%d.png", [0, 1, 2], "ir")
    (tmp_path / "eye" / "timestamps.txt").write_text("0\n1\n")
    notes = open_pair(tmp_path / "eye", tmp_path / "heat").info.notes
    assert "timestamps.txt' was not used as times" in notes[0] and "Paired by position" in notes[1]
    with pytest.raises(UserError, match="Expected a time for each of 3 frames"):
        open_pair(tmp_path / "eye", tmp_path / "heat", times={"rgb": tmp_path / "eye" / "timestamps.txt"})


def test_clocks_that_do_not_meet_are_refused_with_the_offset(tmp_path: Path) -> None:
    for name, start in (("eye", 1_700_000_000), ("heat", 1_700_000_100.5)):
        (tmp_path / name).mkdir()
        for index in range(4):
            cv2.imwrite(str(tmp_path / name / f"{start + index / 4:.2f}.png"), picture(index, "rgb"))
    with pytest.raises(UserError, match=r"No visible frame has a thermal partner.*--offset=100\.5 .*--pair index"):
        open_pair(tmp_path / "eye", tmp_path / "heat")
    for said in ({"offset": 100.5}, {"pair": "index"}):
        sequence = open_pair(tmp_path / "eye", tmp_path / "heat", **said)
        assert [(frame.rgb_index, frame.ir_index) for frame in sequence] == [(index, index) for index in range(4)]


def test_empty_directory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found nothing"):
        open_sequence(tmp_path)
    (tmp_path / "visible").mkdir()
    (tmp_path / "infrared").mkdir()
    with pytest.raises(UserError, match=r"Expected images .* found none"):
        open_sequence(tmp_path)


@pytest.mark.parametrize(
    ("visible", "thermal"),
    [("rgb", "ir_gray"), ("visible", "lwir"), ("img", "img_thermal"), ("RGB_undistorted", "thermal8"), ("W", "T")],
)
def test_folders_named_in_other_words(tmp_path: Path, visible: str, thermal: str) -> None:
    write_frames(tmp_path / visible, "%d.png", [1, 2], "rgb")
    write_frames(tmp_path / thermal, "%d.png", [1, 2], "ir")
    (tmp_path / "annotations").mkdir()
    frame = open_sequence(tmp_path).frame(1)
    assert frame.rgb is not None and frame.ir is not None
    np.testing.assert_array_equal(frame.rgb, picture(1, "rgb"))
    np.testing.assert_array_equal(frame.ir, picture(1, "ir"))


def test_own_folders_of_another_shape_are_noted(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "target", "rgbt234", BOXES)
    for path in (folder / "infrared").iterdir():
        cv2.imwrite(str(path), np.zeros((30, 30), np.uint8))
    assert open_folder(folder).info.notes == [], "an annotated one is laid on each other by its authors"
    for path in folder.glob("*.txt"):
        path.unlink()
    (note,) = open_folder(folder).info.notes
    assert "(30x30) are of another shape than the visible ones (32x24)" in note and "--homography" in note


@pytest.mark.parametrize(
    "others", [("rgb_left", "rgb_right", "ir_left", "ir_right"), ("img", "image_thermal"), ("t_train", "v_train")]
)
def test_folders_that_leave_a_doubt_are_no_sequence(tmp_path: Path, others: tuple[str, ...]) -> None:
    for name in others:
        write_frames(tmp_path / name, "%d.png", [1, 2], "rgb")
    assert not is_sequence(tmp_path)
    with pytest.raises(UserError, match="Expected a sequence in"):
        open_folder(tmp_path)


def test_words_beside_others_need_frames(tmp_path: Path) -> None:
    for name in ("rgb_train", "thermal_train"):
        (tmp_path / name / "0001").mkdir(parents=True)
    assert not is_sequence(tmp_path), "a dataset of one folder for each camera's sequences"


def test_one_camera_folder_is_not_enough(tmp_path: Path) -> None:
    write_frames(tmp_path / "visible", "%d.png", [1, 2], "rgb")
    with pytest.raises(UserError, match="found visible"):
        open_folder(tmp_path)


def test_vot_directory_with_too_few_frames(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "target", "vot", BOXES)
    for path in (folder / "color" / "00004v.png", folder / "ir" / "00004i.png"):
        path.unlink()
    with pytest.raises(UserError, match=r"states 4 frames but there are 3 .*rgbt vot prepare"):
        open_folder(folder)


def test_vot_directory_without_its_thermal_channel(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "target", "vot", BOXES)
    for path in (folder / "ir").iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"Expected thermal frames 'ir/%05di\.png'"):
        open_folder(folder)


def test_vot_directory_of_one_camera(tmp_path: Path) -> None:
    folder = tmp_path / "bag"
    write_frames(folder / "color", "%08d.jpg", [1, 2, 3], "rgb")
    (folder / "sequence").write_text("fps=30\nchannels.color=color/%08d.jpg\n")
    sequence = open_folder(folder)
    assert sequence.cameras == ("rgb",) and sequence.frame(2).ir is None


def test_the_real_sequence(shared: Path) -> None:
    sequence = open_sequence("diamond", roots=[shared / "data" / "votrgbt2019" / "sequences"])
    assert len(sequence) == 454 and sequence.info.fps == 30
    assert sequence.info.start_box == (173, 66, 14, 35)
    last = sequence.frame(453)
    assert last.rgb is not None and last.ir is not None and last.rgb.shape[:2] == last.ir.shape[:2] == (460, 630)
