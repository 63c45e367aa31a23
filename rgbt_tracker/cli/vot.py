"""``rgbt vot``: the VOT-RGBT2019 protocol: init, prepare, check, evaluate, score, table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common import console
from nestfuse_core.common.commands import application
from nestfuse_core.common.extras import require
from nestfuse_core.common.options import Json, names, output_file
from rgbt_tracker.cli.options import Address, Cluster, IntervalHigh, IntervalLow, Workers, Workspace

if TYPE_CHECKING:
    from rgbt_tracker.evaluation.job import Job
    from rgbt_tracker.vot.evaluate import WorkspaceStore

HERE = Path("vot_workspace")

vot = application(help="VOT-RGBT2019: workspace, data, evaluation, scores.", no_args_is_help=True)


@vot.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new workspace.")] = HERE,
) -> None:
    """Write a workspace of the VOT toolkit: its trackers, the paper's protocol and that of VOT2020."""
    from rgbt_tracker.vot.init import write_workspace

    write_workspace(folder)
    console.stdout.print(f"A workspace is in {folder}. Next: rgbt vot prepare --workspace {folder}", highlight=False)


@vot.command()
def prepare(
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Adopt sequences you have instead of downloading.")
    ] = None,
    workspace: Workspace = HERE,
    sequences: Annotated[str, typer.Option(metavar="A,B", help="Only these.")] = "",
    copy: Annotated[bool, typer.Option("--copy", help="With --from: copy the frames instead of linking them.")] = False,
    address: Annotated[str, typer.Option(metavar="URL", help="Address of the dataset's description.")] = "",
) -> None:
    """Fetch VOT-RGBT2019 (about 1.5 GB) from data.votchallenge.net, or adopt a folder; resumes and checks."""
    from rgbt_tracker.vot.description import DESCRIPTION
    from rgbt_tracker.vot.prepare import adopt, download

    target = Path(_workspace(workspace)) / "sequences"
    wanted = names(sequences) or None
    if source is not None:
        done = adopt(target, source, wanted, copy)
    else:
        with console.progress() as bar:
            task = bar.add_task("download", total=None, note="")

            def report(what: str, received: int, total: int | None) -> None:
                bar.update(task, description=what, completed=received, total=total)

            done = download(target, address or DESCRIPTION, wanted, report)
    there = "" if workspace == HERE else f" --workspace {workspace}"
    following = f"rgbt vot check NestFuseNano{there}"
    console.stdout.print(f"{len(done)} sequences in {target}. Next: {following}", highlight=False)


@vot.command()
def check(
    tracker: Annotated[str, typer.Argument(metavar="TRACKER", help="A row of trackers.ini.")],
    workspace: Workspace = HERE,
    device: Annotated[str, typer.Option(metavar="cuda:0", help="Device for the dry run.")] = "",
) -> None:
    """Dry run: toolkit, dataset, weights, device, first frames of every sequence, the toolkit's own 'vot test'."""
    from rgbt_tracker.vot.check import check as run_checks

    failed = 0
    for finding in run_checks(_workspace(workspace), tracker, device or None):
        failed += finding.fatal and not finding.good
        mark = "ok" if finding.good else ("FAIL" if finding.fatal else "note")
        typer.echo(f"{mark:<5}{finding.what}: {finding.detail}")
    if failed:
        raise typer.Exit(2)


@vot.command()
def evaluate(
    trackers: Annotated[list[str], typer.Argument(metavar="TRACKER", help="Rows of trackers.ini.")],
    workspace: Workspace = HERE,
    experiments: Annotated[str, typer.Option(metavar="A,B", help="Only these; default: all of the stack.")] = "",
    sequences: Annotated[str, typer.Option(metavar="A,B", help="Only these; default: all.")] = "",
    workers: Workers = 1,
    devices: Annotated[str, typer.Option(metavar="cuda:0,cuda:1", help="Devices the workers take in turn.")] = "",
    cluster: Cluster = False,
    address: Address = "auto",
    repeat: Annotated[
        bool, typer.Option("--repeat", help="Run every repetition whole, even of a deterministic tracker.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run again what is complete.")] = False,
) -> None:
    """Run the workspace's experiments in this process: the files of 'vot evaluate', sooner. Resumes by sequence."""
    from rgbt_tracker.evaluation.store import unfinished
    from rgbt_tracker.vot.evaluate import WorkspaceStore, plan

    if cluster:
        require("cluster", "ray")
    root = _workspace(workspace)
    store = WorkspaceStore(Path(root))
    jobs = plan(store, trackers, names(experiments), names(sequences), replay=not repeat, force=force)
    if not force:
        jobs = list(unfinished(jobs, store))
    if not jobs:
        console.stderr.print("Everything is complete; --force runs it again.")
    _run(jobs, store, workers, names(devices), address if cluster else None)
    console.stdout.print(
        f"Results: {Path(root) / 'results'}. Scores: vot analysis --workspace {workspace}", highlight=False
    )


