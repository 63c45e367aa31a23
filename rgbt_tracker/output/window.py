"""A window: draw the first box with the mouse, watch the track, stop with a key."""

from __future__ import annotations

import os
import sys
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box

TITLE = "rgbt track"
LARGEST = (1600, 900)
STOP_KEYS = (ord("q"), 27)
CONFIRM_KEYS = (ord(" "), 13)


def check_screen() -> None:
    """Raise a UserError where a window cannot open; without a screen OpenCV would end the whole program."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError("--show needs a screen, and there is none (DISPLAY is not set); use --video out.mp4 instead.")


class Window:
    """An OpenCV window; a context manager that closes it."""

    def __init__(self) -> None:
        check_screen()
        self._shape: tuple[int, ...] = ()

    def __enter__(self) -> Window:
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        return self

    def _fit(self, image: NDArray[np.uint8]) -> None:
        """Give the window the size of an image that it shows for the first time, as far as a screen has room."""
        if image.shape != self._shape:
            self._shape = image.shape
            height, width = image.shape[:2]
            scale = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
            cv2.resizeWindow(TITLE, round(width * scale), round(height * scale))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cv2.destroyAllWindows()

    def show(self, image: NDArray[np.uint8]) -> bool:
        """Show an image; return False when the user closed the window or pressed q or Escape."""
        self._fit(image)
        cv2.imshow(TITLE, image)
        pressed = cv2.waitKey(1) & 0xFF
        return pressed not in STOP_KEYS and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1

    def confirm(self, image: NDArray[np.uint8]) -> bool:
        """Show a live image; return True when the user pressed space or Enter to draw the box on it."""
        self._fit(image)
        cv2.imshow(TITLE, image)
        pressed = cv2.waitKey(1) & 0xFF
        if pressed in STOP_KEYS:
            raise KeyboardInterrupt
        return pressed in CONFIRM_KEYS

    def select(self, panels: list[NDArray[np.uint8]]) -> Box:
        """Let the user draw a box on any of the pictures side by side; return x, y, w, h in one picture's pixels.

        Raises:
            UserError: nothing was drawn.
        """
        image = np.hstack(panels)
        self._fit(image)
        x, y, w, h = (float(value) for value in cv2.selectROI(TITLE, image, showCrosshair=False))
        if w <= 0 or h <= 0:
            raise UserError("No box was drawn; draw it with the mouse and press space, or give --init x,y,w,h.")
        return into_panel((x, y, w, h), panels[0].shape[1])


def into_panel(box: Box, width: int) -> Box:
    """Shift a box drawn on pictures of ``width`` side by side into the pixels of the picture its centre lies in."""
    x, y, w, h = box
    return x - (x + w / 2) // width * width, y, w, h
