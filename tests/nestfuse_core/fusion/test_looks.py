"""The three looks, and frames over time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nestfuse_core.fusion.details import halve, with_details
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.levels import tone_of
from nestfuse_core.fusion.looks import LOOKS, find_look
from nestfuse_core.model.network import load_network
from nestfuse_core.weights import available


def test_names():
    assert list(LOOKS) == ["natural", "paper", "equations"]
    assert find_look("paper") is LOOKS["paper"] is find_look(LOOKS["paper"])
    assert {look.weights for look in LOOKS.values()} <= set(available())


def test_natural_is_softmax_at_half_resolution_with_contrast(random_network, picture):
    ir, vis = picture(1), picture(2)
    small = [halve(image.astype(np.float32)) for image in (ir, vis)]
    images = [np.ascontiguousarray(image)[None, None] for image in small]
    import torch

    with torch.inference_mode():
        output = random_network(*map(torch.from_numpy, images), spatial="softmax")[0, 0].numpy()
    whole = with_details(output, ir.astype(np.float32), vis.astype(np.float32))
    expected = np.rint(tone_of(whole)(whole))
    fusion = Fuser(random_network)(ir, vis)
    np.testing.assert_allclose(fusion.image, expected, atol=1)
    np.testing.assert_array_equal(fusion.luminance, fusion.image)


def test_a_look_brings_its_own_network():
    folders = [Fuser(look=look).runtime.graphs.folder.name for look in ("paper", "natural", "equations")]
    assert folders == ["released-lambda100", "paper-lambda100", "paper-lambda100"]


def test_small_pictures_are_not_halved(random_network, picture):
    assert Fuser(random_network)(picture(1, 7, 30), picture(2, 7, 30)).image.shape == (7, 30)


@pytest.mark.parametrize("look", list(LOOKS))
def test_frames_one_after_the_other(random_network, picture, look):
    """The first is as a picture by itself; with natural, a change that all pixels share is taken back."""
    fuser = Fuser(random_network, look=look)
    ir, vis = picture(1) // 2 + 60, picture(2, channels=3) // 2 + 60
    video = fuser.video()
    first = video(ir, vis)
    np.testing.assert_allclose(first.image, fuser(ir, vis).image, atol=2)
    again = video(ir, vis)
    np.testing.assert_allclose(again.image, first.image, atol=1)


def test_black_sources_stay_black():
    """The shipped network gives no light to what neither camera sees, and no noise is blown up."""
    dark = np.random.default_rng(0).integers(0, 6, (96, 96), np.uint8)
    assert Fuser()(dark, dark).luminance.max() < 20


@pytest.mark.shared
def test_equations_are_the_default_of_before(shared):
    """Pictures of commit 8f72f7a with its defaults: Eq. 5, output cut to 0..255; written out here."""
    import torch

    ir, vis = (cv2.imread(str(shared / "metrics" / name), 0).astype(np.float32) for name in ("IR1.png", "VIS1.png"))
    images = [torch.from_numpy(image)[None, None] for image in (ir, vis)]
    with torch.inference_mode():
        output = load_network("paper-lambda100")(*images)[0, 0].numpy()
    fusion = Fuser(look="equations")(ir.astype(np.uint8), vis.astype(np.uint8))
    np.testing.assert_allclose(fusion.image, np.clip(output, 0, 255), atol=0.501)
