"""Names that decide no path."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.names import LONGEST, Name, safe_name
from nestfuse_core.common.sections import Section, validated


@given(st.text())
def test_a_safe_name_is_one_part_of_a_path_and_stays_itself(text):
    name = safe_name(text)
    for kind in (PurePosixPath, PureWindowsPath):
        assert kind("folder", name).parent == kind("folder") and kind(name).name == name
    assert 0 < len(name) <= LONGEST and not name.startswith(".") and name.isprintable() and safe_name(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("car10", "car10"),
        ("SiamRPN++_r50-v1.2", "SiamRPN++_r50-v1.2"),
        ("../../x", "x"),
        ("/tmp/T", "tmp_T"),
        ("a\nb", "a_b"),
        ("..", "unnamed"),
        ("cost_$5", "cost__5"),
    ],
)
def test_names(text, name):
    assert safe_name(text) == name


def test_a_configuration_s_name_is_refused_and_not_changed():
    class Named(Section):
        name: Name

    assert validated(Named, {"name": "a-1"}, "it").name == "a-1"
    with pytest.raises(UserError, match=r"it: 'name' = '/tmp/T': expected a name of letters.*such as 'tmp_T'"):
        validated(Named, {"name": "/tmp/T"}, "it")
