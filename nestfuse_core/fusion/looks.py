"""What a look is: one word for everything that decides how a fused picture looks, beside the channel attention."""

from __future__ import annotations

from dataclasses import dataclass

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.options import listed


@dataclass(frozen=True)
class Look:
    """How a pair becomes a picture.

    Attributes:
        name: the word for it.
        weights: the shipped network that makes it.
        spatial: spatial attention: ``l1``, the paper's ratio (Eq. 5), or ``softmax``, the released code's.
        levels: how the network's output becomes grey levels: ``clip`` keeps them and cuts what leaves 0..255,
            ``stretch`` spreads each picture's least and greatest to 0 and 255 and truncates, as the released code
            does, ``contrast`` raises a weak contrast (`nestfuse_core.fusion.levels`).
        halved: the network works at half the resolution, and the finest details come from the source that has more of
            them there (`nestfuse_core.fusion.details`).
        quarters: pictures above 512 pixels are cut in four with channel weights of their own, as in the released code
            (`nestfuse_core.fusion.quarters`).
    """

    name: str
    weights: str
    spatial: str
    levels: str
    halved: bool = False
    quarters: bool = False


LOOKS = {
    look.name: look
    for look in (
        Look("natural", "paper-lambda100", "softmax", "contrast", halved=True),
        Look("paper", "released-lambda100", "softmax", "stretch", quarters=True),
        Look("equations", "paper-lambda100", "l1", "clip"),
    )
}
DEFAULT = "natural"


def find_look(look: str | Look) -> Look:
    """Return the look of that name, or the look itself. Raises UserError for a name that is none."""
    if isinstance(look, Look):
        return look
    if look not in LOOKS:
        raise UserError(f"Unknown look '{look}'; expected {listed(list(LOOKS))}{suggestion(look, LOOKS)}")
    return LOOKS[look]
