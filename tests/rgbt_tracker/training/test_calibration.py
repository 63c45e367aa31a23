"""Fitting the gate: what is recorded equals what the tracker did, and the fit finds the camera that sees."""

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from rgbt_tracker import build_tracker
from rgbt_tracker.boxes import overlap
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import ReliabilityConfig, load_config
from rgbt_tracker.models.reliability import ReliabilityGate
from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.training import calibration
from rgbt_tracker.training.calibration import Frames, Replay, fit, record

SIZE = 15


@pytest.fixture
def nano():
    config = load_config("nestfuse_nanotrack").replace(**{"model.fusion.strategy": "reliable"})
    torch.manual_seed(2)
    return build_tracker(config, "untrained", "cpu")


def test_replaying_repeats_the_trackers_choice(nano, monkeypatch) -> None:
    monkeypatch.setattr(calibration, "CORRUPTED", 0.0)
    monkeypatch.setattr(calibration, "SHARPNESS", 1e6)
    monkeypatch.setattr(calibration, "PATIENCE", 10**6)
    sequence = draw_sequence("street", length=6, seed=4)
    frames = record(nano, sequence, seed=0)
    assert len(frames) == 5
    expected = Replay(nano.config, 1, frames.cls.shape[-1]).overlaps(nano.network.gate, frames).detach()
    # The tracker's candidate, before size and position are smoothed: _move is given it as (dx, dy, w, h) in crop px.
    chosen = []
    move = nano._move
    monkeypatch.setattr(nano, "_move", lambda target, best, *rest: chosen.append(best) or move(target, best, *rest))
    nano.initialize(sequence.frame(0).rgb, sequence.frame(0).ir, sequence.groundtruth[0])
    for index in range(1, 6):
        nano.update(sequence.frame(index).rgb, sequence.frame(index).ir)
    for (dx, dy, w, h, *_), truth, value in zip(chosen, frames.truth.numpy(), expected.numpy(), strict=True):
        assert value == pytest.approx(overlap(np.array([dx - w / 2, dy - h / 2, w, h]), truth), abs=5e-3)


def test_a_lost_target_is_given_back(nano, monkeypatch) -> None:
    monkeypatch.setattr(calibration, "PATIENCE", 1)
    places = []
    relocate = nano.relocate
    monkeypatch.setattr(nano, "relocate", lambda box: places.append(tuple(box)) or relocate(box))
    monkeypatch.setattr(calibration, "overlap", lambda box, truth: 0.0)
    sequence = draw_sequence("street", length=7, seed=4)
    record(nano, sequence, seed=0)
    assert places == [tuple(sequence.groundtruth[index]) for index in (2, 4, 6)]


def frames_with(seeing: int, count: int = 48) -> Frames:
    """One branch has a weak peak on the truth, the others each a strong one somewhere else."""
    generator = np.random.default_rng(5)
    odds = np.full((count, 3, SIZE, SIZE), -4.0, np.float32)
    odds[:, seeing, 7, 7] = 0.5
    for frame in range(count):
        for branch in {0, 1, 2} - {seeing}:
            y, x = generator.choice([2, 3, 11, 12], 2)
            odds[frame, branch, y, x] = 1.5
    cls = torch.from_numpy(np.stack([-odds / 2, odds / 2], 2)).half()
    loc = torch.full((count, 3, 4, SIZE, SIZE), 20.0).half()
    truth = torch.tensor([-20.0, -20, 40, 40]).expand(count, 4)
    return Frames(cls, loc, torch.zeros(count, 3, 2), torch.zeros(count, 3), truth, torch.full((count, 2), 40.0))


@pytest.mark.parametrize("seeing", [0, 1, 2])
def test_the_fit_favours_the_branch_that_sees(seeing: int) -> None:
    frames = frames_with(seeing)
    config = load_config("nestfuse_nanotrack")
    replay = Replay(config, 1, SIZE)
    gate = ReliabilityGate(ReliabilityConfig(gains=(0.0, 0.0, 0.0, 0.0)))
    fitted = fit(gate, frames, replay, epochs=12, rate=0.2)
    assert replay.mean(fitted, frames) > replay.mean(gate, frames) + 0.1
    assert int(fitted.bias.argmax()) == seeing
    assert fitted.bias.mean().item() == pytest.approx(0, abs=1e-6)
    assert (fitted.gains >= 0).all()
    assert (gate.bias == 0).all()


def test_the_command_prints_yaml_for_the_configuration(tmp_path) -> None:
    arguments = ["calibrate", "nestfuse_nanotrack", "--weights", "untrained", "--scenes", "5", "--length", "10"]
    result = CliRunner().invoke(build_app(), [*arguments, "--epochs", "1", "--output", str(tmp_path / "gate.yaml")])
    assert result.exit_code == 0, result.output
    import yaml

    settings = yaml.safe_load((tmp_path / "gate.yaml").read_text())["reliability"]
    ReliabilityConfig(**settings)
    assert "held back" in result.output
