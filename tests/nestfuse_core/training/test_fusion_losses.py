"""The training losses against scikit-image and against MS-SSIM written out in numpy."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from nestfuse_core.training.losses import MS_WEIGHTS, ms_ssim, reconstruction_loss, ssim


def pair(side=48, seed=0):
    random = np.random.default_rng(seed)
    first = gaussian_filter(random.uniform(0, 255, (side, side)), 2) * 4 % 256
    return first, np.clip(first + random.normal(0, 20, first.shape), 0, 255)


def tensor(image):
    return torch.from_numpy(image)[None, None]


def numpy_parts(first, second):
    """SSIM and contrast-structure in the valid region, from scipy's Gaussian."""

    def blur(image):
        return gaussian_filter(image, 1.5, radius=5)[5:-5, 5:-5]

    m1, m2 = blur(first), blur(second)
    v1, v2, v12 = blur(first**2) - m1**2, blur(second**2) - m2**2, blur(first * second) - m1 * m2
    c1, c2 = 2.55**2, 7.65**2
    contrast = (2 * v12 + c2) / (v1 + v2 + c2)
    return ((2 * m1 * m2 + c1) / (m1**2 + m2**2 + c1) * contrast).mean(), contrast.mean()


def test_ssim_is_scikit_images():
    first, second = pair()
    theirs = structural_similarity(
        first, second, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(tensor(first), tensor(second)).item() == pytest.approx(theirs, abs=1e-9)


def test_ms_ssim_is_wangs_product():
    first, second = images = pair(192)
    product = 1.0
    for scale, weight in enumerate(MS_WEIGHTS):
        full, contrast = numpy_parts(*images)
        product *= (full if scale == 4 else contrast) ** weight
        images = [image.reshape(len(image) // 2, 2, -1, 2).mean((1, 3)) for image in images]
    assert ms_ssim(tensor(first), tensor(second)).item() == pytest.approx(product, abs=1e-9)


def test_similarities_are_per_image():
    pairs = [pair(seed=seed) for seed in range(3)]
    first, second = (torch.cat([tensor(p[i]) for p in pairs]) for i in (0, 1))
    for measure in (ssim, ms_ssim):
        alone = torch.cat([measure(tensor(a), tensor(b)) for a, b in pairs])
        torch.testing.assert_close(measure(first, second), alone)


def test_the_two_forms():
    first, second = (tensor(image).float() for image in pair())
    squares = (first - second).square()
    paper = reconstruction_loss([second], first, "paper", 10)
    assert paper.pixel.item() == pytest.approx(squares.sum().item(), rel=1e-6)
    assert paper.total.item() == pytest.approx(squares.sum().item() + 10 * (1 - ssim(second, first).item()), rel=1e-6)
    released = reconstruction_loss([second], first, "released", 10)
    assert released.total.item() == pytest.approx(squares.mean().item() + 10 * (1 - ms_ssim(second, first).item()))


@pytest.mark.parametrize("form", ["paper", "released"])
def test_deep_supervision_is_the_mean_over_the_outputs(form):
    first, second = (tensor(image).float() for image in pair())
    alone = [reconstruction_loss([image], first, form, 100).total for image in (first, second, second / 2)]
    together = reconstruction_loss([first, second, second / 2], first, form, 100)
    torch.testing.assert_close(together.total, torch.stack(alone).mean())


@pytest.mark.parametrize("form", ["paper", "released"])
@pytest.mark.parametrize("side", [16, 40])
def test_gradients_stay_finite_for_zero_equal_and_inverted_outputs(form, side):
    image = tensor(pair(side)[0]).float()
    for start in (torch.zeros_like(image), image, 255 - image):
        output = start.clone().requires_grad_()
        reconstruction_loss([output], image, form, 1000).total.backward()
        assert output.grad.isfinite().all()
