"""Training runs: their steps, and what they write."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nestfuse_core.common.checkpoints import half, save_checkpoint
from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig, load_config
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.network import SiameseNetwork, as_images
from rgbt_tracker.models.sizes import possible_sizes
from rgbt_tracker.training.data.batches import Batch, Batches
from rgbt_tracker.training.data.samples import SampleMaker, Sides
from rgbt_tracker.training.data.sources import Sources
from rgbt_tracker.training.data.targets import Grid, make_grid
from rgbt_tracker.training.loop import checkpoint, records
from rgbt_tracker.training.loop.measure import best_box_iou
from rgbt_tracker.training.loop.start import load_start
from rgbt_tracker.training.optimisation.ema import ExponentialMovingAverage
from rgbt_tracker.training.optimisation.freezing import Freezing
from rgbt_tracker.training.optimisation.losses import Sums, loss_sums, total
from rgbt_tracker.training.optimisation.optimiser import DTYPES, make_optimiser, set_rate
from rgbt_tracker.training.optimisation.parallel import Group, check_batch, share_statistics
from rgbt_tracker.training.optimisation.schedule import factor
from rgbt_tracker.training.optimisation.teacher import SoftTargets, Teacher
from rgbt_tracker.training.recipe import Recipe, write_recipe

LOG_EVERY = 20
PATIENCE = 10
"""Steps in a row without a finite loss and gradient after which a run is given up."""


class PairLoss(nn.Module):
    """The network with its loss: what DDP wraps, so that one call runs everything that has gradients."""

    def __init__(self, network: SiameseNetwork, recipe: Recipe) -> None:
        super().__init__()
        self.network = network
        self._recipe = recipe
        self._points = network.config.head.type == "ban"

    def forward(self, batch: Batch, soft: SoftTargets | None = None) -> tuple[Sums, Tensor, Tensor]:
        """The loss of N pairs, and the answer (N, ...) of all modalities together."""
        dtype, pairs = DTYPES[self._recipe.precision], len(batch.negative)
        with torch.autocast(batch.search.device.type, dtype, enabled=dtype != torch.float32):
            cls, loc = self._answers(as_images(batch.template), as_images(batch.search))
        answers = batch.answers(len(cls) // pairs)
        soft = soft.last(len(cls)) if soft is not None else None
        sums = loss_sums(cls, loc, answers, self._recipe.loss, self._recipe.targets, soft, self._points)
        return sums, cls[-pairs:].detach(), loc[-pairs:].detach()

    def _answers(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Images of K modalities -> cls and loc of the fused answer, (N, ...), or of each one's and it, (B N, ...)."""
        if self._recipe.answers == "fused" or len(search) == 1:
            output = self.network(template, search)
            return output.cls, output.loc
        head = self.network.head
        return head(head.prepare(self.network.branches(template)), self.network.branches(search))


@dataclass(frozen=True)
class StepReport:
    """What one step computed: the loss's sums, the head's output ``cls`` and ``loc``, rate and norm of the gradient."""

    sums: Sums
    cls: Tensor
    loc: Tensor
    batch: Batch
    rate: float
    gradient: float


