"""Fusing what two cameras recorded over time: videos, and folders whose frames have times. The visible camera leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import numpy as np

from nestfuse_core.cameras.matching import Match, match
from nestfuse_core.cameras.pairing import NONE, Times
from nestfuse_core.cameras.sources import ImageFiles, Source, open_recorded, parse_address
from nestfuse_core.common import console
from nestfuse_core.common.ahead import Behind, ahead
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import SUFFIXES, Image, white_level, write_image
from nestfuse_core.common.video import SUFFIXES as VIDEO_SUFFIXES
from nestfuse_core.common.video import check_video_name, writing_video
from nestfuse_core.fusion.colour import luminance
from nestfuse_core.fusion.fuser import Fuser
from nestfuse_core.fusion.overlay import Overlay
from nestfuse_core.fusion.records import Records, Request, fuse_of, fuse_pair, pass_over, refuse_overwriting

Write = Callable[[int, Image, Image | None], None]
"""Takes a visible frame's index, its picture, and its luminance in 8 bits if that is known."""


def plan_streams(request: Request) -> Callable[[Fuser | Overlay], None]:
    """Pair the frames of both cameras, say how, check the output, and return what will fuse them.

    Every visible frame gives a picture; one without a thermal partner passes as it is and is counted.

    Raises:
        UserError: sources that cannot be paired, or an output that does not serve.
    """
    vis = open_recorded(parse_address(request.vis), "rgb")
    ir = open_recorded(parse_address(request.ir), "ir")
    found = match(vis, ir, request.timing, leader="rgb", bridge=False)
    output = _output(request, vis, found.fps)
    for note in found.notes:
        console.stderr.print(note, markup=False, highlight=False)
    return lambda fuser: _fuse(request, fuser, vis, ir, found, output)


def _output(request: Request, vis: Source, fps: float | None) -> Path:
    """Where the pictures go: a folder for visible image files, a video for a visible video."""
    output = request.output
    if isinstance(vis, ImageFiles):
        check_folder(request)
        return output
    if output.is_dir() or not output.suffix:
        output = output / f"{Path(vis.name).stem}.mp4"
    if not (vis.fps or fps):
        raise UserError(f"Nobody has said the times of the frames of '{vis.name}'; give their rate: --fps 9.")
    check_video_name(output)
    refuse_overwriting(output, request.ir, request.vis)
    return output


def check_folder(request: Request) -> None:
    """Refuse an output that is no folder, or that of an input. Raises UserError."""
    if request.output.is_file() or request.output.suffix.lower() in (*SUFFIXES, *VIDEO_SUFFIXES):
        raise UserError(f"The visible input is a folder, so --output must be one too; got '{request.output}'.")
    for source in (request.ir, request.vis):
        if request.output.resolve() == source.resolve():
            raise UserError(f"--output is the input folder '{source}'; name another, so that no input is overwritten.")


def _fuse(request: Request, fuser: Fuser | Overlay, vis: Source, ir: Source, found: Match, output: Path) -> None:
    pairing, name = found.pairing, _namer(vis, output)
    records, alone = Records(request, pairing.both), 0
    fuse = fuse_of(request, fuser, over_time=True)

    def load(item: tuple[int, int]) -> tuple[Image | None, Image | None]:
        """The visible picture, None where the result is there, and its thermal partner."""
        index, partner = item
        done = _is_done(request, vis, output, name(index))
        return None if done else vis.read(index), None if partner == NONE else ir.read(partner)

    frames = list(zip(pairing.rgb.tolist(), pairing.ir.tolist(), strict=True))
    with (
        closing(ir),
        closing(vis),
        console.progress() as bar,
        _writing(vis, found.fps, output) as write,
        closing(ahead(load, frames)) as loaded,
        Behind() as later,
    ):
        task = bar.add_task("frames", total=len(pairing), note="")
        for (index, _), (visible, thermal) in loaded:
            bar.advance(task)
            if visible is None:
                if thermal is not None:
                    pass_over(fuse, thermal)
                continue
            if thermal is None:
                alone += 1
                later(write, index, visible, None)
                continue
            fusion = fuse_pair(fuse, request, thermal, visible)
            later(write, index, fusion.image, fusion.luminance)
            records.add(index - alone, name(index), visible, fusion)
    records.finish()
    if alone:
        console.stderr.print(f"{alone} of {len(pairing)} visible frames have no thermal partner: they passed unfused.")


def _namer(vis: Source, output: Path) -> Callable[[int], str]:
    """Visible frame -> the name of its picture in tables, maps and folders."""
    if isinstance(vis, ImageFiles):
        return lambda index: vis.files[index].stem
    return lambda index: f"{output.stem}_{index + 1:06d}"


def _is_done(request: Request, vis: Source, output: Path, name: str) -> bool:
    recorded = request.metrics or request.sheet or request.maps
    return request.resume and isinstance(vis, ImageFiles) and not recorded and (output / f"{name}.png").is_file()


def _writing(vis: Source, fps: float | None, output: Path) -> AbstractContextManager[Write]:
    if isinstance(vis, ImageFiles):
        return _into_folder(vis, output)
    rate = vis.fps or fps
    assert rate is not None  # `_output` has asked
    return _into_video(vis, rate, output)


@contextmanager
def _into_folder(vis: ImageFiles, output: Path) -> Iterator[Write]:
    name = _namer(vis, output)
    yield lambda index, image, _: write_image(output / f"{name(index)}.png", image)


@contextmanager
def _into_video(vis: Source, fps: float, output: Path) -> Iterator[Write]:
    stamps = None if vis.times is None else _stamps(vis.times, fps)
    with writing_video(output, fps) as writer:

        def write(index: int, image: Image, grey: Image | None) -> None:
            if image.dtype != np.uint8:
                image = _eight_bit(image) if grey is None else grey
            writer.write(image, None if stamps is None else float(stamps[index]))

        yield write


def _stamps(times: Times, fps: float) -> Times | None:
    """Times from the first frame on, where a constant rate would show frames half an interval or more off."""
    since = times - times[0]
    regular = np.arange(len(times)) / fps
    return since if (np.abs(since - regular) >= 0.5 / fps).any() else None


def _eight_bit(image: Image) -> Image:
    """A deep picture's luminance in 8 bits."""
    return np.rint(luminance(image) * np.float32(255 / white_level(image))).astype(np.uint8)
