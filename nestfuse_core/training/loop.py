"""The training loop: one process or several, stopped and resumed to the same weights."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nestfuse_core.common.checkpoints import read_checkpoint, save_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import OTHER_OUTPUT, held, write_text
from nestfuse_core.model.network import NestFuse, network_from_state
from nestfuse_core.training.curves import Row, plot, read_rows, write_rows
from nestfuse_core.training.data import Samples, batches, list_photographs
from nestfuse_core.training.distributed import Group, process_group
from nestfuse_core.training.losses import Loss, reconstruction_loss
from nestfuse_core.training.settings import TrainSettings

CHECKPOINT, NETWORK, CURVE, PLOT, RECIPE = "last.pt", "network.pt", "losses.csv", "losses.png", "settings.json"
DEAD_STEPS = 3
"""Steps in a row with an output of nothing but zeros after which the run starts again with other initial weights."""
MAX_RESTARTS = 10


class _AutoEncoder(nn.Module):
    """Images Nx1xHxW -> every output of the network; what DistributedDataParallel wraps."""

    def __init__(self, network: NestFuse) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.network.decode_all(self.network.encode(images))


@dataclass
class _Run:
    """Everything that changes during a run."""

    network: NestFuse
    optimizer: torch.optim.Adam
    scaler: torch.amp.GradScaler
    restarts: int = 0
    step: int = 0
    dead: int = 0
    seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)


def _precision(settings: TrainSettings, device: torch.device) -> torch.dtype | None:
    """Return autocast's type, ``None`` for float32 throughout."""
    name = settings.precision
    if name == "auto":
        name = "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    if name == "fp16" and device.type != "cuda":
        raise UserError("The precision 'fp16' needs a CUDA device; use --precision bf16 or fp32.")
    return {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def _kaiming(network: NestFuse) -> None:
    """He initialisation, with outputs that begin as the mean of their features: alive, and of the images' magnitude.

    It keeps the signal's magnitude through the layers, where PyTorch's default lets it fall to nothing.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    for name in network.output_names:
        weight = getattr(network, name).conv2d.weight
        nn.init.constant_(weight, 1 / weight.shape[1])


def _starting_weights(settings: TrainSettings, network: NestFuse) -> dict[str, Tensor]:
    """Read ``settings.start``, which must be of the network that is trained."""
    assert settings.start is not None
    state = state_dict_of(read_checkpoint(settings.start))
    found = network_from_state(state, f"The file '{settings.start}'")
    if (found.version, found.deep_supervision) != (network.version, network.deep_supervision):
        supervision = "with" if found.deep_supervision else "without"
        raise UserError(
            f"The weights '{settings.start}' are of the {found.version} version {supervision} deep supervision; "
            "train that one, or start without them."
        )
    return found.state_dict()


def _fresh(settings: TrainSettings, device: torch.device, restarts: int = 0) -> _Run:
    """Start with new weights, which the seed and the number of restarts decide."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed + 1000 * restarts)
        network = NestFuse(settings.version, settings.deep_supervision)
        if settings.initial == "kaiming":
            _kaiming(network)
    if settings.start is not None:
        network.load_state_dict(_starting_weights(settings, network))
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)
    scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
    return _Run(network, optimizer, scaler, restarts)


def _save(run: _Run, settings: TrainSettings, output: Path) -> None:
    """Write the curve first: a checkpoint without its rows could not be resumed, rows too many are cut off."""
    write_rows(output / CURVE, run.rows)
    content = {
        "settings": settings.model_dump(),
        "state_dict": run.network.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "scaler": run.scaler.state_dict(),
        "restarts": run.restarts,
        "step": run.step,
        "dead": run.dead,
    }
    save_checkpoint(output / CHECKPOINT, content)


def _resume(settings: TrainSettings, output: Path, device: torch.device) -> _Run:
    saved = read_checkpoint(output / CHECKPOINT)
    before = saved.get("settings") if isinstance(saved, dict) else None
    if not isinstance(before, dict):
        raise UserError(f"The file '{output / CHECKPOINT}' is not a checkpoint of this training.")
    # A longer run is a sensible wish; any other change would make the result neither one recipe's nor the other's.
    free = {"images"} if settings.schedule == "cosine" else {"images", "steps", "epochs"}
    changed = [key for key, value in settings.model_dump().items() if key not in free and before.get(key) != value]
    if changed:
        key = changed[0]
        raise UserError(
            f"The run in '{output}' was started with {key} = {before.get(key)}, not {getattr(settings, key)}; "
            "repeat its settings to resume it, or choose another --output."
        )
    run = _fresh(settings, device, saved["restarts"])
    run.network.load_state_dict(saved["state_dict"])
    run.optimizer.load_state_dict(saved["optimizer"])
    run.scaler.load_state_dict(saved["scaler"])
    run.step, run.dead = saved["step"], saved["dead"]
    run.rows = [row for row in read_rows(output / CURVE) if row.step < run.step]
    run.seconds = run.rows[-1].seconds if run.rows else 0.0
    return run


def _rate(settings: TrainSettings, step: int, length: int) -> float:
    rate = settings.rate * min(1, (step + 1) / (settings.warmup + 1))
    if settings.schedule == "constant":
        return rate
    return rate * 0.5 * (1 + math.cos(math.pi * step / length))


