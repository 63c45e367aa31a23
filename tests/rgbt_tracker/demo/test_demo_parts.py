"""Uploads, the models behind the demo, and the command."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import natural_key
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.demo.engines import FrameFuser, TrackerFactory
from rgbt_tracker.demo.uploads import shown, suffix_of
from rgbt_tracker.sequences.base import Frame

relaxed = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"\x89PNG\r\n\x1a\n....", ".png"),
        (b"\xff\xd8\xff\xe0", ".jpg"),
        (b"BM....", ".bmp"),
        (b"II*\x00", ".tif"),
        (b"\x00\x00\x00\x20ftypisom", ".mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", ".mov"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", ".avi"),
        (b"\x1a\x45\xdf\xa3", ".mkv"),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"%PDF-1.7", None),
        (b"PK\x03\x04", None),
        (b"", None),
    ],
)
def test_kind_is_read_from_the_first_bytes(head: bytes, suffix: str | None):
    assert suffix_of(head) == suffix


@relaxed
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8, unique=True), st.text(max_size=5))
def test_names_sort_by_number(numbers: list[int], stem: str):
    stem = re.sub(r"\d", "", stem)
    names = [f"{stem}{number}.png" for number in numbers]
    assert sorted(names, key=natural_key) == [f"{stem}{number}.png" for number in sorted(numbers)]


class Named:
    def __init__(self, filename: str | None) -> None:
        self.filename = filename


@relaxed
@given(st.text(max_size=200))
def test_shown_names_are_short_and_hold_no_path(name: str):
    text = shown(Named(name))  # type: ignore[arg-type]
    assert len(text) <= 60 and "/" not in text and "\\" not in text and "\n" not in text


def test_real_trackers_of_all_modalities_share_their_network():
    trackers = TrackerFactory("nestfuse_nanotrack", "untrained", "cpu")
    rgb = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    for modality in ("rgbt", "rgb", "ir"):
        first, second = trackers(modality), trackers(modality)
        assert first is not second and first.runtime is second.runtime
        assert first.config.modality == modality
        first.add(rgb, rgb[..., 0], (50, 40, 30, 20))
        assert np.isfinite(first.update(rgb, rgb[..., 0])[1].box).all()


def test_fusing_uses_the_given_weights_and_needs_both_images(tmp_path: Path):
    import torch

    from nestfuse_core import NestFuse

    torch.manual_seed(0)
    torch.save(NestFuse().state_dict(), tmp_path / "weights.pt")
    fuse = FrameFuser(tmp_path / "weights.pt")
    rgb = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    running = {}
    fused = fuse(Frame(0, rgb, rgb[..., 0]), "max", running)
    assert fused.shape == rgb.shape and fused.dtype == np.uint8 and list(running) == ["max"]
    # The next frame of the pair keeps the levels, though all of it became darker.
    darker = fuse(Frame(1, rgb // 2, rgb[..., 0] // 2), "max", running)
    alone = fuse(Frame(1, rgb // 2, rgb[..., 0] // 2), "max", {})
    assert (darker != alone).any() and list(running) == ["max"]
    with pytest.raises(UserError, match="visible and a thermal"):
        fuse(Frame(0, rgb, None), "max", {})
    with pytest.raises(UserError, match="did you mean 'nuclear'"):
        fuse(Frame(0, rgb, rgb[..., 0]), "nuclea", {})


def run(*arguments: str):
    return CliRunner().invoke(build_app(), ["demo", *arguments])


def test_a_taken_port_and_a_wrong_name_are_said_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("--port", str(taken.getsockname()[1]))
    assert isinstance(result.exception, UserError) and "give another --port" in str(result.exception)
    assert isinstance(run("--config", "nestfuse_nanotrak").exception, UserError)
