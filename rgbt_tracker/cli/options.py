"""Declarations of the options that several commands share; those of both packages are in nestfuse_core."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.options import TIMES, one_of
from nestfuse_core.common.processes import MOST_THREADS

DEFAULT_CONFIG = "nestfuse_nanotrack"

_CONFIG = "Tracker configuration: a name or a YAML file."

Config = Annotated[str, typer.Option(metavar="F", help=_CONFIG)]
MaybeConfig = Annotated[str | None, typer.Option("--config", metavar="F", help=_CONFIG)]
ConfigArgument = Annotated[str, typer.Argument(metavar="CONFIG", help=_CONFIG)]
Weights = Annotated[
    str | None,
    typer.Option(
        metavar="F",
        help="A file, a name from 'rgbt weights list', the folder of an export, or 'untrained' [default: the "
        "configuration's].",
    ),
]
Modality = Annotated[
    str | None,
    typer.Option(
        metavar="rgbt|rgb|ir",
        help="Cameras to use [default: the configuration's].",
        callback=one_of("modality", ("rgbt", "rgb", "ir")),
    ),
]
_SEQUENCE = typer.Option(
    metavar="NAME|DIR", help="Sequence folder, name of a known sequence, clip:smoke, or drawn:SCENE[-SEED]."
)
SequenceName = Annotated[str, _SEQUENCE]
MaybeSequenceName = Annotated[str | None, _SEQUENCE]
BenchmarkName = Annotated[
    str,
    typer.Argument(metavar="BENCHMARK", help="gtot, rgbt210, rgbt234, lasher, vtuav, or plain for any other folder."),
]
Visible = Annotated[
    str | None,
    typer.Option(
        "--rgb",
        metavar="A",
        help="Visible frames: a folder, a video (FILE#1: its second video stream), a camera index or an address.",
    ),
]
Thermal = Annotated[str | None, typer.Option("--ir", metavar="B", help="Thermal frames, likewise.")]
Init = Annotated[str | None, typer.Option(metavar="X,Y,W,H", help="Box of the target in the first frame.")]
VisibleTimes = Annotated[Path | None, typer.Option("--rgb-times", metavar="FILE", help=TIMES.format("visible"))]
Workspace = Annotated[Path, typer.Option("--workspace", metavar="DIR", help="The VOT toolkit's workspace.")]
Workers = Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="Processes; one sequence each at a time.")]
Cluster = Annotated[bool, typer.Option("--cluster", help="Distribute the sequences over a Ray cluster.")]
Address = Annotated[
    str, typer.Option(metavar="HOST:PORT", help="With --cluster: where it answers; 'auto' is the one of this machine.")
]
IntervalLow = Annotated[int, typer.Option("--low", min=2, help="First length of the EAO interval.")]
IntervalHigh = Annotated[int, typer.Option("--high", min=2, help="Last length of the EAO interval.")]
