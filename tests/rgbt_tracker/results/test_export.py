"""The layouts of the public toolkits."""

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import box_to_polygon, polygon_to_box
from rgbt_tracker.results.export import export
from rgbt_tracker.results.find import find_results
from rgbt_tracker.results.read import read_one_pass
from rgbt_tracker.results.write import write_rows

BOXES = np.array([[1.0, 2, 10, 8], [2.5, 3, 10, 8], [3, 3.25, 11, 9], [4, 4, 12, 9]])


def test_export_to_the_toolkits_layouts(tmp_path):
    write_rows(tmp_path / "T" / "a.txt", BOXES)
    trackers = find_results([tmp_path / "T"], ["a"])
    for layout, name in {"rgbt": "T/a.txt", "matlab": "T_a.txt", "vtuav": "T_a.txt"}.items():
        assert export(trackers, tmp_path / layout, layout) == 1
        rows = read_one_pass(tmp_path / layout / name).rows
        np.testing.assert_allclose(polygon_to_box(rows) if layout == "matlab" else rows, BOXES, atol=1e-4)
        assert rows.shape[1] == (8 if layout == "matlab" else 4)
        assert ("," in (tmp_path / layout / name).read_text()) == (layout == "rgbt")
        assert [tracker.name for tracker in find_results([tmp_path / layout], ["a"])] == ["T"]
    write_rows(tmp_path / "T" / "a.txt", box_to_polygon(BOXES))
    with pytest.raises(UserError, match="eight numbers"):
        export(trackers, tmp_path / "no", "rgbt")
    with pytest.raises(UserError, match="rgbt, matlab, vtuav"):
        export(trackers, tmp_path / "no", "octave")
    assert not (tmp_path / "no").exists()
