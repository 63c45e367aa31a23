"""What ``fuse_images.py`` does with files, folders and videos: the checks before, the loop, the records after."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from nestfuse_core.cameras.matching import Timing
from nestfuse_core.cameras.sources import is_sequence_file, parse_address
from nestfuse_core.cameras.times import name_times
from nestfuse_core.common import console
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import SUFFIXES, check_image_name, list_images, read_image, write_image
from nestfuse_core.common.video import SUFFIXES as VIDEO_SUFFIXES
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.pairs import Pair, match_folders
from nestfuse_core.fusion.records import Records, Request, fuse_pair, refuse_overwriting, thermal_range
from nestfuse_core.fusion.streams import check_folder, plan_streams


def kind_of(path: Path) -> str:
    """Return ``folder``, ``video`` (also a TIFF of several pages) or ``image``; ``FILE#1`` is a video's second stream.

    Raises:
        UserError: nothing there, or a file that is neither.
    """
    place = parse_address(path).place
    if not isinstance(place, Path) or not place.exists():
        raise UserError(f"No file or folder at '{path}'; check the path.")
    if place.is_dir():
        return "folder"
    if is_sequence_file(place):
        return "video"
    if place.suffix.lower() in SUFFIXES:
        return "image"
    raise UserError(
        f"'{path}' is neither an image ({', '.join(SUFFIXES)}) nor a video ({', '.join(VIDEO_SUFFIXES)}) by its name."
    )


def plan(request: Request) -> Callable[[Fuser], None]:
    """Check the whole request and return what will carry it out; nothing is written yet and no network is needed.

    Raises:
        UserError: anything a user can put right.
    """
    kinds = kind_of(request.ir), kind_of(request.vis)
    if "image" in kinds and kinds[0] != kinds[1]:
        raise UserError(
            "Expected two images, or a video or folder for each camera; "
            f"--ir is {_article(kinds[0])} and --vis {_article(kinds[1])}."
        )
    if request.sheet is not None:
        check_image_name(request.sheet)
    if request.metrics is not None and request.metrics.suffix.lower() != ".csv":
        raise UserError(f"Expected a name ending in .csv for --metrics, got '{request.metrics}'.")
    if kinds[0] == "image":
        return _plan_files(request)
    return plan_streams(request) if "video" in kinds or _by_time(request) else _plan_folders(request)


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _by_time(request: Request) -> bool:
    """Whether two folders are of frames over time: as their user says, or because all names are times and differ."""
    if request.timing != Timing():
        return True
    ir, vis = ({file.stem for file in list_images(folder)} for folder in (request.ir, request.vis))
    return ir != vis and all(names and name_times(sorted(names)) is not None for names in (ir, vis))


def _plan_files(request: Request) -> Callable[[Fuser], None]:
    output = request.output
    if output.is_dir() or not output.suffix:
        output = output / f"{request.vis.stem}.png"
    ir, vis = read_image(request.ir), read_image(request.vis)
    check_image_name(output, vis.dtype == np.uint16)
    refuse_overwriting(output, request.ir, request.vis)

    def work(fuser: Fuser) -> None:
        records = Records(request, 1)
        fuser.thermal_range = thermal_range(request)
        with console.progress() as bar:
            task = bar.add_task("tiles", total=fuser.steps(*vis.shape[:2]) or 1, note="")
            fuser.on_tile = lambda: bar.advance(task)
            fusion = fuse_pair(fuser, request, ir, vis)
            bar.update(task, completed=bar.tasks[0].total)
        write_image(output, fusion.image)
        records.add(0, output.stem, vis, fusion)
        records.finish()

    return work


def _plan_folders(request: Request) -> Callable[[Fuser], None]:
    check_folder(request)
    pairs, alone = match_folders(request.ir, request.vis, request.skip_unpaired)
    if alone:
        console.stderr.print(f"{alone} images without a partner are left out.")

    def work(fuser: Fuser) -> None:
        records = Records(request, len(pairs))
        fuser.thermal_range = thermal_range(request)
        with console.progress() as bar:
            task = bar.add_task("pairs", total=len(pairs), note="")
            for index, pair in enumerate(pairs):
                bar.update(task, note=pair.name)
                _fuse_pair(request, fuser, records, index, pair)
                bar.advance(task)
        records.finish()

    return work


def _fuse_pair(request: Request, fuser: Fuser, records: Records, index: int, pair: Pair) -> None:
    target = request.output / f"{pair.name}.png"
    recorded = request.metrics or request.sheet or request.maps
    if request.resume and target.is_file() and not recorded:
        fuser.pass_over(partial(read_image, pair.ir))
        return
    ir, vis = read_image(pair.ir), read_image(pair.vis)
    fusion = fuse_pair(fuser, request, ir, vis)
    if not (request.resume and target.is_file()):
        write_image(target, fusion.image)
    records.add(index, pair.name, vis, fusion)
