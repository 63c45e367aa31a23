"""``rgbt track`` and ``python track.py``: a sequence in, a track out."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nestfuse_core.common import console
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import check_writable

if TYPE_CHECKING:
    from rgbt_tracker.config import TrackerConfig
    from rgbt_tracker.output.window import Window
    from rgbt_tracker.sequences.base import Frame, FrameSequence, SequenceInfo
    from rgbt_tracker.tracking.run import Track

DEFAULT_CONFIG = "nestfuse_siamrpn_mobilev2"
Box = tuple[float, float, float, float]


def register(app: typer.Typer) -> None:
    """Add ``rgbt track``."""
    app.command("track")(track)


def main() -> None:
    """Entry point of ``python track.py``."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(track)
    console.run(app)


@dataclass(frozen=True)
class Request:
    """What the user asked for, besides the sequence and the tracker."""

    output: Path
    video: Path | None
    show: bool
    maps: bool


def track(
    sequence: Annotated[
        str | None,
        typer.Option(metavar="NAME|DIR", help="Sequence folder, name of a known sequence, or drawn:SCENE[-SEED]."),
    ] = None,
    rgb: Annotated[
        str | None,
        typer.Option(metavar="A", help="Visible frames: a folder, a video, a camera index or a stream address."),
    ] = None,
    ir: Annotated[str | None, typer.Option(metavar="B", help="Thermal frames, likewise.")] = None,
    init: Annotated[str | None, typer.Option(metavar="X,Y,W,H", help="Box of the target in the first frame.")] = None,
    config: Annotated[str, typer.Option(metavar="F", help="Configuration: a name or a YAML file.")] = DEFAULT_CONFIG,
    weights: Annotated[
        str | None, typer.Option(metavar="F", help="A file, a name from 'rgbt weights list', or 'untrained'.")
    ] = None,
    modality: Annotated[str | None, typer.Option(metavar="rgbt|rgb|ir", help="Cameras to use.")] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for NAME.txt, scores and times.")] = Path(
        "results"
    ),
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "auto",
    video: Annotated[Path | None, typer.Option(metavar="FILE.mp4", help="Write an overlay video.")] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Watch in a window; draw the box there if none is known.")
    ] = False,
    homography: Annotated[
        str | None, typer.Option(metavar="FILE|9 numbers", help="3x3 matrix from thermal to visible pixels.")
    ] = None,
    maps: Annotated[bool, typer.Option("--maps", help="Show and keep the fusion weights of both cameras.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the result files.")] = None,
    root: Annotated[list[Path] | None, typer.Option(metavar="DIR", help="Dataset folder to look NAME up in.")] = None,
) -> None:
    """Follow one target through an RGB-thermal sequence.

    Writes DIR/NAME.txt (x,y,w,h a frame), NAME_scores.txt and NAME_time.txt. Examples:

    rgbt track --sequence drawn:street --video street.mp4

    rgbt track --rgb day.mp4 --ir heat.mp4 --init 120,80,40,60
    """
    if show:
        from rgbt_tracker.output.window import check_screen

        check_screen()
    settings = _settings(config, modality, homography)
    frames = _open(sequence, rgb, ir, name, root or [])
    _check_cameras(frames, settings)
    start = _start_box(frames.info, settings, init, show)
    check_writable(output)
    if video is not None:
        from nestfuse_core.common.video import check_video_name

        check_video_name(video)
        check_writable(video.parent)
    for note in frames.info.notes:
        console.stderr.print(f"Note: {note}", markup=False, highlight=False)
    tracker = _build(settings, weights, device)
    tracker.record_maps = maps
    _run(tracker, settings, frames, start, Request(output, video, show, maps))


def _settings(config: str, modality: str | None, homography: str | None) -> TrackerConfig:
    from rgbt_tracker.config import load_config
    from rgbt_tracker.output.homography import read_homography

    settings = load_config(config)
    if modality is not None:
        settings = settings.replace(modality=modality)
    if homography is not None:
        settings = settings.replace(**{"thermal.homography": read_homography(homography)})
    return settings


def _open(sequence: str | None, rgb: str | None, ir: str | None, name: str | None, roots: list[Path]) -> FrameSequence:
    from rgbt_tracker.sequences import open_pair, open_sequence

    if sequence is not None and (rgb is not None or ir is not None):
        raise UserError("Give either --sequence or --rgb and --ir, not both.")
    if sequence is not None:
        frames = open_sequence(sequence, roots)
        frames.info.name = name or frames.info.name
        return frames
    if rgb is None and ir is None:
        raise UserError(
            "Nothing to track: give --sequence NAME|DIR (for example --sequence drawn:street), or --rgb A --ir B."
        )
    return open_pair(rgb, ir, name)


