"""Pairs and clips of two cameras that look a known way past each other, for the measurements of rigs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from nestfuse_core.common.pictures import Image, read_bgr, read_grey
from nestfuse_core.common.video import VideoReader
from rgbt_tracker.synthetic.drawn import draw_sequence
from rgbt_tracker.synthetic.scenes import SCENES, split

PARTS = {
    "tune": ("validation", ("0113_1714", "0117_1605", "1230_1202")),
    "report": ("test", ("0111_1716", "0117_1620")),
}
"""Part -> seeds of drawn scenes, videos of M3SVD; the pairs of RoadScene are dealt out by turns."""
ROADSCENE, STILLS, CLIPS = 24, 8, 10
"""Pairs of RoadScene; single pairs, and clips, of M3SVD and of drawn scenes each: 60 in all."""
FRAMES, MOMENTS = 60, 4
"""Length of a clip, and how many moments of it are looked at."""
KEPT = (0.7, 0.92)
"""Share of its width that the visible picture keeps where both are cut out of what they saw together."""
OUTPUT = (320, 384, 640)
"""Widths of thermal pictures that are cut out."""


@dataclass
class Case:
    """Two cameras' pictures and how the thermal ones lie on the visible ones.

    Attributes:
        frames: pictures of both; of a clip those of its moments, in order of time.
        truth: 3x3 matrix from thermal to visible pixels, if the recorded pictures lie on each other.
        unmoved: the recorded visible and thermal picture of the middle moment.
        window: 3x3 matrix from the recorded pictures' pixels to those of the visible ones that are given.
        rim: whether the thermal pictures have a black rim, as warped pictures have; else both are cut out of a larger
            picture, and the thermal one has a size of its own.
    """

    name: str
    kind: str
    frames: list[tuple[Image, Image]]
    truth: np.ndarray
    inverted: bool
    rim: bool
    unmoved: tuple[Image, Image]
    window: np.ndarray

    @property
    def clip(self) -> bool:
        return len(self.frames) > 1

    def relative(self, registered: np.ndarray) -> np.ndarray:
        """The truth where the recorded pictures do not lie on each other, but as ``registered`` (3x3) lays thermal."""
        return self.window @ registered @ np.linalg.inv(self.window) @ self.truth

    def corner_error(self, matrix: np.ndarray, truth: np.ndarray | None = None) -> float:
        """Mean distance of the thermal picture's corners under ``matrix`` from where they belong, px at 640x480."""
        (width, height), (own_width, own_height) = (image.shape[1::-1] for image in self.frames[0])
        corners = np.array([[[0, 0], [own_width, 0], [own_width, own_height], [0, own_height]]], float)
        there, right = (
            cv2.perspectiveTransform(corners, m)[0] for m in (matrix, self.truth if truth is None else truth)
        )
        return float(np.linalg.norm((there - right) * (640 / width, 480 / height), axis=1).mean())


def cases(part: str, shared: Path, only: str = "") -> Iterator[Case]:
    """The cases of "tune" or "report", mixed; ``only``: those whose kind begins so."""
    sources = list(enumerate(_sources(part, shared)))
    for place in np.random.default_rng(0).permutation(len(sources)):
        index, (kind, name, load) = sources[place]
        if kind.startswith(only):
            rng = np.random.default_rng((len(part), index))
            yield _warped(kind, name, load(), rng, inverted=index % 3 == 0, rim=index % 2 == 1)


