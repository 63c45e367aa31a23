"""Which infrared file belongs to which visible one: by name, without the words that only name the camera."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from nestfuse_core.cameras.names import scene_key
from nestfuse_core.cameras.times import in_order
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import list_images, natural_key

SHOWN = 3


@dataclass(frozen=True)
class Pair:
    """Two pictures of one scene; ``name`` is the visible file's name without suffix, and its result's."""

    name: str
    ir: Path
    vis: Path


@dataclass(frozen=True)
class Named:
    """A file, what it shows (``key``), and the role that its name states, if any."""

    file: Path
    key: str
    role: str | None


def match_folders(ir: Path, vis: Path, skip_unpaired: bool = False) -> tuple[list[Pair], int]:
    """Pair the images of two folders (which may be one) by name, in the order of the visible files.

    Returns:
        The pairs, and how many files without a partner were left out.

    Raises:
        UserError: a folder is missing or empty, nothing fits, two files stand for one scene, or, unless
            ``skip_unpaired``, a file has no partner.
    """
    mixed = ir.resolve() == vis.resolve()
    infrared, visible = _by_key(ir, "infrared", mixed), _by_key(vis, "visible", mixed)
    common = infrared.keys() & visible.keys()
    if not common:
        raise UserError(
            f"No infrared image in '{ir}' (such as {_sample(ir)}) fits a visible one in '{vis}' "
            f"(such as {_sample(vis)}) by name; name partners alike, apart from words such as 'ir' and 'vis'."
        )
    alone = [("infrared", infrared[key].file) for key in infrared.keys() - common]
    alone += [("visible", visible[key].file) for key in visible.keys() - common]
    if alone and not skip_unpaired:
        camera, file = min(alone, key=lambda item: natural_key(item[1].name))
        other = "visible" if camera == "infrared" else "infrared"
        raise UserError(
            f"No {other} partner for the {camera} image '{file.name}' ({len(alone)} without a partner, {len(common)} "
            "pairs); add what is missing, or pass --skip-unpaired to leave them out."
        )
    partners = {visible[key].file: infrared[key].file for key in common}
    order = in_order(list(partners), key=lambda file: natural_key(file.name))
    return [Pair(file.stem, partners[file], file) for file in order], len(alone)


def match_results(pairs: list[Pair], fused: Path) -> dict[str, Path]:
    """Return the fused picture of every pair in a folder of any method's results, keyed by the pair's name.

    Names may be those of the pairs, or differ by words such as 'fused', 'ir' and 'vis'; where that leaves a pair
    without a result, the last number in the names decides, if it tells all results apart.

    Raises:
        UserError: the folder is missing or empty, or a pair has no result; the message names it.
    """
    files = _images(fused, "fused")
    by_stem = {file.stem: file for file in files}
    by_key = {scene_key(file.stem)[0]: file for file in files}
    by_number = _by_last_number(files)
    found = {}
    for pair in pairs:
        key = scene_key(pair.name)[0]
        file = by_stem.get(pair.name) or by_key.get(key) or by_number.get(_last_number(key))
        if file is None:
            raise UserError(
                f"No fused image for '{pair.vis.name}' in '{fused}' (which holds {_sample(fused)}); "
                f"expected a name such as '{pair.name}.png'."
            )
        found[pair.name] = file
    return found


def _last_number(name: str) -> str | None:
    numbers = re.findall(r"\d+", name)
    return str(int(numbers[-1])) if numbers else None


def _by_last_number(files: list[Path]) -> dict[str | None, Path]:
    numbers = [_last_number(file.stem) for file in files]
    unique = None not in numbers and max(Counter(numbers).values()) == 1
    return dict(zip(numbers, files, strict=True)) if unique else {}


def _images(folder: Path, role: str) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"Expected a folder of {role} images at '{folder}'; check the path.")
    files = list_images(folder)
    if not files:
        raise UserError(f"The folder '{folder}' holds no {role} image (PNG, JPEG, TIFF, BMP, WebP, PGM).")
    return files


def _by_key(folder: Path, role: str, mixed: bool) -> dict[str, Named]:
    """Return the folder's images of one role by what they show; in a ``mixed`` folder the name must state the role."""
    chosen: dict[str, Named] = {}
    for file in _images(folder, role):
        named = Named(file, *scene_key(file.stem))
        if mixed and named.role != role:
            continue
        previous = chosen.get(named.key)
        if previous and (previous.role == role) == (named.role == role):
            raise UserError(
                f"The {role} images '{previous.file.name}' and '{file.name}' in '{folder}' would stand for one scene; "
                "keep one of them."
            )
        # Where a folder holds both cameras, the name that states the wanted role wins.
        if not previous or named.role == role:
            chosen[named.key] = named
    return chosen


def _sample(folder: Path) -> str:
    return ", ".join(f"'{file.name}'" for file in list_images(folder)[:SHOWN])
