"""Sequence folders: five layouts, one result; missing and broken frames are named."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sequence_files import LAYOUTS, picture, which, write_frames, write_sequence

from nestfuse_core.common import pictures
from nestfuse_core.common.errors import UserError
from rgbt_tracker.locate import find, list_sequences, open_sequence
from rgbt_tracker.sequences import open_folder, open_pair
from rgbt_tracker.sequences.images import FrameFormat, frame_numbers, list_frames

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
        st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(1, 80), st.integers(1, 80)),
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
    with pytest.raises(UserError, match="numbered differently"):
        open_pair(tmp_path / "a", tmp_path / "b")


def test_equal_counts_with_other_gaps_are_paired_in_order_and_noted(tmp_path: Path) -> None:
    write_frames(tmp_path / "a", "%d.png", [1, 2, 4], "rgb")
    write_frames(tmp_path / "b", "%d.png", [1, 3, 4], "ir")
    assert "paired in order" in open_pair(tmp_path / "a", tmp_path / "b").info.notes[0]


def test_empty_directory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found nothing"):
        open_sequence(tmp_path)
    (tmp_path / "visible").mkdir()
    (tmp_path / "infrared").mkdir()
    with pytest.raises(UserError, match=r"Expected images .* found none"):
        open_sequence(tmp_path)


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


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("damage", ["cut", "text", "empty", "gone"])
def test_unreadable_frame_in_the_middle_is_named(tmp_path: Path, suffix: str, damage: str) -> None:
    rng = np.random.default_rng(0)
    for name in ("v", "i"):
        (tmp_path / name).mkdir()
        for number in range(5):
            cv2.imwrite(str(tmp_path / name / f"{number}{suffix}"), rng.integers(0, 255, (60, 80, 3), dtype=np.uint8))
    victim = tmp_path / "i" / f"2{suffix}"
    sequence = open_folder(tmp_path)
    if damage == "gone":
        victim.unlink()
    else:
        data = victim.read_bytes()
        victim.write_bytes({"cut": data[: len(data) // 2], "text": b"no image", "empty": b""}[damage])
    seen = []
    with pytest.raises(UserError, match=rf"Cannot read the thermal frame '.*2\{suffix}'"):
        for frame in sequence:
            seen.append(frame.index)
    assert seen == [0, 1]


def test_a_jpeg_with_a_thumbnail_and_trailing_bytes_is_whole(tmp_path: Path) -> None:
    _, data = cv2.imencode(".jpg", picture(3, "rgb"))
    whole = data.tobytes()
    thumbnail = b"\xff\xe1" + (len(whole) + 2).to_bytes(2, "big") + whole
    path = tmp_path / "frame.jpg"
    path.write_bytes(whole[:2] + thumbnail + whole[2:] + b"\0" * 2000)
    assert which(read_image(path, "rgb")) == 3
    path.write_bytes(whole[:2] + thumbnail + whole[2:-40])
    with pytest.raises(UserError, match="cut off"):
        read_image(path, "rgb")


# ---- channels and depths


def read_image(path: Path, camera: str) -> np.ndarray:
    return FrameFormat(camera).read(path)


def write_image(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def test_grey_visible_frames_get_three_channels(tmp_path: Path) -> None:
    image = read_image(write_image(tmp_path / "grey.png", np.full((4, 5), 7, np.uint8)), "rgb")
    assert image.shape == (4, 5, 3) and (image == 7).all()


def test_sixteen_bit_thermal_frames_stay_deep(tmp_path: Path) -> None:
    path = write_image(tmp_path / "deep.png", np.full((4, 5), 40_000, np.uint16))
    image = read_image(path, "ir")
    assert image.dtype == np.uint16 and image.shape == (4, 5) and (image == 40_000).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_visible_frames_of_more_bits_are_brought_to_eight(tmp_path: Path, channels: int) -> None:
    camera = FrameFormat("rgb")
    levels = (2000, 4095, 1000)  # of 12 bits; the last would be one of 10 bits by itself
    for number, level in enumerate(levels):
        path = write_image(tmp_path / f"{number}.png", np.full((4, 5, channels), level, np.uint16))
        image = camera.read(path)
        assert image.dtype == np.uint8 and image.shape == (4, 5, 3) and (image == round(level * 255 / 4095)).all()


def test_a_visible_frame_in_floating_point_has_no_white(tmp_path: Path) -> None:
    path = write_image(tmp_path / "f.tiff", np.ones((4, 5), np.float32))
    assert read_image(path, "ir").dtype == np.float32
    with pytest.raises(UserError, match=r"Expected uint8 or uint16 in the visible frame '.*f\.tiff', got float32"):
        read_image(path, "rgb")


@pytest.mark.parametrize("alpha", [255, 60])
def test_alpha_is_dropped(tmp_path: Path, alpha: int) -> None:
    image = np.full((4, 5, 4), alpha, np.uint8)
    image[..., :3] = 9
    for camera in ("rgb", "ir"):
        found = read_image(write_image(tmp_path / "a.png", image), camera)
        assert found.shape == (4, 5, 3) and (found == 9).all()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".jp2", ".pfm"])
@pytest.mark.parametrize(
    ("kind", "channels"), [*product([np.uint8, np.uint16], [1, 3, 4]), *product([np.float32], [1, 3])]
)
def test_tracking_reads_what_fusion_reads(tmp_path: Path, suffix: str, kind: type, channels: int) -> None:
    shape = (24, 32, channels) if channels > 1 else (24, 32)
    image = np.random.default_rng(0).integers(0, 255, shape).astype(kind)
    path = tmp_path / f"0{suffix}"
    try:
        if not cv2.imwrite(str(path), image):
            pytest.skip("OpenCV does not write such a file")
    except cv2.error:
        pytest.skip("OpenCV does not write such a file")
    fused = pictures.read_image(path)
    np.testing.assert_array_equal(read_image(path, "ir"), fused)
    if fused.dtype != np.float32:
        assert read_image(path, "rgb").shape == (24, 32, 3)
    assert list_frames(tmp_path) == [path]


# ---- numbering


@settings(max_examples=50, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 99_999), min_size=2, max_size=30, unique=True),
    before=st.sampled_from(["", "v", "cam1_", "2024-05-01_", "frame"]),
    after=st.sampled_from(["", "v", "_2", "_rgb"]),
    width=st.integers(1, 6),
)
def test_frames_sort_by_number(numbers, before, after, width, tmp_path_factory) -> None:
    files = [Path(f"{before}{number:0{width}d}{after}.png") for number in sorted(numbers)]
    read = frame_numbers(files)
    assert [row[-1] for row in read] == sorted(numbers)


# ---- names


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


def test_the_real_sequence(shared: Path) -> None:
    sequence = open_sequence("diamond", roots=[shared / "data" / "votrgbt2019" / "sequences"])
    assert len(sequence) == 454 and sequence.info.fps == 30
    assert sequence.info.start_box == (173, 66, 14, 35)
    last = sequence.frame(453)
    assert last.rgb is not None and last.ir is not None and last.rgb.shape[:2] == last.ir.shape[:2] == (460, 630)
