"""The fusion example of the documentation: infrared, visible and fused frames of drawn sequences, side by side.

    python benchmarks/accuracy/fusion_picture.py --output docs/images/fusion.jpg

Drawn sequences are free to publish; the pictures are what rgbt_tracker.synthetic draws, fused with the shipped
weights and the default options.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from nestfuse_core import load_network
from nestfuse_core.common.commands import run
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import write_image
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.sheet import Sheet
from rgbt_tracker.synthetic import draw_sequence


def main(args: list[str] | None = None) -> None:
    """Draw, fuse and write.

    Raises:
        UserError: an unknown scene, or a frame that it does not have.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("docs/images/fusion.jpg"))
    parser.add_argument("--scenes", nargs="+", default=["smoke", "night"])
    parser.add_argument("--frame", type=int, default=4)
    parser.add_argument("--length", type=int, default=12)
    options = parser.parse_args(args)
    if not 0 <= options.frame < options.length:
        raise UserError(f"Expected a --frame below --length {options.length}, got {options.frame}.")
    fuse = Fuser(load_network())
    sheet = Sheet()
    for name in options.scenes:
        sequence = draw_sequence(name, options.length, size=(320, 240))
        frame = sequence.frame(options.frame)
        assert frame.rgb is not None and frame.ir is not None
        sheet.add(f"drawn scene '{name}'", frame.ir, frame.rgb, fuse(frame.ir, frame.rgb).image)
    write_image(options.output, np.ascontiguousarray(sheet.draw()))
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    run(main)
