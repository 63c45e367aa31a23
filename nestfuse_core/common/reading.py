"""Bytes, text and tables of files that may be a stranger's: never without an end, never a traceback."""

from __future__ import annotations

import codecs
import csv
import io
import os
import stat

from nestfuse_core.common.errors import UserError

MOST_BYTES = 2_000_000_000
"""Of a file that is read as a whole; the largest annotations of public data sets are a quarter of it."""
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""How text of an encoding begins, as editors and shells of Windows write it."""


def read_bytes(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """The content of an ordinary file.

    Raises:
        UserError: a device or a pipe, which may have no end, or more than ``most`` bytes.
        OSError: what the system refuses.
    """
    with open(path, "rb", opener=_at_once) as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise UserError(f"'{path}' is no ordinary file; save what is to be read to one.")
        if facts.st_size > most:
            raise UserError(f"'{path}' has {facts.st_size / 1e6:.0f} MB; such files have {most / 1e6:g} MB at most.")
        return file.read(most)


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for a writer, which a pipe may never have."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_text(path: str | os.PathLike[str], *, replace: bool = False, most: int = MOST_BYTES) -> str:
    """The text of an ordinary file in UTF-8, or in what the mark at its beginning says (UTF-16), without that mark.

    Args:
        replace: letters of other encodings become U+FFFD, where only numbers and names beside them count.

    Raises:
        UserError: as `read_bytes`; or another encoding.
        OSError: what the system refuses.
    """
    data = read_bytes(path, most)
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding, "replace" if replace else "strict")
    except UnicodeDecodeError as error:
        raise UserError(f"'{path}' is no text in UTF-8 (byte {error.start}); save it as such.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_table(path: str | os.PathLike[str], *, replace: bool = False) -> list[list[str]]:
    """The cells of every line of a table with commas; quoted ones may hold commas. Otherwise as `read_text`.

    Raises:
        UserError: also where it cannot be read as such a table, or a cell has more than 100,000 letters.
    """
    text = read_text(path, replace=replace)
    try:
        return list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise UserError(f"Expected a table with commas in '{path}': {error}.") from error
