"""How well ``rgbt rig align`` finds where a thermal camera looks, where that is known; plain ECC beside it.

    python benchmarks/accuracy/rig_align.py --shared ../shared [--part report] [--only "drawn clip"] [--csv FILE]

60 pairs and clips (`rig_cases.py`): RoadScene, M3SVD and drawn scenes, the thermal pictures moved by up to 40 px of
640, scaled by 0.85 to 1.15, turned by up to 3 degrees and tilted a little, a third of them inverted. In half of them
the thermal picture has the black rim of a warped one, in the others both pictures are cut out of a larger one and
differ in size. ``tune`` are the cases that thresholds were chosen on, ``report`` others. ``--strangers`` lays each
thermal picture on the visible one of another case: any answer is wrong.

``relative`` is the error where the recorded pictures are taken to lie as the estimator's own finer levels say of the
unmoved pair, from no shift on, and not on each other: RoadScene's are some px off. It tells what the search adds to
that; an error that both make does not show in it.

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
from nestfuse_core.rig.align import FINE, MIDDLE, SPREAD, UNIT, Alignment, Moments, align
from nestfuse_core.rig.features import thermal_view, visible_view
from nestfuse_core.rig.file import between
from nestfuse_core.rig.fit import SIMILARITY, fit_blocks

KINDS = ("roadscene pair", "m3svd pair", "drawn pair", "m3svd clip", "drawn clip")


def estimate(case: Case, other: Case | None = None) -> Alignment:
    """What the estimator says of a case; of another one's thermal pictures, if given."""
    visible = [visible_view(rgb) for rgb, _ in case.frames]
    thermal = [thermal_view(ir) for _, ir in (other or case).frames]
    count = min(len(visible), len(thermal))
    return align(visible[:count], thermal[:count])


def registered(case: Case) -> np.ndarray:
    """How the recorded pictures lie on each other: what the estimator's finer levels say of them, from no shift on."""
    rgb, ir = case.unmoved
    matrix = between(ir.shape[1::-1], rgb.shape[1::-1])
    moments = Moments([visible_view(rgb)], [thermal_view(ir)])
    for level in (MIDDLE, FINE):
        blocks, to_level = moments.blocks(level, matrix)
        fit = fit_blocks(blocks, free=SIMILARITY)
        if fit.corner_spread * UNIT / level.width > SPREAD:
            break  # too little to see
        matrix = np.linalg.inv(to_level) @ fit.matrix @ to_level @ matrix
    return matrix


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
            "relative": float("nan") if strangers else case.corner_error(found.matrix, case.relative(registered(case))),
            "answered": not doubts,
            "ecc": float("nan") if strangers else case.corner_error(plain_ecc(case)),
            "mapping": found.kind,
            **{key: round(value, 3) for key, value in vars(found.evidence).items()},
        }


def table(rows: list[dict]) -> list[str]:
    """Markdown: of each kind, how many are answered, and how well; and plain ECC."""
    lines = [
        "| | cases | answered | of these < 5 px | > 10 px | median px | relative: < 5 px | > 10 px | median px "
        "| plain ECC < 5 px | > 10 px |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in KINDS}
    groups |= {"with a rim": [r for r in rows if r["rim"]], "cut out": [r for r in rows if not r["rim"]]}
    groups |= {"inverted": [r for r in rows if r["inverted"]], "clips": [r for r in rows if "clip" in r["kind"]]}
    for name, group in (groups | {"all": rows}).items():
        if group:
            answered = [row for row in group if row["answered"]]
            cells = [name, len(group), f"{len(answered)} ({100 * len(answered) / len(group):.0f} %)"]
            for kind in ("error", "relative"):
                errors = np.array([row[kind] for row in answered])
                cells += [_share(errors < 5), int((errors > 10).sum())]
                cells.append(f"{np.median(errors):.1f}" if len(errors) else "-")
            plain = np.array([row["ecc"] for row in group])
            lines.append(f"| {' | '.join(map(str, [*cells, _share(plain < 5), int((plain > 10).sum())]))} |")
    return lines


def _share(flags: np.ndarray) -> str:
    return f"{100 * flags.mean():.0f} %" if len(flags) else "-"


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
        told = f"{row['error']:6.1f} px, relative {row['relative']:6.1f}{mark}, ECC {row['ecc']:6.1f} px"
        print(f"{row['kind']:14} {row['name']:24} {told}", flush=True)
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
