"""Tables, figures, frames, weight maps and payloads of a report, each on its own."""

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from rgbt_tracker.evaluation.diagnosis import diagnose
from rgbt_tracker.report import figures
from rgbt_tracker.report.frames import BLOCK, FrameEncoder, shrink
from rgbt_tracker.report.payloads import Picture, _runs, sequence_payload, to_json
from rgbt_tracker.report.tables import Column, Table, cells, markdown_text, to_latex, to_markdown, write_tables
from rgbt_tracker.report.views import headline
from rgbt_tracker.results.read import read_one_pass
from rgbt_tracker.results.trajectory import Trajectory
from rgbt_tracker.results.write import FrameRow, write_results
from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo

COLUMNS = [Column("success", "Success"), Column("failures", "Failures", 0, better="low")]


@pytest.fixture
def table() -> Table:
    data = pd.DataFrame(
        {
            "sequence": ["a", "a", "b", "b"],
            "tracker": ["x_1", "y|2", "x_1", "y|2"],
            "success": [0.5, 0.25, np.nan, 0.75],
            "failures": [4, 1, 0, 0],
        }
    )
    keys = {"sequence": "Sequence", "tracker": "Tracker"}
    return Table("t", "sequences", "T", data, keys, COLUMNS, group="sequence")


def test_the_best_of_each_group_is_marked(table):
    assert table.best(COLUMNS[0]).tolist() == [True, False, False, False]  # alone in its group is no best
    assert table.best(COLUMNS[1]).tolist() == [False, True, True, True]


def test_bars_and_missing_values(table):
    rows = cells(table)
    assert [row[2]["text"] for row in rows] == ["0.500", "0.250", "–", "0.750"]
    assert [row[2]["bar"] for row in rows] == [50, 25, 0, 75]
    assert [row[3]["bar"] for row in rows] == [100, 25, 0, 0]
    assert rows[2][2]["sort"] == ""


def test_markdown_latex_and_csv(table, tmp_path: Path):
    markdown = to_markdown(table).splitlines()
    assert markdown[0] == "| Sequence | Tracker | Success | Failures |"
    assert markdown[2] == "| a | x_1 | **0.500** | 4 |" and r"y\|2" in markdown[3]
    latex = to_latex(table)
    assert r"a & x\_1 & \textbf{0.500} & 4 \\" in latex and latex.count(r"\\") == 5
    write_tables([table], tmp_path)
    back = pd.read_csv(tmp_path / "t.csv")
    pd.testing.assert_frame_equal(back, table.data)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".csv", ".md", ".tex"]


def test_names_are_text_in_markdown():
    assert markdown_text("<img src=x>|`a`\n*b*[c](d)_e") == r"&lt;img src=x&gt;\|\`a\` \*b\*\[c\](d)_e"


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("paper", ["#ffffff", "#14171c"])
@pytest.mark.parametrize("color", figures.PALETTE)
def test_colors_stand_out_on_light_and_dark(color: str, paper: str):
    high, low = sorted((luminance(color), luminance(paper)), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 3


@pytest.fixture(scope="module")
def plots() -> list[figures.Plot]:
    x = np.linspace(0, 1, 5)
    lines = [figures.Line(0, "a <b> & c", x, x), figures.Line(3, "d", x, x**2)]
    return [
        figures.Curves("one", "One", ("x", "y"), lines, band=(0.2, 0.4)),
        figures.Points("two", "Two", ("x", "y"), [(0, "a", 0.5, 0.6)]),
        figures.Intervals("three", "Three", ("difference", ""), [("a − b", 0, 0.1, -0.1, 0.3)]),
    ]


def test_plots_of_the_page_are_valid_svg_with_their_own_identifiers(plots):
    seen: set[str] = set()
    for plot in plots:
        text = figures.page_svg(plot)
        root = ElementTree.fromstring(text)
        assert root.get("role") == "img" and root.get("aria-label") and root.get("width") is None
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert ids and not seen & set(ids)
        seen |= set(ids)
        references = re.findall(r'(?:url\(#|href="#)([^)"]+)', text)
        assert set(references) <= set(ids)
        assert "var(--ink)" in text and figures.INK not in text
    assert 'data-tracker="3"' in figures.page_svg(plots[0])


def test_figure_files(plots, tmp_path: Path):
    figures.write_plots(plots, tmp_path)
    for plot in plots:
        assert "var(" not in (tmp_path / f"{plot.name}.svg").read_text(encoding="utf-8")
        ElementTree.parse(tmp_path / f"{plot.name}.svg")
        picture = cv2.imread(str(tmp_path / f"{plot.name}.png"))
        assert picture is not None and picture.shape[1] == 1040


class Noise(FrameSequence):
    """Frames with a number in their corner brightness; the thermal ones have 16 bits."""

    def __init__(self, length: int) -> None:
        super().__init__(SequenceInfo("noise", length))

    def frame(self, index: int) -> Frame:
        rng = np.random.default_rng(index)
        rgb = rng.integers(0, 256, (60, 90, 3), np.uint8)
        rgb[:30] = index * 4
        return Frame(index, rgb, (20000 + np.arange(60 * 90).reshape(60, 90) + index).astype(np.uint16))


def decode(text: str) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR))


