"""What ``fuse_images.py`` does with files, folders and videos: the checks before, the loop, the records after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nestfuse_core.common import console
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import SUFFIXES, Image, check_image_name, read_image, write_image
from nestfuse_core.common.video import SUFFIXES as VIDEO_SUFFIXES
from nestfuse_core.common.video import VideoReader, check_video_name, writing_video
from nestfuse_core.fusion import thermal
from nestfuse_core.fusion.fuser import Fuser, Fusion
from nestfuse_core.fusion.maps import write_maps
from nestfuse_core.fusion.pairs import Pair, match_folders
from nestfuse_core.fusion.scores import Row, means, means_table, write_csv
from nestfuse_core.fusion.sheet import Sheet, chosen_rows
from nestfuse_core.metrics.evaluate import evaluate

MOST_NOTES = 5


@dataclass(frozen=True)
class Request:
    """One run: the inputs and everything to be written. Paths as the user typed them."""

    ir: Path
    vis: Path
    output: Path
    maps: Path | None = None
    metrics: Path | None = None
    preset: str = "paper"
    sheet: Path | None = None
    thermal_range: str | thermal.Range = "image"
    resume: bool = False
    skip_unpaired: bool = False
    shortest: bool = False


def kind_of(path: Path) -> str:
    """Return ``folder``, ``video`` or ``image``.

    Raises:
        UserError: nothing there, or a file that is neither.
    """
    if path.is_dir():
        return "folder"
    if not path.is_file():
        raise UserError(f"No file or folder at '{path}'; check the path.")
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return "video"
    if suffix in SUFFIXES:
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
    if kinds[0] != kinds[1]:
        raise UserError(f"Expected two images, two folders or two videos; --ir is a {kinds[0]} and --vis a {kinds[1]}.")
    if request.sheet is not None:
        check_image_name(request.sheet)
    if request.metrics is not None and request.metrics.suffix.lower() != ".csv":
        raise UserError(f"Expected a name ending in .csv for --metrics, got '{request.metrics}'.")
    return {"image": _plan_files, "folder": _plan_folders, "video": _plan_videos}[kinds[0]](request)


class Records:
    """What is written beside the fused pictures: maps at once, metrics and sheet at the end, notes on stderr."""

    def __init__(self, request: Request, count: int) -> None:
        self._request = request
        self._rows: list[Row] = []
        self._sheet = Sheet()
        self._on_sheet = set(chosen_rows(count)) if request.sheet is not None else set()
        self._seen: set[str] = set()

    def add(self, index: int, name: str, vis: Image, fusion: Fusion) -> None:
        for note in fusion.notes:
            self._note(name, note)
        if self._request.maps is not None and fusion.shares:
            write_maps(self._request.maps, name, fusion)
        if self._request.metrics is not None:
            try:
                scores = evaluate(fusion.ir, fusion.vis, fusion.luminance, self._request.preset)
            except UserError as error:
                raise UserError(f"No metrics for '{name}': {error}") from error
            self._rows.append({"name": name, **scores})
        if index in self._on_sheet:
            self._sheet.add(name, fusion.ir, vis, fusion.image)

    def finish(self) -> None:
        if self._request.metrics is not None and self._rows:
            write_csv(self._request.metrics, self._rows)
            title = f"mean of {len(self._rows)}, preset {self._request.preset}"
            console.print_table(means_table(title, {str(self._request.output): means(self._rows)}))
        if self._request.sheet is not None and self._on_sheet:
            write_image(self._request.sheet, self._sheet.draw())

    def _note(self, name: str, note: str) -> None:
        if note in self._seen:
            return
        self._seen.add(note)
        if len(self._seen) <= MOST_NOTES:
            console.stderr.print(f"{name}: {note}", markup=False, highlight=False)
        elif len(self._seen) == MOST_NOTES + 1:
            console.stderr.print("(further notes of this kind are left out)", markup=False)


def _plan_files(request: Request) -> Callable[[Fuser], None]:
    output = request.output
    if output.is_dir() or not output.suffix:
        output = output / f"{request.vis.stem}.png"
    ir, vis = read_image(request.ir), read_image(request.vis)
    check_image_name(output, vis.dtype == np.uint16)
    _refuse_overwriting(output, request.ir, request.vis)

    def work(fuser: Fuser) -> None:
        records = Records(request, 1)
        fuser.thermal_range = _fixed_range(request, lambda: iter([ir]))
        with console.progress() as bar:
            task = bar.add_task("tiles", total=fuser.steps(*vis.shape[:2]) or 1, note="")
            fuser.on_tile = lambda: bar.advance(task)
            fusion = fuser(ir, vis)
            bar.update(task, completed=bar.tasks[0].total)
        write_image(output, fusion.image)
        records.add(0, output.stem, vis, fusion)
        records.finish()

    return work


def _plan_folders(request: Request) -> Callable[[Fuser], None]:
    if request.output.is_file() or request.output.suffix.lower() in (*SUFFIXES, *VIDEO_SUFFIXES):
        raise UserError(f"The inputs are folders, so --output must be one too; got '{request.output}'.")
    for source in (request.ir, request.vis):
        if request.output.resolve() == source.resolve():
            raise UserError(f"--output is the input folder '{source}'; name another, so that no input is overwritten.")
    pairs, alone = match_folders(request.ir, request.vis, request.skip_unpaired)
    if alone:
        console.stderr.print(f"{alone} images without a partner are left out.")

    def work(fuser: Fuser) -> None:
        records = Records(request, len(pairs))
        fuser.thermal_range = _fixed_range(request, lambda: (read_image(pair.ir) for pair in pairs))
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
        return
    ir, vis = read_image(pair.ir), read_image(pair.vis)
    fusion = fuser(ir, vis)
    if not (request.resume and target.is_file()):
        write_image(target, fusion.image)
    records.add(index, pair.name, vis, fusion)


def _plan_videos(request: Request) -> Callable[[Fuser], None]:
    output = request.output
    if output.is_dir() or not output.suffix:
        output = output / f"{request.vis.stem}.mp4"
    check_video_name(output)
    _refuse_overwriting(output, request.ir, request.vis)
    ir, vis = VideoReader(request.ir), VideoReader(request.vis)
    count = min(ir.length, vis.length)
    if ir.length != vis.length and not request.shortest:
        raise UserError(
            f"The videos differ in length: infrared has {ir.length} frames, visible {vis.length}; cut them alike, "
            f"or pass --shortest to stop after {count}."
        )

    def work(fuser: Fuser) -> None:
        records = Records(request, count)
        fuser.thermal_range = _fixed_range(request, lambda: iter(ir))
        with ir, vis, console.progress() as bar, writing_video(output, vis.rate) as writer:
            task = bar.add_task("frames", total=count, note="")
            for index in range(count):
                vis_frame = vis.read(index)
                fusion = fuser(ir.read(index), vis_frame)
                writer.write(fusion.image if fusion.image.dtype == np.uint8 else fusion.luminance)
                records.add(index, f"{output.stem}_{index + 1:06d}", vis_frame, fusion)
                bar.advance(task)
        records.finish()

    return work


def _refuse_overwriting(output: Path, *inputs: Path) -> None:
    for source in inputs:
        if output.resolve() == source.resolve():
            raise UserError(f"--output is the input '{source}'; name another file, so that no input is overwritten.")


def _fixed_range(request: Request, images: Callable[[], Iterator[Image]]) -> thermal.Range | None:
    """Return the thermal range for the whole run, or None where each picture has its own."""
    if request.thermal_range == "image":
        return None
    if request.thermal_range == "shared":
        limits = thermal.robust_range(image for image in images() if thermal.needs_scaling(image))
        return limits if limits[0] < limits[1] else None
    assert not isinstance(request.thermal_range, str)
    return request.thermal_range
