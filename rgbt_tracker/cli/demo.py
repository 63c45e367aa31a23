"""``rgbt demo``: a local page to try tracking and fusion on."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

import typer

from nestfuse_core.cli import LookName
from nestfuse_core.common import console
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.extras import require
from nestfuse_core.common.options import Device, RigFile, Runtime
from nestfuse_core.fusion.looks import DEFAULT as DEFAULT_LOOK
from rgbt_tracker.cli.options import DEFAULT_CONFIG, Config, Weights

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def demo(
    config: Config = DEFAULT_CONFIG,
    weights: Weights = None,
    fusion_weights: Annotated[
        Path | None, typer.Option(metavar="F", help="NestFuse weights; the look's by default.")
    ] = None,
    look: LookName = DEFAULT_LOOK,
    device: Device = "auto",
    runtime: Runtime = "auto",
    host: Annotated[str, typer.Option(help="Address to serve on; others than 127.0.0.1 open it to the network.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    rig: RigFile = None,
    max_upload: Annotated[int, typer.Option(metavar="MB", min=1, help="Largest upload.")] = 200,
) -> None:
    """Serve a page on this machine to try tracking and fusion on: open a pair, draw a box, watch, fuse a frame."""
    require("demo", "uvicorn", "fastapi", "python_multipart", "PIL")
    import uvicorn

    from nestfuse_core.rig.file import choose_rig
    from rgbt_tracker.config import load_config
    from rgbt_tracker.demo.app import LOCAL, Settings, create_app
    from rgbt_tracker.demo.connections import Connection
    from rgbt_tracker.demo.engines import FrameFuser, TrackerFactory
    from rgbt_tracker.demo.uploads import Limits

    if rig is not None:
        choose_rig(rig)
    load_config(config)  # a mistake in its name is said now and not in the browser
    hosts = LOCAL if host in LOOPBACK else ("*",)
    if host not in LOOPBACK:
        console.note(f"on {host} everyone who reaches this machine can open pairs and use its processor.")
    listener = _listen(host, port)
    engines = TrackerFactory(config, weights, device, runtime), FrameFuser(fusion_weights, device, look, runtime)
    app = create_app(*engines, Settings(Limits(max_upload), hosts, rig=rig))
    number = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    console.stdout.print(f"Open http://{shown}:{number} in a browser; Ctrl-C ends it.", highlight=False, markup=False)
    served = uvicorn.Config(app, http=Connection, log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(served).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()  # so that a browser that follows the printed line at once waits, and is not refused
    except OSError as error:
        listener.close()
        raise UserError(f"Cannot serve on {host}:{port}: {error.strerror}; give another --port, 0 for any.") from error
    return listener
