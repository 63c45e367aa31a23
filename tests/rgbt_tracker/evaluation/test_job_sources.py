"""Sequences and trackers of an ablation, from the texts that a user types."""

from pathlib import Path

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.ablation import SETTINGS, contenders, job_count
from rgbt_tracker.evaluation.sources import drawn_sources, sources_in


def test_a_sequence_and_a_folder_of_sequences(world):
    assert [source.open().name for source in sources_in([str(world.sequences)])] == sorted(world.truth)
    assert [source.open().name for source in sources_in([str(world.sequences / "beta")])] == ["beta"]
    assert sources_in([]) == []


def test_drawn_sequences_have_the_length_that_is_asked_for():
    sources = drawn_sources("test:2:3")
    assert len(sources) == 2 and all(source.cached for source in sources)
    assert [len(source.open()) for source in sources] == [3, 3]


@pytest.mark.parametrize("text", ["test", "test:two", "test:1:2:3", "test:1:"])
def test_drawn_in_another_form_is_refused(text):
    with pytest.raises(UserError, match="SET:COUNT:LENGTH"):
        drawn_sources(text)


def test_the_same_configuration_twice_is_told_apart_by_its_weights(tmp_path: Path):
    name = "nestfuse_nanotrack"
    found = contenders([name, f"{name}={tmp_path / 'mine.pt'}"])
    assert [item.label for item in found] == [name, f"{name}=mine"]
    assert [item.weights for item in found] == [None, str(tmp_path / "mine.pt")]
    assert job_count(found, drawn_sources("test:3"), starts=2) == 2 * 3 * len(SETTINGS) * 2 * 2
