"""The TraX side of a tracker: what the toolkit starts for every row of ``vot_workspace/trackers.ini``.

The toolkit runs ``from rgbt_tracker.vot.adapter import main; main(config='...')``. The model is loaded before the
handshake, which has no time limit; a frame has 30 s. Exit codes: 0 the toolkit ended the session, 2 bad input (one
sentence in the log), 1 anything else (with its traceback).
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import INTERRUPTED
from nestfuse_core.common.processes import MOST_THREADS, end_with_parent
from nestfuse_core.common.sections import shown
from rgbt_tracker.vot.session import Session, TrackerOptions, log_to_stderr, open_session

DEVICE_VARIABLE = "RGBT_DEVICE"
"""Chooses the device of every tracker that ``vot`` starts: cpu, cuda or cuda:N."""


def main(**arguments: Any) -> None:
    """Serve one tracker until the toolkit ends the session.

    Args:
        arguments: fields of ``TrackerOptions``; the environment variable RGBT_DEVICE wins over ``device``.

    Raises:
        SystemExit: with code 2 or 1 on failure.
    """
    end_with_parent()
    try:
        serve(open_session(options_from(arguments)))
    except KeyboardInterrupt as error:
        raise SystemExit(INTERRUPTED) from error
    except UserError as error:
        log_to_stderr(f"Error: {error}")
        raise SystemExit(2) from error
    except Exception as error:
        # The toolkit shows the last traceback of the log.
        traceback.print_exc()
        log_to_stderr(f"Error: {type(error).__name__}: {error}")
        raise SystemExit(1) from error


def options_from(arguments: dict[str, Any]) -> TrackerOptions:
    """Check the arguments of a row of ``trackers.ini``."""
    known = TrackerOptions.__dataclass_fields__
    unknown = [name for name in arguments if name not in known]
    if unknown:
        raise UserError(f"Unknown argument '{unknown[0]}' in the tracker's command; expected {', '.join(known)}.")
    device = os.environ.get(DEVICE_VARIABLE) or arguments.get("device")
    options = TrackerOptions(**{**arguments, "device": device})
    for name, value in arguments.items():
        if name != "threads" and not isinstance(value, str | None):
            raise UserError(f"Expected a text as {name} in the tracker's command, got {shown(value)}.")
    if options.threads is not None and (type(options.threads) is not int or not 1 <= options.threads <= MOST_THREADS):
        raise UserError(f"Expected threads from 1 to {MOST_THREADS} in the command, got {shown(options.threads)}.")
    return options


def serve(session: Session) -> None:
    """Answer TraX requests; returns when the toolkit quits."""
    import trax

    server = trax.Server([trax.Region.POLYGON, trax.Region.RECTANGLE], [trax.Image.PATH], session.channels)
    try:
        while True:
            request = server.wait()
            if request.type == trax.TraxStatus.INITIALIZE:
                region = request.objects[0][0]
                session.initialize(session.read(_files(request)), _numbers(region))
                server.status([(region, {})])
            elif request.type == trax.TraxStatus.FRAME:
                values, confidence = session.update(session.read(_files(request)))
                server.status([(_region(values), {"confidence": confidence})])
            else:
                return
    except UserError as error:
        # The reason appears in the toolkit's own message.
        server.quit(str(error))
        raise


def _files(request: Any) -> dict[str, Path]:
    return {channel: _path(image.path()) for channel, image in request.image.items()}


def _path(text: str) -> Path:
    """The file of an image message: a plain path, or a file:// address."""
    return Path(unquote(urlparse(text).path)) if text.startswith("file://") else Path(text)


def _numbers(region: Any) -> np.ndarray:
    import trax

    if region.type == trax.Region.RECTANGLE:
        return np.array(region.bounds(), dtype=np.float64)
    return np.array([value for point in region for value in point], dtype=np.float64)


def _region(values: np.ndarray) -> Any:
    from trax.region import Polygon, Rectangle

    numbers = [float(value) for value in values]
    if len(numbers) == 4:
        return Rectangle.create(*numbers)
    return Polygon.create(list(zip(numbers[0::2], numbers[1::2], strict=True)))


if __name__ == "__main__":
    sys.exit("Add a row to vot_workspace/trackers.ini; the VOT toolkit starts this module.")
