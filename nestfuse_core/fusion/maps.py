"""Attention maps on disk: where, and in which channels, the infrared picture won."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nestfuse_core.common.files import write_text
from nestfuse_core.common.pictures import write_image
from nestfuse_core.fusion.fuser import Fusion


def write_maps(folder: Path, name: str, fusion: Fusion) -> None:
    """Write infrared's share of the attention: ``NAME_scale1.png`` to ``NAME_scale4.png`` and ``NAME_channels.csv``.

    The pictures hold the spatial share at each scale's own resolution, 0 for visible only to 255 for infrared only; the
    table holds the channel share in [0, 1].
    """
    for scale, share in enumerate(fusion.shares, start=1):
        write_image(folder / f"{name}_scale{scale}.png", np.rint(255 * share).astype(np.uint8))
    lines = ["scale,channel,infrared"]
    for scale, shares in enumerate(fusion.channel_shares, start=1):
        lines += [f"{scale},{channel},{share:.6f}" for channel, share in enumerate(shares, start=1)]
    write_text(folder / f"{name}_channels.csv", "\n".join(lines) + "\n")
