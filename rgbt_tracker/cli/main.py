"""The ``rgbt`` command: every sub-command lives in the module of ``rgbt_tracker.cli`` named after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nestfuse_core.common.guard import run
from rgbt_tracker import __version__
from rgbt_tracker.cli.lazy import Entry, lazy_group

if TYPE_CHECKING:
    import typer

COMMANDS = {
    "track": Entry("rgbt_tracker.cli.track:track", "Follow a target, or several, through an RGB-thermal sequence."),
    "compare": Entry("rgbt_tracker.cli.compare:compare", "Track with RGB, thermal and both, and compare the three."),
    "fuse": Entry("nestfuse_core.cli:fuse", "Fuse infrared and visible images, folders of them, or videos."),
    "fusion": Entry("nestfuse_core.cli_fusion:fusion", "Train the fusion network, measure the paper's tables, score."),
    "rig": Entry("rgbt_tracker.cli.rig:rig", "Where the thermal camera looks in the visible picture, and when."),
    "report": Entry("rgbt_tracker.cli.report:report", "Write a page that compares trackers and plays their sequences."),
    "demo": Entry("rgbt_tracker.cli.demo:demo", "Serve a page on this machine to try tracking and fusion on."),
    "bench": Entry("rgbt_tracker.cli.bench:bench", "Benchmarks: GTOT, RGBT210, RGBT234, LasHeR, VTUAV."),
    "vot": Entry("rgbt_tracker.cli.vot:vot", "VOT-RGBT2019: workspace, data, evaluation, scores."),
    "weights": Entry("rgbt_tracker.cli.weights:weights", "Weights by name: list, fetch, adopt, average."),
    "export": Entry("rgbt_tracker.cli.export:export", "Write a network as ONNX graphs that any program can run."),
    "data": Entry("rgbt_tracker.cli.data:data", "Drawn sequences and crop sets for training."),
    "train": Entry("rgbt_tracker.cli.train:train", "Train a tracker from a recipe."),
    "calibrate": Entry("rgbt_tracker.cli.calibrate:fit_gate", "Fit the reliability gate to a tracker's weights."),
    "tune": Entry("rgbt_tracker.cli.tune:tune", "Tune the tracking loop on some sequences, check the gain on others."),
    "ablation": Entry("rgbt_tracker.cli.ablation:ablation", "Compare single cameras, the paper's fusion and ours."),
}


def build_app() -> typer.Typer:
    """Return the application; a command's module is imported when the command is called."""
    # Nothing slow is imported before `nestfuse_core.common.guard.run` stands.
    import typer

    from nestfuse_core.common.commands import application

    app = application(name="rgbt", no_args_is_help=True, cls=lazy_group(COMMANDS))

    @app.callback()
    def root(
        version: bool = typer.Option(
            False, "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ) -> None:
        """RGB-thermal tracking and image fusion."""

    return app


def _show_version(wanted: bool) -> None:
    import typer

    if wanted:
        typer.echo(f"rgbt-tracker {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the console script."""
    run("rgbt_tracker.cli.main:build_app")


if __name__ == "__main__":
    main()
