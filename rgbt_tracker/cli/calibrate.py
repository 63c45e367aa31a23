"""``rgbt calibrate``: fit the reliability gate to a tracker's weights on drawn training scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.options import Device, output_file
from rgbt_tracker.cli.options import ConfigArgument, Weights


def calibrate(
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
    import yaml

    from nestfuse_core.common.console import progress, stdout
    from nestfuse_core.common.files import check_writable, write_text
    from rgbt_tracker.api import build_tracker
    from rgbt_tracker.config import load_config
    from rgbt_tracker.models.network import SiameseNetwork
    from rgbt_tracker.synthetic import draw_sequence, split
    from rgbt_tracker.training.calibration import Frames, Replay, fit, record

    settings = load_config(config).replace(**{"modality": "rgbt", "model.fusion.strategy": "reliable"})
    if output is not None:
        check_writable(output.parent)
    tracker = build_tracker(settings, weights, device)
    kept: list[Frames] = []
    judged: list[Frames] = []
    with progress() as display:
        task = display.add_task("tracking", total=scenes, note="")
        for index, (scene, number) in enumerate(split("train", scenes)):
            frames = record(tracker, draw_sequence(scene, length=length, seed=number), seed + index)
            if frames is not None:
                (judged if index % 5 == 4 else kept).append(frames)
            display.update(task, advance=1, note=scene)
        train, held = Frames.joined(kept), Frames.joined(judged)
        assert isinstance(tracker.network, SiameseNetwork) and tracker.network.gate is not None
        gate = tracker.network.gate.cpu()
        replay = Replay(settings, train.cls.shape[2] // 2, train.cls.shape[-1])
        before = replay.mean(gate, train), replay.mean(gate, held)
        task = display.add_task("fitting", total=epochs, note="")
        fitted = fit(
            gate,
            train,
            replay,
            epochs,
            seed=seed,
            on_epoch=lambda _, value: display.update(task, advance=1, note=f"overlap {value:.4f}"),
        )
        after = replay.mean(fitted, train), replay.mean(fitted, held)
    found = settings.model.fusion.reliability.model_dump(mode="json", exclude_defaults=True)
    found |= {name: [round(float(v), 3) for v in getattr(fitted, name).tolist()] for name in ("gains", "bias")}
    text = (
        f"# rgbt calibrate, {len(train)} and {len(held)} frames; expected overlap {before[0]:.4f} -> {after[0]:.4f}, "
        f"held back {before[1]:.4f} -> {after[1]:.4f}\n"
    )
    text += yaml.safe_dump({"reliability": found}, default_flow_style=None, sort_keys=False)
    stdout.print(text, markup=False, highlight=False, end="")
    if output is not None:
        write_text(output, text)
