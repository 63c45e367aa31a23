"""The seam between the loop and the network: what a search is given of those before it, and of the first frame."""

import pytest
import torch

from rgbt_tracker.config import load_config
from rgbt_tracker.models.network import SearchOutput, Template
from rgbt_tracker.tracking.scoring import VIEW_OFFSET, CandidateScorer

CONFIG = load_config("nestfuse_nanotrack")


class Recorded:
    """A network that notes what it is asked; its memory counts the searches of a track."""

    def __init__(self, wants_views: bool = False) -> None:
        self.wants_views = wants_views
        self.views, self.memories, self.templates, self.learnt = [], [], [], []

    def template(self, images, views=None, modalities=None):
        self.views.append(views)
        self.learnt.append(modalities)
        return Template((images,), modalities)

    def search(self, template, images, memory=None):
        self.templates.append(template)
        self.memories.append(None if memory is None else int(memory))
        count = torch.tensor(0 if memory is None else int(memory) + 1)
        return SearchOutput(images, images, {}, memory=count)


def cut(asked: list, cameras: int = 2):
    def crops(center, side, size):
        asked.append((center, side, size))
        return torch.zeros(cameras, 1, 3, size, size)

    return crops


BOTH = ("rgb", "ir")


def test_the_memory_goes_from_search_to_search_and_ends_with_the_track() -> None:
    network = Recorded()
    score = CandidateScorer(CONFIG, network)
    for searches in (3, 2):
        score.start()
        score.learn(BOTH, cut([]), (50.0, 40.0), 60.0)
        for _ in range(searches):
            score(BOTH, torch.zeros(2, 1, 3, 255, 255))
    assert network.memories == [None, 0, 1, None, 0]
    assert network.templates[0] is network.templates[2] is not network.templates[3]


@pytest.mark.parametrize("wants_views", [False, True])
def test_views_of_the_first_frame_are_cut_for_a_network_that_wants_them(wants_views: bool) -> None:
    network, asked = Recorded(wants_views), []
    CandidateScorer(CONFIG, network).learn(BOTH, cut(asked), (50.0, 40.0), 60.0)
    assert asked[0] == ((50.0, 40.0), 60.0, 127)
    assert len(asked) == (5 if wants_views else 1)
    if not wants_views:
        assert network.views == [None]
        return
    (views,) = network.views
    assert views.images.shape == (2, 4, 3, 255, 255)
    for (center, side, size), place in zip(asked[1:], views.places.tolist(), strict=True):
        assert (side, size) == (round(60 * 255 / 127), 255)
        # Image px from the crop's centre to the target, in positions of the response.
        scale = CONFIG.tracking.exemplar / 60 / CONFIG.anchors.stride
        assert place == pytest.approx([(40 - center[1]) * scale, (50 - center[0]) * scale], abs=1e-4)
        assert abs(center[0] - 50) == pytest.approx(VIEW_OFFSET * 60)


def test_templates_lie_in_memory_as_the_crops_of_a_frame() -> None:
    """Else convolutions are computed in another order, and every box of a track differs in its last bits."""
    network = Recorded()
    score = CandidateScorer(CONFIG, network)
    pixels = torch.arange(2 * 127 * 127 * 3, dtype=torch.float32).view(2, 127, 127, 3) % 255
    crops = pixels.permute(0, 3, 1, 2)[:, None]
    score.learn(BOTH, lambda center, side, size: crops, (50.0, 40.0), 60.0)
    score(BOTH, torch.zeros(2, 1, 3, 255, 255))
    (learnt,) = network.templates[0].kernels
    assert torch.equal(learnt, crops) and learnt[:, 0].stride() == crops[:, 0].stride()
