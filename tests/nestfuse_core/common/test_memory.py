"""Freed memory is kept for the next image, where glibc allows it."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from nestfuse_core.common.memory import keep_freed_memory
if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit(3)
def work():
    for _ in range(20):
        b"x" * 40_000_000
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(mode: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("not glibc")
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_a_freed_block_is_used_again():
    # 20 blocks of 9766 pages (or 20 huge ones) are cleared anew by the kernel, unless their memory was kept.
    mapped, kept = page_faults("mapped"), page_faults("kept")
    assert mapped > 100
    assert kept < mapped / 10
