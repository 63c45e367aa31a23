"""One tracker's network in its forms: floats and 8-bit integers, in ONNX Runtime, OpenVINO, torch and on a GPU.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE python benchmarks/speed/forms.py --sequences DIR... [--config NAME]
        [--weights F] [--int8 FOLDER] [--frames 150]

FOLDER is what ``rgbt export CONFIG --int8 SEQUENCE --output FOLDER`` wrote. OpenVINO reads the same files as ONNX
Runtime; without ``pip install openvino`` its rows are left out, and without a GPU the last. All forms track with one
thread, in turns frame by frame, each sequence once without help. Medians of an update over all frames: by the clock,
and of processor time, with its ratio to the first row. Then the mean overlap with the ground truth, averaged over
sequences, and with the boxes of the first row; sizes are those of all graphs and parameters of a form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import Seconds, command_line, from_next, median, timed

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.graphs import Graph, GraphFolder
from nestfuse_core.common.guard import run
from rgbt_tracker import Tracker, build_tracker, open_sequence
from rgbt_tracker.boxes import overlap
from rgbt_tracker.config import TrackerConfig, load_config
from rgbt_tracker.runtime.with_onnx import OnnxRuntime


class OpenVinoGraph(Graph):
    """A graph that OpenVINO computes with one thread."""

    def __init__(self, file: Path) -> None:
        import openvino

        self.file = file
        options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
        self._request = openvino.Core().compile_model(file, "CPU", options).create_infer_request()
        self.outputs = tuple(output.get_any_name() for output in self._request.model_outputs)

    def run(self, inputs: Mapping[str, Any], names: Sequence[str] | None = None) -> dict[str, Any]:
        found = self._request.infer(dict(inputs))
        return {name: np.array(found[name]) for name in names or self.outputs}


class OpenVinoFolder(GraphFolder):
    def __getitem__(self, name: str) -> Graph:
        if name not in self._graphs:
            self._graphs[name] = OpenVinoGraph(self.folder / name)
        return self._graphs[name]


class OpenVinoRuntime(OnnxRuntime):
    name = "openvino"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._graphs = OpenVinoFolder(folder)


def open_forms(options: Any, config: TrackerConfig) -> dict[str, Tracker]:
    """What each row tracks with; floats in ONNX Runtime first."""
    floats = build_tracker(config, options.weights, "cpu", runtime="onnx", threads=1)
    made = {"float32, ONNX Runtime": floats}
    if options.int8:
        made["int8, ONNX Runtime"] = build_tracker(config, options.int8, "cpu", threads=1)
    if find_spec("openvino"):
        for name in list(made):
            runtime = OpenVinoRuntime(made[name].runtime.folder)  # type: ignore[attr-defined]
            made[name.replace("ONNX Runtime", "OpenVINO")] = Tracker(config, runtime)
    torch.set_num_threads(1)
    made["float32, torch"] = build_tracker(config, options.weights, "cpu", runtime="torch")
    if torch.cuda.is_available():
        made[f"float32, torch, {torch.cuda.get_device_name()}"] = build_tracker(config, options.weights, "cuda")
    return made


def track(
    trackers: dict[str, Tracker], name: str, most: int, times: dict[str, list[Seconds]]
) -> dict[str, tuple[float, float]]:
    """Track one sequence; return each row's mean overlap with the ground truth and with the first row's boxes."""
    boxes: dict[str, list[Any]] = {row: [] for row in trackers}
    with open_sequence(name) as sequence:
        box, truth = sequence.info.start_box, sequence.groundtruth
        if box is None or truth is None:
            raise UserError(f"Expected a ground truth to measure against, '{sequence.name}' has none.")
        first = sequence.frame(0)
        for tracker in trackers.values():
            tracker.initialize(first.rgb, first.ir, box)
        rows = list(trackers)
        for index in range(1, min(most, len(sequence))):
            frame = sequence.frame(index)
            for row in from_next(rows, index):
                spent, result = timed(partial(trackers[row].update, frame.rgb, frame.ir))
                boxes[row].append(result.box)
                if index > 2:
                    times[row].append(spent)
    known = truth[1 : 1 + len(boxes[rows[0]])]
    return {
        row: (float(np.nanmean(overlap(found, known))), float(overlap(found, boxes[rows[0]]).mean()))
        for row, found in boxes.items()
    }


def main(args: list[str] | None = None) -> None:
    """Print the table.

    Raises:
        UserError: bad input, or a sequence without ground truth.
    """
    parser = command_line(__doc__)
    parser.add_argument("--sequences", nargs="+", required=True, metavar="DIR")
    parser.add_argument("--config", default="nestfuse_nanotrack")
    parser.add_argument("--weights")
    parser.add_argument("--int8", type=Path, metavar="FOLDER")
    parser.add_argument("--frames", type=int, default=150, help="of a sequence, at most")
    options = parser.parse_args(args)
    trackers = open_forms(options, load_config(options.config))
    times: dict[str, list[Seconds]] = {row: [] for row in trackers}
    overlaps = [track(trackers, name, options.frames, times) for name in options.sequences]
    print(f"| {options.config} | MB | ms | processor ms | ratio | overlap | with the first row's boxes |")
    print("|---" * 7 + "|")
    reference = median(next(iter(times.values()))).processor
    for row, tracker in trackers.items():
        spent = median(times[row])
        folder = getattr(tracker.runtime, "folder", None)
        megabytes = f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.1f}" if folder else ""
        truth, same = np.mean([found[row] for found in overlaps], 0)
        clocks = f"{1000 * spent.clock:.1f} | {1000 * spent.processor:.1f} | {spent.processor / reference:.2f}"
        print(f"| {row} | {megabytes} | {clocks} | {truth:.3f} | {same:.3f} |")


if __name__ == "__main__":
    run(main)
