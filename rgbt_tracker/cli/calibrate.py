"""``rgbt calibrate``: fit the reliability gate to a tracker's weights on drawn scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.options import Device, output_file
from rgbt_tracker.cli.options import ConfigArgument, Weights


def fit_gate(
    config: ConfigArgument,
    weights: Weights = None,
    scenes: Annotated[int, typer.Option(min=1, help="Drawn training scenes to fit to.")] = 60,
    judged: Annotated[int, typer.Option(min=1, help="Drawn validation scenes to judge by.")] = 36,
    length: Annotated[int, typer.Option(min=10, help="Frames a scene.")] = 60,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the recorded tracks.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the order of the tracks.")] = 0,
    output: Annotated[Path | None, output_file("YAML file for the result.")] = None,
    device: Device = "auto",
) -> None:
    """Fit the reliability gate to a tracker's weights; prints it as YAML for the configuration's model.fusion.

    The comments in it say what each of its numbers is worth on drawn validation scenes, with standard errors.
    """
    from nestfuse_core.common.console import progress, stdout
    from nestfuse_core.common.files import check_writable, write_text
    from rgbt_tracker.api import build_tracker
    from rgbt_tracker.config import load_config
    from rgbt_tracker.training.calibration import as_yaml, calibrate, record_scenes

    settings = load_config(config).replace(**{"modality": "rgbt", "model.fusion.strategy": "reliable"})
    if output is not None:
        check_writable(output.parent)
    tracker = build_tracker(settings, weights, device, runtime="torch")
    with progress() as display:
        task = display.add_task("tracking", total=scenes + judged, note="")
        train, held = (
            record_scenes(tracker, part, count, length, lambda scene: display.update(task, advance=1, note=scene))
            for part, count in (("train", scenes), ("validation", judged))
        )
        task = display.add_task("fitting", total=epochs, note="")
        found = calibrate(
            tracker,
            train,
            held,
            epochs,
            seed,
            lambda value: display.update(task, advance=1, note=f"log overlap {value:.4f}"),
        )
    text = as_yaml(found)
    stdout.print(text, markup=False, highlight=False, end="")
    if output is not None:
        write_text(output, text)
