"""Tables III, IV and V of the NestFuse paper: this project's networks beside the printed values.

Metrics are the paper's (``nestfuse_core.metrics``, preset ``paper``), averaged over the pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.pictures import read_image, write_image
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.looks import DEFAULT
from nestfuse_core.fusion.pairs import Pair
from nestfuse_core.fusion.scores import Row, means, score_folder
from nestfuse_core.metrics import METRICS, PAPER_METRICS, evaluate
from nestfuse_core.model.network import NestFuse, check_version, load_network
from nestfuse_core.training.loop import NETWORK, train
from nestfuse_core.training.settings import TrainSettings, check_settings
from nestfuse_core.weights import available

Grey = NDArray[np.uint8]
Scores = dict[str, float]


def _seven(*values: float) -> Scores:
    return dict(zip(PAPER_METRICS, values, strict=True))


def _four(en: float, sd: float, ssim: float, vif: float) -> Scores:
    return {"En": en, "SD": sd, "SSIM": ssim, "VIF": vif}


PUBLISHED: dict[str, dict[str, Scores]] = {
    "III": {
        "lambda 1": _four(6.91369, 82.39563, 0.73154, 0.78185),
        "lambda 10": _four(6.90552, 81.79393, 0.73177, 0.77405),
        "lambda 100": _four(6.91971, 82.75242, 0.73199, 0.78652),
        "lambda 1000": _four(6.91062, 82.14301, 0.73211, 0.77881),
    },
    "IV": {
        "output 1": _four(6.90495, 81.95101, 0.73149, 0.77568),
        "output 2": _four(6.91023, 82.31554, 0.73182, 0.77754),
        "output 3": _four(6.90866, 82.23202, 0.73172, 0.77462),
        "no deep supervision": _four(6.91971, 82.75242, 0.73199, 0.78652),
    },
    "V": {
        "avg": _seven(6.91971, 82.75242, 13.83942, 0.35801, 0.43724, 0.73199, 0.78652),
        "max": _seven(6.89421, 80.36372, 13.78842, 0.36080, 0.43293, 0.73532, 0.75204),
        "nuclear": _seven(6.90461, 82.92572, 13.80923, 0.36277, 0.43621, 0.73360, 0.76415),
        "add (DenseFuse)": _seven(6.67158, 67.57282, 13.34317, 0.41727, 0.42767, 0.73150, 0.64576),
        "IFCNN": _seven(6.59545, 66.87578, 13.19090, 0.37378, 0.40166, 0.73186, 0.59029),
        "FusionGAN": _seven(6.36285, 54.35752, 12.72570, 0.36335, 0.37083, 0.65384, 0.45355),
    },
}
"""Values printed in the paper (means over 21 TNO pairs), by table and row."""


@dataclass(frozen=True)
class Entry:
    """One row to measure: how its network is trained, the strategy, and which of the network's outputs.

    ``training`` is the name of shipped or trained weights without the network's version: ``lambda100`` stands for
    ``paper-lambda100`` or ``released-lambda100``.
    """

    label: str
    training: str
    strategy: str = "avg"
    output: int = -1


ENTRIES: dict[str, tuple[Entry, ...]] = {
    "III": tuple(Entry(f"lambda {weight}", f"lambda{weight}") for weight in (1, 10, 100, 1000)),
    "IV": (
        *(Entry(f"output {index + 1}", "deep-lambda100", output=index) for index in range(3)),
        Entry("no deep supervision", "lambda100"),
    ),
    "V": tuple(
        Entry(label, "lambda100", strategy)
        for label, strategy in (("avg", "avg"), ("max", "max"), ("nuclear", "nuclear"), ("add (DenseFuse)", "add"))
    ),
}
_SHARED_RECIPE: dict[str, object] = {
    "preparation": "crop",
    "size": 64,
    "rate": 5e-4,
    "warmup": 50,
    "schedule": "cosine",
    "precision": "bf16",
}
RECIPES: dict[str, dict[str, object]] = {
    "paper": {**_SHARED_RECIPE, "version": "paper", "steps": 4000},
    "released": {**_SHARED_RECIPE, "version": "released", "steps": 6000},
}
"""How the shipped weights of each version of the network were trained, apart from lambda and deep supervision; a
table's training starts from it."""


def settings_for(weights: str, images: str, changes: Mapping[str, object]) -> TrainSettings:
    """Return the recipe of a table's network from its name, such as ``paper-deep-lambda100``."""
    recipe = RECIPES[weights.partition("-")[0]]
    values = {"images": images, "weight": float(weights.rpartition("lambda")[2]), "deep_supervision": "deep" in weights}
    return check_settings({**recipe, **values, **changes})