class Trainer:
    """One training run in a folder.

    Args:
        recipe: what to train, on what, how.
        output: folder for ``recipe.yaml``, ``last.pt``, ``weights_*.pt``, ``log.csv``, ``validation.csv`` and
            ``curves.png``.
        device: torch device.
        group: the processes that share every batch.
    """

    def __init__(self, recipe: Recipe, output: Path, device: str = "cpu", group: Group | None = None) -> None:
        self.recipe, self.output, self.group = recipe, output, group or Group()
        self.device = torch.device(device)
        check_batch(recipe.batch, self.group.world)
        torch.manual_seed(recipe.seed)
        self.config: TrackerConfig = load_config(recipe.model)
        if recipe.fusion is not None:
            self.config = self.config.replace(**{"model.fusion.strategy": recipe.fusion})
        if recipe.answers == "each" and self.config.model.fusion.strategy == "reliable":
            raise UserError(
                "Expected the paper's fusion with 'answers: each', got that of 'reliable', whose gate fuses these "
                "answers afterwards; give 'fusion: attention'."
            )
        network = build_network(self.config)
        load_start(network, recipe.start)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.group.world > 1:
            share_statistics(self.network)
        self.freezing = Freezing(self.network, recipe)
        self.optimiser = make_optimiser(recipe.optimiser, self.freezing.groups())
        self.ema = ExponentialMovingAverage(self.network, recipe.ema)
        self.teacher: Teacher | None = None
        if recipe.teacher is not None:
            self.teacher = Teacher(recipe.teacher, self.config, self.device, DTYPES[recipe.precision])
        self.step = 0
        self.skipped = 0
        self.interrupted = False
        self._not_finite = 0
        self._loss = PairLoss(self.network, recipe)
        self._model: nn.Module = self._loss

    def resume(self) -> None:
        """Continue exactly where ``last.pt`` of the output folder ends."""
        state = checkpoint.load(self.output / checkpoint.LAST, self.recipe, self.device)
        self.network.load_state_dict(state["state_dict"])
        self.ema.load(state["ema"], self.device)
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.skipped = state["step"], state["skipped"]

    def save(self) -> None:
        """Write the state after ``step`` steps to ``last.pt``: network, averages, optimiser and counters."""
        state = {
            "step": self.step,
            "skipped": self.skipped,
            "state_dict": self.freezing.state(),
            "ema": self.ema.state(),
            "optimiser": self.optimiser.state_dict(),
        }
        checkpoint.save(self.output / checkpoint.LAST, self.recipe, state, self.device)

    def batches(self) -> tuple[Batches, Grid]:
        """The data of this process, and the anchors or points its targets refer to."""
        options = self.config.tracking
        with torch.no_grad():
            images = [
                torch.zeros(1, 1, 3, side, side, device=self.device) for side in (options.exemplar, options.instance)
            ]
            self.network.eval()
            with possible_sizes():
                positions = self.network(*images).cls.shape[-1]
            self.freezing.set_training()
        grid = make_grid(self.config, positions)
        maker = SampleMaker(self.recipe, Sources(self.recipe.data), grid, Sides(options.exemplar, options.instance))
        return Batches(self.recipe, maker, self.group.rank, self.group.world), grid

    def run(self, until: int | None = None, on_step: Callable[[int, str], None] | None = None) -> None:
        """Train up to step ``until`` (by default the recipe's end); save the run and the weights of its last step.

        Setting ``interrupted`` from outside, such as a signal handler, ends the run after the present step.
        """
        stop = min(until or self.recipe.steps, self.recipe.steps)
        batches, grid = self.batches()
        writer = _Writer(self, grid) if self.group.first else None
        note = ""
        for batch in batches(self.step, stop):
            report = self.train_step(batch.to(self.device))
            if writer is not None:
                note = writer.after(report) or note
            if on_step is not None:
                on_step(self.step, note)
            if self.interrupted:
                break
        if writer is not None and self.step:
            writer.finish()
        self.group.wait()

    def train_step(self, batch: Batch) -> StepReport:
        """One update on this process's share of the batch; a step that is not finite changes nothing but the count."""
        self._unfreeze()
        rate = self.recipe.optimiser.rate * factor(self.recipe.schedule, self.step, self.recipe.steps)
        set_rate(self.optimiser, rate)
        statistics = {name: value.clone() for name, value in self.network.named_buffers() if "running" in name}
        soft = self.teacher(batch) if self.teacher is not None else None
        sums, cls, loc = self._model(batch, soft)
        counts = self.group.sum(sums.counts())
        loss = total(sums, counts, self.recipe.loss, self.group.world)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        trained = [p for p in self.network.parameters() if p.grad is not None]
        gradient = nn.utils.clip_grad_norm_(trained, self.recipe.optimiser.clip)
        finite = bool(torch.isfinite(self.group.sum(loss.detach())) and torch.isfinite(gradient))
        if finite:
            self.optimiser.step()
            self.ema.update()
        else:
            self._undo(statistics)
        self._not_finite = 0 if finite else self._not_finite + 1
        self.step += 1
        sums = Sums(*(value.detach() for value in sums))
        return StepReport(sums, cls, loc, batch, rate, float(gradient))

    def _unfreeze(self) -> None:
        if self.freezing.update(self.step) and self.group.world > 1:
            local = [self.device] if self.device.type == "cuda" else None
            self._model = DistributedDataParallel(
                self._loss, device_ids=local, broadcast_buffers=False, find_unused_parameters=True
            )

    def _undo(self, statistics: dict[str, Tensor]) -> None:
        """Forget a step that was not finite."""
        buffers = dict(self.network.named_buffers())
        for name, value in statistics.items():
            buffers[name].copy_(value)
        self.skipped += 1
        if self._not_finite + 1 >= PATIENCE:
            raise UserError(
                f"Training diverged: no finite loss in {PATIENCE} steps up to step {self.step}; lower optimiser.rate "
                f"or optimiser.clip and resume from '{self.output / checkpoint.LAST}'."
            )

    def weights(self) -> dict[str, Tensor]:
        """The averaged network as a flat state dict on the CPU."""
        return {key: value.cpu() for key, value in self.ema.applied(self.freezing.state()).items()}


