"""Two sources of frames, one for each camera, as a sequence: folders, videos, live cameras."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nestfuse_core.cameras.matching import Match, Timing, match, match_one
from nestfuse_core.cameras.sources import Address, Source, open_recorded, parse_address
from nestfuse_core.common.errors import UserError
from nestfuse_core.rig.file import Rig, choose_rig
from rgbt_tracker.sequences.base import FrameSequence, SequenceInfo
from rgbt_tracker.sequences.folders import last_part
from rgbt_tracker.sequences.live import LivePair, name_of, open_live, recording_beside_camera
from rgbt_tracker.sequences.paired import PairedSequence, shape_notes
from rgbt_tracker.sequences.rigged import lay


def open_pair(
    rgb: str | Path | None,
    ir: str | Path | None,
    name: str | None = None,
    *,
    offset: float = 0.0,
    pair: str = "auto",
    fps: float | tuple[float | None, float | None] | None = None,
    times: Mapping[str, str | Path] | None = None,
    rig: str | Path | Rig | None = None,
) -> FrameSequence:
    """Open the frames of two cameras: folders, videos, cameras or streams, in any combination.

    Recorded frames are paired by the nearest time, where both cameras have times: the time stamps of a video, file
    names that are times, a file of times, or a stated rate. The faster camera keeps its rate; a frame without a partner
    within half of the slower camera's interval has one camera. ``info.notes`` says how frames were paired.

    Args:
        rgb, ir: a folder of images, a video (``FILE#1``: its second video stream), a TIFF of several pages, a camera
            index, a device, or a stream address; or None for a camera that is not there.
        name: of the sequence and its result files; made from the sources by default.
        offset: what the thermal clock shows minus what the visible one shows at the same instant, seconds.
        pair: "auto", "time", or "index": first with first, whatever the times.
        fps: frames a second of both cameras, or of each (visible, thermal), instead of the times that sources tell.
        times: "rgb", "ir" -> text file with name or index and seconds in each line, likewise.
        rig: file of the rig (`nestfuse_core.rig.file.Rig`), or what is in it, which lays thermal pictures on visible
            ones and has the offset and rates that are not given here; None takes the ``rig.yaml`` beside both, "none"
            no file.

    Raises:
        UserError: nothing given, something that cannot be opened, the same source twice, or frames whose partners
            cannot be told.
    """
    rates = fps if isinstance(fps, tuple) else (fps, fps)
    timing = Timing(
        pair,
        offset,
        {camera: rate for camera, rate in zip(("rgb", "ir"), rates, strict=True) if rate is not None},
        {camera: Path(file) for camera, file in (times or {}).items()},
    )
    return open_timed(rgb, ir, name, timing, rig)


def open_timed(
    rgb: str | Path | None,
    ir: str | Path | None,
    name: str | None,
    timing: Timing,
    rig: str | Path | Rig | None = None,
) -> FrameSequence:
    """As `open_pair`, with what the user said about time taken together."""
    if rgb is None and ir is None:
        raise UserError(
            "Expected --rgb, --ir or both: a folder of images, a video, a camera index or a stream address."
        )
    given = {camera: parse_address(at) for camera, at in (("rgb", rgb), ("ir", ir)) if at is not None}
    beside = [address.place for address in given.values() if isinstance(address.place, Path)]
    chosen, notes = choose_rig(rig, *(beside if len(beside) == 2 else ()))
    live = any(address.live for address in given.values())
    if chosen is not None and len(given) == 2:
        timing = chosen.completed(timing, live)
    sequence = _open_live(name, given, timing) if live else _open_recorded(name, given, timing)
    sequence.info.notes += notes
    if isinstance(sequence, PairedSequence) and (chosen is None or chosen.homography is None):
        sequence.info.notes += shape_notes(sequence)
    return sequence if chosen is None else lay(sequence, chosen)


def _open_recorded(name: str | None, given: dict[str, Address], timing: Timing) -> PairedSequence:
    info = SequenceInfo(
        name or "_".join(dict.fromkeys(_stem(address) for address in given.values())),
        None,
        source=" and ".join(address.text for address in given.values()),
    )
    sources: dict[str, Source] = {camera: open_recorded(at, camera) for camera, at in given.items()}
    rgb, ir = sources.get("rgb"), sources.get("ir")
    if rgb is not None and ir is not None:
        found: Match = match(rgb, ir, timing)
    else:
        found = match_one(next(iter(sources.values())), timing)
    info.length, info.fps, info.notes = len(found.pairing), found.fps or info.fps, found.notes
    return PairedSequence(info, rgb, ir, found.pairing)


def _open_live(name: str | None, given: dict[str, Address], timing: Timing) -> LivePair:
    for camera, address in given.items():
        if not address.live:
            raise recording_beside_camera(address.text, camera)
    if timing != Timing(offset=timing.offset):
        raise UserError(
            "Live cameras are paired by the time of arrival; of all that is said about time they take --offset."
        )
    texts = {camera: address.text for camera, address in given.items()}
    if len(texts) == 2 and texts["rgb"] == texts["ir"]:
        raise UserError(f"'{texts['rgb']}' was given for both cameras; give the other one's, or leave one out.")
    return open_live(texts.get("rgb"), texts.get("ir"), name, timing.offset)


def _stem(address: Address) -> str:
    if isinstance(address.place, str):
        return name_of(address.text)
    assert address.place is not None
    place = address.place.with_suffix("") if address.place.is_file() else address.place
    return last_part(place) + (f"-{address.stream}" if "#" in address.text and address.stream else "")
