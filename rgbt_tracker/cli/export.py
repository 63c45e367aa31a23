"""``rgbt export``: a tracker's network as ONNX graphs, checked against torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.options import output_folder
from rgbt_tracker.cli.options import ConfigArgument, Weights


def export(
    config: ConfigArgument,
    weights: Weights = None,
    output: Annotated[
        Path | None, output_folder("Folder for the graphs [default: this user's cache, where 'auto' finds them].")
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Write them into the package, beside the weights that come with it.")
    ] = False,
    frames: Annotated[int, typer.Option(min=1, help="Frames of clip:smoke that they are checked on.")] = 20,
) -> None:
    """Write a tracker's network as ONNX graphs that any program can run, each checked against torch before.

    Prints the largest differences: of outputs, as parts of their largest magnitude, and of boxes in px. Example:

    rgbt export nestfuse_nanotrack --output exported
    """
    from nestfuse_core.common.console import stderr, stdout
    from nestfuse_core.common.errors import UserError
    from nestfuse_core.common.files import check_writable
    from rgbt_tracker.config import load_config
    from rgbt_tracker.export.write import export as write
    from rgbt_tracker.runtime.exports import cached_folder, key_of, shipped_folder
    from rgbt_tracker.zoo import resolve

    settings = load_config(config)
    name = weights or settings.weights
    if name is None:
        raise UserError(f"The configuration '{settings.name}' names no weights; give --weights FILE or a name.")
    if shipped and output is not None:
        raise UserError("Both --shipped and --output say where the graphs go; give one of them.")
    file = resolve(name)
    folder = output or (shipped_folder(file.stem) if shipped else cached_folder(key_of(settings, file)))
    check_writable(folder)
    with stderr.status("") as status:
        differences = write(settings, file, folder, frames, status.update)
    for found in differences:
        line = f"{found.modality}: outputs differ by {found.outputs:.1e} at most, boxes by {found.boxes:.5f} px"
        stdout.print(line, highlight=False)
    stdout.print(str(folder), highlight=False)
