"""From what a user typed to a sequence: a folder, a name in the known places, a clip of the package, a drawn one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nestfuse_core.common.errors import UserError, suggestion
from nestfuse_core.common.files import expanded
from nestfuse_core.common.reading import read_text
from nestfuse_core.rig.file import Rig, choose_rig
from rgbt_tracker.sequences.base import FrameSequence
from rgbt_tracker.sequences.clips import list_clips, open_clip
from rgbt_tracker.sequences.folders import is_sequence, open_folder
from rgbt_tracker.sequences.rigged import lay
from rgbt_tracker.synthetic import SCENES, draw_sequence

WORKSPACE = Path("vot_workspace") / "sequences"
VARIABLE = "RGBT_DATA"
DRAWN = "drawn:"
CLIP = "clip:"
DEPTH = 2  # folders between a search place and its sequences: a dataset, a split


def open_sequence(
    path_or_name: str | os.PathLike[str],
    roots: Iterable[str | os.PathLike[str]] = (),
    rig: str | Path | Rig | None = None,
) -> FrameSequence:
    """Open a sequence.

    Args:
        path_or_name: a sequence folder; the name of one below ``roots``, $RGBT_DATA or ./vot_workspace/sequences;
            ``drawn:SCENE`` for a sequence that the package draws itself; or ``clip:NAME`` for a recorded one in it.
        roots: dataset folders to search first.
        rig: its rig, as of `rgbt_tracker.sequences.pairs.open_pair`.

    Raises:
        UserError: not found (the message says where it was looked for and how to get it), or not readable.
    """
    text = os.fspath(path_or_name)
    if text.startswith(DRAWN):
        chosen, notes = choose_rig(rig)
        drawn = _drawn(text.removeprefix(DRAWN))
        drawn.info.notes += notes
        return lay(drawn, chosen)
    if text.startswith(CLIP):
        return open_clip(text.removeprefix(CLIP), rig)
    path = expanded(text)
    if path.is_dir():
        return open_folder(path, rig)
    if path.is_file():
        raise UserError(f"Expected a sequence folder or name, got the file '{text}'; give videos as --rgb A --ir B.")
    return open_folder(find(text, roots), rig)


def search_places(roots: Iterable[str | os.PathLike[str]] = ()) -> list[Path]:
    """Return the dataset folders that names are looked up in, in order, existing or not."""
    data = [entry for entry in os.environ.get(VARIABLE, "").split(os.pathsep) if entry]
    return [expanded(root) for root in (*roots, *data)] + [WORKSPACE]


def find(name: str, roots: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """Return the folder of the sequence called ``name`` (or ``DATASET/NAME``), up to two folders below a search place.

    Raises:
        UserError: there is none.
    """
    places = search_places(roots)
    inside = bool(name) and not Path(name).is_absolute() and ".." not in Path(name).parts
    for place in places if inside else []:
        for depth in range(DEPTH + 1):
            for folder in _below(place, depth):
                if is_sequence(folder / name):
                    return folder / name
    raise UserError(_not_found(name, places))


def _below(place: Path, depth: int) -> list[Path]:
    """Folders ``depth`` levels below ``place``, by name."""
    if depth == 0:
        return [place]
    return sorted(path for path in place.glob("/".join("*" * depth)) if path.is_dir()) if place.is_dir() else []


def _not_found(name: str, places: list[Path]) -> str:
    looked = [f"{place}{'' if place.is_dir() else ' (not there)'}" for place in places]
    if VARIABLE not in os.environ:
        looked.append(f"${VARIABLE} (not set)")
    known = [path.name for place in places if place.is_dir() for path in list_sequences(place)]
    hint = suggestion(name, known)
    return (
        f"No sequence called '{name}'{hint} Looked in {', '.join(looked)}. Fetch VOT-RGBT2019 with "
        f"'rgbt vot prepare', set {VARIABLE} to the folder of a dataset you have, give a sequence folder, or use a "
        f"clip ({', '.join(CLIP + clip for clip in list_clips())}) or a drawn sequence "
        f"({', '.join(DRAWN + scene for scene in drawn_scenes())})."
    )


def list_sequences(root: str | os.PathLike[str]) -> list[Path]:
    """Return the sequence folders of a dataset folder: in the order of its list.txt where it has one, else by name.

    Folders one level deeper (train and test splits) are found too.
    """
    folder = expanded(root)
    listing = folder / "list.txt"
    if listing.is_file():
        names = read_text(listing, replace=True).split()
        return [folder / name for name in names if is_sequence(folder / name)]
    children = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    direct = [child for child in children if is_sequence(child)]
    return direct or [path for child in children for path in sorted(child.iterdir()) if is_sequence(path)]


def drawn_scenes() -> list[str]:
    """Return the names of the sequences that the package can draw."""
    return sorted(SCENES)


def _drawn(name: str) -> FrameSequence:
    """``SCENE`` or ``SCENE-SEED``."""
    scene, dash, seed = name.rpartition("-")
    return draw_sequence(scene, seed=int(seed)) if dash and seed.isdecimal() else draw_sequence(name)
