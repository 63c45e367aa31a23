"""A classifier that learns the target while it is tracked.

The head tells what looks like the template from what does not, with weights that are the same for every target. Of
people who look alike it knows nothing. The correlation of template and search has more to tell than the head's last
layers make of it, and a video shows its own look-alikes. So ridge regression on the correlation's channels x_p at
positions p finds the weights that tell this target from these surroundings, in closed form:

    w = argmin sum_p v_p (w . x_p - y_p)^2 + lambda |w|^2

y is a Gaussian around the target. The v_p of the target and those of its surroundings sum to 1 each, and of the
surroundings those count most that the head takes for the target. What the first frame teaches stays; the frames since
enter as a moving average. Each branch (modality, or fusion of modalities) has a classifier of its own.

The thought is that of discriminative correlation filters and of ATOM (Danelljan et al., CVPR 2019).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rgbt_tracker.config import OnlineConfig

CALM = 0.1
"""What a place counts among the surroundings where the head sees no target; where it is sure of one, 1 more."""


class Moments(NamedTuple):
    """What samples say: (B, D + 1, D + 1) sum of v x x^T and (B, D + 1, 1) sum of v x y, the last x being 1."""

    inputs: Tensor
    labels: Tensor

    def lerp(self, other: Moments, share: float | Tensor) -> Moments:
        """``share`` of the other ones in the place of these."""
        return Moments(*(mine + share * (theirs - mine) for mine, theirs in zip(self, other, strict=True)))


class OnlineClassifier:
    """Tells one target from its surroundings, from the first frame on.

    Args:
        options: of the configuration.
        channels: (B, V, D, h, w) correlation channels of B branches in V views of the first frame.
        scores: (V, h, w) the head's best score of a position, 0..1.
        places: (V, 2) rows and columns from the middle to the target in each view, maybe between positions.
    """

    def __init__(self, options: OnlineConfig, channels: Tensor, scores: Tensor, places: Tensor) -> None:
        self._options = options
        self._scale = channels.float().square().mean((1, 3, 4)).sqrt().clamp_min(1e-6)[..., None, None]
        self._first = self._since = self._moments(channels, scores, places)
        self._weights = self._solved()

    def scores(self, channels: Tensor) -> Tensor:
        """(B, D, h, w) channels of a search -> (B, h, w), about 1 on the target and 0 elsewhere, limited to 0..1."""
        weights = self._weights[:, :-1, 0] / self._scale[..., 0, 0]
        score = torch.einsum("bdhw,bd->bhw", channels.float(), weights) + self._weights[:, -1:]
        return score.clamp(0, 1)

    def learn(self, channels: Tensor, scores: Tensor, place: Tensor, confidence: Tensor) -> None:
        """Learn from one search.

        Args:
            channels: (B, D, h, w).
            scores: (h, w) of the head.
            place: (2,) row and column from the middle to where the target was found.
            confidence: the lower one of the head's and the classifier's score there; below ``options.confident``
                nothing is learned, lest another target is once the old one is lost.
        """
        rate = self._options.rate * (confidence > self._options.confident)
        self._since = self._since.lerp(self._moments(channels[:, None], scores[None], place[None]), rate)
        self._weights = self._solved()

    def _moments(self, channels: Tensor, scores: Tensor, places: Tensor) -> Moments:
        label = self._label(places.to(scores), scores.shape[-1])
        around = (1 - label) * (CALM + scores)
        value = label / label.sum((1, 2), keepdim=True) + around / around.sum((1, 2), keepdim=True)
        scaled = F.pad(channels.float() / self._scale[:, None], (0, 0, 0, 0, 0, 1), value=1.0)
        inputs = scaled.transpose(1, 2).flatten(2)
        weighted = inputs * (value.flatten() / len(value))
        return Moments(weighted @ inputs.mT, weighted @ label.flatten()[:, None])

    def _label(self, places: Tensor, size: int) -> Tensor:
        """(V, 2) places -> (V, size, size) Gaussians around them, or around the edge where it is nearest."""
        steps = torch.arange(size, device=places.device) - size // 2
        inside = places.clamp(-(size // 2), size // 2)
        rows, columns = ((steps - place[:, None]).square() for place in inside.T)
        return torch.exp(-(rows[:, :, None] + columns[:, None]) / (2 * self._options.spread**2))

    def _solved(self) -> Tensor:
        """(B, D + 1, 1) weights, the last one the constant."""
        inputs, labels = self._since.lerp(self._first, self._options.first)
        ridge = self._options.ridge * torch.eye(inputs.shape[-1], device=inputs.device)
        # Positive definite, so there is nothing to check, and a check would wait for the device. Cholesky: with two
        # threads, MKL's LU (torch.linalg.solve) failed here, "Parameter 6 was incorrect on entry to SLASWP".
        return torch.cholesky_solve(labels, torch.linalg.cholesky_ex(inputs + ridge)[0])


def at_centres(scores: Tensor, boxes: Tensor, stride: int) -> Tensor:
    """(h, w) scores of positions -> (M,) of (4, M) boxes, by their centres in crop px from the middle, bilinear."""
    places = boxes[:2].T / (stride * (scores.shape[-1] // 2))
    return F.grid_sample(scores[None, None], places[None, None], align_corners=True, padding_mode="border").flatten()
