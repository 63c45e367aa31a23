"""Distillation: what a trained tracker answers to the same pair, as soft targets for the student.

They say where the teacher sees the target and what else looks like it to the teacher: its response over the search
region, as a distribution over the student's positions, and its boxes there. They count only where the teacher finds
the target itself. A teacher of one modality sees each camera alone; of two, the student's answer to both follows the
one in which the teacher finds the target better.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig, load_config
from rgbt_tracker.models.anchors import beside, centred_overlap, make_points
from rgbt_tracker.models.build import build_network
from rgbt_tracker.models.inference import prepare_for_inference
from rgbt_tracker.models.load import load_weights
from rgbt_tracker.models.network import as_images
from rgbt_tracker.tracking.candidates import Candidates
from rgbt_tracker.training.data.batches import Batch
from rgbt_tracker.training.recipe import TeacherModel
from rgbt_tracker.zoo import resolve

FOUND = 0.5
"""Least IoU of the teacher's best box with the target for its answer to count."""


class SoftTargets(NamedTuple):
    """For each answer to N pairs: of K modalities by themselves, (K N), then, if these are more than one, of all.

    ``response`` (M, n, n) sums to 1 over the student's positions, ``boxes`` (M, 4, n, n) are cx, cy relative to the
    position, w, h in px; ``valid`` (M,) bool says for which pairs.
    """

    response: Tensor
    boxes: Tensor
    valid: Tensor

    def last(self, count: int) -> SoftTargets:
        """The last ``count`` answers."""
        return SoftTargets(*(value[-count:] for value in self))


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
            self._candidates = Candidates(self._config, cls.shape[1] // 2, cls.shape[-1])
        boxes, scores = self._candidates.decode(cls, loc)
        best = boxes.gather(2, scores.argmax(1)[:, None, None].expand(-1, 4, 1))[..., 0]
        overlap = centred_overlap(best, self._truth(batch).repeat(count, 1))
        size = batch.label.shape[-1]
        places = torch.cat([log_odds(cls)[:, None], _at_best_anchor(boxes, scores, cls.shape[-1])], 1)
        places = self._at_positions(places, size)
        response = places[:, 0].flatten(1).softmax(1).view(-1, size, size)
        centers = beside(make_points(self._student.anchors.stride, size).reshape(2, size, size), places)
        answers: tuple[Tensor, ...] = (response, torch.cat([places[:, 1:3] - centers, places[:, 3:]], 1), overlap)
        if count > 1:
            followed = overlap.view(count, pairs).argmax(0) * pairs + torch.arange(pairs, device=self._device)
            answers = tuple(torch.cat([value, value[followed]]) for value in answers)
        valid = (answers[2] > FOUND) & ~batch.negative.repeat(len(answers[2]) // pairs)
        return SoftTargets(answers[0], answers[1], valid)

    def _truth(self, batch: Batch) -> Tensor:
        """(N, 4) the target's box cx, cy, w, h relative to the crop's centre; every position's delta leads to it."""
        count, size = batch.delta.shape[2:4]
        return Candidates(self._student, count, size).boxes(batch.delta.flatten(1, 2))[..., 0]

    def _at_positions(self, places: Tensor, size: int) -> Tensor:
        """(M, C, m, m) at the teacher's positions -> (M, C, size, size) the student's, linearly, borders repeated."""
        reach = (size // 2) * self._student.anchors.stride
        own = (places.shape[-1] // 2) * self._config.anchors.stride
        steps = torch.linspace(-reach / own, reach / own, size, device=places.device)
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        grid = torch.stack([x, y], -1).expand(len(places), -1, -1, -1)
        return F.grid_sample(places, grid, padding_mode="border", align_corners=True)


def _at_best_anchor(boxes: Tensor, scores: Tensor, size: int) -> Tensor:
    """(M, 4, A m^2) boxes and (M, A m^2) scores -> (M, 4, m, m), each position's highest scoring box."""
    boxes, best = boxes.unflatten(2, (-1, size, size)), scores.unflatten(1, (-1, size, size)).argmax(1)
    return boxes.gather(2, best[:, None, None].expand(-1, 4, 1, -1, -1))[:, :, 0]


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


def box_gap(boxes: Tensor, soft: SoftTargets) -> Tensor:
    """(N, 4, n, n) the student's boxes relative to their positions -> (N,) 1 - IoU with the teacher's, the mean over
    the teacher's response."""
    return ((1 - centred_overlap(boxes, soft.boxes)) * soft.response).sum((1, 2))