def test_blocks_hold_every_frame_in_order():
    encoder = FrameEncoder(Noise(BLOCK + 3), side=45)
    blocks = [json.loads(text) for text in encoder.texts()]
    assert len(blocks) == encoder.blocks == 2 and [len(block["rgb"]) for block in blocks] == [BLOCK, 3]
    assert encoder.modalities == ["rgb", "ir"] and (encoder.width, encoder.height) == (90, 60)
    for index, text in enumerate(blocks[0]["rgb"] + blocks[1]["rgb"]):
        image = decode(text)
        assert image.shape == (30, 45, 3) and abs(float(image[3:10].mean()) - 4 * index) < 3


def test_deep_thermal_frames_use_one_range_for_the_whole_sequence():
    encoder = FrameEncoder(Noise(3))
    (block,) = [json.loads(text) for text in encoder.texts()]
    first, last = (decode(block["ir"][index]).astype(int) for index in (0, 2))
    assert first[:2].mean() < 15 and first[-2:].mean() > 240
    assert abs(first - last).mean() < 2


def test_the_budget_lowers_the_quality():
    generous = FrameEncoder(Noise(4), budget=10**6)
    budget = int(0.7 * generous.expected_bytes / 4)
    tight = FrameEncoder(Noise(4), budget=budget)
    assert tight.quality < generous.quality and tight.expected_bytes <= 4 * budget
    assert generous.expected_bytes == pytest.approx(sum(map(len, generous.texts())), rel=0.05)


class Calibrated(Noise):
    """Thermal counts behind a shutter that is closed in the first frame."""

    def frame(self, index):
        slope = np.linspace(29000, 30500, 64 * 80).reshape(64, 80)
        return Frame(index, None, (np.full_like(slope, 29300) if index == 0 else slope).astype(np.uint16))


def test_deep_frames_are_shown_though_the_first_is_flat():
    block = json.loads(next(FrameEncoder(Calibrated(3)).texts()))
    shown = [cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), 0) for text in block["ir"]]
    assert np.ptp(shown[0]) < 20 and np.ptp(shown[1]) > 220
    np.testing.assert_array_equal(shown[1], shown[2])


def test_small_images_stay_as_they_are():
    image = np.zeros((20, 30), np.uint8)
    assert shrink(image, 30) is image and shrink(image, 15).shape == (10, 15)


def test_json_cannot_end_a_script():
    text = to_json({"name": "</script><!--\u2028"})
    assert "<" not in text and json.loads(text) == {"name": "</script><!--\u2028"}
    with pytest.raises(ValueError, match="JSON"):
        to_json(float("nan"))


def test_runs_of_tagged_frames():
    assert _runs(np.array([True, True, False, True, False])) == [[0, 1], [3, 3]]
    assert _runs(np.zeros(3, bool)) == []


def test_headline_says_whether_the_lead_is_clear():
    summary = pd.DataFrame({"tracker": ["b", "a"], "success": [0.6, 0.5]})
    row = {"score": "success", "first": "a", "second": "b", "difference": -0.1, "sequences": 12}
    clear = headline(summary, pd.DataFrame([{**row, "low": -0.2, "high": -0.05}]), "success", "success")
    assert "b leads with success 0.600, 0.100 above a" in clear and "+0.050 to +0.200: a clear" in clear
    unclear = headline(summary, pd.DataFrame([{**row, "low": -0.2, "high": 0.05}]), "success", "success")
    assert "-0.050 to +0.200: not a clear difference)" in unclear
    few = headline(summary, pd.DataFrame([{**row, "low": -0.2, "high": -0.05, "sequences": 2}]), "success", "success")
    assert "a clear difference, and 2 sequences are few" in few
    level = summary.assign(success=[0.5001, 0.5])
    assert headline(level, pd.DataFrame([{**row, "low": -1, "high": 1}]), "success", "success").startswith(
        "b and a lead"
    )


def test_a_payload_names_the_frames_without_a_camera(tmp_path: Path):
    boxes = np.tile([1.0, 2.0, 8.0, 8.0], (4, 1))
    used = [("rgb", "ir"), ("ir",), ("ir",), ("rgb", "ir")]
    rows = [FrameRow(index, None, index, index, cameras) for index, cameras in enumerate(used)]
    (file, *_) = write_results(tmp_path, "walk", Trajectory.of_boxes(boxes), rows)
    track = read_one_pass(file)
    info = SequenceInfo("walk", 4, groundtruth=boxes)
    text = sequence_payload(info, Picture(20, 20, ["rgb", "ir"]), {0: track}, {0: diagnose(track, boxes[None])})
    assert json.loads(text)["tracks"]["0"]["without"] == {"rgb": [[1, 2]]}
