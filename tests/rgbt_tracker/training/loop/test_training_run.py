"""A training run from outside: the folder it may use, changes of its recipe, and signals that stop it."""

import os
import signal
from types import SimpleNamespace

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.changes import parse_changes
from rgbt_tracker.training.loop.run import check_output, stopped_by_signals


def test_changes_are_read_as_yaml():
    pairs = ["optimiser.rate=0.001", "data.paired=1", "model=a=b", "start=", "schedule=[1, 2]"]
    assert parse_changes(pairs) == {
        "optimiser.rate": 0.001,
        "data.paired": 1,
        "model": "a=b",
        "start": None,
        "schedule": [1, 2],
    }
    with pytest.raises(UserError, match=r"expects key=value, got 'steps'"):
        parse_changes(["steps"])


def test_a_folder_with_a_run_is_only_resumed(tmp_path):
    check_output(tmp_path, resume=False)
    (tmp_path / "last.pt").touch()
    check_output(tmp_path, resume=True)
    with pytest.raises(UserError, match="holds a run already; go on with --resume"):
        check_output(tmp_path, resume=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_then_means_what_it_did_before(number):
    before = signal.getsignal(number)
    trainer = SimpleNamespace(interrupted=False)
    with stopped_by_signals(trainer):
        os.kill(os.getpid(), number)
        assert trainer.interrupted
    assert signal.getsignal(number) == before
