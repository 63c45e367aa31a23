"""Validation in a run: which sequences, which cameras, what is written."""

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.loop.records import read_table
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.loop.validation import held_out
from rgbt_tracker.training.recipe import Validation, load_recipe


def test_a_run_tracks_the_held_out_sequences(recipe_file, tmp_path) -> None:
    validation = {"every": 2, "drawn": ["street"], "frames": 4}
    Trainer(load_recipe(recipe_file(steps=4, validation=validation)), tmp_path / "run").run()
    rows = read_table(tmp_path / "run" / "validation.csv")
    assert [(row["step"], row["modality"]) for row in rows] == [(s, m) for s in "24" for m in ("rgb", "ir", "rgbt")]
    assert all(0 <= float(row["mean_iou"]) <= 1 for row in rows)


def test_sequences_are_drawn_and_read_as_long_as_asked(tmp_path) -> None:
    from rgbt_tracker.sequences.vot_folder import write_vot
    from rgbt_tracker.synthetic import draw_sequence

    folder = write_vot(draw_sequence("zoom", 6, (320, 240)), tmp_path)
    drawn, read = held_out(Validation(drawn=("street",), sequences=(folder,), frames=3))
    assert len(drawn) == len(read) == 3 and len(read.groundtruth) == 3
    with pytest.raises(UserError, match="did you mean 'street'"):
        held_out(Validation(drawn=("stret",)))
