"""Sequence folders of the public datasets: VOT's, and those with one sub-folder for each camera."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from nestfuse_core.cameras.files import check_partners, list_frames
from nestfuse_core.cameras.names import CAMERAS, WORDS, composed, without_role
from nestfuse_core.cameras.sources import ImageFiles
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.names import safe_name
from nestfuse_core.common.pictures import SUFFIXES
from nestfuse_core.common.reading import read_text
from nestfuse_core.rig.file import Rig, choose_rig
from rgbt_tracker.sequences.annotations import annotate
from rgbt_tracker.sequences.base import FrameSequence, SequenceInfo
from rgbt_tracker.sequences.paired import PairedSequence, shape_notes
from rgbt_tracker.sequences.rigged import lay

ROLES = {"rgb": "visible", "ir": "infrared"}
SHORTEST = 2
"""Letters of a word that tells a camera beside others: of "sequence_v" and "sequence_i" nobody knows."""
CHANNELS = {"rgb": ("color", "rgb", "visible"), "ir": ("ir", "infrared", "thermal")}
NUMBER = re.compile(r"%0?(\d*)d")


def is_sequence(folder: Path) -> bool:
    """Whether the folder looks like one sequence of a known layout."""
    if not folder.is_dir():
        return False
    return (folder / "sequence").is_file() or len(camera_folders(folder)) == 2


def camera_folders(folder: Path) -> dict[str, Path]:
    """Return "rgb" and "ir" -> the sub-folder with that camera's frames, as far as they are there.

    A folder is called by a word for its camera (``visible``, ``v``, ``lwir``); else, if that leaves no doubt, has such
    a word beside others (``ir_gray``); a visible one may also be called as the thermal one without its word (``img``
    and ``img_thermal``).
    """
    children = {composed(path.name).lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    found = {
        camera: next((children[word] for word in WORDS[role] if word in children), None)
        for camera, role in ROLES.items()
    }
    if len(children) > 1 and None in found.values():
        found.update({camera: found[camera] or path for camera, path in _by_part(children).items()})
    return {camera: path for camera, path in found.items() if path}


def _by_part(children: dict[str, Path]) -> dict[str, Path]:
    """ "rgb" and "ir" -> the one folder of frames whose name holds a word for that camera, if it is one."""
    parts = {name: without_role(name, SHORTEST) for name in children}
    named = {
        camera: [name for name, (_, role) in parts.items() if role == wanted and _holds_frames(children[name])]
        for camera, wanted in ROLES.items()
    }
    if not named["rgb"] and len(named["ir"]) == 1:
        rest = parts[named["ir"][0]][0].strip("-_. ")
        named["rgb"] = [rest] if rest in children and _holds_frames(children[rest]) else []
    return {camera: children[names[0]] for camera, names in named.items() if len(names) == 1}


def _holds_frames(folder: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES for path in folder.iterdir())


def open_folder(folder: Path, rig: str | Path | Rig | None = None) -> FrameSequence:
    """Open a sequence folder of any known layout; ``rig`` as of `rgbt_tracker.sequences.pairs.open_pair`.

    VOT: a file ``sequence`` with ``channels.color`` and ``channels.ir``. RGBT234, RGBT210, LasHeR: ``visible`` and
    ``infrared``. GTOT: ``v`` and ``i``. VTUAV: ``rgb`` and ``ir``, boxes every 10 frames.

    Raises:
        UserError: another layout, missing or extra frames, unreadable annotations.
    """
    chosen, notes = choose_rig(rig, folder)
    sequence = _opened(folder)
    sequence.info.notes += notes
    if sequence.info.groundtruth is None and (chosen is None or chosen.homography is None):
        # A recording of one's own; annotated ones are laid on each other.
        with suppress(UserError):  # a first frame that is damaged is named when it is needed
            sequence.info.notes += shape_notes(sequence)
    return lay(sequence, chosen)


def _opened(folder: Path) -> PairedSequence:
    if (folder / "sequence").is_file():
        return _open_vot(folder)
    cameras = camera_folders(folder)
    if len(cameras) < 2:
        inside = ", ".join(sorted(path.name for path in folder.iterdir())[:6]) or "nothing"
        raise UserError(
            f"Expected a sequence in '{folder}': a VOT directory with a file 'sequence', or two folders of frames such "
            f"as visible and infrared, v and i, or rgb and ir; found {inside}. Other names: --rgb FOLDER --ir FOLDER."
        )
    files = {camera: list_frames(path) for camera, path in cameras.items()}
    notes = check_partners(files["rgb"], files["ir"])
    info = SequenceInfo(last_part(folder), len(files["rgb"]), source=str(folder), notes=notes)
    annotate(info, folder)
    return PairedSequence(info, ImageFiles(files["rgb"], "rgb"), ImageFiles(files["ir"], "ir"))


def last_part(path: Path) -> str:
    """Return the last part of a path."""
    return path.resolve().name if path.name in ("", ".", "..") else path.name


def _open_vot(folder: Path) -> PairedSequence:
    facts = read_properties(folder / "sequence")
    files: dict[str, list[Path]] = {}
    for camera, names in CHANNELS.items():
        pattern = next((facts[f"channels.{name}"] for name in names if f"channels.{name}" in facts), None)
        if pattern:
            files[camera] = _channel(folder, pattern, camera)
    if not files:
        # The toolkit's default for sequences of one camera.
        files["rgb"] = _channel(folder, "color/%08d.jpg", "rgb")
    notes = check_partners(files["rgb"], files["ir"]) if len(files) == 2 else []
    length = len(next(iter(files.values())))
    _check_complete(folder, facts, files, length)
    info = SequenceInfo(
        facts.get("name") or last_part(folder),
        length,
        fps=_number(facts.get("fps"), 30.0),
        source=str(folder),
        notes=notes,
    )
    annotate(info, folder)
    sources = {camera: ImageFiles(paths, camera) for camera, paths in files.items()}
    return PairedSequence(info, sources.get("rgb"), sources.get("ir"))


def read_properties(path: Path) -> dict[str, str]:
    """Read ``key=value`` lines (an INI file without sections)."""
    lines = read_text(path, replace=True).splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", ";", "[")))
    return {key.strip().lower(): value.strip() for key, value in pairs}


def _number(text: str | None, default: float) -> float:
    try:
        value = float(text) if text else default
    except ValueError:
        return default
    return value if value > 0 else default


def _channel(folder: Path, pattern: str, camera: str) -> list[Path]:
    """Files that match a pattern such as ``ir/%05di.jpg``, by number, whichever the first number is."""
    pattern = pattern.replace("\\", "/")
    if not NUMBER.search(pattern):
        pattern = f"{pattern.rstrip('/')}/%08d.jpg"
    parent, _, name = pattern.rpartition("/")
    if not NUMBER.search(name) or safe_name(name.replace("%", "")) != name.replace("%", ""):
        raise UserError(f"Expected a pattern such as ir/%08d.jpg in '{folder / 'sequence'}', got '{pattern}'.")
    place = folder / parent
    before, after = NUMBER.sub("\0", name).split("\0", 1)
    expected = re.compile(rf"{re.escape(before)}(\d+){re.escape(after)}", re.IGNORECASE)
    found = [path for path in place.iterdir() if expected.fullmatch(path.name)] if place.is_dir() else []
    if not found:
        raise UserError(
            f"Expected {CAMERAS[camera]} frames '{pattern}' in '{folder}', as its file 'sequence' says, found none; "
            "fetch the sequence again (VOT-RGBT2019: 'rgbt vot prepare')."
        )
    return sorted(found, key=lambda path: int(expected.fullmatch(path.name)[1]))  # type: ignore[index]


def _check_complete(folder: Path, facts: dict[str, str], files: dict[str, list[Path]], length: int) -> None:
    try:
        stated = int(facts.get("length") or 0)
    except ValueError:
        stated = -1
    if stated < 0:
        raise UserError(f"The file '{folder / 'sequence'}' states length={facts['length']}; expected {length}.")
    if stated > length:
        last = " and ".join(paths[-1].name for paths in files.values())
        raise UserError(
            f"The file '{folder / 'sequence'}' states {stated} frames but there are {length} (the last: {last}); fetch "
            f"the missing {stated - length} again (VOT-RGBT2019: 'rgbt vot prepare')."
        )
