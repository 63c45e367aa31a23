"""Files that are complete or absent."""

from __future__ import annotations

import os

import pytest

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import check_writable, replacing, write_text


def test_a_file_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists() and temporary.parent == target.parent and temporary.suffix == ".txt"
    assert target.read_text() == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interruption_keeps_the_old_file(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), replacing(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_permissions_are_those_of_any_new_file(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    (tmp_path / "b.txt").touch()
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_lines_end_alike_everywhere(tmp_path):
    write_text(tmp_path / "a.txt", "ä\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == "ä\nb\n".encode()


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(tmp_path):
    check_writable(tmp_path / "new" / "newer")
    assert not list(tmp_path.iterdir()), "nothing is made"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"Cannot write to '.*deep': '.*file' is no folder"):
        check_writable(tmp_path / "file" / "deep")
