"""The metrics against published values, other libraries and plain loops."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import pywt
import skimage.measure
import skimage.metrics
import straightforward
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nestfuse_core.common.errors import UserError
from nestfuse_core.metrics import METRICS, PAPER_METRICS, evaluate, evaluate_both, sharpness
from nestfuse_core.metrics.evaluate import unit_range
from nestfuse_core.metrics.fmi import dct_feature, feature_mutual_information, score_maps, wavelet_feature
from nestfuse_core.metrics.information import mutual_information
from nestfuse_core.metrics.meyer import discrete_meyer, meyer_lowpass
from nestfuse_core.metrics.similarity import similarity_map
from nestfuse_core.metrics.steerable import steerable_bands
from nestfuse_core.metrics.vif import visual_information_fidelity


def scene(seed: int, height: int = 90, width: int = 101) -> np.ndarray:
    """Blurred noise: an image with structure at several scales, uint8."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), s) * s for s in (0.7, 2, 6)]
    return np.clip(128 + 60 * sum(layers), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def triple() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ir, vis = scene(1), scene(2)
    return ir, vis, (ir // 3 + vis // 2).astype(np.uint8)


class TestSampleTriple:
    """Values of the released MATLAB code, run in Octave."""

    @pytest.fixture(scope="class")
    def images(self, shared):
        names = ("IR1", "VIS1", "fused_nestfuse_1e2_avg_1")
        return [cv2.imread(str(shared / "metrics" / f"{name}.png"), cv2.IMREAD_GRAYSCALE) for name in names]

    def test_paper(self, images):
        expected = {
            "En": 6.93545610,
            "SD": 43.55186357,
            "MI": 13.87091220,
            "FMI_dct": 0.33212114,
            "FMI_w": 0.43762003,
            "SSIM": 0.694160,
            "VIF": 0.72498485,
        }
        scores = evaluate(*images, taps=62)
        assert {name: scores[name] for name in PAPER_METRICS} == pytest.approx(expected, abs=1e-5)

    def test_vif_of_each_source(self, images):
        ir, vis, fused = (image / 255 for image in images)
        assert visual_information_fidelity([ir, vis], fused) == pytest.approx([0.78963139, 0.66033832], abs=1e-7)

    def test_true_mutual_information(self, images):
        assert evaluate(*images, preset="standard")["MI"] == pytest.approx(2.600, abs=5e-4)


def test_order_and_type_of_the_result(triple):
    scores = evaluate(*triple)
    assert tuple(scores) == METRICS
    assert all(type(value) is float for value in scores.values())


def test_presets_share_all_but_three_metrics(triple):
    paper, standard = evaluate(*triple), evaluate(*triple, preset="standard")
    differing = [name for name in METRICS if paper[name] != standard[name]]
    assert differing == ["SD", "MI", "VIF"]
    assert evaluate_both(*triple) == paper | {f"{name}_standard": standard[name] for name in differing}


def test_sharpness_agrees_with_plain_loops(triple):
    a, b, fused = (unit_range(image[:40, :33]) for image in triple)
    assert sharpness.spatial_frequency(fused) == pytest.approx(straightforward.spatial_frequency(fused), rel=1e-9)
    assert sharpness.average_gradient(fused) == pytest.approx(straightforward.average_gradient(fused), rel=1e-9)
    quality = sharpness.edge_preservation(a, b, fused)
    assert quality == pytest.approx(straightforward.edge_preservation(a, b, fused), rel=1e-9)
    best = 0.9994 / (1 + np.exp(-7.5)) * 0.9879 / (1 + np.exp(-4.4))
    assert quality < sharpness.edge_preservation(a, a, a) == pytest.approx(best, rel=1e-9)


def test_pictures_without_edges_have_no_sharpness():
    flat = np.zeros((70, 70))
    assert sharpness.spatial_frequency(flat) == sharpness.average_gradient(flat) == 0
    assert sharpness.edge_preservation(flat, flat, flat) == 1


def test_entropy_and_deviation(triple):
    fused = triple[2]
    paper, standard = evaluate(*triple), evaluate(*triple, preset="standard")
    assert paper["En"] == pytest.approx(skimage.measure.shannon_entropy(fused), rel=1e-12)
    assert standard["SD"] == pytest.approx(fused.std(), rel=1e-12)
    assert paper["SD"] == pytest.approx(fused.std() / 255 * np.sqrt(fused.size), rel=1e-12)


def test_mutual_information_is_the_divergence_from_independence():
    a, b = scene(3) // 16 * 16, scene(3) // 32 * 32
    joint = np.histogram2d(a.ravel(), b.ravel(), bins=256, range=[[0, 256]] * 2)[0] / a.size
    product = joint.sum(1, keepdims=True) * joint.sum(0)
    expected = (joint[joint > 0] * np.log2(joint[joint > 0] / product[joint > 0])).sum()
    assert mutual_information(a / 255, b / 255) == pytest.approx(expected, rel=1e-9)


def test_sixteen_bit_and_float_images_score_as_eight_bit(triple):
    expected = evaluate(*triple)
    assert evaluate(*(image.astype(np.uint16) * 257 for image in triple)) == pytest.approx(expected)
    assert evaluate(*(image / 255 for image in triple)) == pytest.approx(expected)


def test_colour_is_reduced_to_luminance():
    grey = scene(4)
    np.testing.assert_allclose(unit_range(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)), grey / 255, atol=1e-12)
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 2] = 255
    np.testing.assert_allclose(unit_range(red), 0.299)


