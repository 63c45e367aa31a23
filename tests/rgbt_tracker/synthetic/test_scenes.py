"""Sets of scenes with disjoint seeds."""

from rgbt_tracker.synthetic import SCENES, split
from rgbt_tracker.synthetic.random_scenes import random_seeds


def test_sets_share_no_seed() -> None:
    parts = [{seed for _, seed in split(part, 500)} for part in ("train", "validation", "test")]
    parts += [set(random_seeds(part, 500)) for part in ("train", "validation", "test")]
    assert len(set.union(*parts)) == sum(len(part) for part in parts) == 3000
    assert {name for name, _ in split("train", 11)} == set(SCENES)
