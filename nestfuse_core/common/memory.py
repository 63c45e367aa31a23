"""Memory that a program keeps for its next image instead of handing it back."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
"""Numbers of glibc's mallopt(3)."""


def keep_freed_memory() -> bool:
    """Let glibc reuse large freed blocks; true where that could be set.

    By default it maps every block above 32 MB anew, hands others back when they lie at the end of the heap, and the
    kernel clears the pages of both: a third of the time of fusing a picture on a CPU, and in some runs of tracking
    up to a fifth of a fused frame, a third with NanoTrack. It holds for the whole process, which then keeps the
    most memory it ever used, so a library does not do it unasked: commands, workers and VOT trackers do. Once is
    enough, before the work; elsewhere than on Linux with glibc nothing happens. Environment variables would have to be
    set before the program starts, and together: ``MALLOC_TRIM_THRESHOLD_`` alone fixes the size from which blocks are
    mapped at 128 kB, and tracking takes up to three times as long.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wishes = ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1), (TOP_PAD, 2**26))
    done = [mallopt(option, value) == 1 for option, value in wishes]
    return all(done)
