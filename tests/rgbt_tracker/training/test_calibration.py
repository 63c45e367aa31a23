"""Fitting the gate: what is replayed equals what the tracker did, and the fit finds the camera that sees."""

import numpy as np
import pytest
import torch
import yaml
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker import build_tracker
from rgbt_tracker.boxes import overlap
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.config import ReliabilityConfig, load_config
from rgbt_tracker.models.reliability import ReliabilityGate
from rgbt_tracker.sequences.base import Derived
from rgbt_tracker.synthetic import draw_sequence
from rgbt_tracker.tracking.target import Target
from rgbt_tracker.training import calibration, replay
from rgbt_tracker.training.calibration import effects, fit, record_scenes
from rgbt_tracker.training.replay import Answers, Replay, drawn_scene, gate_weights, record, remembered

SIZE = 15
NUMBERS = {"now": 0.4, "memory": 0.3, "rate": 0.3}


@pytest.fixture
def nano():
    config = load_config("nestfuse_nanotrack")
    config = config.replace(**{"model.fusion.strategy": "reliable", "model.fusion.reliability": NUMBERS})
    torch.manual_seed(2)
    return build_tracker(config, "untrained", "cpu")


def test_replaying_repeats_the_trackers_choice(nano, monkeypatch) -> None:
    monkeypatch.setattr(replay, "SHARPNESS", 1e6)
    monkeypatch.setattr(replay, "PATIENCE", 10**6)
    sequence = draw_sequence("street", length=6, seed=4)
    answers = record(nano, sequence)
    assert answers.odds.shape[:2] == (5, 3)
    weights = gate_weights(nano.runtime.network.gate, answers).detach()
    expected = Replay(nano.config, 1, answers.odds.shape[-1]).overlaps(answers, weights)
    # The tracker's candidate, before size and position are smoothed: `move` is given it as (dx, dy, w, h) in crop px.
    chosen, given = [], []
    move = Target.move
    monkeypatch.setattr(Target, "move", lambda target, best, *rest: chosen.append(best) or move(target, best, *rest))
    nano.initialize(sequence.frame(0).rgb, sequence.frame(0).ir, sequence.groundtruth[0])
    for index in range(1, 6):
        given.append(nano.update(sequence.frame(index).rgb, sequence.frame(index).ir).weights)
    np.testing.assert_allclose(weights.T, given, atol=5e-3)
    for (dx, dy, w, h, *_), truth, value in zip(chosen, answers.truth.numpy(), expected.numpy(), strict=True):
        assert value == pytest.approx(overlap(np.array([dx - w / 2, dy - h / 2, w, h]), truth), abs=5e-3)


def test_the_memory_is_that_of_the_gate() -> None:
    """Frame after frame, against the gate itself."""
    evidence = torch.randn(3, 6, generator=torch.Generator().manual_seed(1)) * 3
    gate, memory, seen = ReliabilityGate(ReliabilityConfig(**NUMBERS)), None, []
    for frame in evidence.T:
        odds = frame[:, None, None, None, None] / 2
        seen.append(frame if memory is None else memory[:, 0])
        memory = gate(torch.cat([-odds, odds], 2), torch.zeros(3, 1, 4, 1, 1), memory).memory
    torch.testing.assert_close(remembered(evidence, gate.rate).detach(), torch.stack(seen, 1))


def test_a_lost_target_is_given_back(nano, monkeypatch) -> None:
    monkeypatch.setattr(replay, "PATIENCE", 1)
    places = []
    relocate = nano.relocate
    monkeypatch.setattr(nano, "relocate", lambda box: places.append(tuple(box)) or relocate(box))
    monkeypatch.setattr(replay, "overlap", lambda box, truth: 0.0)
    sequence = draw_sequence("street", length=7, seed=4)
    record(nano, sequence)
    assert places == [tuple(sequence.groundtruth[index]) for index in (2, 4, 6)]


class Unseen(Derived):
    """A sequence whose target is not annotated in ``frames``."""

    def __init__(self, source, frames) -> None:
        super().__init__(source)
        self.info.groundtruth[frames] = np.nan


