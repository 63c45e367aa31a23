"""Two sources of frames, one for each camera, as a sequence: folders, videos, live cameras."""

from __future__ import annotations

from pathlib import Path

from nestfuse_core.cameras.live import is_live
from nestfuse_core.common.errors import UserError
from rgbt_tracker.sequences.base import FrameSequence, SequenceInfo
from rgbt_tracker.sequences.folders import safe_name
from rgbt_tracker.sequences.images import pair
from rgbt_tracker.sequences.live import open_live
from rgbt_tracker.sequences.sources import ImageFiles, PairedSequence, Source, Video, open_source


def open_pair(rgb: str | Path | None, ir: str | Path | None, name: str | None = None) -> FrameSequence:
    """Open the frames of two cameras: folders, videos, cameras or streams, in any combination.

    Videos of different frame rates are sampled at the lower one; what one camera has more at the end is not used.

    Args:
        rgb, ir: what `open_source` takes, or None for a camera that is not there.
        name: of the sequence and its result files; made from the sources by default.

    Raises:
        UserError: nothing given, something that cannot be opened, or folders of which one lacks frames.
    """
    if rgb is None and ir is None:
        raise UserError(
            "Expected --rgb, --ir or both: a folder of images, a video, a camera index or a stream address."
        )
    typed = {camera: address for camera, address in (("rgb", rgb), ("ir", ir)) if address is not None}
    if any(is_live(str(address)) for address in typed.values()):
        return open_live(rgb, ir, name)
    sources = {camera: open_source(address, camera) for camera, address in typed.items()}
    notes: list[str] = []
    if len(sources) == 2:
        notes = _align(sources["rgb"], sources["ir"])
    rates = [source.fps for source in sources.values() if source.fps]
    info = SequenceInfo(
        name or "_".join(_stem(Path(address)) for address in dict.fromkeys(map(str, typed.values()))),
        min(source.length for source in sources.values()),
        fps=min(rates) if rates else 30.0,
        source=" and ".join(map(str, typed.values())),
        notes=notes,
    )
    return PairedSequence(info, sources.get("rgb"), sources.get("ir"))


def _stem(path: Path) -> str:
    return safe_name(path.with_suffix("") if path.is_file() else path)


def _align(rgb: Source, ir: Source) -> list[str]:
    if isinstance(rgb, ImageFiles) and isinstance(ir, ImageFiles):
        return pair(rgb.files, ir.files)
    notes = []
    if isinstance(rgb, Video) and isinstance(ir, Video) and rgb.fps and ir.fps and abs(rgb.fps - ir.fps) > 0.01:
        rate = min(rgb.fps, ir.fps)
        notes.append(f"Frame rates differ ({rgb.fps:g} and {ir.fps:g}); both are read at {rate:g} frames per second.")
        rgb.sample_at(rate)
        ir.sample_at(rate)
    if rgb.length != ir.length:
        longer = "visible" if rgb.length > ir.length else "thermal"
        extra = abs(rgb.length - ir.length)
        notes.append(f"The {longer} video has {extra} more frames than the other; its last {extra} are not used.")
    return notes
