"""OpenCV's trackers of one camera behind our interface, to be measured beside ours.

``rgbt bench run ... --factory rgbt_tracker.tracking.opencv:csrt`` (or ``mil``, ``nano``). They follow the target in the
visible camera, or, where they are shown only the other one (``--modality ir``), in the thermal one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box
from rgbt_tracker.config import ThermalConfig
from rgbt_tracker.tracking.cameras import ThermalFrames, as_bgr
from rgbt_tracker.tracking.interface import Result


class OpenCVTracker:
    """One of OpenCV's trackers.

    Args:
        create: makes a fresh one; each start gets its own.
    """

    def __init__(self, create: Callable[[], Any]) -> None:
        self._create = create
        self._tracker: Any = None
        self._camera = "rgb"
        self._box: Box = (0.0, 0.0, 1.0, 1.0)
        self._thermal = ThermalFrames(ThermalConfig())

    def initialize(self, rgb: ArrayLike | None, ir: ArrayLike | None, box: ArrayLike) -> None:
        """Start on ``box`` (x, y, w, h in px), which OpenCV rounds to whole pixels, in the camera that there is.

        Raises:
            UserError: no picture, or a box that OpenCV does not take.
        """
        self._camera = "rgb" if rgb is not None else "ir"
        self._thermal.start()
        image = self._image(rgb, ir)
        if image is None:
            raise UserError("Expected a first frame of one camera, got none.")
        x, y, w, h = (float(value) for value in np.asarray(box, np.float64).ravel())
        self._box = x, y, w, h
        self._tracker = self._create()
        try:
            self._tracker.init(image, tuple(round(value) for value in self._box))
        except cv2.error as error:
            raise UserError(f"OpenCV's tracker does not start on the box {self._box}: {error.err}.") from error

    def update(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Result:
        """Follow the target; where it is lost, or there is no picture, its last box with score 0."""
        image = self._image(rgb, ir)
        if image is None:
            return Result(self._box, 0.0, lost=True)
        found, box = self._tracker.update(image)
        if not found:
            return Result(self._box, 0.0, lost=True, cameras=(self._camera,))
        x, y, w, h = (float(value) for value in box)
        self._box = x, y, w, h
        score = self._tracker.getTrackingScore() if hasattr(self._tracker, "getTrackingScore") else 1.0
        return Result(self._box, float(np.clip(score, 0, 1)), cameras=(self._camera,))

    def _image(self, rgb: ArrayLike | None, ir: ArrayLike | None) -> Any:
        """The followed camera's picture, HxWx3 uint8 BGR, or None."""
        image = rgb if self._camera == "rgb" else ir
        if image is None:
            return None
        return as_bgr(np.asarray(image), "rgb") if self._camera == "rgb" else self._thermal(np.asarray(image), None)


def mil() -> OpenCVTracker:
    """Multiple instance learning (Babenko et al., CVPR 2009), which every build of OpenCV has."""
    return OpenCVTracker(cv2.TrackerMIL.create)


def csrt() -> OpenCVTracker:
    """CSR-DCF (Lukezic et al., CVPR 2017).

    Raises:
        UserError: this build of OpenCV lacks it.
    """
    found = getattr(cv2, "TrackerCSRT", None) or getattr(getattr(cv2, "legacy", None), "TrackerCSRT", None)
    if found is None:
        raise UserError(
            f"OpenCV {cv2.__version__} as it is installed has no CSRT, which comes with its contrib modules: type "
            "pip uninstall -y opencv-python && pip install 'opencv-contrib-python<5', in an environment of its own."
        )
    return OpenCVTracker(found.create)


def nano(folder: str | None = None) -> OpenCVTracker:
    """NanoTrack from the two ONNX files in ``folder``, whose names hold "backbone" and "head".

    Raises:
        UserError: no folder, or not these files in it.
    """
    if folder is None:
        raise UserError("OpenCV's NanoTrack needs its two ONNX files: give the folder they are in as --weights FOLDER.")
    parameters = cv2.TrackerNano.Params()
    parameters.backbone = _onnx(folder, "backbone")
    parameters.neckhead = _onnx(folder, "head")
    return OpenCVTracker(lambda: cv2.TrackerNano.create(parameters))


def _onnx(folder: str, part: str) -> str:
    found = sorted(path for path in Path(folder).glob("*.onnx") if part in path.stem)
    if len(found) != 1:
        raise UserError(f"Expected one ONNX file with '{part}' in its name in '{folder}', found {len(found)}.")
    return str(found[0])
