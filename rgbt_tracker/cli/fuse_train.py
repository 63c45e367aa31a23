"""``rgbt fuse-train``: NestFuse's auto-encoder on any folder of photographs."""

from __future__ import annotations

import os
from pathlib import Path

import typer


def _train(
    images: Path = typer.Option(..., help="Folder of photographs, searched through; they are read as grey."),
    output: Path = typer.Option(..., help="Folder of the run: weights, checkpoint, loss curve and plot."),
    version: str = typer.Option("paper", help="paper (0.46 M parameters) or released (2.73 M)."),
    deep_supervision: bool = typer.Option(False, "--deep-supervision", help="Three outputs, loss averaged (Eq. 12)."),
    loss: str = typer.Option("released", help="released: MSE and MS-SSIM; paper: squared Frobenius norm and SSIM."),
    weight: float = typer.Option(100.0, "--lambda", help="Weight of the SSIM part."),
    preparation: str = typer.Option("resize", help="resize the whole image, or crop at random."),
    size: int = typer.Option(256, help="Side of the training images in pixels."),
    batch: int = typer.Option(4, help="Images a step, over all processes."),
    steps: int = typer.Option(None, help="Length of the run; else --epochs decides."),
    epochs: float = typer.Option(2.0, help="Passes over the images."),
    rate: float = typer.Option(1e-4, help="Adam's learning rate."),
    warmup: int = typer.Option(0, help="Steps over which the rate rises."),
    schedule: str = typer.Option("constant", help="constant, or cosine down to 0."),
    initial: str = typer.Option("default", help="Initial weights: default (PyTorch's) or kaiming (learns faster)."),
    start: Path = typer.Option(None, help="Weights to start from instead."),
    precision: str = typer.Option("auto", help="fp32, bf16, fp16 (CUDA); auto: bf16 on CUDA, fp32 on a CPU."),
    seed: int = typer.Option(0, help="Decides the initial weights, the order and the crops."),
    device: str = typer.Option("auto", help="auto, cpu or cuda."),
    workers: int = typer.Option(0, help="Processes that read images ahead."),
    save_every: int = typer.Option(100, help="Steps between checkpoints."),
    resume: bool = typer.Option(False, "--resume", help="Continue the run in --output."),
) -> None:
    """Train the fusion network. Several GPUs: torchrun --nproc_per_node N -m rgbt_tracker.cli.main fuse-train ..."""
    from nestfuse_core.common import console
    from nestfuse_core.training.curves import Row
    from nestfuse_core.training.loop import train
    from nestfuse_core.training.settings import TrainSettings, check_settings

    given = locals()
    values = {name: given[name] for name in TrainSettings.model_fields}
    settings = check_settings({key: str(value) if isinstance(value, Path) else value for key, value in values.items()})
    with console.progress() as bar:
        bar.disable = os.environ.get("RANK", "0") != "0"
        task = bar.add_task("training", total=None, note="")

        def on_step(row: Row, length: int) -> None:
            note = f"loss {row.loss:.1f} (pixel {row.pixel:.1f}, 1-SSIM {row.ssim:.4f})"
            bar.update(task, completed=row.step + 1, total=length, note=note)

        network = train(
            settings,
            output,
            resume=resume,
            device=device,
            workers=workers,
            save_every=save_every,
            on_step=on_step,
            on_message=bar.console.print,
        )
    if not bar.disable:
        console.stdout.print(f"Weights: {network}; fuse with 'python fuse_images.py ... --weights {network}'.")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("fuse-train")(_train)
