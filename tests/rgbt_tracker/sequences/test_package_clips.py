"""The recordings that come with the package."""

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.locate import open_sequence
from rgbt_tracker.sequences import clips


@pytest.mark.parametrize("name", clips.list_clips())
def test_a_clip_has_both_cameras_boxes_and_its_licence(name):
    sequence = open_sequence(f"clip:{name}")
    first, last = sequence.frame(0), sequence.frame(len(sequence) - 1)
    assert first.rgb.shape == last.rgb.shape == (*first.ir.shape[:2], 3)
    boxes = sequence.groundtruth
    assert boxes.shape == (len(sequence), 4)
    known = boxes[np.isfinite(boxes).all(1)]
    assert (known[:, 2:] > 0).all() and (known[:, :2] + known[:, 2:] <= np.array(first.rgb.shape[1::-1]) + 1).all()
    folder = clips.FOLDER / name
    assert "Permission is hereby granted" in (folder / "LICENSE").read_text()
    assert sum((folder / video).stat().st_size for video in clips.VIDEOS) <= 1.5e6
    sequence.close()


def test_the_person_is_warm_and_smoke_takes_him_from_the_visible_camera():
    """Inside the box against right beside it, as both cameras see it: heat stays, colour goes."""
    sequence = open_sequence("clip:smoke")
    contrasts = {"rgb": [], "ir": []}
    smoke = sequence.info.tags["smoke"]
    for index in (20, 75):
        x, y, w, h = (int(value) for value in sequence.groundtruth[index])
        frame = sequence.frame(index)
        for camera in contrasts:
            image = frame.picture(camera).astype(float).reshape(*frame.rgb.shape[:2], -1).mean(2)
            inside, beside = image[y : y + h, x : x + w], image[y : y + h, x - w // 2 : x]
            contrasts[camera].append(abs(inside.mean() - beside.mean()))
    assert not smoke[20] and smoke[75]
    assert min(contrasts["ir"]) > 25
    assert contrasts["rgb"][1] < contrasts["rgb"][0] / 2
    sequence.close()


def test_an_unknown_one_is_named_with_the_nearest():
    assert "smoke" in clips.list_clips()
    with pytest.raises(UserError, match=r"no clip 'smok', did you mean 'smoke'\?|no clip 'smok'.*smoke"):
        open_sequence("clip:smok")
    with pytest.raises(UserError, match=r"a clip \(clip:smoke\) or a drawn sequence"):
        open_sequence("nothing-of-this-name")
