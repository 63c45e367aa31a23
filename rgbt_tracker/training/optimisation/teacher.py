"""Distillation: what a trained tracker of another kind answers to the same pair, as soft targets for the student.

They say where the teacher sees the target and what else looks like it to the teacher: its response over the search
region, as a distribution over the student's positions. They count only where the teacher finds the target itself. A
teacher of one modality sees each camera alone; of two, the one in which it finds the target better is followed.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig, load_config
from rgbt_tracker.models.anchors import centred_overlap, decode_anchors, make_anchors
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.inference import prepare_for_inference
from rgbt_tracker.models.load import load_weights
from rgbt_tracker.tracking.candidates import Candidates
from rgbt_tracker.training.data.batches import Batch, as_images
from rgbt_tracker.training.recipe import TeacherModel
from rgbt_tracker.zoo import resolve

FOUND = 0.5
"""Least IoU of the teacher's best box with the target for its answer to count."""


class SoftTargets(NamedTuple):
    """``response`` (N, n, n) sums to 1 over the student's positions; ``valid`` (N,) bool says for which pairs."""

    response: Tensor
    valid: Tensor


class Teacher:
    """A trained tracker that answers batches; frozen, not part of what is saved.

    Args:
        model: which tracker, with which weights.
        student: the configuration of the one that learns; both must cut template and search of the same sides.
        device, dtype: where and in which precision it runs.

    Raises:
        UserError: weights that are not at hand or do not fit, or other crop sizes.
    """

    def __init__(
        self, model: TeacherModel, student: TrackerConfig, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        config = load_config(model.model)
        if len(config.modalities) > 1:
            config = config.replace(modality="rgb")
        for side in ("exemplar", "instance"):
            mine, others = getattr(config.tracking, side), getattr(student.tracking, side)
            if mine != others:
                raise UserError(
                    f"The teacher '{config.name}' has tracking.{side} {mine}, the recipe's model {others}; a teacher "
                    "must see the same crops."
                )
        weights = model.weights or config.weights
        if weights is None:
            raise UserError(f"The teacher '{config.name}' names no weights; give a file or a name as teacher.weights.")
        network = build_network(config)
        load_weights(network, config, resolve(weights))
        prepare_for_inference(network)
        self._network = network.to(device).requires_grad_(False)
        self._config, self._student = config, student
        self._device, self._dtype = device, dtype
        self._candidates: Candidates | None = None  # made once the size of the response is known

    @torch.no_grad()
    def __call__(self, batch: Batch) -> SoftTargets:
        """Answer a batch of K modalities."""
        count, pairs = batch.search.shape[:2]
        images = (as_images(stack).flatten(0, 1)[None] for stack in (batch.template, batch.search))
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32):
            output = self._network(*images)
        cls, loc = output.cls.float(), output.loc.float()
        if self._candidates is None:
            self._candidates = Candidates(self._config, cls.shape[1] // 2, cls.shape[-1], self._device)
        boxes, scores = self._candidates.decode(cls, loc)
        best = boxes.gather(2, scores.argmax(1)[:, None, None].expand(-1, 4, 1))[..., 0]
        overlap = centred_overlap(best.unflatten(0, (count, pairs)).flatten(0, 1), self._truth(batch).repeat(count, 1))
        overlap, followed = overlap.view(count, pairs).max(0)
        odds = self._at_positions(log_odds(cls), batch.label.shape[-1]).unflatten(0, (count, pairs))
        response = odds[followed, torch.arange(pairs, device=odds.device)].flatten(1).softmax(1)
        return SoftTargets(response.view(pairs, *odds.shape[2:]), (overlap > FOUND) & ~batch.negative)

    def _truth(self, batch: Batch) -> Tensor:
        """(N, 4) the target's box cx, cy, w, h relative to the crop's centre; every anchor's delta leads to it."""
        anchors = make_anchors(self._student.anchors, batch.label.shape[-1]).to(self._device)
        return decode_anchors(batch.delta[..., 0, 0, 0], anchors[:, :1])[..., 0]

    def _at_positions(self, response: Tensor, size: int) -> Tensor:
        """(M, m, m) at the teacher's positions -> (M, size, size) at the student's, linearly, the border repeated."""
        reach = (size // 2) * self._student.anchors.stride
        own = (response.shape[-1] // 2) * self._config.anchors.stride
        steps = torch.linspace(-reach / own, reach / own, size, device=response.device)
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        grid = torch.stack([x, y], -1).expand(len(response), -1, -1, -1)
        return F.grid_sample(response[:, None], grid, padding_mode="border", align_corners=True)[:, 0]


def log_odds(cls: Tensor) -> Tensor:
    """(N, 2A, n, n) logits, all background ones first -> (N, n, n) log-odds of the target, summed up over anchors.

    log sum exp, so that the best anchor of a position decides.
    """
    logits = cls.float().unflatten(1, (2, -1))
    return (logits[:, 1] - logits[:, 0]).logsumexp(1)


def divergence(cls: Tensor, soft: SoftTargets) -> Tensor:
    """(N,) Kullback-Leibler divergence of the student's distribution over positions from the teacher's."""
    answer = log_odds(cls).flatten(1).log_softmax(1)
    return F.kl_div(answer, soft.response.flatten(1), reduction="none").sum(1)
