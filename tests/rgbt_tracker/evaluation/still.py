"""A tracker that costs nothing, and a small benchmark for it."""

import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from sequence_files import write_sequence

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.job import Setup

BOXES = np.array([[1.0, 2, 10, 8], [2, 3, 10, 8], [3, 3, 11, 9], [4, 4, 12, 9]])


class Still:
    """Reports the first box for ever; fails, or thinks for a minute, on the sequence whose box starts there."""

    def __init__(self, fails_at=None, waits_at=None):
        self.fails_at, self.waits_at = fails_at, waits_at

    def initialize(self, rgb, ir, box):
        if box[0] == self.fails_at:
            raise UserError("the third sequence cannot be tracked")
        if box[0] == self.waits_at:
            time.sleep(60)
        self.box = tuple(box)

    def update(self, rgb, ir):
        return SimpleNamespace(box=self.box, score=0.5)


@dataclass(frozen=True)
class StillSetup(Setup):
    fails_at: float | None = None
    waits_at: float | None = None

    def weights_file(self):
        return None

    def build(self, device=None):
        tracker = Still(self.fails_at, self.waits_at)
        tracker.device = device
        return tracker


def setup(fails_at=None, waits_at=None, modality="rgbt"):
    config = load_config("nestfuse_nanotrack").replace(modality=modality)
    return StillSetup(config, fails_at=fails_at, waits_at=waits_at)


def write_data(folder, names="abc"):
    """Write sequences as RGBT234's; the boxes of the second begin at x = 2, and so on."""
    for index, name in enumerate(names):
        write_sequence(folder / name, "rgbt234", BOXES + np.array([index, 0, 0, 0]))
    return folder
