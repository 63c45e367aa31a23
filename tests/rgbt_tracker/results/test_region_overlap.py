"""Region overlap against vot-toolkit's rasteriser, and the forms of regions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgbt_tracker.boxes import box_to_polygon
from rgbt_tracker.results.region_overlap import overlaps, region_overlap
from rgbt_tracker.results.regions import box_to_region, is_usable, region_to_box, transported

SIZE = (64, 48)
place = st.floats(-20, 80, width=32)
extent = st.floats(0, 60, width=32)
boxes = st.tuples(place, place, extent, extent)
regions = st.tuples(boxes, st.booleans()).map(lambda pair: np.array(box_to_polygon(pair[0]) if pair[1] else pair[0]))


@settings(max_examples=400, deadline=None)
@given(a=regions, b=regions, bounded=st.booleans())
def test_overlap_equals_the_toolkits_raster(a, b, bounded):
    raster = pytest.importorskip("vot.region")
    shapes = [
        raster.Rectangle(*item) if len(item) == 4 else raster.Polygon(list(zip(item[::2], item[1::2], strict=True)))
        for item in (a, b)
    ]
    # Without a border the toolkit cuts rectangles at negative coordinates, so those are compared with one only.
    size = SIZE if bounded or min(a.min(), b.min()) < 0 else None
    assert region_overlap(a, b, size) == raster.calculate_overlap(*shapes, size)


def test_rotated_polygons_use_the_toolkit():
    raster = pytest.importorskip("vot.region")
    diamond = np.array([20, 5, 35, 20, 20, 35, 5, 20], dtype=float)
    box = np.array([10.0, 10, 20, 20])
    expected = raster.calculate_overlap(
        raster.Polygon(list(zip(diamond[::2], diamond[1::2], strict=True))), raster.Rectangle(*box), SIZE
    )
    assert region_overlap(diamond, box, SIZE) == expected
    assert 0.5 < expected < 1


def test_the_form_of_the_answer_matters():
    """The same box as 4 numbers and as 8 corners: only the same form has overlap 1."""
    truth = box_to_polygon((10.0, 12.0, 14.0, 9.0))
    assert region_overlap(box_to_region((10, 12, 14, 9), truth), truth, SIZE) == 1
    assert region_overlap(np.array([10.0, 12, 14, 9]), truth, SIZE) == pytest.approx(14 * 9 / (15 * 10))


def test_special_frames_have_no_overlap():
    box = np.array([1.0, 2, 3, 4])
    np.testing.assert_array_equal(overlaps([None, box, box], [box, None, box]), [np.nan, np.nan, 1])


@given(box=st.tuples(place, place, st.floats(1, 60), st.floats(1, 60)))
def test_boxes_survive_polygons(box):
    np.testing.assert_allclose(region_to_box(box_to_polygon(box)), box, atol=1e-4)
    assert len(box_to_region(box, np.zeros(8))) == 8 and len(box_to_region(box, np.zeros(4))) == 4


def test_a_rotated_polygon_keeps_its_area_and_centre():
    x, y, w, h = region_to_box([20, 5, 35, 20, 20, 35, 5, 20])
    assert w * h == pytest.approx(450) and (x + w / 2, y + h / 2) == pytest.approx((20, 20)) and w == pytest.approx(h)


def test_values_as_sent_through_trax():
    value = 212.32056244
    assert transported([value])[0] == np.float32("212.3206")


@pytest.mark.parametrize("box", [(np.nan, 0, 1, 1), (0, 0, 0, 5), (0, 0, -1, 5), (np.inf, 0, 1, 1), (1, 2, 3)])
def test_boxes_that_must_not_be_sent(box):
    assert not is_usable(box)
    assert is_usable((0, 0, 1, 1))
