"""How well ``rgbt rig align`` finds where a thermal camera looks, where that is known; plain ECC beside it.

    python benchmarks/accuracy/rig_align.py --shared ../shared [--part report] [--only "drawn clip"] [--csv FILE]

60 pairs and clips (`rig_cases.py`): RoadScene, M3SVD and drawn scenes, the thermal pictures moved by up to 40 px of
640, scaled by 0.85 to 1.15, turned by up to 3 degrees and tilted a little, a third of them inverted. In half of them
the thermal picture has the black rim of a warped one, in the others both pictures are cut out of a larger one and
differ in size. ``tune`` are the cases that thresholds were chosen on, ``report`` others. ``--strangers`` lays each
thermal picture on the visible one of another case: any answer is wrong.

Plain ECC: `cv2.findTransformECC` with a homography on the gradient magnitudes of one pair of frames, the thermal one
stretched over the visible one, which is also where it starts.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rig_cases import Case, cases

from nestfuse_core.common.guard import run
from nestfuse_core.rig.align import Alignment, align
from nestfuse_core.rig.features import thermal_view, visible_view
from nestfuse_core.rig.file import between

MOMENTS = 4
KINDS = ("roadscene pair", "m3svd pair", "drawn pair", "m3svd clip", "drawn clip")


def estimate(case: Case, other: Case | None = None) -> Alignment:
    """What the estimator says of some moments of a case; of another one's thermal pictures, if given."""
    count = min(MOMENTS, len(case.frames), len((other or case).frames))
    places = [((np.arange(count) + 0.5) * len(c.frames) / count).astype(int) for c in (case, other or case)]
    visible = [visible_view(case.frames[place][0]) for place in places[0]]
    return align(visible, [thermal_view((other or case).frames[place][1]) for place in places[1]])


def plain_ecc(case: Case) -> np.ndarray:
    """The 3x3 matrix that ECC finds on the gradients of one pair, or the stretch that it starts from."""
    rgb, ir = case.frames[len(case.frames) // 2]
    size = rgb.shape[1::-1]
    start = between(ir.shape[1::-1], size)
    edges = [_gradient(cv2.cvtColor(rgb, cv2.COLOR_BGR2GRAY)), _gradient(cv2.resize(ir, size))]
    step = np.eye(3, dtype=np.float32)
    ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-5)
    try:
        _, step = cv2.findTransformECC(edges[0], edges[1], step, cv2.MOTION_HOMOGRAPHY, ends, None, 5)
    except cv2.error:
        step = np.eye(3)
    return np.linalg.inv(step.astype(float)) @ start


def _gradient(grey: np.ndarray) -> np.ndarray:
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 2)
    return np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))


def measure(part: str, shared: Path, only: str, strangers: bool) -> Iterator[dict]:
    """A row for each case."""
    before: Case | None = None
    for case in cases(part, shared, only):
        other, before = before, case
        if strangers and (other is None or other.clip != case.clip):
            continue
        found = estimate(case, other if strangers else None)
        doubts = found.evidence.doubts()
        yield {
            "kind": case.kind,
            "name": case.name,
            "inverted": case.inverted,
            "rim": case.rim,
            "error": float("nan") if strangers else case.corner_error(found.matrix),
            "answered": not doubts,
            "ecc": float("nan") if strangers else case.corner_error(plain_ecc(case)),
            "mapping": found.kind,
            **{key: round(value, 3) for key, value in vars(found.evidence).items()},
        }


def table(rows: list[dict]) -> list[str]:
    """Markdown: of each kind, how many are answered, and how well; and plain ECC."""
    lines = [
        "| | cases | answered | of these < 5 px | > 10 px | median px | plain ECC < 5 px | > 10 px |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in KINDS}
    groups |= {"with a rim": [r for r in rows if r["rim"]], "cut out": [r for r in rows if not r["rim"]]}
    groups |= {"inverted": [r for r in rows if r["inverted"]], "clips": [r for r in rows if "clip" in r["kind"]]}
    for name, group in (groups | {"all": rows}).items():
        if group:
            errors = np.array([row["error"] for row in group if row["answered"]])
            plain = np.array([row["ecc"] for row in group])
            cells = [name, len(group), f"{len(errors)} ({100 * len(errors) / len(group):.0f} %)"]
            good = (errors < 5).mean() if len(errors) else float("nan")
            cells += [f"{100 * good:.0f} %", int((errors > 10).sum()), f"{np.median(errors) if len(errors) else 0:.1f}"]
            cells += [f"{100 * (plain < 5).mean():.0f} %", int((plain > 10).sum())]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def main(args: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--part", choices=("tune", "report"), default="report")
    parser.add_argument("--only", default="", help="kinds of cases that begin so")
    parser.add_argument("--strangers", action="store_true")
    parser.add_argument("--csv", type=Path, help="also write a row for each case, as they come")
    given = parser.parse_args(args)
    cv2.setNumThreads(1)
    rows = []
    for row in measure(given.part, given.shared, given.only, given.strangers):
        rows.append(row)
        mark = "" if row["answered"] else " (refused)"
        print(f"{row['kind']:14} {row['name']:24} {row['error']:6.1f} px{mark}, ECC {row['ecc']:6.1f} px", flush=True)
        if given.csv:
            with given.csv.open("w", newline="") as file:
                writer = csv.DictWriter(file, list(row))
                writer.writeheader()
                writer.writerows(rows)
    if given.strangers:
        print(f"{sum(row['answered'] for row in rows)} of {len(rows)} strangers were answered; none should be.")
    else:
        print("\n".join(table(rows)))


if __name__ == "__main__":
    run(main)
