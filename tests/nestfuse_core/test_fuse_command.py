"""The command: files, folders, videos, what is written beside them, and bad input."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest
import torch

from nestfuse_core import cli, cli_fusion
from nestfuse_core.common.commands import single
from nestfuse_core.common.guard import run
from nestfuse_core.common.pictures import read_image, write_image
from nestfuse_core.common.video import VideoReader, writing_video
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.overlay import Overlay
from nestfuse_core.metrics import METRICS, evaluate


@pytest.fixture
def fuse(plain_weights, capsys):
    """Run the command; return its exit code, stdout and stderr."""

    def fused(ir, vis, output, *options):
        arguments = ["--ir", ir, "--vis", vis, "--output", output, "--device", "cpu"]
        if "--weights" not in options:
            arguments += ["--weights", plain_weights]
        with pytest.raises(SystemExit) as ended:
            run(cli.script(), [str(argument) for argument in (*arguments, *options)])
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return fused


@pytest.fixture
def pair(tmp_path, picture):
    """A thermal and a colour picture on disk: their paths."""
    paths = tmp_path / "ir.png", tmp_path / "vis.png"
    write_image(paths[0], picture(1))
    write_image(paths[1], picture(2, channels=3))
    return paths


@pytest.fixture
def folders(tmp_path, picture):
    """Three pairs in two folders."""
    for index in (1, 2, 10):
        write_image(tmp_path / "ir" / f"{index}_ir.png", picture(index))
        write_image(tmp_path / "vis" / f"{index}_rgb.jpg", picture(index + 20, channels=3))
    return tmp_path / "ir", tmp_path / "vis"


@pytest.fixture
def videos(tmp_path, picture):
    """Six frames of each camera as MP4."""
    from fractions import Fraction

    for name, channels, count in (("ir", 1, 6), ("vis", 3, 6), ("short", 3, 4)):
        with writing_video(tmp_path / f"{name}.mp4", Fraction(30)) as writer:
            for index in range(count):
                writer.write(picture(index, channels=channels))
    return tmp_path


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


class TestFiles:
    def test_everything_at_once(self, fuse, pair, tmp_path, plain_network):
        out = tmp_path / "out"
        options = ("--maps", out / "maps", "--metrics", out / "m.csv", "--sheet", out / "sheet.jpg")
        code, stdout, stderr = fuse(*pair, out / "fused.png", *options)
        assert code == 0 and "FMI_dct" in stdout, stderr
        fusion = Fuser(plain_network)(read_image(pair[0]), read_image(pair[1]))
        np.testing.assert_array_equal(read_image(out / "fused.png"), fusion.image)
        maps = [f"maps/fused_{name}" for name in ("channels.csv", *(f"scale{scale}.png" for scale in (1, 2, 3, 4)))]
        assert files_in(out) == sorted(["fused.png", "m.csv", "sheet.jpg", *maps])
        (row,) = rows_of(out / "m.csv")
        expected = evaluate(fusion.ir, fusion.vis, fusion.luminance)
        assert {name: float(row[name]) for name in METRICS} == pytest.approx(expected, abs=1e-7)
        sheet = read_image(out / "sheet.jpg")
        assert sheet.shape == (22 + 72 + 22, 3 * (88 + 4) + 4, 3)

    def test_a_folder_as_output_and_the_standard_preset(self, fuse, pair, tmp_path):
        code, _, stderr = fuse(*pair, tmp_path / "new", "--metrics", tmp_path / "m.csv", "--preset", "standard")
        assert code == 0, stderr
        assert files_in(tmp_path / "new") == ["vis.png"]
        assert float(rows_of(tmp_path / "m.csv")[0]["SD"]) > 5

    def test_notes_go_to_stderr(self, fuse, pair, tmp_path, picture):
        deep = tmp_path / "deep.tiff"
        write_image(deep, picture(1, 36, 44).astype(np.uint16) * 20 + 5000)
        code, _, stderr = fuse(deep, pair[1], tmp_path / "f.png")
        assert code == 0
        assert (
            "(percentiles 0.1 and 99.9) became 0 to 255" in stderr and "infrared 44x36 was resampled to 88x72" in stderr
        )

    def test_the_look_brings_its_network_and_an_overlay_needs_none(self, fuse, pair, tmp_path):
        assert fuse(*pair, tmp_path / "f.png", "--look", "equations", "--weights", "paper-lambda100")[0] == 0
        ir, vis = (read_image(path) for path in pair)
        np.testing.assert_array_equal(read_image(tmp_path / "f.png"), Fuser(look="equations")(ir, vis).image)
        assert fuse(*pair, tmp_path / "o.png", "--overlay", "--weights", "nowhere.pt")[0] == 0
        np.testing.assert_array_equal(read_image(tmp_path / "o.png"), Overlay()(ir, vis).image)
        code, _, stderr = fuse(*pair, tmp_path / "p.png", "--overlay", "--maps", tmp_path / "maps")
        assert code == 2 and "or for --overlay, not both" in stderr and not (tmp_path / "p.png").exists()

    @pytest.mark.parametrize("strategy", ["max", "nuclear", "add"])
    def test_strategies_in_tiles(self, fuse, pair, tmp_path, strategy):
        assert fuse(*pair, tmp_path / "f.png", "--strategy", strategy, "--tile", 64)[0] == 0
        assert fuse(*pair, tmp_path / "g.png", "--strategy", strategy)[0] == 0
        tiled, whole = (read_image(tmp_path / name).astype(int) for name in ("f.png", "g.png"))
        assert np.abs(tiled - whole).max() <= 1


class TestFolders:
    def test_pairs_by_name_with_records(self, fuse, folders, tmp_path):
        options = ("--metrics", tmp_path / "m.csv", "--sheet", tmp_path / "s.png", "--levels", "steady")
        code, stdout, stderr = fuse(*folders, tmp_path / "out", *options)
        assert code == 0 and "mean of 3" in stdout, stderr
        assert files_in(tmp_path / "out") == ["10_rgb.png", "1_rgb.png", "2_rgb.png"]
        assert [row["name"] for row in rows_of(tmp_path / "m.csv")] == ["1_rgb", "2_rgb", "10_rgb"]

    def test_resuming_keeps_what_is_there(self, fuse, folders, tmp_path):
        out = tmp_path / "out"
        mark = np.zeros((3, 3), np.uint8)
        write_image(out / "2_rgb.png", mark)
        assert fuse(*folders, out, "--resume")[0] == 0
        np.testing.assert_array_equal(read_image(out / "2_rgb.png"), mark)
        assert len(files_in(out)) == 3
        assert fuse(*folders, out)[0] == 0
        assert read_image(out / "2_rgb.png").shape == (72, 88, 3)

    def test_a_missing_partner(self, fuse, folders, tmp_path):
        (folders[0] / "2_ir.png").unlink()
        code, _, stderr = fuse(*folders, tmp_path / "out")
        assert code == 2 and "No infrared partner for the visible image '2_rgb.jpg'" in stderr
        assert not (tmp_path / "out").exists()
        code, _, stderr = fuse(*folders, tmp_path / "out", "--skip-unpaired")
        assert code == 0 and "1 images without a partner are left out" in stderr
        assert len(files_in(tmp_path / "out")) == 2

    def test_the_output_must_be_another_folder(self, fuse, folders, tmp_path):
        for output, message in (
            (folders[1], "--output is the input folder"),
            (tmp_path / "x.png", "must be one too"),
            (folders[0] / "1_ir.png", "must be one too"),
        ):
            before = files_in(tmp_path)
            code, _, stderr = fuse(*folders, output)
            assert code == 2 and message in stderr
            assert files_in(tmp_path) == before

    def test_empty_and_absent_folders(self, fuse, folders, tmp_path):
        (tmp_path / "empty").mkdir()
        code, _, stderr = fuse(tmp_path / "empty", folders[1], tmp_path / "out")
        assert code == 2 and "holds no infrared image" in stderr
        code, _, stderr = fuse(tmp_path / "absent", folders[1], tmp_path / "out")
        assert code == 2 and "No file or folder at" in stderr


class TestVideos:
    def test_frame_by_frame(self, fuse, videos, plain_network):
        code, _, stderr = fuse(videos / "ir.mp4", videos / "vis.mp4", videos / "out.mp4")
        assert code == 0, stderr
        result = VideoReader(videos / "out.mp4")
        assert (result.length, result.rate, result.read(0).shape) == (6, 30, (72, 88, 3))
        video = Fuser(plain_network).video()
        frames = zip(*(VideoReader(videos / f"{name}.mp4") for name in ("ir", "vis", "out")), strict=True)
        for ir, vis, fused in frames:
            # The codec loses more of the stronger contrast; a wrong frame would be ten times as far off.
            difference = np.abs(video(ir, vis).image.astype(int) - fused)
            assert difference.mean() < 6

    def test_different_lengths(self, fuse, videos):
        code, _, stderr = fuse(videos / "ir.mp4", videos / "short.mp4", videos / "out.mp4")
        assert code == 0 and "4 of 4 frames have both" in stderr
        assert len(VideoReader(videos / "out.mp4")) == 4
        short, long = videos / "short.mp4", videos / "vis.mp4"
        code, _, stderr = fuse(short, long, videos / "out.mp4")
        assert code == 0 and "2 of 6 visible frames have no thermal partner: they passed unfused" in stderr
        passed, source = VideoReader(videos / "out.mp4").read(5), VideoReader(long).read(5)
        assert len(VideoReader(videos / "out.mp4")) == 6 and np.abs(passed.astype(int) - source).mean() < 4
        code, _, stderr = fuse(short, long, videos / "out.mp4", "--pair", "index")
        assert code == 0 and "the last 2 visible ones are left out" in stderr
        assert len(VideoReader(videos / "out.mp4")) == 4

    def test_a_slower_thermal_camera(self, fuse, videos, picture, plain_network, tmp_path):
        for index in range(2):
            write_image(videos / "slow" / f"{1_700_000_000 + index / 10}.png", picture(3 * index))
        code, _, stderr = fuse(videos / "slow", videos / "vis.mp4", videos / "out.mp4", "--fps", ",10")
        assert code == 0 and "Paired by time: rgb 30 fps, thermal 10 fps (--fps)" in stderr, stderr
        assert "1 of 6 visible frames have no thermal partner" in stderr
        fused, vis = VideoReader(videos / "out.mp4"), VideoReader(videos / "vis.mp4")
        for index in range(5):
            found = fused.read(index).astype(int)
            errors = [
                np.abs(Fuser(plain_network)(picture(3 * place), vis.read(index)).image - found).mean()
                for place in (0, 1)
            ]
            assert errors[round(index / 3)] < errors[1 - round(index / 3)] / 2
        code, _, stderr = fuse(videos / "slow", videos / "vis.mp4", videos / "out.mp4")
        assert code == 2 and "--offset=1700000000" in stderr

    def test_folders_whose_names_are_times(self, fuse, picture, plain_network, tmp_path):
        for index in range(6):
            write_image(tmp_path / "vis" / f"{1_700_000_000 + index / 30}.png", picture(index, channels=3))
        for index in range(2):
            write_image(tmp_path / "ir" / f"{1_700_000_000.004 + index / 10}.png", picture(index))
        options = ("--metrics", tmp_path / "m.csv", "--levels", "image")
        code, _, stderr = fuse(tmp_path / "ir", tmp_path / "vis", tmp_path / "out", *options)
        assert code == 0 and "Paired by time" in stderr and "1 of 6 visible frames" in stderr
        assert files_in(tmp_path / "out") == files_in(tmp_path / "vis") and len(rows_of(tmp_path / "m.csv")) == 5
        name = f"{1_700_000_000 + 3 / 30}.png"
        expected = Fuser(plain_network)(picture(1), picture(3, channels=3)).image
        np.testing.assert_array_equal(read_image(tmp_path / "out" / name), expected)
        name = f"{1_700_000_000 + 5 / 30}.png"
        np.testing.assert_array_equal(read_image(tmp_path / "out" / name), picture(5, channels=3))

    def test_a_variable_rate_is_kept(self, fuse, videos, picture):
        stamps = [0.0, 0.04, 0.08, 1.08, 1.12, 1.16]
        for name, channels in (("a", 1), ("b", 3)):
            with writing_video(videos / f"{name}.mkv", 25) as writer:
                for index, stamp in enumerate(stamps):
                    writer.write(picture(index, channels=channels), stamp)
        code, _, stderr = fuse(videos / "a.mkv", videos / "b.mkv", videos / "out.mp4")
        assert code == 0 and "6 of 6 frames have both, at most 0 ms apart" in stderr
        times = VideoReader(videos / "out.mp4").times
        np.testing.assert_allclose(times - times[0], stamps, atol=1e-3)

    def test_one_video_for_both_cameras(self, fuse, videos):
        code, _, stderr = fuse(videos / "vis.mp4", videos / "vis.mp4", videos / "out.mp4")
        assert code == 2 and "vis.mp4' was given for both cameras" in stderr
        assert not (videos / "out.mp4").exists()

    def test_files_that_are_no_video(self, fuse, videos, tmp_path):
        (tmp_path / "broken.mp4").write_bytes(b"nothing")
        code, _, stderr = fuse(tmp_path / "broken.mp4", videos / "vis.mp4", tmp_path / "o.mp4")
        assert code == 2 and "Cannot read the video '" in stderr
        code, _, stderr = fuse(videos / "ir.mp4", videos / "vis.mp4", tmp_path / "o.gif")
        assert code == 2 and "Cannot write a video as 'o.gif'" in stderr
        code, _, stderr = fuse(videos / "ir.mp4", videos / "vis.mp4", videos / "vis.mp4")
        assert code == 2 and "--output is the input" in stderr


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                ("--strategy", "maxx"),
                "Unknown strategy 'maxx'; expected one of avg, max, nuclear, add; did you mean 'max'?",
            ),
            (("--look", "naturall"), "Unknown look 'naturall'; expected natural, paper or equations; did you mean"),
            (("--levels", "clip"), "Unknown levels 'clip'; expected auto, image or steady"),
            (("--preset", "std"), "Unknown preset 'std'; expected paper or standard"),
            (("--device", "gpu"), "Unknown device 'gpu'; expected auto, cpu, cuda or cuda:N"),
            (("--tile", "50"), "at least 64 and a multiple of 8, got 50"),
            (("--thermal-range", "5"), "LOW,HIGH with LOW < HIGH, such as 7000,9000, got '5'"),
            (("--metrics", "m.txt"), "ending in .csv for --metrics"),
            (("--sheet", "s.doc"), "Cannot write an image as 's.doc'"),
            (("--weights", "nowhere.pt"), "No weights at 'nowhere.pt'"),
            (("--weights", "paper-lambda10"), "a shipped name (paper-lambda100"),
        ],
    )
    def test_options(self, fuse, pair, tmp_path, options, message):
        before = files_in(tmp_path)
        code, _, stderr = fuse(*pair, tmp_path / "out.png", *options)
        assert code == 2 and message in stderr and "Traceback" not in stderr
        assert files_in(tmp_path) == before

    def test_foreign_weights(self, fuse, pair, tmp_path):
        torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pt")
        code, _, stderr = fuse(*pair, tmp_path / "out.png", "--weights", tmp_path / "other.pt")
        assert code == 2 and "holds no NestFuse weights" in stderr
        assert not (tmp_path / "out.png").exists()

    def test_files(self, fuse, pair, folders, tmp_path):
        (tmp_path / "broken [1].png").write_bytes(b"nothing")
        (tmp_path / "a.txt").write_text("text")
        for ir, vis, output, message in (
            (tmp_path / "broken [1].png", pair[1], tmp_path / "o.png", "broken [1].png': it is not an image"),
            (tmp_path / "a.txt", pair[1], tmp_path / "o.png", "is neither an image"),
            (folders[0], pair[1], tmp_path / "o", "--ir is a folder and --vis an image"),
            (pair[0], pair[1], pair[1], "--output is the input"),
            (pair[0], pair[1], tmp_path / "o.xyz", "Cannot write an image as 'o.xyz'"),
        ):
            code, _, stderr = fuse(ir, vis, output)
            assert code == 2 and message in stderr, stderr
        assert not list(tmp_path.glob("o*"))

    def test_pictures_too_small_for_the_metrics(self, fuse, tmp_path, picture):
        for name in ("ir", "vis"):
            write_image(tmp_path / f"{name}.png", picture(1, 30, 40))
        code, _, stderr = fuse(
            tmp_path / "ir.png", tmp_path / "vis.png", tmp_path / "o.png", "--metrics", tmp_path / "m.csv"
        )
        assert code == 2 and "No metrics for 'o': Expected images of at least 65x65" in stderr
        assert not (tmp_path / "m.csv").exists()


class TestScoring:
    def test_folders_of_several_methods(self, folders, tmp_path, capsys):
        for index in (1, 2, 10):
            ir = read_image(folders[0] / f"{index}_ir.png")
            vis = cv2.cvtColor(read_image(folders[1] / f"{index}_rgb.jpg"), cv2.COLOR_BGR2GRAY)
            write_image(tmp_path / "mean" / f"fused_{index}.png", cv2.addWeighted(ir, 0.5, vis, 0.5, 0))
            write_image(tmp_path / "visible only" / f"{index}.png", vis)
        arguments = ["--ir", folders[0], "--vis", folders[1], "--csv", tmp_path / "s.csv"]
        arguments += ["--fused", tmp_path / "mean", "--fused", tmp_path / "visible only"]
        with pytest.raises(SystemExit):
            run(single(cli_fusion.score), [str(argument) for argument in arguments])
        assert "mean of 3 pairs, preset paper" in capsys.readouterr().out
        rows = rows_of(tmp_path / "s.csv")
        assert [(row["method"], row["name"]) for row in rows[2:4]] == [("mean", "10_rgb"), ("visible only", "1_rgb")]
        # A copy of one source says nothing new about it and little about the other.
        ssim = {
            method: np.mean([float(row["SSIM"]) for row in rows if row["method"] == method])
            for method in ("mean", "visible only")
        }
        assert ssim["mean"] > 0.4 and 0.4 < ssim["visible only"] < 0.8
