"""The looks of this package beside plain ways to fuse and any other method's pictures, by every metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nestfuse_core.common.pictures import Image, read_image, write_image
from nestfuse_core.fusion.baselines import BASELINES
from nestfuse_core.fusion.colour import luminance
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.infrared import infrared_levels
from nestfuse_core.fusion.pairs import Pair
from nestfuse_core.fusion.scores import Row, means, score_folder
from nestfuse_core.metrics import evaluate_both
from nestfuse_core.model.network import NestFuse

Grey = NDArray[np.uint8]
Method = Callable[[Image, Image], tuple[Grey, Grey, Grey]]
"""Takes an infrared and a visible picture to the grey levels of both and of the fused one: ir, vis, fused."""


def compare(
    pairs: Sequence[Pair],
    networks: Mapping[str, NestFuse],
    folders: Mapping[str, Path],
    on_pair: Callable[[str], None] = lambda label: None,
    save: Path | None = None,
) -> pd.DataFrame:
    """Measure methods: columns ``method`` and those of `evaluate_both`, a row a method, means over the pairs.

    Args:
        pairs: of pictures.
        networks: by look (`nestfuse_core.fusion.looks`): channel attention avg.
        folders: of other methods' pictures, by name.
        on_pair: called with the method's name after every pair.
        save: where the pictures of looks and baselines are written, grey, a folder a method.
    """
    rows: list[dict[str, object]] = []
    for label, method in _methods(networks):
        scores: list[Row] = []
        for pair in pairs:
            ir, vis, fused = method(read_image(pair.ir), read_image(pair.vis))
            scores.append({**evaluate_both(ir, vis, fused)})
            if save:
                write_image(save / label / f"{pair.name}.png", fused)
            on_pair(label)
        rows.append({"method": label, **means(scores)})
    for label, folder in folders.items():
        scores = score_folder(pairs, folder, evaluate_both, partial(on_pair, label))
        rows.append({"method": label, **means(scores)})
    return pd.DataFrame(rows)


def count(networks: Mapping[str, NestFuse]) -> int:
    """How many methods `compare` measures without those of folders."""
    return len(list(_methods(networks)))


def _methods(networks: Mapping[str, NestFuse]) -> Iterator[tuple[str, Method]]:
    for look, network in networks.items():
        yield look, partial(_by_look, Fuser(network, look=look))
    for label, baseline in BASELINES.items():
        yield label, partial(_by_baseline, baseline)


def _by_look(fuser: Fuser, ir: Image, vis: Image) -> tuple[Grey, Grey, Grey]:
    fusion = fuser(ir, vis)
    return fusion.ir, fusion.vis, fusion.luminance


def _by_baseline(
    baseline: Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]], ir: Image, vis: Image
) -> tuple[Grey, Grey, Grey]:
    visible = luminance(vis)
    infrared, _ = infrared_levels(ir, visible, None, [])
    first, second, fused = (np.rint(one).astype(np.uint8) for one in (infrared, visible, baseline(infrared, visible)))
    return first, second, fused
