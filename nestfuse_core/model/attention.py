"""NestFuse's fusion strategy: spatial and channel attention over any number of modalities, as pure functions.

Li, Wu, Durrani, "NestFuse" (IEEE TIM 69(12), 2020), Eq. 4-10. Features are one NxCxHxW tensor a modality, given as a
sequence of K >= 2 tensors or stacked as KxNxCxHxW. Ratios are computed from magnitudes: after a ReLU this is the
paper's formula, and for signed features (a tracker's neck) it keeps the ratios well defined. Every weight lies in
[0, 1] and the K weights of a place sum to 1, but for the ratios' epsilon: where all modalities are silent they are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, overload

import torch
from torch import Tensor

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.model.nuclear import nuclear_norm
from nestfuse_core.model.plan import ratios

Features = Sequence[Tensor] | Tensor
Sum = Callable[[Tensor], Tensor]


class FusionWeights(NamedTuple):
    """What each modality contributed; ``None`` for an attention that the strategy does not use."""

    spatial: Tensor | None
    """KxNx1xHxW, float32 or wider."""
    channel: Tensor | None
    """KxNxCx1x1, float32 or wider."""


def _wide(features: Tensor) -> Tensor:
    """Return half-precision features as float32: sums over channels leave float16's range."""
    return features.float() if features.dtype in (torch.float16, torch.bfloat16) else features


def _average(features: Tensor) -> Tensor:
    return _wide(features).abs().mean((-2, -1), keepdim=True)


def _maximum(features: Tensor) -> Tensor:
    return _wide(features.abs().amax((-2, -1), keepdim=True))


def _nuclear(features: Tensor) -> Tensor:
    return nuclear_norm(_wide(features))[..., None, None]


def _over_channels(features: Tensor) -> Tensor:
    """Sum over channels: NxCxHxW -> Nx1xHxW."""
    return features.sum(1, keepdim=True)


def _l1(features: Tensor, total: Sum = _over_channels) -> Tensor:
    return total(_wide(features).abs())


CHANNEL_POOLS: dict[str, Callable[[Tensor], Tensor]] = {"avg": _average, "max": _maximum, "nuclear": _nuclear}
"""P of Eq. 8 by name: NxCxHxW -> NxCx1x1."""
SPATIAL_KINDS = ("l1", "softmax")
STRATEGIES = ("attention", "spatial", "channel", "fsrpn", "add", "mean", "max")


def _known(name: str, choices: Sequence[str], what: str) -> None:
    if name not in choices:
        raise UserError(f"Unknown {what} '{name}'; expected one of {', '.join(choices)}{suggestion(name, choices)}")


def ratio_weights(statistics: Features) -> Tensor:
    """Return `nestfuse_core.model.plan.ratios` of non-negative statistics, each of any one shape."""
    stacked: Tensor = ratios(statistics if isinstance(statistics, Tensor) else torch.stack(tuple(statistics)))
    return stacked


def channel_statistics(features: Features, channel: str = "avg") -> Tensor:
    """Return P(F_k) of Eq. 8 for each modality and channel: KxNxCx1x1.

    Args:
        features: K tensors NxCxHxW, or KxNxCxHxW.
        channel: ``avg`` (mean magnitude), ``max`` (largest magnitude) or ``nuclear`` (sum of the map's singular
            values). Statistics of tiles combine by mean, maximum and, for ``nuclear``, not at all.
    """
    _known(channel, tuple(CHANNEL_POOLS), "channel attention")
    return torch.stack([CHANNEL_POOLS[channel](feature) for feature in features])


def channel_weights(features: Features, channel: str = "avg") -> Tensor:
    """Return the channel attention's weights KxNxCx1x1 (Eq. 8, 9); see :func:`channel_statistics`."""
    return ratio_weights(channel_statistics(features, channel))


def spatial_weights(features: Features, spatial: str = "l1", total: Sum = _over_channels) -> Tensor:
    """Return the spatial attention's weights KxNx1xHxW.

    Args:
        features: K tensors NxCxHxW, or KxNxCxHxW.
        spatial: ``l1``, the ratio of the l1 norms over channels (Eq. 5), or ``softmax`` over modalities of the channel
            mean, as in the released code (which overflows once a mean passes 88; this does not).
        total: how channels are added up, NxCxHxW -> Nx1xHxW; graphs have a faster way of their own.
    """
    _known(spatial, SPATIAL_KINDS, "spatial attention")
    if spatial == "l1":
        return ratio_weights([_l1(feature, total) for feature in features])
    # A softmax, unlike a ratio, is well posed for signed means, so these stay as the released code has them.
    return torch.softmax(torch.stack([total(_wide(feature)) / feature.shape[1] for feature in features]), 0)


