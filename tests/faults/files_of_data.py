"""Hostile data: tables of targets, annotations, results, states of stopped runs, matrices, times, archives, videos."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from checkpoints import Marks
from judge import Case, command, guarded

Make = Callable[[], bytes]
UNTRAINED = ("--weights", "untrained", "--device", "cpu")
HEADER = b"frame,id,x,y,w,h\n"

# What any file of text may be.
ANY: dict[str, Make] = {
    "nothing": lambda: b"",
    "blank lines": lambda: b"\n \n\n",
    "random bytes": lambda: np.random.default_rng(0).bytes(3000),
    "zero bytes": lambda: bytes(3000),
    "a page": lambda: b"<!DOCTYPE html><script>alert(1)</script>\n",
    "a line of 5 MB": lambda: b"1" * 5_000_000,
    "a number of 5000 digits": lambda: b"9" * 5000 + b",1,2,3,4,5\n",
    "a cell of 200,000 letters": lambda: b"1,2,3," + b"x" * 200_000 + b"\n",
    "an open quote": lambda: b'"1,2,3,4\n' * 50,
    "digits of other scripts": lambda: "²,²,²,²\n".encode() * 4,
    "other line ends": lambda: "1,2,3,4\u20285,6,7,8\x0b1\x1c2\n".encode(),
    "half of UTF-16": lambda: b"\xff\xfe1\0,",
    "UTF-32": lambda: "1,2,3,4\n".encode("utf-32"),
}
TARGETS: dict[str, Make] = {
    "a frame that is not there": lambda: b"99,1,1,2,30,40\n",
    "a frame below zero": lambda: b"-1,1,1,2,30,40\n",
    "half a frame": lambda: b"0.5,1,1,2,30,40\n",
    "a number that is infinite": lambda: b"0,1e400,1,2,30,40\n",
    "a target of 10^18": lambda: b"0,1000000000000000000,1,2,30,40\n",
    "NaN as box": lambda: b"0,1,nan,2,30,40\n",
    "an infinite box": lambda: b"0,1,1,2,1e400,40\n",
    "a box outside": lambda: b"0,1,5000,5000,30,40\n",
    "a box without size": lambda: b"0,1,1,2,0,0\n",
    "a box of 1e-300": lambda: b"0,1,1,2,1e-300,1e-300\n",
    "a box of 1e300": lambda: b"0,1,1,2,1e300,1e300\n",
    "two boxes of one target": lambda: b"0,1,1,2,30,40\n0,1,5,6,30,40\n",
    "five columns": lambda: b"0,1,1,2,30\n",
    "another header": lambda: b"id,frame,x,y,w,h\n0,1,1,2,30,40\n",
    "a header alone": lambda: HEADER,
    "names as numbers": lambda: b"0,car,1,2,30,40\n",
}
MATRICES: dict[str, Make] = {
    "code": lambda: saved(np.array([Marks()], dtype=object), allow_pickle=True),
    "objects": lambda: saved(np.array([None] * 9, dtype=object), allow_pickle=True),
    "text": lambda: saved(np.array(["x"] * 9)),
    "complex numbers": lambda: saved(np.full(9, 1j)),
    "dates": lambda: saved(np.full(9, np.datetime64("2001-01-01"))),
    "NaN": lambda: saved(np.full((3, 3), np.nan)),
    "no rank": lambda: saved(np.ones((3, 3))),
    "400 GB": lambda: header("(100000, 1000000)"),
    "a shape below zero": lambda: header("(-3, 3)"),
    "a shape of 10^30": lambda: header(f"({10**30},)"),
    "a shape that is code": lambda: header("__import__('os').system('touch MARK')"),
    "a header nested deep": lambda: header("(" * 5000 + ")" * 5000),
    "a kind that is code": lambda: saved(np.eye(3)).replace(b"'<f8'", b"exec1"),
    "a kind of a kind": lambda: header("(3, 3)", "[('a', '<f8', (1000000, 100000))]"),
    "half a file": lambda: saved(np.eye(3))[:100],
    "a head alone": lambda: b"\x93NUMPY\x09\x09",
}
TIMES: dict[str, Make] = {
    "NaN": lambda: b"nan\n" * 4,
    "infinity": lambda: b"1e400\n" * 4,
    "too few": lambda: b"1\n2\n",
    "years that are none": lambda: b"0000-13-45T99:99:99\n" * 4,
}
STATE: dict[str, Any] = {
    "made_with": np.array(json.dumps({"start": 0, "boxes": {"0": [1, 2, 3, 4]}})),
    "boxes": np.ones((2, 4)),
    "scores": np.ones(2),
    "seconds": np.ones(2),
    "cameras": np.ones(2, np.uint8),
}


def _began(start: Any, boxes: Any) -> Any:
    return np.array(json.dumps({"start": start, "boxes": boxes}))


STATES: dict[str, Make] = {
    "code": lambda: zipped(("boxes.npy", MATRICES["code"]())),
    "nothing in it": lambda: packed(),
    "no JSON": lambda: packed(**{**STATE, "made_with": np.array("{")}),
    "a list as settings": lambda: packed(**{**STATE, "made_with": np.array("[]")}),
    "JSON nested deep": lambda: packed(**{**STATE, "made_with": np.array("[" * 50_000 + "]" * 50_000)}),
    "text as boxes": lambda: packed(**{**STATE, "boxes": np.array(["x"] * 4)}),
    "boxes of three numbers": lambda: packed(**{**STATE, "boxes": np.ones((2, 3))}),
    "NaN as boxes": lambda: packed(**{**STATE, "boxes": np.full((2, 4), np.nan)}),
    "cameras that are none": lambda: packed(**{**STATE, "cameras": np.full(2, 200)}),
    "complex scores": lambda: packed(**{**STATE, "scores": np.full(2, 1j)}),
    "a start of 10^30": lambda: packed(**{**STATE, "made_with": _began(10**30, {"0": [1, 2, 3, 4]})}),
    "a start that is text": lambda: packed(**{**STATE, "made_with": _began("x", {"x": [1, 2, 3, 4]})}),
    "boxes in a list": lambda: packed(**{**STATE, "made_with": _began(0, ["0"])}),
    "a box of text": lambda: packed(**{**STATE, "made_with": _began(0, {"0": "abcd"})}),
    "scores without an end": lambda: packed(**{**STATE, "scores": np.ones(200)}),
    "half an array": lambda: zipped(("boxes.npy", MATRICES["half a file"]())),
    "a bomb": lambda: zipped(("boxes.npy", header("(100000, 1000000)"))),
}


def saved(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def packed(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def header(shape: str, kind: str = "'<f8'") -> bytes:
    """An array's file that says this of itself and holds nothing."""
    text = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def zipped(*members: tuple[str, bytes], links: tuple[tuple[str, str], ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
        for name, goal in links:
            item = zipfile.ZipInfo(name)
            item.external_attr = 0o120777 << 16
            archive.writestr(item, goal)
    return buffer.getvalue()


def tarred(*members: tuple[str, bytes, str]) -> bytes:
    """Members are names, kinds of tarfile's and goals of links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, kind, goal in members:
            item = tarfile.TarInfo(name)
            item.type, item.linkname = kind, goal
            archive.addfile(item)
    return buffer.getvalue()


ARCHIVES: dict[str, Make] = {
    "a link to a folder outside": lambda: zipped(("T/x", b"1"), links=(("T/out", "../.."),)),
    "a file through a link": lambda: zipped(("T/out/MARK", b"x"), links=(("T/out", "../.."),)),
    "a link of tar": lambda: tarred(("T/out", tarfile.SYMTYPE, "../.."), ("T/out/MARK", tarfile.REGTYPE, "")),
    "a hard link of tar": lambda: tarred(("T/a.txt", tarfile.LNKTYPE, "/etc/passwd")),
    "a device of tar": lambda: tarred(("T/a.txt", tarfile.CHRTYPE, "")),
    "a pipe of tar": lambda: tarred(("T/a.txt", tarfile.FIFOTYPE, "")),
    "a whole path of tar": lambda: tarred(("/tmp/rgbt-MARK", tarfile.REGTYPE, "")),
    "a path outside of tar": lambda: tarred(("../../MARK", tarfile.REGTYPE, "")),
    "names of 300 letters": lambda: zipped((f"T/{'x' * 300}.txt", b"1,2,3,4\n")),
    "folders 2000 deep": lambda: zipped(("d/" * 2000 + "a.txt", b"1,2,3,4\n")),
    "zero bytes in a name": lambda: zipped(("T/aXb.txt", b"1,2,3,4\n")).replace(b"aXb", b"a\0b"),
    "encrypted": lambda: zipped(("T/a.txt", b"1,2\n")).replace(b"\x14\x03\x14\0\0", b"\x14\x03\x14\0\1"),
    "an unknown packing": lambda: zipped(("T/a.txt", b"1,2,3,4\n")).replace(b"\x08\0", b"\x63\0"),
    "no results": lambda: zipped(("readme", b"x")),
}
RESULTS: dict[str, Make] = {
    "fewer lines": lambda: b"1,2,30,40\n",
    "boxes of 1e300": lambda: b"1e300,1e300,1e300,1e300\n" * 4,
    "infinite boxes": lambda: b"1,2,1e400,1e400\n" * 4,
}
COMPANIONS: dict[str, tuple[str, Make]] = {
    "scores of text": ("a_scores.txt", lambda: b"x\n" * 4),
    "maps of code": ("a_maps.npz", lambda: zipped(("windows.npy", MATRICES["code"]()))),
    "maps of another length": ("a_maps.npz", lambda: packed(windows=np.ones((1, 4)))),
    "maps of nothing": ("a_maps.npz", lambda: packed()),
    "maps that are a bomb": ("a_maps.npz", lambda: zipped(("windows.npy", header("(100000, 1000000)")))),
    "frames without a header": ("a_frames.csv", lambda: b"1,2,3\n"),
    "frames of an endless cell": ("a_frames.csv", lambda: b'"' + b"x" * 200_000),
}
TRACKS: dict[str, Make] = {
    "an infinite target": lambda: b"1,1e400,1,2,3,4,1,-1,-1,-1\n",
    "an infinite frame": lambda: b"1e400,1,1,2,3,4,1,-1,-1,-1\n",
    "latin letters": lambda: "é,1\n".encode("latin-1"),
    "a frame of 0": lambda: b"0,1,1,2,3,4,1,-1,-1,-1\n",
    "three numbers": lambda: b"1,1,2\n",
    "ten thousand targets": lambda: b"".join(b"1,%d,1,2,3,4,1,-1,-1,-1\n" % n for n in range(10_000)),
}
VIDEOS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda data: b"",
    "text": lambda data: b"1,2,3,4\n",
    "half": lambda data: data[: len(data) // 3],
    "a head alone": lambda data: data[:48],
    "no index": lambda data: data[: data.index(b"moov") - 4],
    "no data": lambda data: data[:32] + data[data.index(b"moov") - 4 :],
    "zeros as data": lambda data: data[:48] + bytes(data.index(b"moov") - 52) + data[data.index(b"moov") - 4 :],
    "a million frames that are not there": lambda data: data.replace(_sizes(8), _sizes(1_000_000)),
    "boxes in boxes": lambda data: b"\0\0\0\x08moov" * 10_000,
    "a box of 16 EB": lambda data: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x01moov\xff\xff\xff\xff\xff\xff\xff\xff",
    "a playlist": lambda data: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "a list of files": lambda data: b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a playlist of the net": lambda data: b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n",
}


def _video(place: Path) -> bytes:
    """A sound video of 8 frames, 96x64."""
    from nestfuse_core.common.video import writing_video

    with writing_video(place / "sound.mp4", 10) as writer:
        for index in range(8):
            writer.write(np.full((64, 96, 3), 20 * index, np.uint8))
    return (place / "sound.mp4").read_bytes()


def _sizes(count: int) -> bytes:
    """How MP4 begins to say the sizes of that many frames."""
    return b"stsz" + bytes(8) + count.to_bytes(4, "big")


def _written(name: str, make: Make, use: Callable[[Path, Path], Callable[[], None]], sequence: Path) -> Any:
    """Write a file beside a copy of the sequence and use both."""

    def prepare(folder: Path) -> Callable[[], None]:
        shutil.copytree(sequence, folder / "a")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(make())
        return use(folder, folder / name)

    return prepare


def _track(*options: Any) -> Callable[[Path, Path], Callable[[], None]]:
    """Options name the file by FILE."""

    def use(folder: Path, file: Path) -> Callable[[], None]:
        words = [file if word == "FILE" else word for word in options]
        return command("track", "--sequence", folder / "a", *UNTRAINED, "--output", folder / "out", *words)

    return use


def _annotated(folder: Path, file: Path) -> Callable[[], None]:
    file.replace(folder / "a" / "groundtruth.txt")
    return command("track", "--sequence", folder / "a", *UNTRAINED, "--output", folder / "out")


def _timed(folder: Path, file: Path) -> Callable[[], None]:
    cameras = ("--rgb", folder / "a" / "color", "--ir", folder / "a" / "ir", "--rgb-times", file, "--ir-times", file)
    return command("track", *cameras, "--init", "1,2,30,40", *UNTRAINED, "--output", folder / "out")


def _reported(folder: Path, file: Path) -> Callable[[], None]:
    results = file if file.suffix == ".zip" else folder / "results"
    return command("report", results, "--sequences", folder, "--images", "none", "--output", folder / "out")


def _beside_results(folder: Path, file: Path) -> Callable[[], None]:
    from rgbt_tracker.results.maps import read_maps
    from rgbt_tracker.results.read import read_frames, read_one_pass

    (file.parent / "a.txt").write_text("1,2,30,40\n" * 4)

    def read() -> None:
        track = read_one_pass(file.parent / "a.txt")
        _ = track.frames and read_frames(track.frames), track.maps and read_maps(track.maps, len(track))

    return guarded(read)


def _followed(_: Path, file: Path) -> Callable[[], None]:
    from rgbt_tracker.results.mot import read_mot

    return guarded(lambda: read_mot(file, 4))


def _resumed(folder: Path, file: Path) -> Callable[[], None]:
    (folder / "out").mkdir()
    (folder / "out" / "a.txt").write_text("1,2,30,40\n" * 2)
    file.replace(folder / "out" / "a_state.npz")
    return command("track", "--sequence", folder / "a", *UNTRAINED, "--output", folder / "out", "--resume")


def _filmed(folder: Path, file: Path) -> Callable[[], None]:
    cameras = ("--rgb", file, "--modality", "rgb", "--init", "1,2,30,40")
    return command("track", *cameras, *UNTRAINED, "--output", folder / "out")


def cases(sequence: Path) -> list[Case]:
    """Every one is refused."""
    film = _video(sequence.parent)
    kinds: dict[str, tuple[str, Any, dict[str, Make]]] = {
        "targets": ("stranger.csv", _track("--targets", "FILE"), {**ANY, **TARGETS}),
        "ground truth": ("stranger.txt", _annotated, ANY),
        "times": ("stranger.txt", _timed, {**ANY, **TIMES}),
        "matrix": ("stranger.npy", _track("--homography", "FILE"), MATRICES),
        "matrix as text": ("stranger.txt", _track("--homography", "FILE"), ANY),
        "matrix as JSON": ("stranger.json", _track("--homography", "FILE"), ANY),
        "state": ("stranger.npz", _resumed, {**ANY, **STATES}),
        "archive of results": ("stranger.zip", _reported, ARCHIVES),
        "tracks": ("stranger.txt", _followed, TRACKS),
        "result": ("results/T/a.txt", _reported, {**ANY, **RESULTS}),
        "video": ("stranger.mp4", _filmed, {name: lambda c=c: c(film) for name, c in VIDEOS.items()}),
    }
    found = [
        Case(f"{kind}: {name}", _written(file, make, use, sequence))
        for kind, (file, use, inputs) in kinds.items()
        for name, make in inputs.items()
    ]
    return found + [
        Case(f"beside a result: {name}", _written(f"results/T/{file}", make, _beside_results, sequence))
        for name, (file, make) in COMPANIONS.items()
    ]
