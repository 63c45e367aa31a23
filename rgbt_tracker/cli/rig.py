"""``rgbt rig``: where the thermal camera looks in the visible picture, and how far its clock is ahead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nestfuse_core.common import console
from nestfuse_core.common.commands import application
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import check_writable, expanded
from nestfuse_core.common.options import Offset, PairBy, Rates, ThermalTimes
from rgbt_tracker.cli.options import VisibleTimes

if TYPE_CHECKING:
    from nestfuse_core.rig.align import Alignment
    from nestfuse_core.rig.file import Rig
    from rgbt_tracker.sequences.base import Frame, FrameSequence

Rgb = Annotated[
    str,
    typer.Option("--rgb", metavar="A", help="Visible frames: a picture, folder, video, camera index or address."),
]
Ir = Annotated[str, typer.Option("--ir", metavar="B", help="Thermal frames, likewise.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The rig's file; what it says of other things stays.")
]
Picture = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE.jpg", help="Picture to judge by [default: the rig file's name, .jpg]."),
]

rig = application(help="Where the thermal camera looks in the visible picture, and when.", no_args_is_help=True)


@rig.command()
def align(
    rgb: Rgb,
    ir: Ir,
    output: Output = Path("rig.yaml"),
    points: Annotated[
        list[str] | None,
        typer.Option(metavar="x,y,X,Y", help="A pair of points, visible x,y and thermal X,Y; four or more times."),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(metavar="9x6", help="Chessboard or grid of circles that both see: inner corners or circles."),
    ] = None,
    thermal_range: Annotated[
        str | None, typer.Option(metavar="LOW,HIGH", help="Raw thermal values that become black and white.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, max=200, help="Moments of a recording to look at.")] = 6,
    picture: Picture = None,
    fps: Rates = None,
    offset: Offset = 0.0,
    pair: PairBy = "auto",
    rgb_times: VisibleTimes = None,
    ir_times: ThermalTimes = None,
) -> None:
    """Find how thermal pictures lie on visible ones, and write the rig's file; refuses where it is not sure.

    rgbt rig align --rgb day.mp4 --ir heat.mp4 --output rig.yaml

    rgbt rig align --rgb day.png --ir heat.png --points 10,20,4,9 --points 600,30,310,16 ...
    """
    from nestfuse_core.cameras.matching import parse_timing
    from nestfuse_core.fusion.thermal import parse_range
    from nestfuse_core.rig.file import rows, write_rig
    from rgbt_tracker.sequences.moments import picked

    if points and board:
        raise UserError("Both --points and --board say how the cameras look; give one of them.")
    limits = parse_range(thermal_range)
    shown = _picture(output, picture)
    before = _present(output)
    timing = before.completed(parse_timing(pair, offset, fps, rgb_times, ir_times))
    with _opened(rgb, ir, timing) as sequence:
        _tell(sequence)
        moments = picked(sequence, frames if board is None else max(frames, 40))
        first = moments[len(moments) // 2]
        assert first.rgb is not None and first.ir is not None
        sizes = {"visible": first.rgb.shape[1::-1], "thermal": first.ir.shape[1::-1]}
        known = {"offset": timing.offset or before.offset, "fps": _rates(timing.fps) or before.fps}
        if limits is not None:
            known["thermal_range"] = limits
        matrix, found = _placed(moments, points, board)
    made = before.changed(**sizes, **known, **found, homography=rows(matrix))
    write_rig(output, made)
    from nestfuse_core.common.pictures import write_image
    from nestfuse_core.rig.look import sheet

    write_image(shown, sheet(first.rgb, first.ir, made))
    typer.echo(f"{output}: {made.summary()}")
    typer.echo(f"picture: {shown}")


@rig.command()
def sync(
    rgb: Rgb,
    ir: Ir,
    output: Output = Path("rig.yaml"),
    reach: Annotated[float, typer.Option("--within", metavar="SECONDS", help="Largest offset to try.")] = 2.5,
    fps: Rates = None,
    rgb_times: VisibleTimes = None,
    ir_times: ThermalTimes = None,
) -> None:
    """Find how far the thermal clock is ahead, from what moves in both pictures; says when it cannot tell.

    Where the file already says how thermal lies on visible, motion is compared place by place: run 'align' first.
    """
    from nestfuse_core.cameras.matching import Timing, parse_timing
    from nestfuse_core.cameras.sources import open_recorded, parse_address
    from nestfuse_core.rig.file import write_rig
    from nestfuse_core.rig.sync import find_offset

    check_writable(output.parent)
    before = _present(output)
    timing = parse_timing("auto", 0.0, fps, rgb_times, ir_times)
    timing = Timing("auto", 0.0, timing.fps or before.completed(timing).fps, timing.times)
    sources = {}
    for camera, text in (("rgb", rgb), ("ir", ir)):
        address = parse_address(text)
        if address.live:
            raise UserError(f"Expected recordings to compare in time, but '{text}' is live: it is paired by arrival.")
        sources[camera] = open_recorded(address, camera)
    motions = _motions(sources, timing, before)
    placed = before.homography is not None
    if not placed:
        console.note(f"'{output}' does not say how thermal lies on visible, so whole pictures are compared.")
    found = find_offset(motions["rgb"], motions["ir"], reach, placed)
    if found.why_not:
        raise UserError(f"The offset of the clocks is not known: {found.why_not}; nothing was written.")
    typer.echo(
        f"The thermal clock is {found.seconds:.3f} s ahead: motion agrees by {found.correlation:.2f}, "
        f"{found.clearness:.0f} deviations above other offsets, the next best {100 * found.rival:.0f} % of it."
    )
    write_rig(output, before.changed(offset=round(found.seconds, 4), fps=_rates(timing.fps) or before.fps))
    typer.echo(f"{output}: {_present(output).summary()}")


@rig.command()
def check(
    rgb: Rgb,
    ir: Ir,
    file: Annotated[Path, typer.Option("--rig", metavar="FILE", help="The rig's file.")] = Path("rig.yaml"),
    frames: Annotated[int, typer.Option(min=1, help="Moments to look at, over the whole recording.")] = 12,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.mp4", help="Video of thermal edges over visible.")
    ] = None,
    fps: Rates = None,
    offset: Offset = 0.0,
    pair: PairBy = "auto",
) -> None:
    """Look whether a rig's file fits a whole recording, and warn when the rig has moved (exit code 1)."""
    from nestfuse_core.cameras.matching import parse_timing
    from nestfuse_core.rig.drift import drift_of, verdict
    from nestfuse_core.rig.file import read_rig
    from rgbt_tracker.sequences.moments import picked

    known = read_rig(file)
    with _opened(rgb, ir, known.completed(parse_timing(pair, offset, fps))) as sequence:
        _tell(sequence)
        drifts = []
        with console.progress() as bar:
            moments = picked(sequence, frames)
            task = bar.add_task("moments", total=len(moments), note="")
            for frame in moments:
                assert frame.rgb is not None and frame.ir is not None
                matrix = known.matrix(frame.rgb.shape[1::-1], frame.ir.shape[1::-1])
                drifts.append(drift_of(frame.index, frame.rgb, frame.ir, matrix))
                bar.advance(task)
        if output is not None:
            _overlay_video(sequence, known, output)
    for drift in drifts:
        says = f"corners {drift.corners:.1f} px off" if drift.known else "too little to see"
        typer.echo(f"frame {drift.frame}: {says} (to {drift.spread:.1f} px)")
    moved, sentence = verdict(drifts)
    typer.echo(("Warning: " if moved else "") + sentence)
    if moved:
        raise typer.Exit(1)


