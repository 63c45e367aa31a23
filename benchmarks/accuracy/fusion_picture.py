"""The fusion pictures of the documentation: frames of M3SVD's videos (MIT), side by side.

    python benchmarks/accuracy/fusion_picture.py M3SVD                              # docs/images/fusion.jpg
    python benchmarks/accuracy/fusion_picture.py M3SVD --looks --output docs/images/fusion-looks.jpg

Infrared, visible and fused; with ``--looks`` the thermal and the visible picture, the looks ``equations`` and
``natural``, and the overlay of what is warm.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nestfuse_core.common.guard import run
from nestfuse_core.common.pictures import write_image
from nestfuse_core.common.video import VideoReader
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.overlay import Overlay
from nestfuse_core.fusion.sheet import TITLES, Sheet

PAIRS = ("0111_1716:30", "0117_1620:40")
LOOKS = ("infrared", "visible", "equations", "natural", "--overlay")
QUALITY = 85


def main(args: list[str] | None = None) -> None:
    """Fuse and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="M3SVD")
    parser.add_argument("--output", type=Path, default=Path("docs/images/fusion.jpg"))
    parser.add_argument("--frames", nargs="+", default=PAIRS, metavar="VIDEO:N")
    parser.add_argument("--looks", action="store_true")
    options = parser.parse_args(args)
    ways = [Fuser(look="equations"), Fuser(), Overlay()] if options.looks else [Fuser()]
    sheet = Sheet(LOOKS if options.looks else TITLES)
    for text in options.frames:
        video, _, number = text.partition(":")
        videos = (VideoReader(options.folder / camera / f"{video}.mp4") for camera in ("infrared", "visible"))
        ir, vis = (reader.read(int(number)) for reader in videos)
        sheet.add(f"M3SVD {video}, frame {number}", ir, vis, *(way(ir, vis).image for way in ways))
    write_image(options.output, sheet.draw(), QUALITY)
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    run(main)
