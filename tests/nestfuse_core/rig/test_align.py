"""Where the thermal camera looks: found on drawn pictures, refused on pictures of different places."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from nestfuse_core.rig.align import align
from nestfuse_core.rig.blocks import Blocks, correlate_blocks
from nestfuse_core.rig.drift import drift_of, verdict
from nestfuse_core.rig.features import empty_rim, orientation_field, thermal_view, visible_view
from nestfuse_core.rig.file import corners_of, mapped_corners
from nestfuse_core.rig.fit import basis, fit_blocks, matrix_of

SIZE = (320, 240)


def scene(seed: int, size: tuple[int, int] = (420, 320)) -> tuple[np.ndarray, np.ndarray]:
    """Things of random colours and temperatures: visible BGR and thermal grey, with the same outlines only."""
    rng = np.random.default_rng(seed)
    rgb, ir = np.full((size[1], size[0], 3), 120, np.uint8), np.full((size[1], size[0]), 110, np.uint8)
    for _ in range(45):
        center = tuple(int(value) for value in rng.uniform((0, 0), size))
        half = tuple(float(value) for value in rng.uniform(8, 70, 2))
        corners = cv2.boxPoints((center, half, float(rng.uniform(0, 90)))).astype(np.int32)
        cv2.fillPoly(rgb, [corners], rng.uniform(20, 235, 3).tolist())
        cv2.fillPoly(ir, [corners], float(rng.uniform(20, 235)))
    noise = [rng.normal(0, 4, image.shape) for image in (rgb, ir)]
    return tuple(  # type: ignore[return-value]
        np.clip(cv2.GaussianBlur(image, (3, 3), 0) + more, 0, 255).astype(np.uint8)
        for image, more in zip((rgb, ir), noise, strict=True)
    )


def cut(seed: int, truth: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """What both cameras see of a scene: the visible one from (50, 40) on, the thermal one by ``truth`` beyond that."""
    rgb, ir = scene(seed)
    whole = np.array([[1, 0, 50.0], [0, 1, 40], [0, 0, 1]])
    thermal = cv2.warpPerspective(ir, np.linalg.inv(whole @ truth), size)
    return np.ascontiguousarray(rgb[40:280, 50:370]), thermal


TRUTH = np.array([[1.28, 0.04, -14.0], [-0.04, 1.28, 8.0], [0, 0, 1]])


@pytest.fixture(scope="module")
def found():
    rgb, ir = cut(1, TRUTH, (240, 176))
    return align([visible_view(rgb)], [thermal_view(255 - ir)])


def test_the_place_is_found_without_a_guess_and_believed(found):
    errors = mapped_corners(found.matrix, (240, 176)) - mapped_corners(TRUTH, (240, 176))
    assert np.linalg.norm(errors, axis=1).mean() < 1.5
    assert not found.evidence.doubts()


def test_pictures_of_different_places_are_refused():
    rgb, _ = cut(1, TRUTH, (240, 176))
    _, ir = cut(2, TRUTH, (240, 176))
    doubts = align([visible_view(rgb)], [thermal_view(ir)]).evidence.doubts()
    assert doubts and all("\n" not in doubt for doubt in doubts)


def test_a_picture_without_any_edge_is_refused():
    rgb, _ = cut(1, TRUTH, (240, 176))
    doubts = align([visible_view(rgb)], [thermal_view(np.full((176, 240), 90, np.uint8))]).evidence.doubts()
    assert any("by chance" in doubt for doubt in doubts)


def test_orientation_is_the_same_for_either_polarity_and_turns_twice():
    ramp = np.tile(np.linspace(40, 215, 64, dtype=np.uint8), (64, 1))
    field, known = orientation_field(thermal_view(ramp))
    inverted, _ = orientation_field(thermal_view(255 - ramp))
    assert np.allclose(field, inverted, atol=1e-3)
    inside = known & (np.abs(field) > 0.1)
    assert np.allclose(np.angle(field[inside]), 0, atol=0.02)
    upright, _ = orientation_field(thermal_view(np.ascontiguousarray(ramp.T)))
    assert np.allclose(np.abs(np.angle(upright[inside.T])), np.pi, atol=0.02)


def test_the_rim_of_a_warped_picture_is_seen_and_a_dark_sky_is_none():
    _, ir = scene(4, SIZE)
    turned = cv2.warpPerspective(np.maximum(ir, 30), np.array([[0.9, 0.05, 10], [-0.05, 0.9, 20], [0, 0, 1]]), SIZE)
    rim = empty_rim(turned.astype(np.float32))
    assert rim[:15, :60].all() and rim[-3:].all() and not rim[100:150, 120:200].any()
    sky = np.maximum(ir, 30)
    for column in range(SIZE[0]):
        sky[: int(60 + 25 * np.sin(column / 9)), column] = 0
    assert not empty_rim(sky.astype(np.float32)).any()


def test_between_shifts_a_block_is_scipys_spline_and_slopes_are_its_differences():
    rng = np.random.default_rng(0)
    reach, count = 6, 20
    surfaces = rng.random((count, 2 * reach + 1, 2 * reach + 1)).astype(np.float32)
    blocks = Blocks(rng.random((count, 2)), surfaces, reach, SIZE)
    moves = rng.uniform(-7, 7, (count, 2))  # some beyond the reach
    values, slopes = blocks.at(moves)
    places = np.clip(moves[:, ::-1] + reach, 0, 2 * reach)
    for surface, place, value in zip(surfaces, places, values, strict=True):
        right = ndimage.map_coordinates(surface.astype(float), place[:, None], order=3, mode="mirror")
        assert value == pytest.approx(right[0], abs=1e-9)
    for axis, step in enumerate(np.eye(2) * 1e-5):
        ahead, behind = blocks.at(moves + step)[0], blocks.at(moves - step)[0]
        assert np.allclose((ahead - behind) / 2e-5, slopes[:, axis], atol=1e-6)


@pytest.mark.parametrize("parameters", [(1.5, -2, 1, 0.7, 0, 0, 0, 0), (0, 1, -1, 0.5, 0.6, -0.5, 1.2, 0.8)])
def test_blocks_fit_to_the_mapping_they_were_moved_by(parameters):
    rgb, _ = scene(5, SIZE)
    right = matrix_of(np.array(parameters, float), SIZE)
    moved = cv2.warpPerspective(rgb, np.linalg.inv(right), SIZE)
    field, seen = orientation_field(visible_view(rgb))
    own, known = orientation_field(visible_view(moved))
    blocks = correlate_blocks(field[None], seen, own[None], known, 6, (10, 8))
    fit = fit_blocks(blocks)
    ends = mapped_corners(fit.matrix, SIZE) - mapped_corners(right, SIZE)
    assert np.linalg.norm(ends, axis=1).mean() < 0.6
    assert fit.corner_spread < 1.5


def test_parameters_move_corners_as_the_basis_says():
    parameters = np.array([1, -2, 0.5, 0.3, 0.2, -0.4, 0.6, -0.1])
    by_matrix = mapped_corners(matrix_of(parameters, SIZE), SIZE) - corners_of(SIZE)
    assert np.allclose(by_matrix, np.tensordot(parameters, basis(corners_of(SIZE), SIZE), 1), atol=1e-4)


def test_a_rig_that_moved_is_told_from_one_that_did_not():
    pairs = [cut(1, TRUTH, (240, 176))]
    for shift, moved in ((0.0, False), (4.0, True)):
        matrix = np.array([[1, 0, shift], [0, 1, 0], [0, 0, 1]]) @ TRUTH
        drifts = [drift_of(index, rgb, ir, matrix) for index, (rgb, ir) in enumerate(pairs)]
        assert verdict(drifts)[0] is moved
        assert np.median([drift.corners for drift in drifts]) == pytest.approx(2 * shift, abs=1.5)
