"""``rgbt export``: a tracker's network, or the one that fuses pictures, as ONNX graphs, checked against torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.options import output_folder

FUSION = "fusion"
"""What stands for the network that fuses pictures."""


def export(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG|fusion", help="Tracker configuration, a name or a YAML file, or the network that fuses."
        ),
    ],
    weights: Annotated[
        str | None,
        typer.Option(metavar="F", help="A file, or a name from 'rgbt weights list' [default: the configuration's]."),
    ] = None,
    output: Annotated[
        Path | None,
        output_folder("Folder for the graphs [default: this user's cache, where 'auto' finds them]."),
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Write them into the package, beside the weights that come with it.")
    ] = False,
    frames: Annotated[int, typer.Option(min=1, help="Frames of clip:smoke that they are checked on.")] = 20,
    int8: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SEQUENCE",
            help="Let a tracker's searches compute in 8-bit integers, with ranges from tracking this; may be repeated.",
        ),
    ] = None,
) -> None:
    """Write a network as ONNX graphs that any program can run.

    Each is checked against torch before. Prints the largest differences: of a tracker those of outputs, as parts of
    their largest magnitude, and of boxes in px; of the network that fuses those of pictures in grey levels. Examples:

    rgbt export nestfuse_nanotrack --output exported

    rgbt export fusion --weights mine.pt --output exported

    rgbt export nestfuse_nanotrack --int8 DIR --output small
    """
    if int8 and (config == FUSION or output is None):
        raise UserError("Integers are for a tracker, and 'auto' never takes them: give --output DIR for its graphs.")
    if shipped and output is not None:
        raise UserError("Both --shipped and --output say where the graphs go; give one of them.")
    if config == FUSION:
        _export_fusion(weights, output, shipped)
    else:
        _export_tracker(config, weights, output, shipped, frames, int8 or [])


def _export_tracker(
    config: str, weights: str | None, output: Path | None, shipped: bool, frames: int, int8: list[str]
) -> None:
    from nestfuse_core.common.console import stderr, stdout
    from nestfuse_core.common.files import check_writable
    from nestfuse_core.common.graphs import cached_folder
    from rgbt_tracker.config import load_config
    from rgbt_tracker.export.write import export as write
    from rgbt_tracker.runtime.exports import key_of, shipped_folder
    from rgbt_tracker.zoo import resolve

    settings = load_config(config)
    file = resolve(settings.weights_or(weights))
    folder = output or (shipped_folder(file.stem) if shipped else cached_folder(key_of(settings, file)))
    check_writable(folder)
    with stderr.status("") as status:
        differences = write(settings, file, folder, frames, status.update, int8)
    for found in differences:
        line = f"{found.modality}: outputs differ by {found.outputs:.1e} at most, boxes by {found.boxes:.5f} px"
        stdout.print(line, highlight=False)
    stdout.print(str(folder), highlight=False)


def _export_fusion(weights: str | None, output: Path | None, shipped: bool) -> None:
    from nestfuse_core.common.console import stderr, stdout
    from nestfuse_core.common.files import check_writable
    from nestfuse_core.common.graphs import cached_folder
    from nestfuse_core.export.write import export as write
    from nestfuse_core.fusion.colour import luminance
    from nestfuse_core.runtime.exports import key_of, shipped_folder
    from nestfuse_core.weights import locate
    from rgbt_tracker.locate import open_sequence

    file = locate(weights)
    folder = output or (shipped_folder(file.stem) if shipped else cached_folder(key_of(file)))
    check_writable(folder)
    with stderr.status("checking"), open_sequence("clip:smoke") as sequence:
        frame = sequence.frame(0)
        assert frame.ir is not None and frame.rgb is not None  # the package's own clip
        # A part of odd sides, since every look and strategy takes its turn.
        ir, vis = luminance(frame.ir[:171, :253]), luminance(frame.rgb[:171, :253])
        found = write(file, folder, [(ir, vis)])
    stdout.print(f"pictures differ by {found:.5f} grey levels at most", highlight=False)
    stdout.print(str(folder), highlight=False)