def test_ssim_inside_the_border_agrees_with_skimage(triple):
    a, f = triple[0] / 255, triple[2] / 255
    _, expected = skimage.metrics.structural_similarity(
        a, f, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, full=True
    )
    np.testing.assert_allclose(similarity_map(a, f)[5:-5, 5:-5], expected[5:-5, 5:-5], atol=1e-10)


def test_ssim_replicates_borders(triple):
    a, f = triple[0] / 255, triple[2] / 255
    padded = similarity_map(np.pad(a, 9, mode="edge"), np.pad(f, 9, mode="edge"))
    np.testing.assert_allclose(similarity_map(a, f), padded[9:-9, 9:-9], atol=1e-10)


class TestFeatureMutualInformation:
    def test_features_against_the_loop(self):
        images = [scene(seed, 15, 13) / 255 for seed in (5, 6, 7)]
        for feature in (dct_feature, wavelet_feature):
            maps = [feature(image)[:20, :20] for image in images]
            expected = straightforward.feature_mutual_information(*maps)
            assert feature_mutual_information(*maps) == pytest.approx(expected, abs=1e-10)

    @settings(max_examples=60)
    @given(st.integers(0, 9), st.data())
    def test_any_window_against_the_loop(self, top, data):
        windows = [
            data.draw(arrays(np.float64, (3, 3), elements=st.integers(0, top).map(float)), label=name) for name in "pq"
        ]
        expected = straightforward.window_score(*windows)
        assert score_maps([windows[0]], windows[1])[0, 0, 0] == pytest.approx(expected, abs=1e-9)

    def test_identical_images_score_one(self):
        feature = dct_feature(scene(8) / 255)
        assert feature_mutual_information(feature, feature, feature) == 1

    def test_wavelet_layout(self):
        image = scene(9, 41, 57) / 255
        height, width = (pywt.dwt_coeff_len(side, 102, "symmetric") for side in image.shape)
        layout = wavelet_feature(image)
        assert layout.shape == (2 * height, 2 * width)
        assert (layout.min(), layout.max()) == (0, 1)
        # The approximation holds nearly all the energy, the diagonal detail the least.
        centred = layout - np.median(layout)
        energy = [
            (centred[y, x] ** 2).sum()
            for y, x in ((slice(height), slice(width)), (slice(height, None), slice(width, None)))
        ]
        assert energy[0] > 100 * energy[1]


