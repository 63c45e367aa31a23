"""``rgbt ablation``: the table of single modalities against both fusions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.console import print_table, progress, stderr
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.common.options import Device, output_folder
from rgbt_tracker.cli.options import IntervalHigh, IntervalLow, Workers

if TYPE_CHECKING:
    from rgbt_tracker.evaluation.job import Source


def ablation(
    config: Annotated[
        list[str] | None,
        typer.Option(help="CONFIG or CONFIG=WEIGHTS, once a tracker [default: nestfuse_siamrpn_mobilev2]."),
    ] = None,
    sequences: Annotated[
        list[str] | None,
        typer.Option(help="A sequence, or a folder of sequences; may be given more than once."),
    ] = None,
    drawn: Annotated[
        str | None,
        typer.Option(help="Drawn sequences as SET:COUNT or SET:COUNT:LENGTH, for example test:11:120."),
    ] = None,
    output: Annotated[Path, output_folder("Folder of the runs (to resume from) and of ablation.md.")] = Path(
        "out/ablation"
    ),
    starts: Annotated[int, typer.Option(min=1, help="Starts a sequence, averaged.")] = 1,
    apart: Annotated[int, typer.Option(min=1, help="Frames from one start to the next.")] = 10,
    low: IntervalLow = 109,
    high: IntervalHigh = 322,
    device: Device = "auto",
    workers: Workers = 1,
) -> None:
    """Compare single cameras, the paper's fusion and ours, by sequence and in all; prints tables."""
    require("bench", "pandas")
    from nestfuse_core.common.files import write_text
    from nestfuse_core.common.tables import table_of
    from rgbt_tracker.config import load_config
    from rgbt_tracker.evaluation.ablation import (
        SETTINGS,
        Contender,
        as_cells,
        as_markdown,
        differences,
        measure_all,
        summary,
        table,
    )
    from rgbt_tracker.evaluation.reset_measures import check_interval

    check_interval(low, high)
    contenders: list[Contender] = []
    for item in config or ["nestfuse_siamrpn_mobilev2"]:
        name, _, weights = item.partition("=")
        settings = load_config(name)
        taken = any(settings.name == other.label for other in contenders)
        label = f"{settings.name}={Path(weights).stem}" if taken else settings.name
        contenders.append(Contender(label, settings, weights or None))
    sources = _sources(sequences or [], drawn)
    with progress() as display:
        runs = len(sources) * len(contenders) * len(SETTINGS) * starts * 2  # in one pass, and with resets
        task = display.add_task("ablation", total=runs, note="")
        cells = measure_all(
            contenders,
            sources,
            output,
            device,
            lambda job: display.update(task, advance=1, note=str(job)),
            starts,
            apart,
            workers,
        )
    parts = {"Summary": summary(cells, low, high)}
    for value, name in {"mean_iou": "mean IoU", "failures": "failures"}.items():
        parts[f"Reliable fusion minus the others, {name}"] = differences(cells, value)
    for value in ("mean_iou", "success", "accuracy", "failures"):
        parts[f"By sequence: {value}"] = table(cells, value)
    text = "\n\n".join(f"### {title}\n\n{as_markdown(frame)}" for title, frame in parts.items())
    write_text(output / "ablation.md", text + "\n")
    for title, frame in parts.items():
        head, *rows = as_cells(frame)
        print_table(table_of(head, rows, title, keys=2), keys=2)
    stderr.print(f"Written to {output / 'ablation.md'}", highlight=False)


def _sources(sequences: list[str], drawn: str | None) -> list[Source]:
    from rgbt_tracker.evaluation.job import Source
    from rgbt_tracker.locate import is_sequence, list_sequences, open_sequence
    from rgbt_tracker.synthetic import draw_sequence, split

    sources: list[Source] = []
    for item in sequences:
        inside = [] if is_sequence(Path(item)) else list_sequences(item)
        sources += [Source(open_sequence, (str(path),), cached=True) for path in inside or [Path(item)]]
    if drawn:
        part, *numbers = drawn.split(":")
        if not 1 <= len(numbers) <= 2 or not all(number.isdigit() for number in numbers):
            raise UserError(f"Expected --drawn SET:COUNT or SET:COUNT:LENGTH, got '{drawn}'; for example test:11:120.")
        length = int(numbers[1]) if len(numbers) == 2 else None
        scenes = split(part, int(numbers[0]))
        sources += [Source(draw_sequence, (scene, length), {"seed": seed}, cached=True) for scene, seed in scenes]
    if not sources:
        raise UserError("Nothing to measure on: give --sequences FOLDER, --drawn SET:COUNT, or both.")
    return sources