def _workspace(given: Path) -> str:
    """The given workspace, or the folder one is in: 'cd vot_workspace' works as for the toolkit."""
    here = Path.cwd()
    if given == HERE and not given.is_dir() and (here / "config.yaml").is_file():
        return str(here)
    return str(given.resolve())


def _run(jobs: list[Job], store: WorkspaceStore, workers: int, devices: list[str], address: str | None) -> None:
    from rgbt_tracker.evaluation.cluster import connect, run_on_cluster
    from rgbt_tracker.evaluation.runner import Worker, run_jobs

    with console.progress() as bar:
        task = bar.add_task("evaluate", total=len(jobs), note="")
        done = 0

        def report(job: Job, share: float) -> None:
            bar.update(task, completed=done + share, note=str(job))

        if address is not None:
            gpus = 1.0 if any("cuda" in name for name in devices) else 0.0
            finished = run_on_cluster(
                jobs, Worker(store), connect(address), gpus, lambda note: bar.update(task, note=note)
            )
        else:
            worker = Worker(store, device=devices[0] if devices else None)
            # Threads belong to a tracker's row: results can differ in the last bits between their numbers.
            finished = run_jobs(jobs, worker, workers, devices=devices, share_cores=False, on_progress=report)
        for job, _ in finished:
            done += 1
            report(job, 0)


@vot.command()
def score(
    results: Annotated[Path, typer.Option(metavar="DIR", help="Raw results: NAME_001.txt or NAME/NAME_001.bin.")],
    ground_truth: Annotated[Path, typer.Option(metavar="DIR", help="NAME.txt, or a dataset in the VOT layout.")],
    low: IntervalLow = 109,
    high: IntervalHigh = 322,
    sequences: Annotated[str, typer.Option(metavar="A,B", help="Only these sequences.")] = "",
    as_json: Json = False,
) -> None:
    """Print EAO, accuracy and failures of a folder of raw results, as the 2019 VOT toolkit computes them."""
    from rgbt_tracker.evaluation.reset_measures import check_interval
    from rgbt_tracker.evaluation.reset_measures import score as compute
    from rgbt_tracker.evaluation.reset_runs import load_runs

    check_interval(low, high)
    runs = load_runs(results, ground_truth, names(sequences) or None)
    scores = compute(runs, low, high)
    if as_json:
        typer.echo(json.dumps(scores.as_dict(), indent=2, allow_nan=False))
        return
    typer.echo(scores.as_text())
    if scores.eao != scores.eao:
        console.stderr.print(
            f"No EAO: the interval {low}-{high} begins after the longest sequence ({len(scores.curve)} frames)."
        )


@vot.command()
def table(
    workspace: Workspace = HERE,
    output: Annotated[Path | None, output_file("Write the table here as Markdown.")] = None,
) -> None:
    """Print the paper's Table VI with the published trackers and every tracker with complete results here."""
    from nestfuse_core.common.files import write_text
    from nestfuse_core.common.tables import table_of
    from rgbt_tracker.vot.published import PUBLISHED, as_cells, as_markdown, measured_rows

    rows, notes = measured_rows(Path(_workspace(workspace)))
    head, *cells = as_cells([*PUBLISHED, *rows])
    console.print_table(table_of(head, cells))
    for note in notes:
        console.stderr.print(note, highlight=False)
    if output is not None:
        write_text(output, as_markdown([*PUBLISHED, *rows]) + "\n")
