"""Annotations and attributes in the benchmarks' layouts."""

import numpy as np
import pytest
import scipy.io
from sequence_files import LAYOUTS, write_sequence

from nestfuse_core.common.errors import UserError
from rgbt_tracker.evaluation.benchmark import load_benchmark, load_regions, read_benchmark
from rgbt_tracker.evaluation.groundtruth import find_sequences
from rgbt_tracker.evaluation.protocols import PROTOCOLS
from rgbt_tracker.results.write import write_rows

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
        assert len(annotation.truths) == (2 if benchmark.rules.both_cameras and layout != "vot" else 1)
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


def test_a_folder_of_results_is_no_ground_truth(world):
    with pytest.raises(UserError, match="found neither"):
        find_sequences(world.one_pass)


def test_a_single_sequence_is_found_by_its_own_folder(tmp_path):
    write_sequence(tmp_path / "one", "rgbt234", BOXES)
    for root in (tmp_path, tmp_path / "one"):
        assert list(find_sequences(root)) == ["one"]
        assert list(load_benchmark("rgbt234", root).sequences) == ["one"]


def test_some_of_the_sequences_from_several_folders(tmp_path):
    for place, name in (("train", "a"), ("train", "b"), ("test", "c")):
        write_sequence(tmp_path / place / name, "rgbt234", BOXES)
    assert list(find_sequences(tmp_path)) == ["a", "b", "c"]
    assert list(load_benchmark("rgbt234", tmp_path).sequences) == ["a", "b"]  # the largest folder is the benchmark
    assert set(read_benchmark("rgbt234", PROTOCOLS["rgbt234"], tmp_path, ["a", "c"]).sequences) == {"a", "c"}


def test_regions_and_sizes_of_both_vot_layouts(tmp_path):
    write_sequence(tmp_path / "full" / "a", "vot", BOXES)
    with (tmp_path / "full" / "a" / "sequence").open("a") as file:
        file.write("width=32\nheight=24\n")
    regions = load_regions(tmp_path / "full")["a"]
    assert regions.size == (32, 24) and len(regions.truth.regions[0]) == 8
    assert regions.tags["occlusion"].tolist() == [False, True, False, True]
    np.testing.assert_allclose(regions.truth.boxes, BOXES)
    write_rows(tmp_path / "flat" / "a.txt", BOXES)
    flat = load_regions(tmp_path / "flat")["a"]
    assert flat.size is None and len(flat.truth.regions[0]) == 4


def test_cameras_of_unequal_length_under_the_plain_protocol(tmp_path):
    write_rows(tmp_path / "a" / "visible.txt", BOXES)
    write_rows(tmp_path / "a" / "infrared.txt", BOXES[:3])
    first, second = load_benchmark("plain", tmp_path).sequences["a"].truths
    assert len(first) == len(second) == 4 and np.isnan(second[3]).all()


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
