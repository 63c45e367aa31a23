"""One sequence under RGB, thermal and fused tracking: a picture of all three, for a first look."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from rgbt_tracker.config import TrackerConfig
from rgbt_tracker.output.overlay import BAR, TEXT, TRUTH, Overlay, draw_box, write
from rgbt_tracker.sequences.base import Frame, FrameSequence

Picture = NDArray[np.uint8]
COLOURS = {"rgb": (60, 60, 255), "ir": (255, 120, 255), "rgbt": (0, 176, 255)}
"""Box colours (BGR) by modality."""
LABELS = {"rgb": "RGB", "ir": "thermal", "rgbt": "fused"}
TILE = 320
BAR_HEIGHT = 26


def comparison_picture(
    sequence: FrameSequence, tracks: Mapping[str, NDArray[np.float64]], config: TrackerConfig, columns: int = 5
) -> Picture:
    """Draw ``columns`` frames, spread over the sequence, visible above thermal, with the box of every track.

    Args:
        sequence: with both cameras.
        tracks: modality ("rgb", "ir", "rgbt") -> (N, 4) boxes.
        config: of the fused tracker; it decides how the thermal picture is laid on the visible one.

    Returns:
        HxWx3 uint8 BGR.
    """
    overlay = Overlay(config.replace(modality="rgbt"))
    truth = sequence.groundtruth
    strips = []
    for index in np.linspace(0, len(sequence) - 1, columns + 1).round().astype(int)[1:]:
        panels, frame = [], _frame_of_both(sequence, int(index))
        for image in overlay.pictures(frame).values():
            scale = TILE / image.shape[1]
            size = (TILE, round(image.shape[0] * scale))
            panel = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            if truth is not None and np.isfinite(truth[frame.index]).all():
                draw_box(panel, tuple(truth[frame.index]), scale, TRUTH, 1)
            for name, boxes in tracks.items():
                draw_box(panel, tuple(boxes[frame.index]), scale, COLOURS[name], 2)
            panels.append(panel)
        write(panels[0], f"frame {frame.index + 1}", (8, 18), 0.5)
        strips.append(np.vstack(panels))
    picture = np.hstack(strips)
    return np.vstack([picture, _legend(picture.shape[1], list(tracks), truth is not None)])


def _frame_of_both(sequence: FrameSequence, index: int) -> Frame:
    """The frame nearest to a place that has pictures of both cameras."""
    order = sorted(range(len(sequence)), key=lambda other: abs(other - index))
    frames = (sequence.frame(other) for other in order)
    return next(frame for frame in frames if frame.rgb is not None and frame.ir is not None)


def _legend(width: int, names: list[str], known: bool) -> Picture:
    bar = np.full((BAR_HEIGHT, width, 3), BAR, np.uint8)
    entries = [(LABELS[name], COLOURS[name]) for name in names] + ([("ground truth", TRUTH)] if known else [])
    left = 10
    for text, colour in entries:
        cv2.rectangle(bar, (left, 7), (left + 14, 19), colour, -1)
        cv2.putText(bar, text, (left + 22, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, TEXT, 1, cv2.LINE_AA)
        left += 22 + cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)[0][0] + 24
    return bar
