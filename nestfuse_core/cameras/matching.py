"""How the frames of two cameras are paired: what the user said, what the sources tell, and the line that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from nestfuse_core.cameras.files import check_partners
from nestfuse_core.cameras.names import CAMERAS
from nestfuse_core.cameras.pairing import NONE, Pairing, one_camera, pair_by_position, pair_by_time
from nestfuse_core.cameras.sources import ImageFiles, Source
from nestfuse_core.cameras.times import own_file, parse_rates, rate_times
from nestfuse_core.common.errors import UserError

T = TypeVar("T")
PAIRINGS = ("auto", "time", "index")
RATES = "say how often each camera delivers (--fps VISIBLE,THERMAL, such as --fps 30,9), or give their times in files"


@dataclass(frozen=True)
class Timing:
    """What a user says about time.

    Attributes:
        pair: "time" by nearest time; "index" first with first; "auto" by time where both cameras have times, else first
            with first where both have as many frames.
        offset: thermal clock minus visible clock at the same instant, seconds.
        fps: "rgb", "ir" -> frames a second, instead of the times that the source tells.
        times: "rgb", "ir" -> file of times (`nestfuse_core.cameras.times.read_times`), likewise.
    """

    pair: str = "auto"
    offset: float = 0.0
    fps: Mapping[str, float] = field(default_factory=dict)
    times: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pair not in PAIRINGS:
            raise UserError(f"Expected auto, time or index as the way to pair frames, got '{self.pair}'.")
        if not np.isfinite(self.offset):
            raise UserError(f"Expected the offset of the cameras' clocks in seconds, got {self.offset}.")
        for rate in self.fps.values():
            if not 0 < rate < np.inf:
                raise UserError(f"Expected a rate in frames a second, got {rate}.")


def parse_timing(
    pair: str = "auto",
    offset: float = 0.0,
    fps: str | None = None,
    rgb_times: Path | None = None,
    ir_times: Path | None = None,
) -> Timing:
    """Return what the options of a command say. Raises UserError for a rate that is none."""
    rates = parse_rates(fps) if fps is not None else (None, None)
    return Timing(pair, offset, _given(*rates), _given(rgb_times, ir_times))


def refuse_timing(timing: Timing, sequence: str) -> None:
    """Raise UserError where something was said about the times of a dataset's sequence, which is paired by position."""
    if timing != Timing():
        raise UserError(
            f"The frames of '{sequence}' are paired by position, as in all dataset folders; --fps, --offset, --pair "
            "and files of times need --rgb A and --ir B."
        )


def _given(rgb: T | None, ir: T | None) -> dict[str, T]:
    return {camera: value for camera, value in (("rgb", rgb), ("ir", ir)) if value is not None}


@dataclass
class Match:
    """Two cameras' frames paired.

    Attributes:
        pairing: which belong together.
        fps: frames a second of the camera that leads; None where nothing tells.
        notes: how it was paired, and what was assumed.
    """

    pairing: Pairing
    fps: float | None
    notes: list[str]


def match_one(source: Source, timing: Timing) -> Match:
    """The frames of one camera alone, with their times."""
    notes = _tell_times({source.camera: source}, timing)
    return Match(one_camera(source.camera, source.length, source.times), source.fps, notes)


def match(rgb: Source, ir: Source, timing: Timing, leader: str | None = None, bridge: bool = True) -> Match:
    """Pair the frames of two cameras.

    Args:
        rgb, ir: the sources; they take the times that ``timing`` states.
        timing: what the user said.
        leader, bridge: as of `pair_by_time`.

    Raises:
        UserError: the same source twice, times that are missing or do not meet, or folders of which one lacks frames.
    """
    refuse_same(rgb, ir)
    notes = _tell_times({"rgb": rgb, "ir": ir}, timing)
    timed = rgb.times is not None and ir.times is not None
    if timing.pair == "time" and not timed:
        raise UserError(f"Only frames that have times can be paired by time, and {_without_times(rgb, ir)}: {RATES}.")
    if timing.pair != "index" and timed:
        return _by_time(rgb, ir, timing, notes, leader, bridge)
    return _by_position(rgb, ir, timing, notes)


def refuse_same(rgb: Source, ir: Source) -> None:
    """Raise UserError where both cameras were given the same file, stream or folder."""
    if rgb.identity == ir.identity:
        raise UserError(
            f"'{rgb.name}' was given for both cameras; give the other one's frames, leave one out, or choose the video "
            f"streams of one file: {rgb.name}#0 and {rgb.name}#1."
        )


