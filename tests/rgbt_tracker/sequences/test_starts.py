"""Several starts in one sequence."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rgbt_tracker.sequences.starts import start_frames


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 6), st.integers(1, 15))
def test_starts_lie_on_annotated_frames(present: list[bool], count: int, apart: int) -> None:
    truth = np.where(np.array(present)[:, None], 1.0, np.nan) * np.ones(4)
    starts = start_frames(truth, count, apart)
    assert starts == sorted(set(starts))
    assert len(starts) <= count
    assert all(present[start] for start in starts)
    assert bool(starts) == any(present)
    assert all(len(present) - start >= apart for start in starts[1:])


def test_an_absent_target_is_waited_for() -> None:
    truth = np.ones((40, 4))
    truth[9:13] = np.nan
    assert start_frames(truth, 3, 10) == [0, 13, 20]
