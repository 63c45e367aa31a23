"""The ``rgbt`` command: every sub-command lives in the module of ``rgbt_tracker.cli`` named after it."""

from __future__ import annotations

import importlib

import typer

from nestfuse_core.common import console

# Each module offers register(app), which adds its commands; models and torch are imported inside the commands.
COMMANDS: tuple[str, ...] = (
    "track",
    "compare",
    "fusion",
    "weights",
    "vot",
    "report",
    "demo",
    "bench",
    "ablation",
    "tune",
    "data",
    "train",
    "calibrate",
)


def build_app() -> typer.Typer:
    """Return the typer application with every command registered."""
    app = typer.Typer(
        name="rgbt",
        help="RGB-thermal tracking and image fusion.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root() -> None:
        """RGB-thermal tracking and image fusion."""

    for name in COMMANDS:
        importlib.import_module(f"rgbt_tracker.cli.{name}").register(app)
    return app


def main() -> None:
    """Entry point of the console script."""
    console.run(build_app())


if __name__ == "__main__":
    main()
