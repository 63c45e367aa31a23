"""Declarations of the options that commands of both packages share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nestfuse_core.common.devices import check_device
from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.graphs import RUNTIMES


def one_of(what: str, choices: Sequence[str]) -> Callable[[str | None], str | None]:
    """Return an option's callback that refuses what is not among ``choices`` in one sentence with the nearest."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in choices:
            raise UserError(f"Unknown {what} '{value}'; expected {listed(choices)}{suggestion(value, choices)}")
        return value

    return check


def listed(choices: Sequence[str]) -> str:
    """``["a", "b", "c"]`` -> ``"a, b or c"``."""
    return " or ".join(part for part in (", ".join(choices[:-1]), choices[-1]) if part)


def names(text: str | None) -> list[str]:
    """``"a, b"`` -> ``["a", "b"]``; nothing gives an empty list."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def output_folder(help: str) -> Any:
    """Declare ``--output DIR``."""
    return typer.Option("--output", "-o", metavar="DIR", help=help)


def output_file(help: str) -> Any:
    """Declare ``--output FILE``."""
    return typer.Option("--output", "-o", metavar="FILE", help=help)


Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda|cuda:N", help="Where to compute.", callback=check_device)]
Runtime = Annotated[
    str,
    typer.Option(
        metavar="auto|torch|onnx",
        help="What computes the network; auto: ONNX on a CPU where there is an export ('rgbt export').",
        callback=one_of("runtime", RUNTIMES),
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

# How the frames of two cameras are paired (nestfuse_core.cameras.matching.Timing).
Rates = Annotated[
    str | None,
    typer.Option(
        "--fps", metavar="A[,B]", help="Frames a second: of both cameras, or visible,thermal; instead of their times."
    ),
]
Offset = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="Thermal clock minus visible clock at the same instant."),
]
PairBy = Annotated[
    str,
    typer.Option(
        "--pair",
        metavar="auto|time|index",
        help="Pair frames by nearest time, by index (first with first), or by time where both have times (auto).",
        callback=one_of("pairing", ("auto", "time", "index")),
    ),
]
RigFile = Annotated[
    str | None,
    typer.Option(
        "--rig",
        metavar="FILE|none",
        help="File of 'rgbt rig': where thermal lies on visible, and when [default: rig.yaml beside the input].",
    ),
]
TIMES = "Times of the {} frames: a text file with name or index and seconds in each line."
ThermalTimes = Annotated[Path | None, typer.Option("--ir-times", metavar="FILE", help=TIMES.format("thermal"))]
