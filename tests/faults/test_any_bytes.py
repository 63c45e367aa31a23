"""Whatever bytes a file holds, its reader reads them or says in a sentence why not."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nestfuse_core.common.archives import unpack
from nestfuse_core.common.arrays import read_arrays
from nestfuse_core.common.checkpoints import read_checkpoint, state_dict_of
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pages import PageReader
from nestfuse_core.common.pictures import natural_key, read_image
from nestfuse_core.common.sections import read_json, read_yaml
from nestfuse_core.rig.file import read_rig
from rgbt_tracker.boxes import check_box
from rgbt_tracker.config import load_config
from rgbt_tracker.config.homography import read_homography
from rgbt_tracker.output.resume import State
from rgbt_tracker.results.maps import read_maps
from rgbt_tracker.results.read import read_frames, read_one_pass, read_trajectory
from rgbt_tracker.sequences.annotations import read_annotation, read_tags
from rgbt_tracker.sequences.folders import read_properties
from rgbt_tracker.training.data.crop_set import read_index
from rgbt_tracker.training.data.stills import read_stills
from rgbt_tracker.training.recipe import load_recipe
from rgbt_tracker.vot.dataset import inspect_sequence


class Reader(NamedTuple):
    """What reads a file of this name, and bytes that it takes."""

    name: str
    read: Callable[[Path], Any]
    sound: bytes


def _saved(write: Callable[[io.BytesIO], Any]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _zipped(buffer: io.BytesIO) -> None:
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", "1,2,3,4\n" * 9)


PNG = cv2.imencode(".png", np.arange(48, dtype=np.uint16).reshape(6, 8))[1].tobytes()
TIFF = cv2.imencode(".tif", np.arange(48, dtype=np.uint16).reshape(6, 8))[1].tobytes()
WEIGHTS = _saved(lambda to: torch.save({"a": torch.ones(9)}, to))
FACTS = b"fps=30\nlength=3\nchannels.color=c/%08d.jpg\n"
STUMBLING = [b"", b"nan", b"1e400", b"-1", b"[", b"{", b"\0", b"\xff", b"9" * 20, "²".encode(), b"%", b"&a"]
BOXES = b"1,2,30,40\n2,3,30,40\nnan,nan,nan,nan\n"
YAML = b"name: a\nmodel:\n  backbone: {type: alexnet}\ntracking: {penalty: 0.1}\n"
RECIPE = b"name: a\nmodel: nestfuse_nanotrack\nsteps: 3\nbatch: 2\ndata: {sources: [{crops: x}]}\n"
STATE = {
    "made_with": np.array(json.dumps({"start": 0, "boxes": {"0": [1, 2, 3, 4]}})),
    "boxes": np.ones((2, 4)),
    "scores": np.ones(2),
    "seconds": np.ones(2),
    "cameras": np.ones(2, np.uint8),
}
ROW = {"sequence": "a", "modality": "rgb", "frame": 1, "file": "rgb/a.jpg", "box": [1, 2, 3, 4]}
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg"}],
    "annotations": [{"image_id": 1, "bbox": [1, 2, 30, 40], "category_id": 1}],
    "categories": [{"id": 1, "name": "person"}],
}
READERS = [
    Reader("a.yaml", read_yaml, YAML),
    Reader("b.yaml", load_config, YAML),
    Reader("c.yaml", load_config, b"BACKBONE: {TYPE: alexnet}\nTRACK: {LR: 0.3}\n"),
    Reader(
        "d.yaml",
        load_recipe,
        b"name: a\nmodel: nestfuse_nanotrack\nsteps: 3\nbatch: 2\ndata: {sources: [{crops: x}]}\n",
    ),
    Reader("rig.yaml", read_rig, b"offset: 0.1\nvisible: [64, 48]\nthermal: [32, 24]\n"),
    Reader("a.json", read_json, b'{"a": [1, 2.5, null]}'),
    Reader("coco.json", read_stills, json.dumps(COCO).encode()),
    Reader("index.json", lambda file: read_index(file.parent), json.dumps([ROW]).encode()),
    Reader("a.csv", read_stills, b"path,x,y,w,h\na.jpg,1,2,30,40\n"),
    Reader("a.npz", lambda file: read_arrays(file, "arrays"), _saved(lambda to: np.savez(to, a=np.ones(3)))),
    Reader("a_maps.npz", lambda file: read_maps(file, 2), _saved(lambda to: np.savez(to, windows=np.ones((2, 4))))),
    Reader("a_state.npz", lambda file: State.read(file).given, _saved(lambda to: np.savez(to, **STATE))),
    Reader("a.npy", lambda file: read_homography(str(file)), _saved(lambda to: np.save(to, np.eye(3)))),
    Reader("h.json", lambda file: read_homography(str(file)), b"[[1,0,0],[0,1,0],[0,0,1]]"),
    Reader("a.pt", lambda file: state_dict_of(read_checkpoint(file)), WEIGHTS),
    Reader("a.zip", lambda file: unpack(file, file.parent / "unpacked", 10_000), _saved(_zipped)),
    Reader("a.png", read_image, PNG),
    Reader("a.tif", read_image, TIFF),
    Reader("pages.tif", lambda file: PageReader(file).read(0), TIFF),
    Reader("groundtruth.txt", read_annotation, BOXES),
    Reader("one.txt", read_one_pass, BOXES),
    Reader("vot.txt", read_trajectory, b"1\n1,2,30,40\n2\n0\n"),
    Reader("vot.bin", read_trajectory, struct.pack("<hIBIBffff", 1, 2, 0, 1, 1, 1, 2, 30, 40)),
    Reader("a_frames.csv", read_frames, b"frame,time,rgb,ir,cameras\n0,0.0,0,0,rgb+ir\n"),
    Reader(
        "sequence",
        lambda file: (read_properties(file), inspect_sequence(file.parent)),
        b"fps=30\nlength=3\nchannels.color=c/%08d.jpg\n",
    ),
    Reader("a.tag", lambda file: read_tags(file.parent, 3), b"1\n0\n1\n"),
]


@st.composite
def damaged(draw, sound: bytes) -> bytes:
    """The sound bytes with some parts changed, left out, doubled, or replaced by what parsers stumble over."""
    data = sound
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.integers(0, 12)))
        piece = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(
                    [b"", b"nan", b"1e400", b"-1", b"[", b"{", b"\0", b"\xff", b"9" * 20, "²".encode(), b"%", b"&a"]
                ),
                st.just(data[start:stop] * 2),
            )
        )
        data = data[:start] + piece + data[stop:]
    return data


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_any_bytes_are_read_or_refused(place, reader):
    folder = place / reader.name.replace(".", "_")
    folder.mkdir()
    file = folder / reader.name
    file.write_bytes(reader.sound)
    reader.read(file)

    @given(st.one_of(damaged(reader.sound), st.binary(max_size=200)))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def read(data):
        file.write_bytes(data)
        try:
            reader.read(file)
        except UserError as error:
            assert "\n" not in str(error) and len(str(error)) < 1500

    with np.errstate(all="ignore"):
        read()


@given(st.text(max_size=30))
def test_any_name_can_be_sorted(name):
    assert natural_key(name) <= natural_key(name + "1")


@given(st.lists(st.floats(), max_size=6))
def test_any_box_is_taken_or_refused(values):
    try:
        x, y, w, h = check_box(values, 64, 48)
    except UserError:
        return
    assert 0.1 <= w <= 128 and 0.1 <= h <= 96 and x < 64 and y < 48 and x + w > 0 and y + h > 0