def _placed(moments: list[Frame], points: list[str] | None, board: str | None):
    """The matrix from thermal to visible pixels and what else is found for the file; says how sure it is."""
    from nestfuse_core.rig import given

    if points:
        matrix, left = given.from_points(*given.parse_points(points))
        typer.echo(f"{len(points)} pairs of points fit to {left.mean():.2f} px.")
        return matrix, {"how": f"{len(points)} pairs of points", "visible_lens": None, "thermal_lens": None}
    pairs = [(frame.rgb, frame.ir) for frame in moments]
    if board is not None:
        result = given.from_board(pairs, given.parse_board(board))  # type: ignore[arg-type]
        errors = "visible lens {:.2f}, thermal lens {:.2f}, homography {:.2f} px".format(*result.errors)
        typer.echo(f"Both cameras see the board in {result.seen} of {len(pairs)} pictures; left over: {errors}.")
        lenses = {"visible_lens": result.visible_lens, "thermal_lens": result.thermal_lens}
        dumped = {key: lens.model_dump() for key, lens in lenses.items()}
        return result.homography, {"how": f"board {board} in {result.seen} pictures", **dumped}
    answer = _estimated(pairs)
    evidence = answer.evidence
    typer.echo(
        f"Found a {answer.kind} from {len(pairs)} {'moment' if len(pairs) == 1 else 'moments'}: edges agree "
        f"{evidence.clearness:.1f} times above chance, the next best place has {100 * evidence.rival:.0f} % of that; "
        f"expected error {evidence.spread:.1f} px (at the corners, 640 px width); thermal covers "
        f"{100 * evidence.common:.0f} % of the visible picture."
    )
    if doubts := evidence.doubts():
        raise UserError(
            f"Not sure how the cameras look, so nothing was written: {'; '.join(doubts)}; give more moments "
            "(--frames), a scene with more in it, or pairs of points (--points x,y,X,Y)."
        )
    return answer.matrix, {"how": f"edges in {len(pairs)} moments", "visible_lens": None, "thermal_lens": None}


