"""What ``fuse_images.py`` does with files, folders and videos: the checks before, the loop, the records after."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from nestfuse_core.cameras.matching import Timing
from nestfuse_core.cameras.sources import is_sequence_file, parse_address
from nestfuse_core.cameras.times import name_times
from nestfuse_core.common import console
from nestfuse_core.common.ahead import Behind, ahead
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import SUFFIXES, Image, check_image_name, list_images, read_image, write_image
from nestfuse_core.common.video import SUFFIXES as VIDEO_SUFFIXES
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.overlay import Overlay
from nestfuse_core.fusion.pairs import Pair, match_folders
from nestfuse_core.fusion.records import Records, Request, fuse_of, fuse_pair, pass_over, refuse_overwriting
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


def plan(request: Request) -> Callable[[Fuser | Overlay], None]:
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


def _plan_files(request: Request) -> Callable[[Fuser | Overlay], None]:
    output = request.output
    if output.is_dir() or not output.suffix:
        output = output / f"{request.vis.stem}.png"
    ir, vis = read_image(request.ir), read_image(request.vis)
    check_image_name(output, vis.dtype == np.uint16)
    refuse_overwriting(output, request.ir, request.vis)

    def work(fuser: Fuser | Overlay) -> None:
        records = Records(request, 1)
        with console.progress() as bar:
            task = bar.add_task("tiles", total=1, note="")
            if isinstance(fuser, Fuser):
                bar.update(task, total=fuser.steps(*vis.shape[:2]) or 1)
                fuser.on_tile = lambda: bar.advance(task)
            fusion = fuse_pair(fuser, request, ir, vis)
            bar.update(task, completed=bar.tasks[0].total)
        write_image(output, fusion.image)
        records.add(0, output.stem, vis, fusion)
        records.finish()

    return work


def _plan_folders(request: Request) -> Callable[[Fuser | Overlay], None]:
    check_folder(request)
    pairs, alone = match_folders(request.ir, request.vis, request.skip_unpaired)
    if alone:
        console.stderr.print(f"{alone} images without a partner are left out.")

    def work(fuser: Fuser | Overlay) -> None:
        records = Records(request, len(pairs))
        fuse = fuse_of(request, fuser)
        load = partial(_load_pair, request)
        with console.progress() as bar, closing(ahead(load, enumerate(pairs))) as loaded, Behind() as later:
            task = bar.add_task("pairs", total=len(pairs), note="")
            for (index, pair), pictures in loaded:
                bar.update(task, note=pair.name)
                if pictures is None:
                    pass_over(fuse, read_image(pair.ir))
                else:
                    fusion = fuse_pair(fuse, request, *pictures)
                    if not _is_done(request, pair):
                        later(write_image, _target(request, pair), fusion.image)
                    records.add(index, pair.name, pictures[1], fusion)
                bar.advance(task)
        records.finish()

    return work


def _target(request: Request, pair: Pair) -> Path:
    return request.output / f"{pair.name}.png"


def _is_done(request: Request, pair: Pair) -> bool:
    return request.resume and _target(request, pair).is_file()


def _load_pair(request: Request, item: tuple[int, Pair]) -> tuple[Image, Image] | None:
    """The infrared and the visible picture; None where the result is there and nothing else is wanted."""
    pair = item[1]
    if _is_done(request, pair) and not (request.metrics or request.sheet or request.maps):
        return None
    return read_image(pair.ir), read_image(pair.vis)