def _check_cameras(frames: FrameSequence, settings: TrackerConfig) -> None:
    present = frames.cameras
    for camera in settings.modalities:
        if camera not in present:
            raise UserError(
                f"The modality '{settings.modality}' needs {camera} frames, and '{frames.info.source}' has none: "
                f"give --{camera}, or --modality {present[0]}."
            )


def _start_box(info: SequenceInfo, settings: TrackerConfig, init: str | None, show: bool) -> Box | None:
    """The first box, or None when the user will draw it."""
    from rgbt_tracker.sequences.rows import parse_box

    box = parse_box(init) if init is not None else info.start_for(settings.modality)
    if box is None and not show:
        raise UserError(
            f"Where is the target? '{info.name}' has no ground truth for its first frame: give --init x,y,w,h (pixels, "
            "x and y of the top-left corner), or --show to draw the box with the mouse."
        )
    return box


def _build(settings: TrackerConfig, weights: str | None, device: str) -> Any:
    from rgbt_tracker.api import UNTRAINED, build_tracker

    if UNTRAINED in (weights, settings.weights if weights is None else None):
        console.stderr.print("Note: the network is untrained; its track says nothing about the target.")
    return build_tracker(settings, weights, device)


def _run(tracker: Any, settings: TrackerConfig, frames: FrameSequence, start: Box | None, request: Request) -> None:
    from rgbt_tracker.output.recorder import Recorder, TimedTracker
    from rgbt_tracker.output.window import Window
    from rgbt_tracker.sequences.live import Stoppable
    from rgbt_tracker.tracking.run import track_sequence

    info, timed = frames.info, TimedTracker(tracker)
    live = frames.live
    with ExitStack() as stack:
        stack.enter_context(frames)
        window = stack.enter_context(Window()) if request.show else None
        source = Stoppable(frames)
        if start is None:
            assert window is not None
            start = _draw_box(source, window, settings)
        bar = stack.enter_context(console.progress())
        task = bar.add_task(info.name, total=info.length, note="Ctrl-C ends it" if live else "")
        recorder = Recorder(
            timed,
            settings,
            info,
            start,
            video=request.video,
            window=window,
            keep_maps=request.maps,
            on_progress=lambda: bar.advance(task),
            on_stop=source.stop if live else _interrupt,
        )
        began = time.perf_counter()
        with _ending_with(source.stop if live else None), recorder:
            result = track_sequence(timed, source, start, recorder.on_frame)  # type: ignore[arg-type]
        elapsed = time.perf_counter() - began
    _finish(result, recorder, settings, info, elapsed, request)


def _interrupt() -> None:
    raise KeyboardInterrupt


@contextmanager
def _ending_with(stop: Any | None) -> Iterator[None]:
    """A live source has no end of its own: Ctrl-C ends it, and what was tracked is kept."""
    if stop is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _draw_box(source: Any, window: Window, settings: TrackerConfig) -> Box:
    """Let the user draw the first box; a live source runs until space is pressed, and starts on that frame."""
    from rgbt_tracker.output.overlay import Overlay

    def picture(frame: Frame) -> list[Any]:
        return list(Overlay(settings).pictures(frame).values())

    console.stderr.print("Draw a box around the target and press space or Enter (a live picture: space first).")
    frame = source.choose_start(lambda frame: window.confirm(picture(frame)[0]))
    return window.select(picture(frame))


def _finish(
    track: Track, recorder: Any, settings: TrackerConfig, info: SequenceInfo, elapsed: float, request: Request
) -> None:
    from rgbt_tracker.output.summary import summarise
    from rgbt_tracker.results.write import write_results

    if not len(track.boxes):
        raise UserError(f"No frame arrived from '{info.source}', so there is nothing to write.")
    if request.maps:
        from rgbt_tracker.report.maps import write_maps

        write_maps(request.output / f"{info.name}_maps.npz", recorder.maps, recorder.search_boxes)
    files = write_results(request.output, info.name, track.boxes, track.scores, track.seconds)
    typer.echo(summarise(track, info.truth_for(settings.modality), settings.tracking.lost_below, info.name, elapsed))
    typer.echo(f"results: {', '.join(map(str, files))}")
    if request.video:
        typer.echo(f"video: {request.video}")
