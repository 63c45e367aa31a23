"""Files of text: the encodings that people have, and what has no end."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.reading import read_bytes, read_table, read_text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.text(st.sampled_from("a,é²€😀\n 0")), st.sampled_from(["\n", "\r\n"]))
def test_text_of_any_usual_encoding_reads_the_same(tmp_path: Path, text: str, end: str) -> None:
    file = tmp_path / "a.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file.write_bytes(text.replace("\n", end).encode(encoding))
        assert read_text(file) == text


def test_other_encodings_are_refused_or_replaced(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("café".encode("latin-1"))
    with pytest.raises(UserError, match=r"a\.txt' is no text in UTF-8 \(byte 3\); save it as such"):
        read_text(file)
    assert read_text(file, replace=True) == "caf\ufffd"


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices")
def test_what_may_have_no_end_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name in ("pipe", "zeros"):
        with pytest.raises(UserError, match=rf"{name}' is no ordinary file"):
            read_bytes(tmp_path / name)


def test_more_than_such_files_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 3_000_000)
    with pytest.raises(UserError, match=r"a\.txt' has 3 MB; such files have 1 MB at most"):
        read_text(tmp_path / "a.txt", most=1_000_000)


def test_tables_hold_commas_in_quotes_and_no_endless_cells(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,"b,c"\n"two\nlines",3\n')
    assert read_table(tmp_path / "a.csv") == [["a", "b,c"], ["two\nlines", "3"]]
    (tmp_path / "a.csv").write_text("x" * 200_000)
    with pytest.raises(UserError, match="Expected a table with commas"):
        read_table(tmp_path / "a.csv")
