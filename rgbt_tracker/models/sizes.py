"""Networks that their configuration makes impossible: levels of different strides, crops smaller than a kernel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import what_happened


@contextmanager
def possible_sizes() -> Iterator[None]:
    """Compute a network, of a configuration that may be a stranger's, in it.

    Raises:
        UserError: for torch's RuntimeError about sizes that do not fit each other; no memory stays what it is.
    """
    try:
        yield
    except RuntimeError as error:
        if what_happened(error) is not None:
            raise
        first = " ".join(str(error).splitlines()[:1])[:200]
        raise UserError(
            f"The configuration's network cannot be computed ({first}); choose levels of one stride in "
            "model.backbone.levels, and tracking.exemplar < tracking.instance."
        ) from error