def _weights_names(table: str, version: str) -> dict[str, str]:
    """Return the names of a table's weights by training: ``lambda100`` -> ``paper-lambda100``."""
    check_version(version)
    return {entry.training: f"{version}-{entry.training}" for entry in ENTRIES[check_table(table)]}


def missing_weights(table: str, runs: Path | None, version: str = "paper") -> list[str]:
    """Return the names of the networks of a table that are neither trained in ``runs`` nor shipped."""
    return [name for name in _weights_names(table, version).values() if _weights_file(name, runs) is None]


def check_table(table: str) -> str:
    """Return the table's name in capitals, or raise a ``UserError``."""
    if table.upper() not in ENTRIES:
        raise UserError(f"Unknown table '{table}'; expected III, IV or V{suggestion(table.upper(), ENTRIES)}")
    return table.upper()


def _weights_file(name: str, runs: Path | None) -> str | None:
    """A network trained in ``runs`` comes before a shipped one."""
    trained = runs / name / NETWORK if runs else None
    if trained and trained.is_file():
        return str(trained)
    return name if name in available() else None


def train_missing(
    table: str,
    runs: Path,
    images: str,
    changes: Mapping[str, object],
    device: str,
    on_start: Callable[[str], None],
    version: str = "paper",
) -> None:
    """Train what a table lacks, each network into its folder of ``runs``; stopped runs are continued."""
    for name in missing_weights(table, runs, version):
        on_start(name)
        train(settings_for(name, images, changes), runs / name, resume=True, device=device, on_message=on_start)


def open_networks(table: str, runs: Path | None, device: str = "cpu", version: str = "paper") -> dict[str, NestFuse]:
    """Return the table's networks, of one version, by their training (:class:`Entry`).

    Raises:
        UserError: some are neither shipped nor trained in ``runs``, or the version is unknown.
    """
    lacking = missing_weights(table, runs, version)
    if lacking:
        raise UserError(
            f"Table {table} needs the networks {', '.join(lacking)}, which are not shipped; "
            "train them here with --train PHOTOS --runs DIR."
        )
    names = _weights_names(table, version)
    return {training: load_network(_weights_file(name, runs), device) for training, name in names.items()}


def score_entry(
    entry: Entry,
    network: NestFuse,
    pairs: Sequence[Pair],
    on_pair: Callable[[], None],
    save: Path | None = None,
    look: str = DEFAULT,
) -> Scores:
    """Fuse every pair as ``entry`` says and return the mean of its metrics; also write the pictures to ``save``."""
    network.output = entry.output
    fuser = Fuser(network, entry.strategy, look)
    rows: list[Row] = []
    for pair in pairs:
        fusion = fuser(read_image(pair.ir), read_image(pair.vis))
        rows.append({**evaluate(fusion.ir, fusion.vis, fusion.luminance, preset="paper")})
        if save:
            write_image(save / entry.label / f"{pair.name}.png", fusion.luminance)
        on_pair()
    return means(rows)


def build_table(
    table: str,
    networks: Mapping[str, NestFuse],
    pairs: Sequence[Pair],
    methods: Mapping[str, Path] | None = None,
    on_pair: Callable[[str], None] = lambda label: None,
    save: Path | None = None,
    look: str = DEFAULT,
) -> pd.DataFrame:
    """Measure a table: columns ``method``, ``source`` (``here`` or ``paper``) and the metrics.

    ``networks`` are by training, as :func:`open_networks` returns them.
    Each row measured here is followed by the one printed in the paper, where there is one (NaN where the paper's table
    has no such column); the rows of ``methods``, folders of other methods' results by name, come last.
    ``look`` says how the rows measured here are fused.
    """
    rows: list[dict[str, object]] = []
    for entry in ENTRIES[table]:
        scores = score_entry(entry, networks[entry.training], pairs, partial(on_pair, entry.label), save, look)
        rows.append({"method": entry.label, "source": "here", **scores})
        rows.append({"method": entry.label, "source": "paper", **PUBLISHED[table].get(entry.label, {})})
    measured = {entry.label for entry in ENTRIES[table]}
    printed = {label: scores for label, scores in PUBLISHED[table].items() if label not in measured}
    rows += [{"method": label, "source": "paper", **scores} for label, scores in printed.items()]
    for label, folder in (methods or {}).items():
        scores = means(score_folder(pairs, folder, on_pair=partial(on_pair, label)))
        rows.append({"method": label, "source": "here", **scores})
    return pd.DataFrame(rows, columns=["method", "source", *METRICS])