def _fsrpn_weights(features: Features) -> FusionWeights:
    """FSRPN (VOT-RGBT2019): softmax over modalities of the channel sum, and of the global average pool."""
    spatial = torch.softmax(torch.stack([_l1(feature) for feature in features]), 0)
    return FusionWeights(spatial, torch.softmax(channel_statistics(features, "avg"), 0))


def fusion_weights(
    features: Features, strategy: str = "attention", spatial: str = "l1", channel: str = "avg"
) -> FusionWeights:
    """Return the weights with which :func:`fuse_features` would combine ``features``; same arguments."""
    _known(strategy, STRATEGIES, "fusion strategy")
    if strategy == "fsrpn":
        return _fsrpn_weights(features)
    return FusionWeights(
        spatial_weights(features, spatial) if strategy in ("attention", "spatial") else None,
        channel_weights(features, channel) if strategy in ("attention", "channel") else None,
    )


def combine(features: Features, weights: FusionWeights) -> Tensor:
    """Return the mean of the spatially and the channel-wise weighted sum (Eq. 4), or the one that is given: NxCxHxW.

    Weights may come from elsewhere, such as channel weights of a whole image applied to one of its tiles.
    """
    given = [weight for weight in weights if weight is not None]
    if not given:
        raise ValueError("combine() needs spatial weights, channel weights or both")
    fused: Tensor | None = None
    for index, feature in enumerate(features):
        for weight in given:
            # Small weights meet the features one by one: their full-size sum would cost memory and another layout.
            part = (weight[index] / len(given)).to(feature.dtype)
            fused = feature * part if fused is None else torch.addcmul(fused, feature, part)
    assert fused is not None
    return fused


def _check(features: Features) -> None:
    # Numbers, also while a graph is traced.
    shapes = [tuple(int(side) for side in feature.shape) for feature in features]
    if len(shapes) < 2:
        raise UserError(f"Fusion needs the features of at least 2 modalities, but got {len(shapes)}.")
    if len(set(shapes)) > 1 or len(shapes[0]) != 4:
        raise UserError(f"Fusion needs features of one shape NxCxHxW, but got {', '.join(map(str, shapes))}.")


@overload
def fuse_features(
    features: Features,
    strategy: str = ...,
    spatial: str = ...,
    channel: str = ...,
    return_weights: Literal[False] = ...,
) -> Tensor: ...
@overload
def fuse_features(
    features: Features, strategy: str = ..., spatial: str = ..., channel: str = ..., *, return_weights: Literal[True]
) -> tuple[Tensor, FusionWeights]: ...
def fuse_features(
    features: Features,
    strategy: str = "attention",
    spatial: str = "l1",
    channel: str = "avg",
    return_weights: bool = False,
) -> Tensor | tuple[Tensor, FusionWeights]:
    """Fuse the features of K >= 2 modalities into one tensor NxCxHxW of their dtype.

    Args:
        features: K tensors NxCxHxW of one shape, or one tensor KxNxCxHxW; of any sign, float16 to float64.
        strategy: ``attention`` (the paper: mean of spatial and channel attention, Eq. 4), ``spatial`` or ``channel``
            alone, ``fsrpn`` (softmax weights of the authors' VOT-RGBT2019 entry), or the baselines ``add`` (DenseFuse),
            ``mean`` and ``max`` (elementwise).
        spatial: ``l1`` (paper, Eq. 5) or ``softmax`` (released code).
        channel: ``avg``, ``max`` or ``nuclear`` (Eq. 8).
        return_weights: also return the :class:`FusionWeights`; both ``None`` for the baselines.

    Raises:
        UserError: fewer than two modalities, unequal shapes, or an unknown name.
    """
    _check(features)
    weights = fusion_weights(features, strategy, spatial, channel)
    if strategy in ("add", "mean"):
        fused = sum(features[1:], start=features[0])
        fused = fused / len(features) if strategy == "mean" else fused
    elif strategy == "max":
        fused = features[0]
        for feature in features[1:]:
            fused = torch.maximum(fused, feature)
    else:
        fused = combine(features, weights)
    return (fused, weights) if return_weights else fused
