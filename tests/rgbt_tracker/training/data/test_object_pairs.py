"""Pairs of objects as training scenes: which are taken, where the box is, which camera sees the target."""

import json

import cv2
import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.training.augmentation.matching import match_thermal
from rgbt_tracker.training.data.object_pairs import balanced, read_object_pairs, shows_object
from rgbt_tracker.training.data.samples import SampleMaker
from rgbt_tracker.training.data.sources import Sources
from rgbt_tracker.training.loop.trainer import Trainer
from rgbt_tracker.training.material import Data, Source
from rgbt_tracker.training.recipe import load_recipe


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def ellipse(height, width, inside, outside):
    image = np.full((height, width), outside, np.uint8)
    cv2.ellipse(image, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, inside, -1)
    image[height // 2 - 4 : height // 2 + 4, ::6] = outside  # something sharp
    return image


@pytest.fixture
def folders(tmp_path):
    """Red, warm ellipses as objects, two of them with masks; grey scenes; a dull photograph."""
    rows = []
    for number in range(6):
        kind, light = ("car", "day") if number < 4 else ("person", "night")
        height, width = (60, 96) if kind == "car" else (90, 40)
        name = f"{kind}{number}.png"
        red, warm = ellipse(height, width, 230, 60), ellipse(height, width, 200, 80)
        write(tmp_path / "objects" / "rgb" / name, np.dstack([np.full_like(red, 60)] * 2 + [red]))
        write(tmp_path / "objects" / "ir" / name, warm)
        if number % 3 == 0:
            solid = cv2.ellipse(
                np.zeros((height, width), np.uint8),
                (width // 2, height // 2),
                (width // 2 - 1, height // 2 - 1),
                *(0, 0, 360, 255, -1),
            )
            write(tmp_path / "masks" / "rgb" / name, solid)
        rows.append({"file": name, "object": kind, "light": light, "source_size": [width, height], "split": "train"})
    rows.append({"file": "none.png", "object": "car", "light": "day", "source_size": [19, 40], "split": "train"})
    rows.append({"file": "none.png", "object": "car", "light": "day", "source_size": [90, 40], "split": "val"})
    (tmp_path / "objects" / "index.json").write_text(json.dumps(rows))
    for name in ("a.png", "b.png"):
        write(tmp_path / "scenes" / "visible" / name, np.full((300, 500, 3), 60, np.uint8))
        write(tmp_path / "scenes" / "infrared" / name, np.full((300, 500), 90, np.uint8))
    write(tmp_path / "photos" / "p.png", np.full((288, 400, 3), 60, np.uint8))
    return tmp_path


def source(folders, **changes):
    settings = {"objects": folders / "objects", "masks": folders / "masks", "scenes": folders / "scenes"} | changes
    return Sources(Data(sources=(Source(**settings),))).sources[0]


def red_bounds(image):
    """(x, y, w, h) of what is clearly red: half-way from the scene's colour to the object's."""
    red = image[..., 2].astype(int) - image[..., 0]
    rows, columns = np.nonzero(red > red[186:197, 186:197].max() / 2)
    return columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1


@pytest.mark.parametrize("before", ["scenes", "photos"])
def test_the_box_bounds_the_red_pixels_and_both_cameras_see_them_there(folders, before, monkeypatch):
    monkeypatch.setattr("rgbt_tracker.training.data.sources.passers", lambda rng: 0)
    monkeypatch.setattr("rgbt_tracker.training.data.sources.OUTLINED", 1.0)
    drawn = source(folders, one_camera=0.0, **({"scenes": None} | {before: folders / before}))
    for seed in range(8):
        for view in drawn.draw(np.random.default_rng(seed)):
            x, y, w, h = view.box
            np.testing.assert_allclose(red_bounds(view.images["rgb"]), view.box, atol=3)
            assert (w + (w + h) / 2) * (h + (w + h) / 2) == pytest.approx(127**2, rel=0.4)
            thermal = view.images["ir"][..., 0].astype(float)
            inside = thermal[int(y + h / 4) : int(y + 3 * h / 4), int(x + w / 4) : int(x + 3 * w / 4)].mean()
            assert abs(inside - thermal[:20].mean()) > 2 and view.blind is None


def test_the_same_seed_gives_the_same_pair(folders):
    one, two = (source(folders, photos=folders / "photos").draw(np.random.default_rng(5)) for _ in range(2))
    for first, second in zip(one, two, strict=True):
        assert first.box == second.box
        assert all((first.images[name] == second.images[name]).all() for name in ("rgb", "ir"))
    other = source(folders, photos=folders / "photos").draw(np.random.default_rng(6))
    assert (one[0].images["rgb"] != other[0].images["rgb"]).any()


def test_exactly_one_camera_sees_the_target_in_the_share_that_is_asked_for(folders, monkeypatch):
    monkeypatch.setattr("rgbt_tracker.training.data.sources.passers", lambda rng: 0)
    drawn = source(folders, one_camera=0.4)
    pairs = [drawn.draw(np.random.default_rng(seed)) for seed in range(60)]
    found = []
    for _, search in pairs:
        red = search.images["rgb"].astype(int)
        contrast = {
            "rgb": (red[..., 2] - red[..., 0])[186:197, 186:197].mean() / 170,
            "ir": np.ptp(cv2.GaussianBlur(search.images["ir"][..., 0], (0, 0), 3).astype(int)) / 48,
        }
        unseen = [name for name in ("rgb", "ir") if contrast[name] < 0.25]
        if search.blind is not None:
            assert search.blind in unseen and contrast["rgb" if search.blind == "ir" else "ir"] > contrast[search.blind]
        found.append(search.blind)
    assert 0.2 < np.mean([blind is not None for blind in found]) < 0.6
    assert {"rgb", "ir"} <= set(found)
    before = [template.blind for template, search in pairs if search.blind is not None]
    assert {None} < set(before)


def test_a_step_of_one_modality_shows_the_camera_that_sees(folders, recipe_file, tmp_path, monkeypatch):
    sources = [{"objects": str(folders / "objects"), "scenes": str(folders / "scenes"), "one_camera": 1.0}]
    data = {"sources": sources, "paired": 0.0, "workers": 0, "negatives": 0.0}
    recipe = load_recipe(recipe_file(data=data, augment={"colour": 0.0}))
    asked = []
    draw = Sources.pair
    monkeypatch.setattr(Sources, "pair", lambda *args: asked.append(draw(*args)) or asked[-1])
    images = SampleMaker._images
    monkeypatch.setattr(SampleMaker, "_images", lambda *args: asked.append(args[4]) or images(*args))
    maker = Trainer(recipe, tmp_path / "run").batches()[0]
    for step in range(6):
        maker.sample(step, 0)
    for pair, names in zip(asked[::2], asked[1::2], strict=True):
        assert pair[1].blind is not None and pair[1].blind not in names


def test_what_is_warmer_than_its_surroundings_stays_so():
    picture, mask = ellipse(60, 60, 120, 100), ellipse(60, 60, 255, 0)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        scene = rng.integers(40, 120, (50, 50), dtype=np.uint8)
        matched = match_thermal(rng, picture, mask, scene).astype(float)
        assert matched[mask > 127].mean() > matched[mask < 127].mean()
        assert matched[mask < 127].mean() == pytest.approx(scene.mean(), abs=20)
        assert not (match_thermal(rng, 220 - picture, mask, scene)[mask > 127].mean() > scene.mean() + 15)


def test_small_ones_and_those_of_other_splits_are_left_out(folders):
    pairs = read_object_pairs(folders / "objects")
    assert [pair.file for pair in pairs] == [f"car{i}.png" for i in range(4)] + ["person4.png", "person5.png"]
    assert pairs[0].length == 96
    assert [pair.group[0] for pair in balanced(pairs, 4)] == ["person", "car", "person", "car"]
    assert len(balanced(pairs, None)) == len(balanced(pairs, 100)) == 6


def test_blurred_ones_and_those_beyond_a_cameras_edge_are_left_out():
    rng = np.random.default_rng(0)
    sharp = rng.integers(40, 255, (90, 60, 3), dtype=np.uint8)
    blurred = cv2.resize(rng.integers(40, 255, (3, 2, 3), dtype=np.uint8), (60, 90), interpolation=cv2.INTER_CUBIC)
    assert shows_object(sharp, blurred[..., 0]) and shows_object(blurred, sharp[..., 0])
    assert not shows_object(blurred, blurred[..., 0])
    sharp[:, :10] = 0
    assert not shows_object(sharp, sharp[..., 0])


def test_bad_input(folders):
    with pytest.raises(ValueError, match="'objects' needs 'scenes', 'photos' or both"):
        Source(objects=folders / "objects")
    with pytest.raises(UserError, match=r"No mask of an object in .*nowhere.*rgbt data masks"):
        source(folders, masks=folders / "nowhere")
    (folders / "scenes" / "infrared" / "b.png").unlink()
    with pytest.raises(UserError, match=r"Expected a thermal picture .*b\.png.*found none"):
        source(folders)
    index = folders / "objects" / "index.json"
    for content, problem in (("[{}]", "key 'file'"), ("{", "not valid JSON"), ("[]", "two or more training objects")):
        index.write_text(content)
        with pytest.raises(UserError, match=problem):
            read_object_pairs(index.parent)
    index.write_text(json.dumps([{"file": "a", "object": "car", "source_size": 3}]))
    with pytest.raises(UserError, match=r"row 0: expected source_size \[w, h\], got 3"):
        read_object_pairs(index.parent)
    index.unlink()
    with pytest.raises(UserError, match=r"Expected index.json with the pairs"):
        read_object_pairs(index.parent)
