"""Where torch cannot be imported: tracking, comparing, fusing, reporting and the demo work, the rest says why not.

One process runs all commands, since most of a command's time is its start.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from nestfuse_core import Fuser, open_runtime
from nestfuse_core.common.pictures import read_image
from nestfuse_core.common.video import VideoReader
from nestfuse_core.fusion.looks import find_look

WITHOUT_TORCH = """
import json, sys
sys.modules["torch"] = None  # as where it is not installed
from rgbt_tracker.cli.main import main
codes = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["rgbt", *arguments]
    try:
        main()
        codes.append(0)
    except SystemExit as end:
        codes.append(end.code)
print(codes)
"""

DEMO = """
import sys
sys.modules["torch"] = None
from fastapi.testclient import TestClient
from rgbt_tracker.demo.app import Settings, create_app
from rgbt_tracker.demo.engines import FrameFuser, TrackerFactory
from rgbt_tracker.demo.uploads import Limits

engines = TrackerFactory("nestfuse_nanotrack", None, "auto"), FrameFuser(None, "auto")
settings = Settings(Limits(megabytes=1, pixels=200 * 200), ("testserver",), (160, 120), 12)
with TestClient(create_app(*engines, settings)) as client:
    places = ("rgb", "visible", "1"), ("rgb", "visible", "2"), ("ir", "infrared", "1"), ("ir", "infrared", "2")
    files = [(camera, (f"{name}.png", open(f"toy/{folder}/{name}.png", "rb"))) for camera, folder, name in places]
    address = "/api/sessions/" + client.post("/api/uploads", files=files).json()["id"]
    start = {"frame": 0, "boxes": [[30, 24, 20, 16]], "modalities": ["rgbt"]}
    print(client.post(f"{address}/start", json=start).status_code)
    print(client.post(f"{address}/step", json={"modalities": ["rgbt"]}).status_code)
    print(client.get(f"{address}/fused/1.png?strategy=avg").status_code)
"""


def without_torch(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)


def run(folder: Path, *commands: str) -> tuple[list[int], str]:
    """Exit codes of commands, and all that they said, on one line."""
    done = without_torch(folder, WITHOUT_TORCH, json.dumps([command.split() for command in commands]))
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1]), " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a sequence of three pairs of pictures."""
    toy = tmp_path / "toy"
    for seed, name in enumerate(("infrared", "visible")):
        (toy / name).mkdir(parents=True)
        few = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
        picture = cv2.resize(few if seed else few[..., 0], (80, 64), interpolation=cv2.INTER_CUBIC)
        for number in (1, 2, 3):
            cv2.imwrite(str(toy / name / f"{number}.png"), np.roll(picture, 2 * number, 1))
    (toy / "groundtruth.txt").write_text("".join(f"{30 + 2 * number},24,20,16\n" for number in range(3)))
    return tmp_path


def test_the_work_of_an_edge_computer(folder: Path) -> None:
    pair = "--ir toy/infrared/1.png --vis toy/visible/1.png"
    codes, said = run(
        folder,
        "track --sequence toy --output out --fused --video out/track.mp4",
        "compare --sequence toy --output compared",
        *(f"fuse {pair} --output {look}.png --look {look}" for look in ("natural", "paper")),
        "fuse --ir toy/infrared --vis toy/visible --output folder --look equations --strategy nuclear --tile 64",
        f"fuse {pair} --output overlay.png --overlay",
        "report compared --sequences . --output report",
    )
    assert codes == [0] * 7, said
    boxes = np.loadtxt(folder / "out" / "toy.txt", delimiter=",")
    assert boxes.shape == (3, 4) and np.isfinite(boxes).all()
    assert len(VideoReader(folder / "out" / "track.mp4")) == 3
    images = [read_image(folder / "toy" / name / "1.png") for name in ("infrared", "visible")]
    # Beside torch in this process.
    for look in ("natural", "paper"):
        expected = Fuser(open_runtime(find_look(look).weights, runtime="torch"), look=look)(*images).image
        assert np.abs(read_image(folder / f"{look}.png").astype(int) - expected).max() <= 1


def test_the_demo(folder: Path) -> None:
    done = without_torch(folder, DEMO)
    assert done.stdout.split() == ["200"] * 3, done.stdout + done.stderr


def test_what_needs_torch_says_so_in_one_sentence(folder: Path) -> None:
    codes, said = run(
        folder,
        "track --weights untrained --sequence toy",
        "fuse --ir toy/infrared/1.png --vis toy/visible/1.png --output torch.png --runtime torch",
        "export fusion --output exported",
        "fusion train --images toy --output trained",
    )
    assert codes == [2] * 4
    assert said.count("This needs torch, which is not installed: type pip install torch") == 4
    assert not (folder / "torch.png").exists()
