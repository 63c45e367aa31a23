"""The wheel and the source archive, built and tried outside the checkout: ``make dist``.

    python .ci/dist.py [--output dist]

Each is installed into an environment of its own that sees the packages of this one but not the checkout, and does there
what a first user does: it says its version, lists weights, and tracks the clip of the package.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import run

ROOT = Path(__file__).resolve().parents[1]
TRIED = (
    ("--version",),
    ("weights", "list"),
    ("vot", "init", "workspace"),
    ("data", "--help"),
    ("track", "--sequence", "clip:smoke", "--output", "out", "--device", "cpu"),
)
HOME = "import rgbt_tracker, nestfuse_core; print(rgbt_tracker.__file__, nestfuse_core.__file__)"


def call(*words: str | Path, cwd: Path) -> str:
    """Run a program; what it printed.

    Raises:
        UserError: it failed.
    """
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(words, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"'{' '.join(map(str, words))}' ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def build(output: Path) -> list[Path]:
    """Build both archives and return them."""
    shutil.rmtree(output, ignore_errors=True)
    call(sys.executable, "-m", "build", "--outdir", output, ROOT, cwd=ROOT)
    return sorted(output.iterdir())


def environment(place: Path) -> Path:
    """A new environment with this one's packages; returns its folder of programs."""
    venv.create(place, with_pip=True)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    own = call(programs / "python", "-c", "import site; print(site.getsitepackages()[0])", cwd=place).strip()
    # Plain lines: what is installed there as a link into the checkout is not followed.
    packages = [path for path in sys.path if path.endswith("site-packages")]
    (Path(own) / "borrowed.pth").write_text("\n".join(packages) + "\n")
    return programs


def check(archive: Path, place: Path) -> None:
    """Install an archive and use it.

    Raises:
        UserError: something of it fails, or comes from the checkout.
    """
    programs = environment(place / "env")
    call(programs / "python", "-m", "pip", "install", "-q", "--no-deps", "--ignore-installed", archive, cwd=place)
    home = call(programs / "python", "-c", HOME, cwd=place)
    if str(ROOT) in home.replace(str(place), "") or str(place) not in home:
        raise UserError(f"The installed package is not the one of {archive.name} but {home.strip()}.")
    for words in TRIED:
        call(programs / "rgbt", *words, cwd=place)
    if not (place / "out" / "smoke.txt").is_file():
        raise UserError(f"{archive.name}: tracking wrote nothing.")


def main(args: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    options = parser.parse_args(args)
    for archive in build(options.output):
        with tempfile.TemporaryDirectory() as folder:
            check(archive, Path(folder).resolve())
        print(f"{archive.name}: {archive.stat().st_size / 1e6:.1f} MB, installed and tried outside the checkout")


if __name__ == "__main__":
    run(main)
