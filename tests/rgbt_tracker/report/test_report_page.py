"""The whole report: what is written, and that the page needs nothing else."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from nestfuse_core.rig.file import Rig, write_rig
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.evaluation.diagnosis import Diagnosis
from rgbt_tracker.evaluation.groundtruth import find_sequences
from rgbt_tracker.evaluation.opened import BoxesOnly, open_sequences
from rgbt_tracker.report.build import Options, build_report
from rgbt_tracker.report.player import choose_player
from rgbt_tracker.results.mot import write_mot
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import target_name, write_results


class Scan(HTMLParser):
    """Collects what a page refers to and the texts of its data elements."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.texts: dict[str, str] = {}
        self.id: str | None = None

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.links += [values[name] for name in ("src", "href", "action") if values.get(name)]
        self.id = values.get("id") if tag == "script" else None

    def handle_endtag(self, tag):
        self.id = None

    def handle_data(self, data):
        if self.id:
            self.texts[self.id] = self.texts.get(self.id, "") + data


def scan(page: Path) -> Scan:
    found = Scan()
    found.feed(page.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def inside(world, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("inside")
    report = build_report([world.one_pass, world.vot], world.sequences, output, Options(interval=(5, 20)))
    assert report.images == "inside" and report.size == (output / "index.html").stat().st_size
    return output


def test_page_refers_to_nothing_outside_itself(inside):
    links = scan(inside / "index.html").links
    assert links and all(link.startswith("#") or link == "data:," for link in links)
    text = (inside / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"@import|url\((?!#)|\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket", text)


def test_payloads_hold_truth_tracks_and_frames(world, inside):
    texts = scan(inside / "index.html").texts
    names = [item["name"] for item in json.loads(texts["report-data"])["sequences"]]
    number = names.index("alpha")
    content = json.loads(texts[f"sequence-{number}"])
    assert content["length"] == 30 and content["fps"] == 25 and content["modalities"] == ["rgb", "ir"]
    np.testing.assert_allclose(content["truth"], world.truth["alpha"], atol=0.051)
    assert content["tags"] == {"occlusion": [[8, 13]]}
    trackers = [item["name"] for item in json.loads(texts["report-data"])["trackers"]]
    drifting, first = (content["tracks"][str(trackers.index(name))] for name in ("drifting", "first"))
    assert drifting["failures"] == [10, 20] and drifting["overlap"][12] == 0
    assert first["failures"] == [9] and first["boxes"][9] is None and first["overlap"][10] is None
    assert "maps" in content["tracks"][str(trackers.index("steady"))]
    assert len(json.loads(texts[f"frames-{number}-1"])["ir"]) == 6


def test_figures_and_tables_lie_beside_the_page(inside):
    assert {file.stem for file in (inside / "tables").iterdir()} == {
        "summary", "attributes", "sequences", "differences",
        "vot_summary", "vot_attributes", "vot_sequences", "vot_differences",
    }  # fmt: skip
    assert {file.name for file in (inside / "figures").glob("*.png")} == {
        "success.png", "precision.png", "normalised_precision.png", "differences.png", "eao.png", "ar.png",
        "vot_differences.png",
    }  # fmt: skip


def test_frames_beside_the_page_are_the_same(world, inside, tmp_path: Path):
    report = build_report([world.one_pass], world.sequences, tmp_path, Options(images="beside"))
    texts = scan(inside / "index.html").texts
    beside = scan(report.page).texts
    data = json.loads(beside["report-data"])
    number = [item["name"] for item in data["sequences"]].index("alpha")
    before = [item["name"] for item in json.loads(texts["report-data"])["sequences"]].index("alpha")
    script = (tmp_path / data["files"][f"frames-{number}-0"]).read_text(encoding="utf-8")
    assert script == f'rgbtDeliver("frames-{number}-0",{texts[f"frames-{before}-0"]});\n'
    assert not any(key.startswith("frames-") for key in beside)


def test_thermal_frames_are_laid_as_the_rig_says(world, tmp_path: Path):
    homography = ((1, 0, 30), (0, 1, 0), (0, 0, 1))
    write_rig(tmp_path / "rig.yaml", Rig(visible=(96, 72), thermal=(96, 72), homography=homography))
    given = [world.one_pass / "steady", "--sequences", world.sequences, "--player", "alpha", "--size", "96"]
    given += ["--rig", tmp_path / "rig.yaml", "--output", tmp_path / "out"]
    ran = CliRunner().invoke(build_app(), ["report", *map(str, given)], catch_exceptions=False)
    assert ran.exit_code == 0
    frame = json.loads(scan(tmp_path / "out" / "index.html").texts["frames-0-0"])["ir"][0]
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(frame), np.uint8), cv2.IMREAD_GRAYSCALE)
    x, y, w, h = world.truth["alpha"][0]
    bright = np.argwhere(picture > 180).mean(0)[::-1]
    assert np.allclose(bright, (x + w / 2 + 30, y + h / 2), atol=2)  # the target's square, as far to the right


