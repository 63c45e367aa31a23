"""The search on scores that cost nothing: default first, resumed, judged on sequences it never saw."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.job import Setup
from rgbt_tracker.tuning import result
from rgbt_tracker.tuning.evaluator import Evaluator, Setting, configured
from rgbt_tracker.tuning.study import finished, judge, open_study, search, split

optuna = pytest.importorskip("optuna", reason="needs optuna: pip install -e '.[tune]'")
DEFAULT = Setting(0.1, 0.4, 0.3)
TRAINING = [f"t{index}" for index in range(6)]
HELD = [f"h{index}" for index in range(4)]


def hill(setting, name):
    """Best at penalty 0.2, window 0.6, lr 0.5, with a small difference between sequences."""
    distance = (setting.penalty - 0.2) ** 2 + (setting.window - 0.6) ** 2 + (setting.lr - 0.5) ** 2
    return 0.8 - distance - 0.01 * (sum(name.encode()) % 7)


def run(folder, score=hill, trials=14, seed=0, **options):
    study = open_study(folder / "study.journal", {"configuration": "a"}, seed)
    search(study, score, DEFAULT, TRAINING, trials, **options)
    return study


def test_finds_a_better_setting_and_says_by_how_much(tmp_path):
    study = run(tmp_path)
    outcome = judge(study, hill, DEFAULT, HELD)
    assert outcome.gained and outcome.held_back[1] > outcome.held_back[0]
    assert outcome.interval.difference == pytest.approx(outcome.held_back[1] - outcome.held_back[0])
    assert outcome.training[0] == pytest.approx(np.mean([hill(DEFAULT, name) for name in TRAINING]))
    assert result.verdict(outcome, len(HELD)).startswith("Gain: +")
    assert (outcome.trials, len(finished(study))) == (14, 14)


def test_default_is_the_first_trial_and_siblings_change_the_window_alone(tmp_path):
    trials = finished(run(tmp_path, trials=6))
    assert Setting(**trials[0].user_attrs["setting"]) == DEFAULT
    for first in (0, 3):
        family = [trials[first + offset].params for offset in range(3)]
        assert len({(params["penalty"], params["lr"]) for params in family}) == 1
        assert len({params["window"] for params in family}) == 3


def test_bad_trials_are_stopped_early(tmp_path):
    asked = []

    def score(setting, name):
        asked.append(name)
        return hill(setting, name)

    study = run(tmp_path, score, trials=10)
    pruned = [trial for trial in finished(study) if trial.state == optuna.trial.TrialState.PRUNED]
    assert pruned
    assert len(asked) < 10 * len(TRAINING)


def test_says_when_nothing_is_gained(tmp_path):
    def overfitted(setting, name):
        better = setting != DEFAULT
        return 0.5 + (0.1 if name in TRAINING else -0.1) * better

    outcome = judge(run(tmp_path, overfitted, trials=4), overfitted, DEFAULT, HELD)
    assert not outcome.gained and outcome.interval.difference == pytest.approx(-0.1)
    assert "No gain" in result.verdict(outcome, 4) and "Keep the default" in result.verdict(outcome, 4)


def test_a_tie_keeps_the_default(tmp_path):
    outcome = judge(run(tmp_path, lambda setting, name: 0.5, trials=4), lambda setting, name: 0.5, DEFAULT, HELD)
    assert outcome.best == DEFAULT and not outcome.gained
    assert result.verdict(outcome, 4).startswith("No gain: no trial beat the default")


def test_an_interrupted_search_goes_on(tmp_path):
    calls = []

    def interrupted(setting, name):
        calls.append(setting)
        if len(calls) == 3 * len(TRAINING) + 2:
            raise KeyboardInterrupt
        return hill(setting, name)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, interrupted, trials=6)
    before = [trial.params for trial in finished(open_study(tmp_path / "study.journal", {"configuration": "a"}, 0))]
    assert len(before) == 3
    study = run(tmp_path, trials=6)
    assert [trial.params for trial in finished(study)][:3] == before
    assert len(finished(study)) == 6
    assert run(tmp_path, lambda *_: pytest.fail("nothing is left to do"), trials=6)


def test_another_configuration_does_not_continue_a_study(tmp_path):
    run(tmp_path, trials=1)
    with pytest.raises(UserError, match="made with configuration = a, now it is b"):
        open_study(tmp_path / "study.journal", {"configuration": "b"}, 0)


def test_a_file_that_is_no_study_is_refused(tmp_path):
    (tmp_path / "study.journal").write_text("not a journal\nat all\n")
    with pytest.raises(UserError, match="is not a study of rgbt tune"):
        open_study(tmp_path / "study.journal", {}, 0)


def test_fusion_variants_are_chosen_too(tmp_path):
    def score(setting, name):
        return hill(setting, name) + (0.1 if setting.fusion == "mean" else 0)

    study = open_study(tmp_path / "study.journal", {}, 0)
    default = Setting(0.1, 0.4, 0.3, "attention")
    search(study, score, default, TRAINING, 10, ["attention", "mean"])
    assert judge(study, score, default, HELD).best.fusion == "mean"


@settings(max_examples=30, deadline=None)
@given(st.integers(8, 60), st.floats(0.3, 0.7), st.integers(0, 1000))
def test_split_keeps_every_sequence_on_one_side(count, share, seed):
    names = [str(index) for index in range(count)]
    training, held = split(names, share, seed)
    assert sorted(training + held) == sorted(names) and not set(training) & set(held)
    assert min(len(training), len(held)) >= 1
    assert split(names, share, seed) == (training, held)


def test_too_few_sequences_are_refused():
    with pytest.raises(UserError, match="at least 4 sequences"):
        split(["a", "b", "c"], 0.5, 0)
    with pytest.raises(UserError, match="fewer than 2"):
        split([str(index) for index in range(10)], 0.05, 0)


def test_settings_change_the_configuration_and_come_back_from_the_written_file(tmp_path):
    config = load_config("nestfuse_nanotrack")
    setting = Setting(0.2, 0.5, 0.25, "attention:max")
    study = open_study(tmp_path / "study.journal", {}, 0)
    default = configured(config, "attention:avg")
    search(study, lambda s, name: 1.0 if s == setting else 0.5, default, TRAINING, 1, ["attention:avg"])
    outcome = judge(study, lambda s, name: 0.5, default, HELD)
    found = type(outcome)(default, setting, (0.5, 0.6), (0.5, 0.6), outcome.interval, 1, 0)
    result.write_config(config, found, tmp_path / "tuned.yaml", "success")
    tuned = load_config(tmp_path / "tuned.yaml")
    assert (tuned.tracking.penalty, tuned.tracking.window, tuned.tracking.lr) == (0.2, 0.5, 0.25)
    assert (tuned.name, tuned.model.fusion.channel) == ("tuned", "max")
    assert tuned.model.backbone == config.model.backbone and tuned.anchors == config.anchors


def test_bad_requests_are_refused():
    config = load_config("nestfuse_nanotrack")
    with pytest.raises(UserError, match="strategy"):
        Setting(0.1, 0.4, 0.3, "attendance").apply(config)
    with pytest.raises(UserError, match="STRATEGY"):
        Setting(0.1, 0.4, 0.3, "a:b:c:d").apply(config)
    with pytest.raises(UserError, match="success, precision"):
        Evaluator(Setup(config), criterion="eao")


def test_nan_scores_count_as_nothing(tmp_path):
    study = run(tmp_path, lambda setting, name: math.nan if setting == DEFAULT else 0.5, trials=2)
    assert finished(study)[0].value == 0.0
