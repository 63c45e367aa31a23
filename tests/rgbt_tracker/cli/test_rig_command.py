"""``rgbt rig`` from the command line, and what ``--rig`` does to the commands that take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fake_tracking import Fake, blobs, nano

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.model.network import NestFuse
from nestfuse_core.rig.file import Rig, read_rig, write_rig
from nestfuse_core.rig.lay import Laying
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.sequences import open_pair
from rgbt_tracker.sequences.moments import picked

SHIFT = Rig(visible=(64, 48), thermal=(64, 48), homography=((1, 0, 16), (0, 1, 0), (0, 0, 1)))
POINTS = ("3,4,1,2", "59,6,57,4", "60,40,58,38", "5,44,3,42")


def command(capsys: Any, *arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(build_app(), [str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, " ".join(captured.err.split())


def pictures(folder: Path) -> list[Any]:
    return ["--rgb", folder / "visible" / "0000.png", "--ir", folder / "infrared" / "0000.png"]


def test_points_make_a_file_and_a_picture(folder: Path, capsys: Any) -> None:
    given = [text for point in POINTS for text in ("--points", point)]
    code, out, err = command(capsys, "rig", "align", *pictures(folder), *given, "--output", "made/rig.yaml")
    assert code == 0, err
    made = read_rig("made/rig.yaml")
    assert np.allclose(made.homography, [[1, 0, 2], [0, 1, 2], [0, 0, 1]], atol=1e-6)
    assert (made.visible, made.thermal) == ((64, 48), (64, 48))
    assert cv2.imread("made/rig.jpg").shape == (48, 3 * 64, 3)
    assert "4 pairs of points fit to 0.00 px" in out


def test_what_the_file_says_of_other_things_stays(folder: Path, capsys: Any) -> None:
    write_rig("rig.yaml", Rig(offset=0.25, thermal_range=(10, 20)))
    given = [text for point in POINTS for text in ("--points", point)]
    assert command(capsys, "rig", "align", *pictures(folder), *given)[0] == 0
    made = read_rig("rig.yaml")
    assert (made.offset, made.thermal_range) == (0.25, (10, 20)) and made.homography is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--points", "1,2,3,4"], "at least 4 pairs"),
        (["--points", "1,2,3,4", "--board", "9x6"], "give one of them"),
        (["--board", "9x6"], "board in 0 of 1 pictures"),
        (["--thermal-range", "auto"], "LOW,HIGH"),
        (["--picture", "look.txt"], "Cannot write an image"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_written(folder: Path, capsys: Any, arguments: Any, said: str):
    code, _, err = command(capsys, "rig", "align", *pictures(folder), *arguments)
    assert code == 2 and said in err and not Path("rig.yaml").exists()


def test_a_missing_picture_is_refused_with_what_is_taken(folder: Path, capsys: Any) -> None:
    given = pictures(folder)
    code, _, err = command(capsys, "rig", "align", *given[:2], "--ir", "gone.png")
    assert code == 2 and "Expected two pictures, or a folder of images, a video" in err
    assert "got 'gone.png' (nothing there)" in err
    code, _, err = command(capsys, "rig", "align", *given[:2], "--ir", folder / "infrared")
    assert code == 2 and "(a single picture beside none)" in err


def test_a_broken_rig_file_is_called_one(folder: Path, capsys: Any) -> None:
    Path("rig.yaml").write_text("offset: [1")
    code, _, err = command(capsys, "rig", "check", *pictures(folder))
    assert code == 2 and "The rig file 'rig.yaml' is not valid YAML" in err


def test_an_answer_that_is_not_sure_is_refused(folder: Path, capsys: Any) -> None:
    # Noise on one side: any place is as good as another.
    noise = np.random.default_rng(5).integers(0, 256, (48, 64), np.uint8)
    cv2.imwrite(str(folder / "infrared" / "0000.png"), noise)
    code, out, err = command(capsys, "rig", "align", *pictures(folder))
    assert code == 2 and "Not sure how the cameras look, so nothing was written" in err
    assert "above chance" in out and not Path("rig.yaml").exists() and not Path("rig.jpg").exists()


def test_track_finds_the_file_beside_a_sequence_and_lays_thermal(folder: Path, fake: Fake, rgbt: Any) -> None:
    write_rig(folder / "rig.yaml", SHIFT)
    done = rgbt("--sequence", folder, *nano())
    assert done.code == 0 and "rig.yaml' says that the thermal picture lies at x 15.5 to 79.5" in done.err
    plain = rgbt("--sequence", folder, "--rig", "none", *nano())
    assert plain.code == 0 and "rig.yaml" not in plain.err
    both = rgbt("--sequence", folder, "--rig", folder / "rig.yaml", "--homography", "1,0,0,0,1,0,0,0,1", *nano())
    assert both.code == 2 and "give one of them" in both.err


def test_a_sequence_of_a_rig_has_thermal_in_visible_pixels(folder: Path) -> None:
    write_rig(folder / "rig.yaml", SHIFT)
    frame = open_sequence(folder).frame(2)
    own = cv2.imread(str(folder / "infrared" / "0002.png"))
    assert np.array_equal(frame.ir[:, 16:], own[:, :-16])
    assert len(np.unique(frame.ir[:, :16, 0])) == 1  # nothing there: the mean grey
    assert open_sequence(folder, rig="none").frame(2).ir.tolist() == own.tolist()


def test_open_pair_takes_offset_and_rates_from_the_rig(folder: Path) -> None:
    rig = SHIFT.changed(offset=0.2, fps=(10.0, 10.0))
    sequence = open_pair(folder / "visible", folder / "infrared", rig=rig)
    assert any("offset 0.2 s" in note for note in sequence.info.notes)
    both = sequence.first_of_both()
    assert both == 0 and sequence.frame(0).ir_index == 2
    assert not any("of another shape" in note for note in sequence.info.notes)


def test_fusion_passes_the_visible_picture_where_thermal_shows_nothing() -> None:
    visible, thermal = blobs(60), blobs(30)[..., 0]
    laid, nothing = Laying(SHIFT)(thermal, (64, 48))
    fusion = Fuser(NestFuse().eval())(laid, visible, nothing)
    assert np.array_equal(fusion.image[:, :16], visible[:, :16])
    assert not np.array_equal(fusion.image[:, 16:], visible[:, 16:])


def test_moments_are_spread_over_a_recording(folder: Path) -> None:
    sequence = open_sequence(folder)
    assert [frame.index for frame in picked(sequence, 3)] == [1, 3, 5]
    assert [frame.index for frame in picked(sequence, 50)] == list(range(6))
    with pytest.raises(UserError, match="has one"):
        picked(open_pair(folder / "visible", None), 3)


def test_sync_says_what_it_lacks(folder: Path, capsys: Any) -> None:
    given = ["--rgb", folder / "visible", "--ir", folder / "infrared"]
    code, _, err = command(capsys, "rig", "sync", *given)
    assert code == 2 and "have no times" in err
    code, _, err = command(capsys, "rig", "sync", *given, "--fps", "10")
    assert code == 2 and "The offset of the clocks is not known" in err and not Path("rig.yaml").exists()


def test_check_warns_of_a_rig_that_moved_and_says_when_it_cannot_tell(folder: Path, capsys: Any) -> None:
    rng = np.random.default_rng(1)
    pictures = [np.full((240, 320), 120, np.uint8) for _ in range(2)]
    for _ in range(40):
        corner, size = rng.integers(0, (300, 220)), rng.integers(8, 60, 2)
        for picture in pictures:
            cv2.rectangle(picture, corner.tolist(), (corner + size).tolist(), float(rng.uniform(20, 235)), -1)
    given = ["--rgb", "eye.png", "--ir", "heat.png"]
    for name, picture in zip(("eye.png", "heat.png"), pictures, strict=True):
        cv2.imwrite(name, picture)
    for shift, code in ((0, 0), (4, 1)):
        rows = [[1, 0, shift], [0, 1, 0], [0, 0, 1]]
        write_rig("rig.yaml", Rig(visible=(320, 240), thermal=(320, 240), homography=rows))
        ended, out, err = command(capsys, "rig", "check", *given)
        assert ended == code, out + err
        assert ("The rig has moved" in out) == bool(code)
    blank = np.full((240, 320), 90, np.uint8)
    cv2.imwrite("heat.png", blank)
    ended, out, _ = command(capsys, "rig", "check", *given)
    assert ended == 0 and "0 of 1 moments show enough" in out