def test_several_targets_are_played_with_their_numbers(world, tmp_path: Path):
    first, second = world.truth["alpha"], world.truth["alpha"] + [10, 5, 0, 0]
    second[:4] = np.nan
    tracks = {number: Trajectory.of_boxes(boxes, np.full(30, 0.5)) for number, boxes in ((1, first), (2, second))}
    folder = tmp_path / "results" / "many"
    for number, track in tracks.items():
        write_results(folder, target_name("alpha", number), track)
    write_mot(folder, "alpha", tracks)
    report = build_report([tmp_path / "results"], world.sequences, tmp_path / "out", Options(images="none"))
    (track,) = json.loads(scan(report.page).texts["sequence-0"])["tracks"].values()
    assert np.nanmin(track["overlap"]) == 1, "the first target is the one that is scored"
    assert [(each["id"], each["color"]) for each in track["targets"]] == [(1, "#ffb000"), (2, "#56b4e9")]
    assert track["targets"][1]["boxes"][:4] == [None] * 4
    np.testing.assert_allclose(track["targets"][1]["boxes"][4:], second[4:], atol=0.051)


def test_names_cannot_break_out_of_the_page(world, tmp_path: Path):
    folder = tmp_path / "results" / "<img src=x onerror=alert(1)>"
    folder.mkdir(parents=True)
    (folder / "alpha.txt").write_bytes((world.one_pass / "steady" / "alpha.txt").read_bytes())
    title = "</title><script>alert(1)</script>"
    build_report([tmp_path / "results"], world.sequences, tmp_path / "out", Options(title=title, images="none"))
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<img" not in text and "alert(1)</script>" not in text


def test_the_hardest_sequences_come_first_and_as_many_as_fit(world):
    found = find_sequences(world.sequences)
    opened = open_sequences(world.sequences, found, dict.fromkeys(found, 1))
    values = {"alpha": np.full(30, 0.9), "beta": np.full(24, 0.2), "gamma": np.full(52, 0.5)}
    overlaps = {"t": {name: Diagnosis(each, each, [], 0, 0) for name, each in values.items()}}
    assert choose_player(opened, overlaps, []) == ["beta", "gamma", "alpha"]
    assert choose_player(opened, overlaps, [], limit=60) == ["beta", "alpha"]
    assert choose_player(opened, overlaps, ["alpha"]) == ["alpha"]
    with pytest.raises(UserError, match="did you mean 'alpha'"):
        choose_player(opened, overlaps, ["alfa"])


def test_ground_truth_alone_makes_a_report_without_images(world, tmp_path: Path):
    for name, truth in world.truth.items():
        np.savetxt(tmp_path / f"{name}.txt", truth, fmt="%.4f", delimiter=",")
    report = build_report([world.one_pass], tmp_path, tmp_path / "out")
    assert report.images == "none"
    sequence = BoxesOnly(find_sequences(tmp_path)["alpha"])
    assert len(sequence) == 30 and sequence.size[0] >= world.truth["alpha"][:, 0].max() + 15
    assert sequence.frame(0).rgb is None
    (tmp_path / "sequences.json").write_text('{"alpha": {"width": 96, "height": 72}}')
    (opened,) = open_sequences(tmp_path, find_sequences(tmp_path), {"alpha": len(world.truth["alpha"])}).values()
    assert isinstance(opened, BoxesOnly) and opened.size == (96, 72)


def run(*arguments: object):
    return CliRunner().invoke(build_app(), ["report", *map(str, arguments)])


def test_command(world, tmp_path: Path):
    result = run(world.one_pass, "--sequences", world.sequences, "--output", tmp_path / "out", "--images", "none")
    assert result.exit_code == 0 and "index.html" in result.output
    assert (tmp_path / "out" / "tables" / "summary.csv").read_text().splitlines()[0].startswith("tracker,success")


@pytest.mark.parametrize(
    ("results", "sequences", "message"),
    [
        ("nowhere", "sequences", "Expected a folder of results, got .*nowhere"),
        ("one-pass", "nowhere", "Expected a folder of sequences or their ground truth, got .*nowhere"),
        ("one-pass", "one-pass", "Expected sequences, or ground truth as NAME.txt, in .*one-pass', found neither"),
        ("sequences", "sequences", "No results in"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(world, tmp_path, results, sequences, message):
    root = world.sequences.parent
    result = run(root / results, "--sequences", root / sequences, "--output", tmp_path / "out")
    assert isinstance(result.exception, UserError) and re.search(message, str(result.exception))
    assert not (tmp_path / "out").exists()
