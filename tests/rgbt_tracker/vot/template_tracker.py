"""Trackers for the tests of the VOT adapter: cheap, deterministic, or broken in a chosen way."""

import os
import time
from types import SimpleNamespace

import cv2
import numpy as np


class TemplateTracker:
    """Normalised cross-correlation of both cameras near the last position."""

    def initialize(self, rgb, ir, box):
        self.count = 0
        self.box = [float(value) for value in box]
        self.template = self._cut(self._stack(rgb, ir), *self._window(0))

    def update(self, rgb, ir):
        time.sleep(float(os.environ.get("TEMPLATE_DELAY", "0")))
        image = self._stack(rgb, ir)
        left, top, right, bottom = self._window(8)
        response = cv2.matchTemplate(self._cut(image, left, top, right, bottom), self.template, cv2.TM_CCOEFF_NORMED)
        _, score, _, (dx, dy) = cv2.minMaxLoc(response)
        self.box[0] += dx - 8 + 0.123456789
        self.box[1] += dy - 8
        return SimpleNamespace(box=tuple(self.box), score=score)

    def _stack(self, rgb, ir):
        grey = [image if image.ndim == 2 else image.mean(axis=2) for image in (rgb, ir) if image is not None]
        return np.mean(grey, axis=0).astype(np.float32)

    def _window(self, margin):
        x, y, w, h = (round(value) for value in self.box)
        return x - margin, y - margin, x + w + margin, y + h + margin

    def _cut(self, image, left, top, right, bottom):
        padded = cv2.copyMakeBorder(image, 64, 64, 64, 64, cv2.BORDER_REFLECT)
        return np.ascontiguousarray(padded[top + 64 : bottom + 64, left + 64 : right + 64])


class Drifter(TemplateTracker):
    """Loses the target for sure: walks off to the left, and says NaN now and then."""

    def update(self, rgb, ir):
        self.box[0] -= 3
        self.count += 1
        box = (float("nan"),) * 4 if self.count % 3 == 0 else tuple(self.box)
        return SimpleNamespace(box=box, score=float("nan") if self.count % 5 == 0 else 0.25)


class Dice(TemplateTracker):
    """Answers differently every time."""

    def update(self, rgb, ir):
        x, y, w, h = self.box
        return SimpleNamespace(box=(x + np.random.default_rng().uniform(-2, 2), y, w, h), score=1.0)


class Crasher(TemplateTracker):
    """Fails on its fifth frame."""

    def update(self, rgb, ir):
        self.count += 1
        if self.count == 5:
            raise RuntimeError("out of cheese")
        return super().update(rgb, ir)
