"""Where a pair's thermal camera looks, from points that are clicked in both pictures on the page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.pictures import Image, encode_image
from nestfuse_core.rig.features import thermal_view, visible_view
from nestfuse_core.rig.file import NAME, Rig, rig_text, rows
from nestfuse_core.rig.given import LEAST_PAIRS, from_points
from nestfuse_core.rig.look import overlay
from rgbt_tracker.demo.sessions import Session
from rgbt_tracker.sequences.base import Frame

QUALITY = 85
"""Of the JPEG pictures that the page shows."""
Coordinate = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Pair = tuple[Coordinate, Coordinate, Coordinate, Coordinate]


class Points(BaseModel):
    """Pairs of points of a frame: visible x, y and thermal X, Y each, in px of each camera's own picture."""

    frame: Annotated[int, Field(strict=True)] = 0
    pairs: Annotated[list[Pair], Field(max_length=200)]


@dataclass(frozen=True)
class Pointed:
    """A rig by points, and how far each pair is from it, px of the visible picture; none where there are too few."""

    rig: Rig
    left: list[float]


def by_points(before: Rig, frame: Frame, pairs: list[Pair]) -> Pointed:
    """What ``before`` becomes by the pairs; itself while there are fewer than a homography needs.

    Raises:
        UserError: a camera has no picture of this frame, or no homography follows from the points.
    """
    rgb, ir = both(frame)
    if len(pairs) < LEAST_PAIRS:
        return Pointed(before, [])
    points = np.array(pairs)
    matrix, left = from_points(points[:, :2], points[:, 2:])
    rig = before.changed(
        visible=rgb.shape[1::-1],
        thermal=ir.shape[1::-1],
        homography=rows(matrix),
        visible_lens=None,
        thermal_lens=None,
        how=f"{len(pairs)} pairs of points",
    )
    return Pointed(rig, left.tolist())


def both(frame: Frame) -> tuple[Image, Image]:
    """The visible and the thermal picture. Raises UserError where one is missing."""
    if frame.rgb is None or frame.ir is None:
        raise UserError("Points are picked in a visible and a thermal picture of one moment; this frame lacks one.")
    return np.asarray(frame.rgb), np.asarray(frame.ir)


def add_pointing(app: FastAPI, find: Callable[[str], Session]) -> None:
    """Add the addresses by which the page picks points; ``find`` returns a session by its name."""

    @app.get("/api/sessions/{name}/own/{camera}/{index}.jpg")
    def own(name: str, camera: str, index: int) -> Response:
        """A camera's picture before it is laid on the other's."""
        rgb, ir = both(find(name).own_frame(index))
        view = visible_view(rgb) if camera == "rgb" else thermal_view(ir)
        data = encode_image(np.rint(view.planes).astype(np.uint8), ".jpg", QUALITY)
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})

    @app.post("/api/sessions/{name}/points")
    def points(name: str, wanted: Points) -> dict[str, Any]:
        """Thermal edges over the visible picture, the file, and how far each pair is from what it says."""
        session = find(name)
        frame = session.own_frame(wanted.frame)
        found = by_points(session.rig, frame, wanted.pairs)
        picture = base64.b64encode(encode_image(overlay(*both(frame), found.rig), ".jpg", QUALITY)).decode()
        answer = {"left": found.left, "overlay": f"data:image/jpeg;base64,{picture}", "name": NAME}
        return {**answer, "file": rig_text(found.rig) if found.left else None}

    @app.post("/api/sessions/{name}/lay")
    def lay(name: str, wanted: Points) -> dict[str, Any]:
        """Track and fuse with thermal laid as the points say from now on."""
        session = find(name)
        found = by_points(session.rig, session.own_frame(wanted.frame), wanted.pairs)
        if not found.left:
            raise UserError(f"Expected at least {LEAST_PAIRS} pairs of points, got {len(wanted.pairs)}.")
        session.lay(found.rig)
        return {"summary": found.rig.summary()}