def _sources(part: str, shared: Path):
    seeds, videos = PARTS[part]
    turn = list(PARTS).index(part)
    pairs = sorted((shared / "data/roadscene/visible").iterdir())[turn :: len(PARTS)]
    for file in pairs[:: max(1, len(pairs) // ROADSCENE)][:ROADSCENE]:
        yield "roadscene pair", file.stem, lambda file=file: [_stored(file)]
    scenes = [name for name in SCENES if name != "misaligned"]
    drawn = split(seeds, STILLS + CLIPS, scenes)
    for index in range(STILLS + CLIPS):
        count = 1 if index < STILLS else FRAMES
        what = "pair" if count == 1 else "clip"
        name = videos[index % len(videos)]
        place = (index // len(videos) + 0.5) / np.ceil((STILLS + CLIPS) / len(videos))
        yield f"m3svd {what}", f"{name}-{index}", lambda n=name, c=count, p=place: _recorded(shared, n, p, c)
        scene, seed = drawn[index]
        yield f"drawn {what}", f"{scene}-{seed}", lambda s=scene, d=seed, c=count: _drawn(s, d, c)


def _stored(file: Path) -> tuple[Image, Image]:
    return read_bgr(file), read_grey(file.parents[1] / "infrared" / file.name)


def _recorded(shared: Path, name: str, place: float, count: int) -> list[tuple[Image, Image]]:
    readers = [VideoReader(shared / "data/m3svd" / camera / f"{name}.mp4") for camera in ("visible", "infrared")]
    start = int(place * (min(reader.length for reader in readers) - count))
    frames = [tuple(reader.read(start + index) for reader in readers) for index in _moments(count)]
    for reader in readers:
        reader.close()
    return [(rgb, ir if ir.ndim == 2 else ir[..., 0]) for rgb, ir in frames]


def _drawn(scene: str, seed: int, count: int) -> list[tuple[Image, Image]]:
    sequence = draw_sequence(scene, seed=seed)
    start = (seed * 37) % (len(sequence) - count)
    frames = [sequence.frame(start + index) for index in _moments(count)]
    return [(frame.rgb, frame.ir) for frame in frames]  # type: ignore[misc]


def _moments(count: int) -> list[int]:
    """The middles of equal stretches of a clip."""
    taken = min(MOMENTS, count)
    return ((np.arange(taken) + 0.5) * count / taken).astype(int).tolist()


def _warped(kind, name, frames, rng: np.random.Generator, inverted: bool, rim: bool) -> Case:
    height, width = frames[0][0].shape[:2]
    unit = width / 640
    shift = rng.uniform(-40, 40, 2) * unit
    scale, turn = rng.uniform(0.85, 1.15), np.deg2rad(rng.uniform(-3, 3))
    tilt = rng.uniform(-1, 1, 2) * 0.02 / np.array([width, height])
    if rim:
        truth = _similarity((width / 2, height / 2), (width / 2, height / 2), shift, scale, turn, tilt)
        window, size, origin = (width, height), (width, height), np.zeros(2)
    else:
        # The visible window first, the thermal one wherever it then fits into what was seen: none of the empty part
        # that a warped picture has.
        for _ in range(10000):
            kept = rng.uniform(*KEPT)
            window = (round(kept * width), round(kept * height))
            across = OUTPUT[int(rng.integers(len(OUTPUT)))]
            size = (across, round(across * window[1] / window[0] * rng.uniform(0.93, 1.07)))
            origin = np.round(rng.uniform(0, 1, 2) * (width - window[0], height - window[1]))
            shift, scale = rng.uniform(-40, 40, 2) * window[0] / 640, rng.uniform(0.85, 1.15)
            turn = np.deg2rad(rng.uniform(-3, 3))
            zoom = window[0] / size[0] * scale
            truth = _similarity(
                (size[0] / 2, size[1] / 2), np.array(window) / 2, shift, zoom, turn, tilt * width / size[0]
            )
            corners = cv2.perspectiveTransform(np.array([[[0, 0], [size[0], 0], [0, size[1]], size]], float), truth)[0]
            if (corners + origin >= 0).all() and (corners + origin <= (width, height)).all():
                break
        else:
            raise ValueError(f"no window fits for {name}")
    whole = np.array([[1, 0, -origin[0]], [0, 1, -origin[1]], [0, 0, 1]])
    inverse = np.linalg.inv(truth) @ whole
    shrink = size[0] / window[0] / scale
    out = []
    for rgb, ir in frames:
        thermal = 255 - ir if inverted else ir
        if shrink < 1:
            thermal = cv2.GaussianBlur(thermal, (0, 0), 0.4 / shrink)
        thermal = cv2.warpPerspective(thermal, inverse, size, flags=cv2.INTER_LINEAR)
        x, y = int(origin[0]), int(origin[1])
        out.append((np.ascontiguousarray(rgb[y : y + window[1], x : x + window[0]]), thermal))
    return Case(name, kind, out, truth, inverted, rim, frames[len(frames) // 2], whole)


def _similarity(own, center, shift, scale, turn, tilt) -> np.ndarray:
    """Thermal pixels about ``own`` -> visible pixels about ``center``: turned, scaled, moved, with a little tilt."""
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    to = np.array([[1, 0, -own[0]], [0, 1, -own[1]], [0, 0, 1]])
    place = np.array([[1, 0, center[0] + shift[0]], [0, 1, center[1] + shift[1]], [0, 0, 1]])
    return place @ np.array([[c, -s, 0], [s, c, 0], [tilt[0], tilt[1], 1]]) @ to