def test_frames_without_a_target_count_for_nothing(nano) -> None:
    answers = record(nano, Unseen(draw_sequence("street", length=5, seed=4), [2, 3]))
    weights = gate_weights(nano.runtime.network.gate, answers)
    assert len(answers.odds) == 4
    assert Replay(nano.config, 1, answers.odds.shape[-1]).overlaps(answers, weights).shape == (2,)
    assert record(nano, Unseen(draw_sequence("street", length=3, seed=4), [0])) is None


def answers_with(seeing: int, count: int = 24) -> Answers:
    """One branch is sure of the truth, the others less sure of places of their own."""
    generator = np.random.default_rng(5)
    odds = np.full((count, 3, 1, SIZE, SIZE), -4.0, np.float32)
    odds[:, seeing, 0, 7, 7] = 1.5
    for frame in range(count):
        for branch in {0, 1, 2} - {seeing}:
            y, x = generator.choice([2, 3, 11, 12], 2)
            odds[frame, branch, 0, y, x] = 1.2
    truth = torch.tensor([-20.0, -20, 40, 40]).expand(count, 4)
    loc = torch.full((count, 3, 4, SIZE, SIZE), 20.0).half()
    return Answers(torch.from_numpy(odds).half(), loc, truth, torch.full((count, 2), 40.0))


def test_the_fit_believes_the_branch_that_is_sure_and_says_what_it_is_worth() -> None:
    tracks = [answers_with(seeing) for seeing in (0, 1, 2, 0)]
    rule = Replay(load_config("nestfuse_nanotrack"), 1, SIZE)
    gate = ReliabilityGate(ReliabilityConfig(now=0.1, memory=0.1))
    fitted = fit(gate, tracks, rule, epochs=30, rate=0.2)
    assert fitted.now + fitted.memory > 2 and gate.now.item() == pytest.approx(0.1)
    found = {effect.name: effect for effect in effects(fitted, tracks, rule)}
    assert found["as fitted"].overlap > found["equal weights"].overlap + 0.1
    for name in ("equal weights", "RGB"):
        assert found[name].loss == pytest.approx(found["as fitted"].overlap - found[name].overlap)
    seen = [float(rule.overlaps(answers, torch.eye(3)[:, :1].expand(3, 24)).mean()) for answers in tracks]
    loss = found["as fitted"].overlap - np.array(seen)
    assert found["RGB"].error == pytest.approx(np.std(loss, ddof=1) / 2, abs=1e-3)


def test_the_fit_never_counts_a_clear_response_against_a_branch(monkeypatch) -> None:
    """Here the branch that is least sure is right."""
    tracks = [answers_with(0)]
    tracks[0].odds[:, 0] -= 1.0
    fitted = fit(ReliabilityGate(ReliabilityConfig()), tracks, Replay(load_config("nestfuse_nanotrack"), 1, SIZE), 30)
    assert (fitted.now, fitted.memory) == (0, 0) and calibration.SLOWEST <= fitted.rate <= 1


def test_scenes_come_by_turns_and_are_the_same_again() -> None:
    names = [drawn_scene("validation", number, 10).name.split("-")[0] for number in range(3)]
    assert names[1:] == ["varied", "crowd"]
    first, again = (drawn_scene("train", 5, 10).frame(7) for _ in range(2))
    np.testing.assert_array_equal(first.rgb, again.rgb)


def test_no_scene_with_a_target_is_said(nano, monkeypatch) -> None:
    monkeypatch.setattr(calibration, "record", lambda tracker, scene: None)
    with pytest.raises(UserError, match="2 drawn scenes"):
        record_scenes(nano, "train", 2, 10)


def test_the_command_prints_yaml_for_the_configuration(tmp_path) -> None:
    arguments = ["calibrate", "nestfuse_nanotrack", "--weights", "untrained", "--scenes", "1", "--judged", "1"]
    more = ["--length", "10", "--epochs", "1", "--output", str(tmp_path / "gate.yaml")]
    result = CliRunner().invoke(build_app(), [*arguments, *more])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "gate.yaml").read_text()
    ReliabilityConfig(**yaml.safe_load(text)["reliability"])
    assert "# without memory" in text and text in result.output
