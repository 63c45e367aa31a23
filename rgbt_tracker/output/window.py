"""A window: draw the first boxes with the mouse, watch the track, stop with a key."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from nestfuse_core.common.errors import UserError
from rgbt_tracker.boxes import Box
from rgbt_tracker.output.overlay import draw_box
from rgbt_tracker.target_colours import colour_of

TITLE = "rgbt track"
LARGEST = (1600, 900)
STOP_KEYS = (ord("q"), 27)
CONFIRM_KEYS = (ord(" "), 13)
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
PROBE = "import cv2; cv2.namedWindow('rgbt', cv2.WINDOW_NORMAL); cv2.destroyAllWindows()"
PROBE_SECONDS = 20.0


def check_screen(seconds: float = PROBE_SECONDS) -> None:
    """Find out whether a window can open, in another process: without a screen OpenCV would end the whole program.

    Args:
        seconds: how long to wait for a screen that does not answer.

    Raises:
        UserError: there is no screen, or DISPLAY names one that is gone or does not let us in.
    """
    instead = "use --video out.mp4 instead."
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError(f"--show needs a screen, and there is none (DISPLAY is not set); {instead}")
    try:
        probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, timeout=seconds, check=False)
        why = "" if probe.returncode == 0 else _reason(probe.stderr.decode(errors="replace"))
    except subprocess.TimeoutExpired:
        why = f"no answer in {seconds:g} s"
    if why:
        names = ", ".join(f"{name}={os.environ[name]}" for name in SCREENS if os.environ.get(name))
        raise UserError(f"--show cannot open a window{f' ({names})' if names else ''}: {why}; {instead}")


def _reason(output: str) -> str:
    """The first line that a window library wrote, without what it puts in front ("qt.qpa.xcb: ")."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and "QFontDatabase" not in line]
    return re.sub(r"^qt[.\w]*: ", "", lines[0]).rstrip(".") if lines else "the window library ended the program"


class Window:
    """An OpenCV window, a context manager that closes it; ask `check_screen` first."""

    def __init__(self) -> None:
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

    def select(self, panels: list[NDArray[np.uint8]], one: bool = True) -> list[Box]:
        """Let the user draw boxes on any of the pictures side by side; return x, y, w, h in one picture's pixels.

        Args:
            one: end after the first box; else when nothing was drawn.

        Raises:
            UserError: nothing was drawn at all.
        """
        image, width = np.hstack(panels), panels[0].shape[1]
        self._fit(image)
        boxes: list[Box] = []
        while not (one and boxes):
            x, y, w, h = (float(value) for value in cv2.selectROI(TITLE, image, showCrosshair=False))
            if w <= 0 or h <= 0:
                break
            boxes.append(into_panel((x, y, w, h), width))
            for left in range(0, image.shape[1], width):
                draw_box(image[:, left : left + width], boxes[-1], 1.0, colour_of(len(boxes)), 2)
        if not boxes:
            raise UserError("No box was drawn; draw it with the mouse and press space, or give --init x,y,w,h.")
        return boxes


def into_panel(box: Box, width: int) -> Box:
    """Shift a box drawn on pictures of ``width`` side by side into the pixels of the picture its centre lies in."""
    x, y, w, h = box
    return x - (x + w / 2) // width * width, y, w, h
