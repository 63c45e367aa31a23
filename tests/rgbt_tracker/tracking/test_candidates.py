"""Candidates of configurations that do not fit the network's answer."""

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import load_config
from rgbt_tracker.tracking.candidates import Candidates

PLACES = {"nestfuse_nanotrack": 15, "nestfuse_siamrpn_alex": 21, "nestfuse_siamrpn_r50": 25}


@pytest.mark.parametrize("name", PLACES)
def test_a_stride_that_is_not_that_of_the_positions_is_refused(name: str) -> None:
    config = load_config(name)
    count = config.anchors.count if config.model.head.type == "rpn" else 1
    Candidates(config, count, PLACES[name])
    for factor in (0.5, 2):
        other = config.replace(**{"anchors.stride": int(config.anchors.stride * factor)})
        with pytest.raises(UserError, match="to the stride of its levels"):
            Candidates(other, count, PLACES[name])


def test_other_numbers_of_anchors_are_refused() -> None:
    with pytest.raises(UserError, match="answers for 3 anchors a place"):
        Candidates(load_config("nestfuse_siamrpn_r50"), 3, 25)