def _update(model: nn.Module, run: _Run, images: Tensor, settings: TrainSettings, group: Group) -> tuple[Loss, bool]:
    """Do one step; return the losses over all processes, and whether an output was nothing but zeros."""
    dtype = _precision(settings, group.device)
    images = images.to(group.device)
    with torch.autocast(group.device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
        outputs = model(images)
    loss = reconstruction_loss(outputs, images, settings.loss, settings.weight)
    run.optimizer.zero_grad(set_to_none=True)
    run.scaler.scale(loss.total).backward()
    run.scaler.step(run.optimizer)
    run.scaler.update()
    alive = torch.stack([(output.detach().amax() > 0).float() for output in outputs])
    shared = group.mean(torch.cat([torch.stack(loss).detach(), alive]))
    return Loss(*shared[:3]), bool((shared[3:] == 0).any())


def _steps(
    run: _Run, samples: Samples, length: int, group: Group, workers: int, after: Callable[[_Run, Row], None]
) -> bool:
    """Run to the end and return True, or return False as soon as an output is dead."""
    settings = samples.settings
    model: nn.Module = _AutoEncoder(run.network)
    if group.world > 1:
        model = DistributedDataParallel(model)
    model.train()
    began = time.monotonic() - run.seconds
    for images in batches(samples, run.step, length, group.rank, group.world, workers):
        for parameters in run.optimizer.param_groups:
            parameters["lr"] = _rate(settings, run.step, length)
        loss, dead = _update(model, run, images, settings, group)
        values = [float(value) for value in loss]
        if not all(map(math.isfinite, values)):
            raise UserError(
                f"The loss became {values[0]} at step {run.step}; lower the learning rate ({settings.rate})."
            )
        run.seconds = time.monotonic() - began
        row = Row(run.step, values[0], values[1], values[2], run.seconds)
        run.rows.append(row)
        run.step += 1
        run.dead = run.dead + 1 if dead else 0
        if run.dead >= DEAD_STEPS:
            return False
        after(run, row)
    return True


def _finish(run: _Run, settings: TrainSettings, output: Path) -> None:
    _save(run, settings, output)
    state = {key: value.detach().cpu().contiguous() for key, value in run.network.state_dict().items()}
    save_checkpoint(output / NETWORK, state)
    plot({f"lambda {settings.weight:g}": run.rows}, output / PLOT)


def _open(settings: TrainSettings, output: Path, resume: bool, group: Group) -> _Run:
    exists = (output / CHECKPOINT).is_file()
    if exists and not resume:
        raise UserError(f"The folder '{output}' holds a run already; add --resume to continue it, or choose another.")
    if settings.batch % group.world:
        raise UserError(f"A batch of {settings.batch} cannot be shared equally by {group.world} processes.")
    run = _resume(settings, output, group.device) if exists else _fresh(settings, group.device)
    group.wait()
    if group.first:
        write_text(output / RECIPE, json.dumps(settings.model_dump(), indent=2) + "\n")
    return run


def train(
    settings: TrainSettings,
    output: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    workers: int = 0,
    save_every: int = 100,
    on_step: Callable[[Row, int], None] = lambda row, length: None,
    on_message: Callable[[str], None] = lambda message: None,
) -> Path:
    """Train NestFuse's auto-encoder and return the file of the trained network, a flat float32 state dict.

    ``output`` receives ``network.pt``, ``last.pt`` (checkpoint, every ``save_every`` steps), ``losses.csv``,
    ``losses.png`` and ``settings.json``. With the same settings, device, number of threads and number of processes,
    a run that was stopped and resumed gives the same weights bit for bit; another number of processes gives the same
    up to rounding.

    Args:
        settings: the recipe.
        output: the run's folder.
        resume: continue the run in ``output`` if there is one.
        device: ``auto``, ``cpu`` or ``cuda``; under ``torchrun`` each process takes its own GPU.
        workers: processes that read images ahead.
        save_every: steps between checkpoints.
        on_step: called by the first process after each step with its losses and the length of the run.
        on_message: called with anything that the user should know.

    Raises:
        UserError: bad data or settings, a run that cannot be resumed, a loss that is no number, or an output that
            stays dead.
    """
    with process_group(device) as group, ExitStack() as stack:
        paths = list_photographs(settings.images)
        length = settings.length(len(paths))
        _precision(settings, group.device)
        if group.first:
            stack.enter_context(held(output, OTHER_OUTPUT))
        run = _open(settings, output, resume, group)

        def after(run: _Run, row: Row) -> None:
            if group.first:
                on_step(row, length)
                if run.step % save_every == 0:
                    _save(run, settings, output)

        while not _steps(run, Samples(paths, settings), length, group, workers, after):
            if run.restarts == MAX_RESTARTS:
                raise UserError(
                    f"The network's output stayed zero after {MAX_RESTARTS} new starts; try another --seed."
                )
            if group.first:
                on_message(f"The output died (all zero) at step {run.step}; starting again with other initial weights.")
            run = _fresh(settings, group.device, run.restarts + 1)
        if group.first:
            _finish(run, settings, output)
        group.wait()
    return output / NETWORK
