"""The sentence for a missing extra."""

import sys

import pytest

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require


def test_what_is_there_passes():
    require("report", "json", "email.message")


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UserError) as error:
        require("report", "json", "jinja2")
    expected = "This needs 'jinja2', which is not installed: type pip install \"rgbt-tracker[report]\"."
    assert str(error.value) == expected


def test_a_package_that_fails_says_why(monkeypatch, tmp_path):
    (tmp_path / "broken_toolkit.py").write_text("raise TypeError('made for another attributee')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"cannot be imported \(made for another attributee\).*\[vot\].*Linux"):
        require("vot", "broken_toolkit")


def test_a_missing_part_of_a_package_is_no_missing_package(monkeypatch, tmp_path):
    (tmp_path / "half_toolkit.py").write_text("import not_there_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"'half_toolkit', which cannot be imported \(No module named 'not_there"):
        require("bench", "half_toolkit")