def _is_kept(key: str) -> bool:
    """Whether a value belongs into a weights file; the gate's gains are the configuration's (`rgbt calibrate`)."""
    return "num_batches" not in key and not key.startswith("gate.")


class _Writer:
    """Everything the first process writes while training."""

    def __init__(self, trainer: Trainer, grid: Grid) -> None:
        self.trainer, self.grid = trainer, grid
        recipe, output = trainer.recipe, trainer.output
        output.mkdir(parents=True, exist_ok=True)
        write_recipe(recipe, output / "recipe.yaml")
        self.log = records.Table(output / "log.csv", records.LOG_FIELDS, trainer.step)
        self.validation = records.Table(output / "validation.csv", records.VALIDATION_FIELDS, trainer.step + 1)
        self._clock, self._since = time.perf_counter(), trainer.step
        keep = recipe.checkpoints.keep
        self._keep = {round(recipe.steps * (i + 1) / keep) for i in range(keep)} | {recipe.steps}
        self._sequences: list[Any] | None = None

    def after(self, report: StepReport) -> str:
        """Log, save and validate as due after a step; returns a note when there is news."""
        trainer, recipe = self.trainer, self.trainer.recipe
        note = self._log(report) if (trainer.step - 1) % LOG_EVERY == 0 else ""
        if trainer.step in self._keep:
            self.keep_weights()
        if trainer.step % recipe.checkpoints.every == 0:
            self.close()
        if recipe.validation.every and trainer.step % recipe.validation.every == 0:
            note = self._validate() or note
        return note

    def keep_weights(self) -> None:
        """Write the averaged weights of this step in float16."""
        weights = half({key: value for key, value in self.trainer.weights().items() if _is_kept(key)})
        save_checkpoint(self.trainer.output / f"weights_{self.trainer.step:07d}.pt", weights)

    def finish(self) -> None:
        """Leave the weights and everything to resume with where the run stops."""
        if self.trainer.step not in self._keep:
            self.keep_weights()
        self.close()

    def close(self) -> None:
        """Save for resuming, and draw the curves."""
        self.trainer.save()
        records.draw_curves(self.trainer.output)

    def _log(self, report: StepReport) -> str:
        trainer, sums = self.trainer, report.sums
        now = time.perf_counter()
        pairs = (trainer.step - self._since) * trainer.recipe.batch / max(now - self._clock, 1e-9)
        self._clock, self._since = now, trainer.step
        row = {
            "step": trainer.step - 1,
            "loss": float(total(sums, sums.counts(), trainer.recipe.loss)),
            "positive": float(sums.positive / sums.positives.clamp_min(1)),
            "negative": float(sums.negative / sums.negatives.clamp_min(1)),
            "location": float(sums.location / sums.located.clamp_min(1)),
            "teacher": float(sums.distillation / sums.distilled.clamp_min(1)),
            "iou": best_box_iou(report.cls, report.loc, report.batch, self.grid),
            "rate": report.rate,
            "gradient": report.gradient,
            "pairs_per_second": pairs,
            "skipped": trainer.skipped,
        }
        self.log.add(row)
        return f"loss {row['loss']:.3f}, IoU {row['iou']:.2f}, {pairs:.0f} pairs/s"

    def _validate(self) -> str:
        from rgbt_tracker.training.loop.validation import held_out, validate

        options = self.trainer.recipe.validation
        if self._sequences is None:
            self._sequences = held_out(options)
        scores = []
        for row in validate(self.trainer.config, self.trainer.weights(), self._sequences):
            self.validation.add({"step": self.trainer.step, **row})
            scores.append(float(str(row["mean_iou"])))
        self._clock, self._since = time.perf_counter(), self.trainer.step
        return f"validation mean IoU {sum(scores) / len(scores):.3f}" if scores else ""
