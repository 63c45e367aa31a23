"""``rgbt calibrate``: fit the reliability gate to a tracker's weights on drawn training scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.options import Device, output_file
from rgbt_tracker.cli.options import ConfigArgument, Weights


def fit_gate(
    config: ConfigArgument,
    weights: Weights = None,
    scenes: Annotated[int, typer.Option(min=5, help="Drawn scenes; every fifth is held back to judge by.")] = 66,
    length: Annotated[int, typer.Option(min=10, help="Frames a scene.")] = 70,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the recorded frames.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of corrupted cameras and of the order of frames.")] = 0,
    output: Annotated[Path | None, output_file("YAML file for the result.")] = None,
    device: Device = "auto",
) -> None:
    """Fit the reliability gate to a tracker's weights; prints it as YAML for the configuration's model.fusion."""
    from nestfuse_core.common.console import progress, stdout
    from nestfuse_core.common.files import check_writable, write_text
    from rgbt_tracker.api import build_tracker
    from rgbt_tracker.config import load_config
    from rgbt_tracker.training.calibration import as_yaml, calibrate, record_scenes

    settings = load_config(config).replace(**{"modality": "rgbt", "model.fusion.strategy": "reliable"})
    if output is not None:
        check_writable(output.parent)
    tracker = build_tracker(settings, weights, device)
    with progress() as display:
        task = display.add_task("tracking", total=scenes, note="")
        train, held = record_scenes(
            tracker, scenes, length, seed, lambda scene: display.update(task, advance=1, note=scene)
        )
        task = display.add_task("fitting", total=epochs, note="")
        found = calibrate(
            tracker,
            train,
            held,
            epochs,
            seed,
            lambda value: display.update(task, advance=1, note=f"overlap {value:.4f}"),
        )
    text = as_yaml(found, settings)
    stdout.print(text, markup=False, highlight=False, end="")
    if output is not None:
        write_text(output, text)
