"""Which files belong together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.cameras.names import WORDS, scene_key
from nestfuse_core.common.errors import UserError
from nestfuse_core.fusion.pairs import match_folders, match_results


@pytest.fixture
def folder(tmp_path):
    def make(name: str, *files: str):
        path = tmp_path / name
        path.mkdir(exist_ok=True)
        for file in files:
            (path / file).touch()
        return path

    return make


@pytest.mark.parametrize(
    ("stem", "key", "role"),
    [
        ("IR1", "1", "infrared"),
        ("VIS10", "10", "visible"),
        ("00012_rgb", "12", "visible"),
        ("thermal-img_003", "img_3", "infrared"),
        ("FLIR_0003", "flir_3", None),
        ("video1", "video1", None),
        ("night", "night", None),
        ("scene_T", "scene", "infrared"),
        ("Fused_07", "7", "fused"),
        ("visible", "", "visible"),
        ("I00001_lwir", "i1", "infrared"),  # KAIST
        ("I00001_visible", "i1", "visible"),
        ("DJI_20240501120000_0007_T", "dji_20240501120000_7", "infrared"),
        ("DJI_20240501120000_0007_W", "dji_20240501120000_7", "visible"),
        ("DJI_0007_V", "dji_7", "visible"),
        ("1700000000.0333", "1700000000.0333", None),
        ("1700000000.333", "1700000000.333", None),
        ("cafe\u0301_ir", "caf\u00e9", "infrared"),
    ],
)
def test_names_without_camera_words(stem, key, role):
    assert scene_key(stem) == (key, role)


@given(
    st.from_regex(r"[a-z]{3,6}[_-][0-9]{1,4}", fullmatch=True).filter(lambda name: scene_key(name)[1] is None),
    st.sampled_from(WORDS["infrared"]),
    st.sampled_from(WORDS["visible"]),
    st.sampled_from("_-. "),
    st.booleans(),
)
def test_words_before_or_after_the_name_do_not_matter(name, infrared, visible, separator, before):
    def decorated(word):
        return f"{word}{separator}{name}" if before else f"{name}{separator}{word.upper()}"

    assert scene_key(decorated(infrared)) == (scene_key(name)[0], "infrared")
    assert scene_key(decorated(visible)) == (scene_key(name)[0], "visible")


def test_one_folder_for_both_cameras(folder):
    both = folder("tno", "IR1.png", "VIS1.png", "IR10.png", "VIS10.png", "IR2.png", "VIS2.png", "readme.png")
    pairs, alone = match_folders(both, both)
    assert [(pair.name, pair.ir.name) for pair in pairs] == [
        ("VIS1", "IR1.png"),
        ("VIS2", "IR2.png"),
        ("VIS10", "IR10.png"),
    ]
    assert alone == 0


@pytest.mark.parametrize(
    ("ir", "vis"),
    [
        ("0001.png", "0001.jpg"),
        ("1.png", "0001.jpg"),
        ("img_01_ir.tiff", "img_01_rgb.png"),
        ("v1.png", "v1.png"),
        ("rgb_1.png", "rgb_1.png"),
        ("000_LWIR.png", "000_visible.png"),
        ("I00001_lwir.png", "I00001_visible.png"),
        ("DJI_0002_T.JPG", "DJI_0002_W.JPG"),
        ("DJI_20240501120000_0007_T.JPG", "DJI_20240501120000_0007_V.JPG"),
        ("stra\u00dfe_u\u0308ber.png", "stra\u00dfe_\u00fcber.png"),
    ],
)
def test_two_folders(folder, ir, vis):
    pairs, _ = match_folders(folder("a", ir), folder("b", vis))
    assert [(pair.ir.name, pair.vis.name) for pair in pairs] == [(ir, vis)]


def test_pairs_whose_names_are_times_are_in_order_of_time(folder):
    names = [f"{1_700_000_000 + index / 30}.png" for index in range(40)]
    pairs, _ = match_folders(folder("a", *names), folder("b", *names))
    assert [pair.vis.name for pair in pairs] == [pair.ir.name for pair in pairs] == names


def test_a_folder_that_holds_more_than_its_camera(folder):
    pairs, _ = match_folders(folder("a", "1_ir.png", "1_vis.png"), folder("b", "1.png"))
    assert [(pair.ir.name, pair.vis.name) for pair in pairs] == [("1_ir.png", "1.png")]


def test_a_missing_partner(folder):
    ir, vis = folder("a", "1.png", "2.png"), folder("b", "1.png", "2.png", "3.png")
    with pytest.raises(
        UserError, match=r"No infrared partner for the visible image '3\.png' \(1 without .*--skip-unpaired"
    ):
        match_folders(ir, vis)
    pairs, alone = match_folders(ir, vis, skip_unpaired=True)
    assert len(pairs) == 2 and alone == 1


def test_folders_that_do_not_serve(folder, tmp_path):
    full = folder("a", "1.png")
    with pytest.raises(UserError, match="Expected a folder of infrared images at"):
        match_folders(tmp_path / "absent", full)
    with pytest.raises(UserError, match="holds no visible image"):
        match_folders(full, folder("empty"))
    with pytest.raises(UserError, match=r"such as '1\.png'\) fits a visible one .*such as 'x\.png'\) by name"):
        match_folders(full, folder("b", "x.png"))
    with pytest.raises(UserError, match=r"'01\.png' and '1\.png' .* stand for one scene"):
        match_folders(folder("c", "01.png", "1.png"), full)


class TestResults:
    @pytest.mark.parametrize("name", ["VIS{}.png", "{}.png", "fused_{}.jpg", "IR{}.png", "nestfuse_1e2_avg_{}.png"])
    def test_names_of_other_methods(self, folder, name):
        both = folder("tno", "IR1.png", "VIS1.png", "IR10.png", "VIS10.png")
        pairs, _ = match_folders(both, both)
        results = match_results(pairs, folder("out", name.format(1), name.format(10)))
        assert [results[pair.name].name for pair in pairs] == [name.format(1), name.format(10)]

    def test_a_missing_result(self, folder):
        both = folder("tno", "IR1.png", "VIS1.png", "IR2.png", "VIS2.png")
        pairs, _ = match_folders(both, both)
        with pytest.raises(UserError, match=r"No fused image for 'VIS2\.png' .*holds 'VIS1\.png'.*such as 'VIS2\.png'"):
            match_results(pairs, folder("out", "VIS1.png"))
