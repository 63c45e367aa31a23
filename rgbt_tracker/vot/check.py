"""``rgbt vot check``: a two-channel dry run before an evaluation of hours, with a diagnosis of what is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.common.files import temporary_folder
from nestfuse_core.common.reading import read_text
from rgbt_tracker.results.read import read_trajectory
from rgbt_tracker.results.regions import is_usable, region_to_box
from rgbt_tracker.vot.dataset import SequenceFolder, inspect_sequence, several_targets
from rgbt_tracker.vot.load import TOOLKIT, load_workspace, tracker_options
from rgbt_tracker.vot.session import Session, open_session

EXCERPT = 3
TOOLKIT_SECONDS = 300


@dataclass(frozen=True)
class Finding:
    """One checked thing. ``fatal``: an evaluation would fail or be wrong."""

    what: str
    good: bool
    detail: str
    fatal: bool = True


def check(workspace: str, tracker: str, device: str | None = None) -> Iterator[Finding]:
    """Look at all an evaluation needs, in the order in which it would fail; stops where nothing more can work."""
    try:
        require("vot", *TOOLKIT)
        yield Finding("toolkit", True, _versions())
        space = load_workspace(workspace)
        if tracker not in space.registry:
            names = ", ".join(space.registry.identifiers())
            raise UserError(f"Unknown tracker '{tracker}'; trackers.ini has {names}.")
        yield Finding("workspace", True, f"{space.directory}: {', '.join(space.stack.experiments)}")
    except UserError as error:
        yield Finding("workspace", False, str(error))
        return
    folders = [inspect_sequence(Path(item.metadata("root"))) for item in space.dataset]
    yield from _check_dataset(folders)
    try:
        session = _open(space.registry[tracker], device)
    except UserError as error:
        yield Finding("tracker", False, str(error))
        return
    yield Finding("tracker", True, f"{tracker} on {session.device}, {session.channels}")
    whole = [folder for folder in folders if not folder.problems]
    yield from _check_runs(session, whole)
    if whole:
        yield _check_toolkit(space, tracker, whole[0])


def _versions() -> str:
    names = ("vot-toolkit", "vot-trax", "attributee", "torch")
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def _open(tracker: Any, device: str | None) -> Session:
    options = tracker_options(tracker)
    return open_session(replace(options, device=device or options.device), log=lambda line: None)


def _check_dataset(folders: list[SequenceFolder]) -> Iterator[Finding]:
    for folder in folders:
        for problem in folder.problems:
            yield Finding(f"sequence {folder.name}", False, problem)
        further = several_targets(folder.root)
        if further:
            detail = f"{', '.join(further)} would be further targets to the toolkit's own experiments; ours ignore them"
            yield Finding(f"sequence {folder.name}", False, detail, fatal=False)
    yield from _check_paths(folders)
    good = sum(not folder.problems for folder in folders)
    yield Finding("sequences", good == len(folders), f"{good} of {len(folders)} complete, both channels readable")


def _check_paths(folders: list[SequenceFolder]) -> Iterator[Finding]:
    """The toolkit hands paths of frames to the tracker over TraX, whose messages end at the first accent."""
    odd = [folder for folder in folders if not str(folder.root).isascii()]
    if odd:
        detail = f"'{odd[0].root}' is not ASCII, and TraX takes no other path: {ASCII_ADVICE}"
        yield Finding("paths", False, detail)


def _check_runs(session: Session, folders: list[SequenceFolder]) -> Iterator[Finding]:
    """Start on the first frame of every sequence and follow the second."""
    failed = 0
    for folder in folders:
        try:
            _first_frames(session, folder)
        except Exception as error:
            failed += 1
            yield Finding(f"run {folder.name}", False, f"{type(error).__name__}: {error}")
    yield Finding("dry run", not failed, f"first frames of {len(folders) - failed} of {len(folders)} sequences")


def _first_frames(session: Session, folder: SequenceFolder) -> None:
    truth = read_trajectory(folder.root / "groundtruth.txt").regions
    start = next((index for index, region in enumerate(truth) if region is not None), None)
    if start is None:
        raise UserError("the ground truth has no box")
    region = truth[start]
    if not is_usable(region_to_box(np.asarray(region))):
        raise UserError(f"the first box {region} has no area")
    files = {channel: folder.channel_files(channel) for channel in session.channels}
    session.initialize(session.read({channel: paths[start] for channel, paths in files.items()}), np.asarray(region))
    following = min(start + 1, len(truth) - 1)
    session.update(session.read({channel: paths[following] for channel, paths in files.items()}))


def _check_toolkit(space: Any, tracker: str, folder: SequenceFolder) -> Finding:
    """``vot test`` on the first frames of a sequence: the handshake, both channels, regions over TraX."""
    with temporary_folder() as temporary:
        excerpt = temporary / folder.name
        _write_excerpt(folder, excerpt)
        command = [sys.executable, "-m", "vot", "--registry", os.fspath(Path(space.registry[tracker].source).parent)]
        try:
            process = subprocess.run(
                [*command, "test", tracker, "--sequence", str(excerpt)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=TOOLKIT_SECONDS,
                cwd=space.directory,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Finding(
                "vot test", False, f"no end after {TOOLKIT_SECONDS} s; the tracker may hang in the handshake"
            )
    if "concluded successfuly" in process.stdout:
        return Finding("vot test", True, f"{EXCERPT} frames of {folder.name} over TraX")
    return Finding("vot test", False, _diagnose(process.stdout))


def _write_excerpt(folder: SequenceFolder, target: Path) -> None:
    target.mkdir(parents=True)
    shutil.copyfile(folder.root / "sequence", target / "sequence")
    lines = read_text(folder.root / "groundtruth.txt", replace=True).splitlines()[:EXCERPT]
    (target / "groundtruth.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = read_text(target / "sequence", replace=True).splitlines()
    kept = [line for line in text if not line.lower().startswith("length")]
    (target / "sequence").write_text("\n".join([*kept, f"length={len(lines)}"]) + "\n", encoding="utf-8")
    for channel in ("color", "ir"):
        for file in folder.channel_files(channel)[: len(lines)]:
            copy = target / file.relative_to(folder.root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


ASCII_ADVICE = "move the workspace to a path without accents or other scripts, or use 'rgbt vot evaluate'"
CAUSES = {
    "illegal argument number": "TraX was given a path that is not ASCII (TMPDIR?), and takes no other",
    "does not have information for channel": "the sequence lacks a channel the tracker asks for",
    "Unable to connect to tracker": "the tracker ended before the handshake",
    "did not reply": "a frame took longer than the row's timeout; raise 'timeout' in trackers.ini, or use a GPU",
    "ModuleNotFoundError": "the tracker's Python does not find a module; see 'paths' in trackers.ini",
    "libcu": "CUDA libraries were not found: the toolkit replaces LD_LIBRARY_PATH, keep 'env_LD_LIBRARY_PATH'",
    "Tracker does not exist": "the toolkit does not find the row; give its folder with --registry",
}


def _diagnose(output: str) -> str:
    """The likely cause, and the last lines that say something."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and "@@TRAX" not in line]
    own = [line for line in lines if "[rgbt] Error" in line]
    cause = next((text for sign, text in CAUSES.items() if sign in output), "")
    return "; ".join(filter(None, [cause, *(own or lines[-3:])]))
