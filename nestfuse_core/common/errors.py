"""One exception for everything a user can put right, and the hint that names what to type instead."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

DISK_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""Numbers of the system's errors (Windows has no EDQUOT)."""


class UserError(ValueError):
    """Bad input: the message is one sentence that says what was expected, what came and what to do.

    The command line prints it without a traceback and exits with code 2. It is one line without control letters, also
    where it repeats what a file or another library says.
    """

    def __init__(self, message: object) -> None:
        words = " ".join(line.strip() for line in str(message).splitlines())
        super().__init__("".join(letter if letter.isprintable() else "?" for letter in words))


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest of ``choices``, or ``""`` when none is close."""
    close = difflib.get_close_matches(str(name), [str(choice) for choice in choices], n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


def suggestion(name: str, choices: Iterable[str]) -> str:
    """End a sentence: `nearest`, or a full stop when nothing is close."""
    return nearest(name, choices) or "."