class TestMeyer:
    def test_taps_are_matlabs(self):
        taps = meyer_lowpass()
        assert taps.size == 102 and taps[-1] == 0
        np.testing.assert_allclose(taps[:101], taps[100::-1], atol=1e-16)
        # Centre, and the outermost taps, as MATLAB's dmey lists them.
        published = [0.743751004903787, 0.444095030766529, -0.035048287390595, -0.132696615358862, 0.030621243943425]
        np.testing.assert_allclose(taps[50:55], published, atol=1e-10)
        np.testing.assert_allclose(taps[:3], [-1.509740857e-6, 1.278766757e-6, 4.49585560e-7], atol=1e-10)

    def test_nearly_orthonormal_to_even_shifts(self):
        taps = meyer_lowpass()
        products = [float(taps[2 * k :] @ taps[: taps.size - 2 * k]) for k in range(20)]
        np.testing.assert_allclose(products, [1] + [0] * 19, atol=1e-5)

    def test_other_lengths_are_refused(self):
        assert discrete_meyer(62).dec_len == 62
        with pytest.raises(UserError, match=r"102 taps .* or 62 .* got 64"):
            discrete_meyer(64)


class TestVisualInformationFidelity:
    def test_bands_are_those_of_pyrtools(self):
        pyrtools = pytest.importorskip("pyrtools")
        image = scene(10, 97, 82).astype(np.float64)
        expected = pyrtools.pyramids.SteerablePyramidSpace(image, height=4, order=5, edge_type="reflect1").pyr_coeffs
        for level, bands in enumerate(steerable_bands(image)):
            for band, orientation in zip(bands, (0, 3), strict=True):
                np.testing.assert_allclose(band, expected[(level, orientation)], atol=1e-9)

    @pytest.mark.parametrize("peak", [1, 255])
    def test_against_block_by_block(self, peak):
        pytest.importorskip("pyrtools")
        reference, other = scene(11, 80, 93) / 255 * peak, scene(12, 80, 93) / 255 * peak
        fused = 0.6 * reference + 0.4 * other
        expected = straightforward.visual_information_fidelity(reference, fused)
        assert visual_information_fidelity([reference], fused)[0] == pytest.approx(expected, rel=1e-9)

    def test_identity_blur_and_contrast(self):
        image = scene(13).astype(np.float64)
        blurred = cv2.GaussianBlur(image, (0, 0), 2)
        # The one reference against four images, and the other way round for a list of references.
        same, soft, strong = (visual_information_fidelity([image], test)[0] for test in (image, blurred, 1.5 * image))
        assert same == pytest.approx(1, abs=1e-6)
        assert soft < 0.5 and strong > 1

    def test_blank_images_are_finite(self):
        blank, image = np.zeros((70, 70), np.uint8), scene(14, 70, 70)
        for triple in ((blank, image, image), (image, image, blank), (blank, blank, blank)):
            for preset in ("paper", "standard"):
                assert all(np.isfinite(value) for value in evaluate(*triple, preset=preset).values())


class TestBadInput:
    def test_unknown_preset(self, triple):
        with pytest.raises(UserError, match=r"Unknown preset 'papers'.*did you mean 'paper'"):
            evaluate(*triple, preset="papers")

    def test_sizes_differ(self, triple):
        with pytest.raises(UserError, match="one size, got infrared 101x90, visible 100x90, fused 101x90"):
            evaluate(triple[0], triple[1][:, 1:], triple[2])

    def test_too_small(self, triple):
        with pytest.raises(UserError, match=r"at least 65x65 .* got 101x64"):
            evaluate(*(image[:64] for image in triple))
        assert np.isfinite(evaluate(*(image[:65, :65] for image in triple))["VIF"])

    def test_floats_beyond_one(self, triple):
        with pytest.raises(UserError, match=r"in \[0, 1\], got .* divide by 255"):
            evaluate(triple[0].astype(np.float32), *triple[1:])

    @pytest.mark.parametrize(
        "bad", [np.zeros((70, 70, 4), np.uint8), np.zeros(70, np.uint8), np.zeros((70, 70), np.int32)]
    )
    def test_other_arrays(self, triple, bad):
        with pytest.raises(UserError, match="Expected the infrared image as"):
            evaluate(bad, *triple[1:])
