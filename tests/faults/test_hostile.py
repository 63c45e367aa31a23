"""Hostile inputs of every kind are refused: the table of `hostile.py`, as a test."""

from __future__ import annotations

import warnings

import pytest


@pytest.mark.parametrize("kind", ["checkpoints", "documents", "exports", "data", "workspaces", "servers", "requests"])
def test_nothing_hostile_gets_through(kind, tmp_path):
    if kind == "workspaces":
        pytest.importorskip("vot", reason="needs the extra: pip install -e '.[vot]'")
        pytest.importorskip("trax", reason="needs the extra: pip install -e '.[vot]'")
    if kind == "exports":
        pytest.importorskip("onnx", reason="needs the extra: pip install -e '.[export]'")
    if kind == "requests":
        pytest.importorskip("fastapi", reason="needs the extra: pip install -e '.[demo]'")
    from hostile import outcomes
    from judge import REFUSALS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about the kinds of tensors that are tried
        found = outcomes(kind, tmp_path)
    assert len(found) > 40
    assert [(name, verdict, said) for name, verdict, said in found if verdict != REFUSALS] == []