def _estimated(pairs) -> Alignment:
    from nestfuse_core.rig.align import align as find
    from nestfuse_core.rig.features import thermal_view, visible_view

    with console.progress() as bar:
        task = bar.add_task("aligning", total=3, note="")

        def tell(what: str) -> None:
            bar.update(task, advance=1, note=what)

        return find([visible_view(rgb) for rgb, _ in pairs], [thermal_view(ir) for _, ir in pairs], tell)


def _motions(sources, timing, before: Rig):
    """Camera -> how much moves in its recording; takes the times that ``timing`` states."""
    from nestfuse_core.cameras.matching import match_one
    from nestfuse_core.cameras.names import CAMERAS
    from nestfuse_core.rig.sync import motion_of

    motions, size = {}, sources["rgb"].read(0).shape[1::-1]
    with console.progress() as bar:
        for camera, source in sources.items():
            match_one(source, timing)
            if source.times is None:
                raise UserError(
                    f"The {CAMERAS[camera]} frames have no times; give their rates (--fps VISIBLE,THERMAL), or files."
                )
            task = bar.add_task(CAMERAS[camera], total=source.length, note="")

            def pictures(source=source, task=task):
                for index in range(source.length):
                    yield source.read(index)
                    bar.advance(task)

            motions[camera] = motion_of(pictures(), source.times, camera, before, size)
            source.close()
    return motions


def _opened(rgb: str, ir: str, timing) -> FrameSequence:
    """Both cameras' frames, or one pair of pictures."""
    from nestfuse_core.cameras.sources import ImageFiles, is_sequence_file, parse_address
    from nestfuse_core.common.pictures import SUFFIXES
    from nestfuse_core.rig.file import NO_RIG
    from rgbt_tracker.sequences.base import SequenceInfo
    from rgbt_tracker.sequences.paired import PairedSequence
    from rgbt_tracker.sequences.pairs import open_timed

    files = [expanded(text) for text in (rgb, ir)]
    single = [file.is_file() and file.suffix.lower() in SUFFIXES and not is_sequence_file(file) for file in files]
    if all(single):
        own, other = (ImageFiles([file], camera) for file, camera in zip(files, ("rgb", "ir"), strict=True))
        return PairedSequence(SequenceInfo("pair", 1, source=f"{rgb} and {ir}"), own, other)
    places = {text: parse_address(text).place for text in (rgb, ir)}
    wrong = {text: "nothing there" for text, place in places.items() if isinstance(place, Path) and not place.exists()}
    wrong |= {text: "a single picture beside none" for text, alone in zip((rgb, ir), single, strict=True) if alone}
    for text, why in wrong.items():
        raise UserError(
            "Expected two pictures, or a folder of images, a video, a camera index or a stream address for each "
            f"camera, got '{text}' ({why})."
        )
    return open_timed(rgb, ir, None, timing, NO_RIG)


def _tell(sequence: FrameSequence) -> None:
    for text in sequence.info.notes:
        if "--homography" not in text:
            console.note(text)


def _present(output: Path) -> Rig:
    """What the rig's file says already."""
    from nestfuse_core.rig.file import Rig, read_rig

    return read_rig(output) if output.is_file() else Rig()


def _picture(output: Path, picture: Path | None) -> Path:
    from nestfuse_core.common.pictures import check_image_name

    shown = picture or output.with_suffix(".jpg")
    check_image_name(shown)
    for file in (output, shown):
        check_writable(file.parent)
    return shown


def _rates(fps) -> tuple[float | None, float | None] | None:
    return (fps.get("rgb"), fps.get("ir")) if fps else None


def _overlay_video(sequence: FrameSequence, known: Rig, output: Path) -> None:
    from nestfuse_core.common.video import check_video_name, writing_video
    from nestfuse_core.rig.look import overlay

    check_video_name(output)
    with writing_video(output, sequence.fps) as writer, console.progress() as bar:
        task = bar.add_task("video", total=len(sequence), note="")
        for frame in sequence:
            bar.advance(task)
            if frame.rgb is not None and frame.ir is not None:
                writer.write(overlay(frame.rgb, frame.ir, known))
    typer.echo(f"video: {output}")
