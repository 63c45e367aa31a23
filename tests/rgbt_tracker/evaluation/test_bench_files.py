"""Annotations in the benchmarks' layouts, and result folders in those of the public toolkits."""

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sequence_files import LAYOUTS, write_sequence

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import box_to_polygon, polygon_to_box
from rgbt_tracker.evaluation.groundtruth import load_benchmark
from rgbt_tracker.results.rows import export, find_trackers, read_rows, write_rows

BOXES = np.array([[1.0, 2, 10, 8], [2.5, 3, 10, 8], [3, 3.25, 11, 9], [4, 4, 12, 9]])
BENCHMARKS = {"vot": "plain", "rgbt234": "rgbt234", "gtot": "gtot", "lasher": "lasher", "vtuav": "vtuav"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_five_layouts_give_the_same_boxes(tmp_path, layout):
    for name in ("one", "two"):
        write_sequence(tmp_path / "test" / name, layout, BOXES)
    benchmark = load_benchmark(BENCHMARKS[layout], tmp_path)
    assert list(benchmark.sequences) == ["one", "two"]
    for name, annotation in benchmark.sequences.items():
        assert annotation.folder == tmp_path / "test" / name
        assert len(annotation.truths) == (2 if benchmark.rules.both_cameras else 1)
        for truth in annotation.truths:
            np.testing.assert_allclose(truth, BOXES, atol=1e-9)


def test_one_file_a_sequence_and_the_list_of_the_test_set(tmp_path):
    for name in ("b", "a", "c"):
        write_rows(tmp_path / "lasher_gt" / f"{name}.txt", BOXES)
    (tmp_path / "lashertest.txt").write_text("c\na\n")
    (tmp_path / "README.txt").write_text("not a sequence")
    benchmark = load_benchmark("lasher", tmp_path)
    assert list(benchmark.sequences) == ["c", "a"]
    assert benchmark.sequences["a"].folder is None


def test_attributes_of_every_layout(tmp_path):
    for name in ("a", "b", "c"):
        write_rows(tmp_path / "gt" / name / "init.txt", BOXES)
    assert load_benchmark("rgbt210", tmp_path).attributes == {}

    (tmp_path / "gt" / "b" / "occlusion.tag").write_text("0\n1\n0\n0\n")
    (tmp_path / "gt" / "c" / "occlusion.tag").write_text("0\n0\n0\n0\n")
    assert load_benchmark("plain", tmp_path).attributes == {"occlusion": ("b",)}

    vectors = {"SequencesName": np.array(["c", "b", "a"], dtype=object), "FO": [1, 0, 0], "BC": [1, 1, 0]}
    scipy.io.savemat(tmp_path / "AttrMat_ST.mat", {"attrs": vectors})
    assert load_benchmark("vtuav", tmp_path).attributes == {"BC": ("b", "c"), "FO": ("c",)}
    (tmp_path / "AttrMat_ST.mat").unlink()

    for name, flags in {"a": "1,0", "b": "0,1", "c": "1,1"}.items():
        (tmp_path / "AttriSeqsTxt").mkdir(exist_ok=True)
        (tmp_path / "AttriSeqsTxt" / f"{name}.txt").write_text(flags)
    (tmp_path / "Attributes_order.txt").write_text("TC, NO")
    assert load_benchmark("lasher", tmp_path).attributes == {"NO": ("b", "c"), "TC": ("a", "c")}

    (tmp_path / "attr_txt").mkdir()
    (tmp_path / "attr_txt" / "SequencesName.txt").write_text("c\na\n")
    (tmp_path / "attr_txt" / "TC.txt").write_text("0\n1\n")
    assert load_benchmark("rgbt210", tmp_path).attributes == {"TC": ("a",)}


def test_missing_or_unequal_annotations_are_named(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        load_benchmark("gtot", tmp_path / "nowhere")
    with pytest.raises(UserError, match="Found no RGBT234 annotations"):
        load_benchmark("rgbt234", tmp_path)
    with pytest.raises(UserError, match="pass --sequences DIR"):
        load_benchmark("vtuav")
    write_rows(tmp_path / "a" / "visible.txt", BOXES)
    write_rows(tmp_path / "a" / "infrared.txt", BOXES[:3])
    with pytest.raises(UserError, match=r"has 4 lines and infrared\.txt has 3"):
        load_benchmark("rgbt234", tmp_path)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([",", " ", "\t", ", ", ";", "  "]),
    st.lists(st.tuples(*[st.floats(-1e4, 1e4) | st.just(float("nan"))] * 4), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
)
def test_rows_read_back_in_any_notation(tmp_path_factory, separator, rows, end):
    path = tmp_path_factory.mktemp("rows") / "a.txt"
    path.write_bytes(end.join(separator.join(map(repr, row)) for row in rows).encode())
    np.testing.assert_array_equal(read_rows(path), rows)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("1,2,x,4", "line 1"),
        ("1,2,3,4\n1,2,3", "got 3 in line 2"),
        ("1\n2,3,4,5", "rgbt vot score"),
    ],
)
def test_broken_result_files_are_named(tmp_path, text, words):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(UserError, match=words):
        read_rows(tmp_path / "a.txt")


def test_results_are_found_in_every_layout(tmp_path):
    names = ["car", "redcar", "man"]
    for name in names:
        write_rows(tmp_path / "ours" / f"{name}.txt", BOXES)
        write_rows(tmp_path / "ours" / f"{name}_time.txt", BOXES[:, :1])
        write_rows(tmp_path / "shared" / f"HMFT_{name}.txt", BOXES)
        write_rows(tmp_path / "shared" / f"APF{name}.txt", BOXES)
    found = find_trackers(tmp_path / "ours", names)
    assert set(found) == {"ours"} and set(found["ours"]) == set(names)
    assert found["ours"]["redcar"].name == "redcar.txt"
    assert {name: set(files) for name, files in find_trackers(tmp_path / "shared", names).items()} == {
        "HMFT": set(names),
        "APF": set(names),
    }
    assert set(find_trackers(tmp_path, names)) == {"ours", "HMFT", "APF"}


def test_no_results_and_no_folder_are_told_apart(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        find_trackers(tmp_path / "none", ["a"])
    with pytest.raises(UserError, match="such as a, b"):
        find_trackers(tmp_path, ["a", "b"])


def test_export_to_the_toolkits_layouts(tmp_path):
    write_rows(tmp_path / "T" / "a.txt", BOXES)
    trackers = find_trackers(tmp_path / "T", ["a"])
    for layout, name in {"rgbt": "T/a.txt", "matlab": "T_a.txt", "vtuav": "T_a.txt"}.items():
        assert export(trackers, tmp_path / layout, layout) == 1
        rows = read_rows(tmp_path / layout / name)
        np.testing.assert_allclose(polygon_to_box(rows) if layout == "matlab" else rows, BOXES, atol=1e-4)
        assert rows.shape[1] == (8 if layout == "matlab" else 4)
        assert ("," in (tmp_path / layout / name).read_text()) == (layout == "rgbt")
        assert set(find_trackers(tmp_path / layout, ["a"])) == {"T"}
    write_rows(tmp_path / "T" / "a.txt", box_to_polygon(BOXES))
    with pytest.raises(UserError, match="eight numbers"):
        export(trackers, tmp_path / "no", "rgbt")
    with pytest.raises(UserError, match="rgbt, matlab, vtuav"):
        export(trackers, tmp_path / "no", "octave")
    assert not (tmp_path / "no").exists()
