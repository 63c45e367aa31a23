"""``rgbt track`` from the command line: what it writes, and one sentence for everything that can go wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from fake_tracking import BOXES, COUNT, STOPPED, Fake, blobs, count_frames, files, nano, refused

from nestfuse_core.common.commands import application
from nestfuse_core.common.files import UNFINISHED
from nestfuse_core.common.guard import run
from nestfuse_core.common.video import VideoReader
from nestfuse_core.common.video_stream import StreamEndedError
from rgbt_tracker.results.read import read_frames
from rgbt_tracker.sequences import read_boxes

ROOT = Path(__file__).resolve().parents[3]


# ---- what it writes


def test_results_and_summary(fake: Fake, folder: Path, rgbt: Any) -> None:
    done = rgbt("--sequence", folder, *nano())
    assert done.code == 0, done.err
    assert files(Path("out")) == ["street.txt", "street_frames.csv", "street_scores.txt", "street_time.txt"]
    np.testing.assert_allclose(read_boxes(Path("out/street.txt")), BOXES)
    assert np.loadtxt("out/street_scores.txt").tolist() == [1, *[0.8] * 5]
    assert len(np.loadtxt("out/street_time.txt")) == COUNT
    rows = read_frames(Path("out/street_frames.csv"))
    assert [(row.frame, row.rgb, row.ir, row.cameras) for row in rows] == [
        (index, index, index, ("rgb", "ir")) for index in range(COUNT)
    ]
    assert "street: 6 frames" in done.out and "mean overlap with the ground truth 1.000" in done.out
    assert "out/street.txt" in done.out
    assert fake.device == "auto" and fake.weights is None


def test_names_are_looked_up(fake: Fake, folder: Path, rgbt: Any) -> None:
    assert rgbt("--sequence", "street", "--root", folder.parent, *nano("--name", "mine")).code == 0
    assert "mine.txt" in files(Path("out"))


def test_two_folders_with_init(fake: Fake, folder: Path, rgbt: Any) -> None:
    sources = ("--rgb", folder / "visible", "--ir", folder / "infrared")
    done = rgbt(*sources, "--init", "5,6,7,8", *nano())
    assert done.code == 0 and "overlap" not in done.out
    assert read_boxes(Path("out/visible_infrared.txt"))[0].tolist() == [5, 6, 7, 8]


def test_init_wins_over_the_ground_truth(fake: Fake, folder: Path, rgbt: Any) -> None:
    assert rgbt("--sequence", folder, "--init", "5,6,7,8", *nano()).code == 0
    assert read_boxes(Path("out/street.txt"))[0].tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize("modality", ["rgbt", "rgb", "ir"])
def test_modalities_and_video(fake: Fake, folder: Path, rgbt: Any, modality: str) -> None:
    done = rgbt("--sequence", folder, *nano("--modality", modality, "--video", "new/street.mp4"))
    assert done.code == 0 and "video: new/street.mp4" in done.out
    assert fake.tracker.config.modality == modality
    with av.open("new/street.mp4") as container:
        frames = list(container.decode(video=0))
    assert len(frames) == COUNT
    assert frames[0].width == (640 if modality == "rgbt" else 320)


def test_the_fused_picture_in_the_overlay(fake: Fake, folder: Path, rgbt: Any) -> None:
    assert rgbt("--sequence", folder, *nano("--video", "overlay.mp4", "--fused")).code == 0
    assert VideoReader(Path("overlay.mp4")).read(0).shape[1] == 3 * 320
    for options in (("--fused",), ("--fused", "--video", "o.mp4", "--modality", "rgb")):
        done = rgbt("--sequence", folder, *nano(*options))
        assert done.code == 2 and "--fused shows both cameras' fused picture" in done.err


def test_one_camera_alone_starts_on_its_own_annotation(fake: Fake, folder: Path, rgbt: Any) -> None:
    np.savetxt(folder / "infrared.txt", BOXES + np.array([4, 0, 0, 0]), delimiter=",")
    done = rgbt("--sequence", folder, *nano("--modality", "ir"))
    assert read_boxes(Path("out/street.txt"))[0].tolist() == [14, 12, 16, 12]
    assert "ground truth 1.000" in done.out


def test_maps(fake: Fake, folder: Path, rgbt: Any) -> None:
    assert rgbt("--sequence", folder, *nano("--maps", "--video", "o.mp4")).code == 0
    with np.load("out/street_maps.npz") as maps:
        assert maps["level0"].shape == (COUNT, 4, 4) and np.isnan(maps["windows"][0]).all()


@pytest.mark.parametrize("typed", ["1,0,3,0,1,4,0,0,1", "matrix.txt"])
def test_homography_reaches_the_tracker(fake: Fake, folder: Path, rgbt: Any, typed: str) -> None:
    Path("matrix.txt").write_text("1 0 3\n0 1 4\n0 0 1\n")
    assert rgbt("--sequence", folder, *nano("--homography", typed)).code == 0
    assert fake.tracker.config.thermal.homography == ((1, 0, 3), (0, 1, 4), (0, 0, 1))


def test_notes_of_the_reader_are_shown(fake: Fake, folder: Path, rgbt: Any) -> None:
    np.savetxt(folder / "init.txt", BOXES[:3], delimiter=",")
    assert "Note: 'init.txt' has 3 boxes for 6 frames" in rgbt("--sequence", folder, *nano()).err


# ---- bad input: exit code 2, one sentence, nothing written


def test_sequence_and_rgb(fake: Fake, folder: Path, rgbt: Any) -> None:
    refused(rgbt("--sequence", folder, "--rgb", folder / "visible", *nano()), "either --sequence or --rgb and --ir")


def test_nothing_to_track(fake: Fake, folder: Path, rgbt: Any) -> None:
    refused(rgbt(*nano()), "give --sequence NAME|DIR", "drawn:street", "--rgb A --ir B")


def test_unknown_names(fake: Fake, folder: Path, rgbt: Any) -> None:
    refused(rgbt("--sequence", "biketwo", *nano()), "No sequence called 'biketwo'", "rgbt vot prepare", "RGBT_DATA")
    refused(rgbt("--sequence", "drawn:nowhere", *nano()), "nowhere", "street")
    refused(rgbt("--sequence", folder, "--config", "nestfuse_nanotrak"), "did you mean 'nestfuse_nanotrack'?")
    refused(rgbt("--sequence", folder, *nano("--modality", "depth")), "modality")


def test_no_box(fake: Fake, folder: Path, rgbt: Any) -> None:
    (folder / "init.txt").unlink()
    refused(rgbt("--sequence", folder, *nano()), "give --init x,y,w,h", "--show")
    refused(rgbt("--sequence", folder, *nano("--init", "1,2,3")), "four numbers x,y,w,h", "'1,2,3'")


def test_absent_in_the_first_frame(fake: Fake, folder: Path, rgbt: Any) -> None:
    (folder / "init.txt").write_text("NaN,NaN,NaN,NaN\n" * COUNT)
    refused(rgbt("--sequence", folder, *nano()), "give --init x,y,w,h")


@pytest.mark.parametrize(
    ("box", "words"), [("900,900,10,10", "outside the 64x48 image"), ("5,5,0,9", "positive"), ("nan,5,5,5", "finite")]
)
def test_bad_box_with_the_real_tracker(folder: Path, rgbt: Any, box: str, words: str) -> None:
    refused(rgbt("--sequence", folder, *nano("--weights", "untrained", "--device", "cpu", "--init", box)), words)


def test_brackets_in_a_path_are_printed(fake: Fake, folder: Path, rgbt: Any) -> None:
    Path("odd [bold] name").mkdir()
    refused(rgbt("--sequence", "odd [bold] name", *nano()), "'odd [bold] name'")


def test_missing_camera(fake: Fake, folder: Path, rgbt: Any) -> None:
    done = rgbt("--rgb", folder / "visible", "--init", "1,2,3,4", *nano())
    refused(done, "needs ir frames", "give --ir, or --modality rgb")
    assert rgbt("--rgb", folder / "visible", "--init", "1,2,3,4", *nano("--modality", "rgb")).code == 0


def test_missing_thermal_frame(fake: Fake, folder: Path, rgbt: Any) -> None:
    (folder / "infrared" / "0003.png").unlink()
    refused(rgbt("--sequence", folder, *nano()), "no thermal frame for 1 (0003.png)")


def test_extra_thermal_frame(fake: Fake, folder: Path, rgbt: Any) -> None:
    cv2.imwrite(str(folder / "infrared" / "0009.png"), np.zeros((48, 64), np.uint8))
    refused(rgbt("--sequence", folder, *nano()), "no visible frame for 1 (0009.png)")


def test_empty_directory(fake: Fake, folder: Path, rgbt: Any) -> None:
    Path("empty").mkdir()
    refused(rgbt("--sequence", "empty", *nano()), "found nothing")


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_unreadable_frame_in_the_middle(fake: Fake, folder: Path, rgbt: Any, content: bytes | None) -> None:
    victim = folder / "infrared" / "0003.png"
    victim.write_bytes(victim.read_bytes()[:60] if content is None else content)
    done = rgbt("--sequence", folder, *nano("--video", "o.mp4"))
    assert done.code == 2 and "Cannot read the thermal frame" in done.err and "Traceback" not in done.err
    assert fake.tracker.updates == 2, "the frames before it were tracked"
    assert "stopped after 3 of 6 frames: Cannot read the thermal frame" in done.out
    assert "--resume goes on at frame 3" in done.out
    np.testing.assert_allclose(read_boxes(Path("out/street.txt")), BOXES[:3])
    assert files(Path("out")) == sorted(f"street{end}" for end in (".txt", *STOPPED))
    assert count_frames("o.mp4") == 3


@pytest.mark.parametrize("content", [b"", b"text"])
def test_an_unreadable_first_frame_leaves_nothing(fake: Fake, folder: Path, rgbt: Any, content: bytes) -> None:
    (folder / "visible" / "0000.png").write_bytes(content)
    refused(rgbt("--sequence", folder, *nano("--video", "o.mp4")), "Cannot read the visible frame", "0000.png")
    assert files(folder.parent.parent) == ["data"], "no half-written video, no empty folder"


def test_wrong_depth(fake: Fake, folder: Path, rgbt: Any) -> None:
    cv2.imwrite(str(folder / "visible" / "0002.tiff"), np.zeros((48, 64, 3), np.float32))
    (folder / "visible" / "0002.png").unlink()
    done = rgbt("--sequence", folder, *nano())
    assert done.code == 2 and len(read_boxes(Path("out/street.txt"))) == 2
    for words in ("Expected uint8 or uint16", "0002.tiff", "got float32"):
        assert words in done.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_no_cuda_when_asked_for(folder: Path, rgbt: Any) -> None:
    refused(rgbt("--sequence", folder, *nano("--weights", "untrained", "--device", "cuda")), "cuda", "use cpu or auto")


def test_weights_that_are_not_there(folder: Path, rgbt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RGBT_CACHE", str(folder / "cache"))
    done = rgbt("--sequence", folder, "--config", "nanotrack_v3", "--output", "out")
    refused(done, "rgbt weights get nanotrackv3", "rgbt weights add nanotrackv3 FILE")
    refused(rgbt("--sequence", folder, *nano("--weights", "a/b.pth")), "No weights file at 'a/b.pth'")


def test_video_of_another_kind(fake: Fake, folder: Path, rgbt: Any) -> None:
    refused(rgbt("--sequence", folder, *nano("--video", "o.gif")), "Cannot write a video as")


def test_bad_homography(fake: Fake, folder: Path, rgbt: Any) -> None:
    refused(rgbt("--sequence", folder, *nano("--homography", "1,2,3")), "nine numbers")


def test_show_without_a_screen(fake: Fake, folder: Path, rgbt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    refused(rgbt("--sequence", folder, *nano("--show")), "needs a screen")


@pytest.mark.parametrize("output", ["out", "out/deeper"])
def test_a_file_where_the_output_folder_is_to_be(fake: Fake, folder: Path, rgbt: Any, output: str) -> None:
    Path("out").write_text("precious")
    fake.before_update = lambda number: pytest.fail("it is refused before the first frame")
    refused(rgbt("--sequence", folder, *nano("--output", output)), f"Cannot write to '{output}'", "/out' is no folder")
    video = nano("--video", "out/overlay.mp4", "--output", "elsewhere")
    refused(rgbt("--sequence", folder, *video), "Cannot write to 'out'")
    assert Path("out").read_text() == "precious"


def test_an_output_folder_without_permission(
    fake: Fake, folder: Path, rgbt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused(rgbt("--sequence", folder, *nano("--output", "new/deeper")), "Cannot write to 'new/deeper'", "permission")


@pytest.mark.parametrize(("name", "words"), [("file/new", "a file lies where a folder"), ("gone", "No such file")])
def test_what_the_system_refuses_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    (tmp_path / "file").write_text("precious")
    app = application()
    app.command()(lambda: print((tmp_path / name).open().read()))
    with pytest.raises(SystemExit) as end:
        run(app, [])
    message = capsys.readouterr().err
    assert end.value.code == 2 and words in message and "Traceback" not in message


# ---- windows and live sources


def test_the_box_is_drawn_with_the_mouse(fake: Fake, folder: Path, rgbt: Any, window: list[np.ndarray]) -> None:
    (folder / "init.txt").unlink()
    done = rgbt("--sequence", folder, *nano("--show"))
    assert done.code == 0, done.err
    assert read_boxes(Path("out/street.txt"))[0].tolist() == [20, 10, 8, 6]
    assert len(read_boxes(Path("out/street.txt"))) == COUNT == len(window)


def test_q_ends_a_recorded_run_and_keeps_its_frames(
    fake: Fake, folder: Path, rgbt: Any, window: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "waitKey", lambda delay: ord("q") if len(window) == 3 else -1)
    done = rgbt("--sequence", folder, *nano("--show"))
    assert done.code == 130 and len(read_boxes(Path("out/street.txt"))) == 3


class FakeCapture:
    """A camera that delivers ``COUNT`` pictures or never ends."""

    fps = None
    count = 10**9

    def __init__(self, address: str) -> None:
        if address not in ("0", "1") or FakeCapture.count < 0:
            raise StreamEndedError("refused")

    def grab(self) -> None:
        time.sleep(0.005)
        FakeCapture.count -= 1
        if FakeCapture.count < 0:
            raise StreamEndedError("closed")

    def retrieve(self) -> np.ndarray:
        return blobs(60)

    def close(self) -> None:
        pass


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nestfuse_core.cameras.live.open_capture", FakeCapture)
    monkeypatch.setattr(FakeCapture, "count", 10**9)


def test_ctrl_c_ends_a_live_run_and_keeps_its_track(fake: Fake, folder: Path, rgbt: Any, cameras: None) -> None:
    fake.before_update = lambda number: signal.raise_signal(signal.SIGINT) if number == 4 else None
    done = rgbt("--rgb", "0", "--ir", "1", "--init", "1,2,3,4", *nano("--video", "live.mp4"))
    assert done.code == 0, done.err
    assert len(read_boxes(Path("out/camera0_camera1.txt"))) == 5
    with av.open("live.mp4") as container:
        assert len(list(container.decode(video=0))) == 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert "Note: Live, frames a second as measured: visible" in done.err
    assert re.search(
        r"visible camera: \d+ pictures came.*\nthermal camera: .*\npairs: \d of 5 frames have both", done.out
    )


def test_a_stream_that_ends_keeps_its_track_and_says_so(
    fake: Fake, folder: Path, rgbt: Any, cameras: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rgbt_tracker.sequences.live.LivePair.patience", 0.1)
    monkeypatch.setattr(FakeCapture, "count", 60)
    done = rgbt("--rgb", "0", "--init", "1,2,3,4", "--modality", "rgb", *nano())
    assert done.code == 1, done.err
    assert len(read_boxes(Path("out/camera0.txt"))) > 3
    assert "visible camera: lost at" in done.out and "ended: no camera delivered anything" in done.out


def test_live_cameras_begin_now(fake: Fake, folder: Path, rgbt: Any, cameras: None) -> None:
    live = ("--rgb", "0", "--ir", "1", "--init", "1,2,3,4")
    refused(rgbt(*live, *nano("--resume")), "Live cameras begin now: leave --resume out")
    refused(rgbt(*live, *nano("--start", "3")), "Live cameras begin now: leave --start out")
    refused(rgbt(*live, *nano("--init", "3:1,2,3,4")), "--init for a frame from 0 to 0")


def test_a_live_box_is_drawn_on_the_frame_chosen_with_space(
    fake: Fake, folder: Path, rgbt: Any, cameras: None, window: list[np.ndarray]
) -> None:
    fake.before_update = lambda number: signal.raise_signal(signal.SIGINT) if number == 3 else None
    done = rgbt("--rgb", "0", "--ir", "1", *nano("--show"))
    assert done.code == 0, done.err
    assert read_boxes(Path("out/camera0_camera1.txt"))[0].tolist() == [20, 10, 8, 6]


def test_a_camera_that_is_not_there(fake: Fake, folder: Path, rgbt: Any) -> None:
    refused(rgbt("--rgb", "97", "--ir", "98", "--init", "1,2,3,4", *nano()), "Cannot open the visible camera '97'")


# ---- as a user starts it


def start(*arguments: Any, cwd: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(ROOT / "track.py"), *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_track_py_on_real_frames_with_the_real_loop(folder: Path) -> None:
    arguments = ("--sequence", folder, "--config", "nestfuse_nanotrack", "--weights", "untrained", "--device", "cpu")
    process = start(*arguments, cwd=folder.parent)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "the network is untrained" in err
    assert re.search(r"street: 6 frames in .* mean overlap with the ground truth 0\.\d{3}", out)
    boxes = read_boxes(folder.parent / "results" / "street.txt")
    assert boxes.shape == (COUNT, 4) and boxes[0].tolist() == BOXES[0].tolist()


def test_track_py_refuses_without_a_traceback(folder: Path) -> None:
    process = start("--sequence", "nothing-like-it", cwd=folder.parent)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2 and out == ""
    assert err.startswith("Error: No sequence called 'nothing-like-it'") and "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_while_it_runs(folder: Path) -> None:
    for camera in ("visible", "infrared"):
        image = (folder / camera / "0000.png").read_bytes()
        for index in range(COUNT, 2000):
            (folder / camera / f"{index:04d}.png").write_bytes(image)
    arguments = ("--config", "nestfuse_nanotrack", "--weights", "untrained", "--device", "cpu", "--video", "o.mp4")
    process = start("--sequence", folder, *arguments, cwd=folder.parent)
    end = time.monotonic() + 60
    while not list(folder.parent.glob(f"{UNFINISHED}*/o.mp4")) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Interrupted" in err and "Traceback" not in err
    stopped = re.search(r"stopped after (\d+) of 2000 frames: you ended it", out)
    assert stopped, out
    results = folder.parent / "results"
    assert files(results) == sorted(f"street{end}" for end in (".txt", *STOPPED))
    assert len(read_boxes(results / "street.txt")) == int(stopped[1]) == count_frames(str(folder.parent / "o.mp4"))
