"""Recipes: typed, unknown keys refused, paths relative to the file."""

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import config_directory
from rgbt_tracker.training.recipe import load_recipe, write_recipe


def test_relative_paths_are_relative_to_the_recipe(recipe_file, tmp_path):
    path = recipe_file(data={"sources": [{"crops": "here"}]})
    recipe = load_recipe(path)
    assert recipe.data.sources[0].crops == tmp_path / "here"
    assert recipe.model == str(tmp_path / "tiny.yaml")


def test_written_recipe_reads_back_the_same(recipe_file, tmp_path):
    recipe = load_recipe(recipe_file())
    write_recipe(recipe, tmp_path / "copy.yaml")
    assert load_recipe(tmp_path / "copy.yaml") == recipe


def test_changes_by_dotted_key(recipe_file):
    recipe = load_recipe(recipe_file(), {"steps": 9, "optimiser.rate": 0.5})
    assert (recipe.steps, recipe.optimiser.rate) == (9, 0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stepz": 3}, "did you mean 'steps'"),
        ({"optimiser": {"rat": 1}}, "did you mean 'rate'"),
        ({"steps": 0}, "steps"),
        ({"data": {"sources": []}}, "sources"),
        ({"data": {"sources": [{"weight": 1}]}}, "needs 'crops', 'photos' or 'objects'"),
        ({"backbone": {"unfreeze": [{"from_step": 9, "layers": ["a"]}, {"from_step": 3, "layers": ["b"]}]}}, "ascend"),
    ],
)
def test_bad_recipes_are_refused(recipe_file, changes, message):
    with pytest.raises(UserError, match=message):
        load_recipe(recipe_file(**changes))


def test_missing_recipe_names_those_of_the_package():
    with pytest.raises(UserError, match="official"):
        load_recipe("offical")


@pytest.mark.parametrize("path", sorted((config_directory() / "training").glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_of_the_package_are_valid(path):
    assert load_recipe(path).name
