"""What the packages export, and the wheel that is made of them."""

import importlib
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import nestfuse_core
import rgbt_tracker

ROOT = Path(__file__).resolve().parents[2]
EXPORTS = {
    "rgbt_tracker": {
        "MultiTracker",
        "Result",
        "Tracker",
        "build_tracker",
        "load_config",
        "open_pair",
        "open_sequence",
        "track_sequence",
    },
    "nestfuse_core": {"Fuser", "NestFuse", "fuse_features", "load_network", "open_runtime"},
}


@pytest.mark.parametrize("package", EXPORTS)
def test_exports(package):
    module = importlib.import_module(package)
    assert set(module.__all__) == EXPORTS[package]
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = module.nothing


def test_importing_a_package_imports_no_torch():
    code = "import sys, rgbt_tracker, nestfuse_core; print('torch' in sys.modules, 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False False\n"


def test_one_version():
    assert rgbt_tracker.__version__ == version("rgbt-tracker")


def test_types_are_offered():
    for package in (rgbt_tracker, nestfuse_core):
        assert Path(package.__file__).with_name("py.typed").is_file()


def test_the_wheel_holds_what_a_checkout_has(tmp_path):
    """Every file of the two packages and of configs/ that git knows, under the name it is looked up by."""
    pytest.importorskip("setuptools", minversion="77", reason="needs setuptools 77 to build a wheel")
    pytest.importorskip("wheel", reason="needs wheel to build a wheel")
    if not (ROOT / ".git").exists():
        pytest.skip("needs git to know which files belong to the packages")
    folders = ("nestfuse_core", "rgbt_tracker", "configs")
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    expected = {name.replace("configs/", "rgbt_tracker/configs/", 1) if name.startswith("configs/") else name
                for name in listed.stdout.splitlines() if (ROOT / name).is_file()}  # fmt: skip
    source = tmp_path / "source"  # building in the checkout would leave a folder build/ there
    for name in [*listed.stdout.splitlines(), "pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE"]:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, source]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in expected - names if not name.endswith(".pyc")} == set()
    info = f"rgbt_tracker-{rgbt_tracker.__version__}.dist-info"
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/NOTICE", f"{info}/entry_points.txt"} <= names
    with zipfile.ZipFile(wheel) as file:
        assert "rgbt = rgbt_tracker.cli.main:main" in file.read(f"{info}/entry_points.txt").decode()
