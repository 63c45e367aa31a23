"""Two processes that share a batch come to the result of one."""

import os
import socket
import subprocess
import sys

import pytest
import torch

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.optimisation.parallel import check_batch
from rgbt_tracker.training.recipe import load_recipe

SCRIPT = """
import sys, torch
from pathlib import Path
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.optimisation.parallel import process_group
from rgbt_tracker.training.recipe import load_recipe
torch.set_num_threads(1)
with process_group(torch.device("cpu")) as group:
    Trainer(load_recipe(sys.argv[1]), Path(sys.argv[2]), "cpu", group).run()
"""


POINTS = {"model": "nanotrack_v3", "answers": "each", "statistics": "fixed", "batch": 2}


@pytest.mark.parametrize(("layer", "changes"), [("layer3", {}), ("features.9", POINTS)], ids=["anchors", "points"])
def test_two_processes_are_one(recipe_file, tmp_path, layer, changes):
    # plain SGD: Adam divides by gradients near zero, which makes rounding visible
    common = {
        "steps": 3,
        "optimiser": {"type": "sgd", "rate": 0.05, "clip": 10},
        "backbone": {"unfreeze": [{"from_step": 1, "layers": [layer], "rate": 0.5}]},
    }
    path = recipe_file(**common, **changes)
    Trainer(load_recipe(path), tmp_path / "one").run()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, "-c", SCRIPT, str(path), str(tmp_path / "two")]
    processes = [subprocess.Popen(command, env=environment | {"RANK": str(rank)}) for rank in range(2)]
    assert [process.wait(timeout=240) for process in processes] == [0, 0]
    one, two = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("one", "two"))
    start = Trainer(load_recipe(path), tmp_path / "start").weights()
    for part in ("state_dict", "ema"):
        states = (one[part], two[part]) if part == "state_dict" else (one[part]["values"], two[part]["values"])
        for key, value in states[0].items():
            torch.testing.assert_close(states[1][key], value, rtol=2e-3, atol=2e-5, msg=key)
    moved = [key for key, value in start.items() if not torch.equal(value, one["state_dict"][key])]
    assert any(key.startswith(f"backbone.{layer}") for key in moved)


def test_a_batch_that_cannot_be_shared():
    with pytest.raises(UserError, match="multiple of 3"):
        check_batch(16, 3)
