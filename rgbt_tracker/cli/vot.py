"""``rgbt vot``: the VOT-RGBT2019 protocol: prepare, check, evaluate, score, table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core import console


def register(app: typer.Typer) -> None:
    """Add ``rgbt vot score``."""
    vot = typer.Typer(no_args_is_help=True, help="VOT-RGBT2019: data, evaluation, scores.")
    vot.command("score")(score)
    app.add_typer(vot, name="vot")


def score(
    results: Annotated[Path, typer.Option(metavar="DIR", help="Raw results: NAME_001.txt or NAME/NAME_001.bin.")],
    ground_truth: Annotated[Path, typer.Option(metavar="DIR", help="NAME.txt, or a dataset in the VOT layout.")],
    low: Annotated[int, typer.Option(min=2, help="First length of the EAO interval.")] = 109,
    high: Annotated[int, typer.Option(min=2, help="Last length of the EAO interval.")] = 322,
    sequences: Annotated[str, typer.Option(metavar="A,B", help="Only these sequences.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Print EAO, accuracy and failures of a folder of raw results, as the 2019 VOT toolkit computes them."""
    from rgbt_tracker.vot.measures import check_interval
    from rgbt_tracker.vot.measures import score as compute
    from rgbt_tracker.vot.results import load_runs

    check_interval(low, high)
    runs = load_runs(results, ground_truth, [name for name in sequences.split(",") if name] or None)
    scores = compute(runs, low, high)
    if as_json:
        typer.echo(json.dumps(scores.as_dict(), indent=2, allow_nan=False))
        return
    typer.echo(scores.as_text())
    if scores.eao != scores.eao:
        console.stderr.print(
            f"No EAO: the interval {low}-{high} begins after the longest sequence ({len(scores.curve)} frames)."
        )
