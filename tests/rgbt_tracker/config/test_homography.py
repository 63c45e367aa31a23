"""Reading a homography: nine numbers, a file, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config.homography import read_homography


@pytest.mark.parametrize("text", ["1,0,5,0,1,6,0,0,1", "1 0 5 0 1 6 0 0 1", "1,0,5; 0,1,6; 0,0,1"])
def test_homography_of_nine_numbers(text: str) -> None:
    assert read_homography(text) == ((1, 0, 5), (0, 1, 6), (0, 0, 1))


def test_homography_files(tmp_path: Path) -> None:
    matrix = np.array([[1, 0, 5], [0, 1, 6], [0, 0, 1.0]])
    np.savetxt(tmp_path / "h.txt", matrix)
    np.save(tmp_path / "h.npy", matrix)
    (tmp_path / "h.json").write_text(str(matrix.tolist()))
    for name in ("h.txt", "h.npy", "h.json"):
        assert read_homography(str(tmp_path / name)) == ((1, 0, 5), (0, 1, 6), (0, 0, 1))


@pytest.mark.parametrize("text", ["1,2,3", "nothing.txt", "1,0,5,0,1,6,0,0,nan", ""])
def test_bad_homography(text: str) -> None:
    with pytest.raises(UserError, match="Expected a homography as nine numbers"):
        read_homography(text)


def test_singular_homography() -> None:
    with pytest.raises(UserError, match="cannot be inverted"):
        read_homography("1,0,0,0,1,0,0,0,0")