def _tell_times(sources: Mapping[str, Source], timing: Timing) -> list[str]:
    """Give sources the times that the user or a file beside the frames states; returns notes."""
    notes = []
    for camera, source in sources.items():
        if camera in timing.times:
            source.use_file(timing.times[camera])
        elif camera in timing.fps:
            source.use_times(rate_times(source.length, timing.fps[camera]), "--fps")
        elif source.times is None and isinstance(source, ImageFiles) and (path := own_file(Path(source.name))):
            try:
                source.use_file(path)
                notes.append(f"The times of the {CAMERAS[camera]} frames were taken from '{path}'.")
            except UserError as error:
                notes.append(f"'{path}' was not used as times: {error}")
    _start_together(list(sources.values()))
    return notes


def _start_together(sources: list[Source]) -> None:
    """A rate says nothing about the beginning: such frames begin when the other camera's do."""
    for source, other in zip(sources, reversed(sources), strict=True):
        if source.clock == "--fps" and other.times is not None and other.clock != "--fps":
            assert source.times is not None
            source.use_times(source.times - source.times[0] + other.times[0], "--fps")


def _by_time(rgb: Source, ir: Source, timing: Timing, notes: list[str], leader: str | None, bridge: bool) -> Match:
    assert rgb.times is not None and ir.times is not None
    pairing = pair_by_time(rgb.times, ir.times, timing.offset, leader=leader, bridge=bridge)
    if not pairing.both:
        raise UserError(_apart(rgb, ir, timing.offset))
    fps = (rgb if pairing.leader == "rgb" else ir).fps
    clocks = f"rgb {_rate(rgb)}, thermal {_rate(ir)}, offset {_seconds(timing.offset)} s"
    line = f"Paired by time: {clocks}: {pairing.both} of {len(pairing)} frames have both"
    line += f", at most {1000 * pairing.difference:.0f} ms apart{_alone(pairing)}."
    return Match(pairing, fps, [*notes, line])


def _rate(source: Source) -> str:
    rate = f"{source.fps:.4g} fps" if source.fps else "one frame"
    return rate if source.clock == "time stamps" else f"{rate} ({source.clock})"


def _alone(pairing: Pairing) -> str:
    """What else there is to say about a pairing by time."""
    counts = ((pairing.ir == NONE).sum(), "the visible camera alone"), ((pairing.rgb == NONE).sum(), "thermal alone")
    parts = [f"{count} {words}" for count, words in counts if count]
    other = "thermal" if pairing.leader == "rgb" else "visible"
    if pairing.before:
        parts.append(f"{pairing.before} {other} frames from before the first are left out")
    return "; " + ", ".join(parts) if parts else ""


def _apart(rgb: Source, ir: Source, offset: float) -> str:
    assert rgb.times is not None and ir.times is not None
    spans = [f"{_seconds(times[0])} to {_seconds(times[-1])} s" for times in (rgb.times, ir.times)]
    moved = f" with an offset of {_seconds(offset)} s" if offset else ""
    return (
        f"No visible frame has a thermal partner{moved}: by their clocks the visible frames are from {spans[0]} "
        f"({rgb.clock}) and the thermal ones from {spans[1]} ({ir.clock}); if both began together type "
        f"--offset={_seconds(ir.times[0] - rgb.times[0])} (thermal minus visible), or --pair index to go by order."
    )


def _seconds(value: float) -> str:
    """A time with milliseconds, without idle zeros."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _without_times(rgb: Source, ir: Source) -> str:
    missing = " and ".join(CAMERAS[source.camera] for source in (rgb, ir) if source.times is None)
    return f"the {missing} ones have no times"


def _by_position(rgb: Source, ir: Source, timing: Timing, notes: list[str]) -> Match:
    files = isinstance(rgb, ImageFiles) and isinstance(ir, ImageFiles)
    counts = f"{rgb.length} visible and {ir.length} thermal frames"
    if timing.pair == "auto" and rgb.length != ir.length:
        if isinstance(rgb, ImageFiles) and isinstance(ir, ImageFiles):
            check_partners(rgb.files, ir.files, f", or {RATES}")
        raise UserError(f"There are {counts}, and {_without_times(rgb, ir)}, so partners cannot be told: {RATES}.")
    timed = next((source for source in (rgb, ir) if source.times is not None), None)
    pairing = pair_by_position(rgb.length, ir.length, None if timed is None else timed.times)
    asked = "as asked" if timing.pair == "index" else "since not both have times; else --fps VISIBLE,THERMAL"
    line = f"Paired by position, first with first, {asked}: {counts}"
    if pairing.after:
        line += f"; the last {pairing.after} {'visible' if rgb.length > ir.length else 'thermal'} ones are left out"
    if files and rgb.length == ir.length:
        notes = [*notes, *check_partners(rgb.files, ir.files)]  # type: ignore[attr-defined]
    rates = [source.fps for source in (rgb, ir) if source.fps]
    return Match(pairing, rates[0] if rates else None, [*notes, line + "."])
