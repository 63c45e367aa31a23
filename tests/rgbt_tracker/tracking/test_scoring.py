"""The seam between the loop and the network: what a search is given of those before it."""

import torch

from rgbt_tracker.config import load_config
from rgbt_tracker.models.network import SearchOutput, Template
from rgbt_tracker.tracking.scoring import CandidateScorer

CONFIG = load_config("nestfuse_nanotrack")
BOTH = ("rgb", "ir")


class Recorded:
    """A network that notes what it is asked; its memory counts the searches of a track."""

    def __init__(self) -> None:
        self.memories, self.templates = [], []

    def template(self, images, modalities=None):
        return Template((images,), modalities)

    def search(self, template, images, memory=None):
        self.templates.append(template)
        self.memories.append(None if memory is None else int(memory))
        count = torch.tensor(0 if memory is None else int(memory) + 1)
        return SearchOutput(images, images, {}, memory=count)


def test_the_memory_goes_from_search_to_search_and_ends_with_the_track() -> None:
    network = Recorded()
    score = CandidateScorer(CONFIG, network)
    for searches in (3, 2):
        score.start()
        score.learn(BOTH, torch.zeros(2, 1, 3, 127, 127))
        for _ in range(searches):
            score(BOTH, torch.zeros(2, 1, 3, 255, 255))
    assert network.memories == [None, 0, 1, None, 0]
    assert network.templates[0] is network.templates[2] is not network.templates[3]


def test_templates_lie_in_memory_as_the_crops_of_a_frame() -> None:
    """Else convolutions are computed in another order, and every box of a track differs in its last bits."""
    network = Recorded()
    score = CandidateScorer(CONFIG, network)
    pixels = torch.arange(2 * 127 * 127 * 3, dtype=torch.float32).view(2, 127, 127, 3) % 255
    crops = pixels.permute(0, 3, 1, 2)[:, None]
    score.learn(BOTH, crops)
    score(BOTH, torch.zeros(2, 1, 3, 255, 255))
    (learnt,) = network.templates[0].kernels
    assert torch.equal(learnt, crops) and learnt[:, 0].stride() == crops[:, 0].stride()
