"""Recorded work: on a CPU a recording is played by doing the work again on the tensors that it was made with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rgbt_tracker import Tracker, build_tracker
from rgbt_tracker.runtime import cuda_graph
from rgbt_tracker.runtime.cuda_graph import MOST, Recorded
from rgbt_tracker.runtime.with_torch import TorchRuntime
from rgbt_tracker.synthetic import draw_sequence


def played(work, inputs):
    outputs = dict(work(inputs))
    return lambda: outputs.update(work(inputs)), outputs


def double(inputs):
    return {"twice": 2 * inputs["x"]}


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(cuda_graph, "note", said.append)
    return said


def test_a_recording_answers_for_the_inputs_of_each_call(notes: list[str]) -> None:
    made = []

    def record(work, inputs):
        made.append(inputs["x"].shape)
        return played(work, inputs)

    recorded = Recorded(double, record)
    for number in range(1, 5):
        for length in (2, 3):
            found = recorded({"x": torch.full((length,), float(number))})
            assert found["twice"].tolist() == [2.0 * number] * length
    assert made == [(2,), (3,)] and not notes


def test_kinds_of_input_beyond_the_most_are_computed_without() -> None:
    made = []

    def record(work, inputs):
        made.append(inputs)
        return played(work, inputs)

    recorded = Recorded(double, record)
    for length in range(1, MOST + 4):
        assert len(recorded({"x": torch.ones(length)})["twice"]) == length
    assert len(made) == MOST


@pytest.mark.parametrize("fault", ["raises", "answers otherwise", "answers nothing finite"])
def test_what_cannot_be_recorded_is_computed_and_said_once(notes: list[str], fault: str) -> None:
    def record(work, inputs):
        if fault == "raises":
            raise RuntimeError("operation not permitted when stream is capturing\nmore")
        wrong = float("nan") if fault.endswith("finite") else 1.01
        return played(lambda given: {"twice": work(given)["twice"] * wrong}, inputs)

    recorded = Recorded(double, record)
    for number in (1.0, 2.0, 3.0):
        assert recorded({"x": torch.tensor([number])})["twice"].tolist() == [2 * number]
    (said,) = notes
    assert ("while capturing" if fault == "raises" else "otherwise (twice)") in said.replace("when stream is", "while")


def test_a_tracker_through_recordings_follows_as_without() -> None:
    scene = draw_sequence("street", length=9, size=(320, 240), seed=3)
    plain = build_tracker("nestfuse_nanotrack", device="cpu", runtime="torch")
    assert isinstance(plain.runtime, TorchRuntime)
    recorded = TorchRuntime(plain.runtime.network, "cpu", played)
    boxes = []
    for tracker in (plain, Tracker(plain.config, recorded)):
        found = []
        for index in range(9):
            frame = scene.frame(index)
            pictures = None if index == 5 else frame.rgb, None if index in (3, 6) else frame.ir
            if index == 0:
                tracker.initialize(*pictures, scene.info.start_box)
            else:
                found.append(tracker.update(*pictures).box)
        boxes.append(np.array(found))
    np.testing.assert_array_equal(*boxes)
    # Both cameras without memory and with it, and each by itself.
    assert {cameras: len(work._recordings) for cameras, work in recorded._recorded.items()} == {
        ("rgb", "ir"): 2,
        ("rgb",): 1,
        ("ir",): 1,
    }
