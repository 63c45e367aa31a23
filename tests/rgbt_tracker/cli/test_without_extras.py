"""What happens where an extra is not installed: its commands say so, all others work."""

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.cli.main import COMMANDS, build_app

ROOT = Path(__file__).resolve().parents[3]
MODULES = {
    "report": ("pandas", "matplotlib", "jinja2"),
    "bench": ("pandas", "rgbt"),
    "vot": ("vot", "trax", "attributee"),
    "cluster": ("ray",),
    "tune": ("optuna",),
    "demo": ("fastapi", "uvicorn", "python_multipart", "PIL"),
    "train": ("matplotlib",),
    "export": ("onnx",),
    "docs": ("mkdocs", "material", "mkdocstrings"),
}

# name of the extra, the module that is not there, a command that needs it
NEEDED = [
    ("report", "pandas", ["report", "results", "--sequences", "data", "--output", "out"]),
    ("report", "matplotlib", ["report", "results", "--sequences", "data", "--output", "out"]),
    ("report", "jinja2", ["report", "results", "--sequences", "data", "--output", "out"]),
    ("bench", "pandas", ["bench", "score", "gtot", "results"]),
    ("bench", "pandas", ["ablation", "--drawn", "test:2:3"]),
    ("bench", "pandas", ["fusion", "table", "III", "--pairs", "data"]),
    ("vot", "trax", ["vot", "evaluate", "NestFuseNano"]),
    ("vot", "vot.region", ["vot", "evaluate", "NestFuseNano"]),
    ("cluster", "ray", ["vot", "evaluate", "NestFuseNano", "--cluster"]),
    ("tune", "optuna", ["tune", "--config", "nestfuse_nanotrack"]),
    ("demo", "uvicorn", ["demo"]),
    ("demo", "fastapi", ["demo"]),
    ("demo", "python_multipart", ["demo"]),
    ("demo", "PIL", ["demo"]),
    ("export", "onnx", ["export", "nestfuse_nanotrack"]),
    ("train", "matplotlib", ["train", "nestfuse_nanotrack", "--output", "out"]),
    ("train", "matplotlib", ["fusion", "train", "--images", "photos", "--output", "out"]),
    ("train", "matplotlib", ["fusion", "table", "III", "--pairs", "data", "--train", "photos"]),
]


def test_every_extra_is_covered():
    """An extra of pyproject.toml that this file does not know is one that no test looks at."""
    found = {match[1] for line in requires("rgbt-tracker") or [] if (match := re.search(r"extra == .(\w+).", line))}
    assert found == {*MODULES, "all", "test"}


@pytest.mark.parametrize(("extra", "module", "arguments"), NEEDED)
def test_a_command_names_its_extra(extra, module, arguments, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    refused = CliRunner().invoke(build_app(), arguments)
    assert isinstance(refused.exception, UserError), refused.output
    sentence = str(refused.exception)
    assert sentence.startswith(f"This needs '{module}', which ") and f'pip install "rgbt-tracker[{extra}]"' in sentence
    assert sentence.endswith(".") and not list(tmp_path.iterdir())


def test_the_dry_run_of_vot_names_its_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "trax", None)
    shown = CliRunner().invoke(build_app(), ["vot", "check", "NestFuseNano", "--workspace", str(tmp_path)])
    assert shown.exit_code == 2 and 'pip install "rgbt-tracker[vot]"' in shown.output


def without_extras(code: str, folder: Path) -> str:
    """Run Python code in ``folder`` where no module of any extra can be imported; returns what it prints."""
    absent = sorted({name for names in MODULES.values() for name in names})
    block = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {absent!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )
    done = subprocess.run([sys.executable, "-c", block + code], cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_needs_no_extra(tmp_path):
    code = (
        "import runpy\nfrom typer.testing import CliRunner\nfrom rgbt_tracker.cli.main import COMMANDS, build_app\n"
        "app = build_app()\n"
        "for name in COMMANDS:\n    print(name, CliRunner().invoke(app, [name, '--help']).exit_code)\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "sys.argv = ['track.py', '--help']\n"
        f"runpy.run_path({str(ROOT / 'track.py')!r}, run_name='__main__')\n"
    )
    shown = without_extras(code, tmp_path)
    assert shown.splitlines()[: len(COMMANDS)] == [f"{name} 0" for name in COMMANDS]
    assert "Usage: track.py" in shown


def test_the_basic_commands_need_no_extra(tmp_path):
    """Drawing, tracking, comparing, fusing with metrics, weights and scoring with nothing but the base install."""
    from rgbt_tracker.sequences.vot_folder import write_vot
    from rgbt_tracker.synthetic import draw_sequence

    write_vot(draw_sequence("street", length=3, size=(96, 72)), tmp_path)
    pictures = ["--ir", "street/ir/00000001i.jpg", "--vis", "street/color/00000001v.jpg"]
    nano = ["--config", "nestfuse_nanotrack", "--weights", "untrained", "--device", "cpu", "--output", "out"]
    lines = [
        ["track", "--sequence", "street", *nano, "--video", "out/overlay.mp4", "--maps"],
        ["compare", "--sequence", "street", *nano],
        ["fuse", *pictures, "--output", "out/fused.png", "--metrics", "out/metrics.csv"],
        ["data", "draw", "night", "--output", "drawn", "--length", "2", "--size", "128x96"],
        ["weights", "list"],
        ["vot", "init", "workspace"],
        ["bench", "run", "plain", "--sequences", ".", *nano],
    ]
    code = (
        "from typer.testing import CliRunner\nfrom rgbt_tracker.cli.main import build_app\n"
        f"for line in {lines!r}:\n"
        "    done = CliRunner().invoke(build_app(), line)\n"
        "    print(line[0], done.exit_code, '' if done.exit_code == 0 else repr(done.exception))\n"
    )
    assert without_extras(code, tmp_path).split() == [word for line in lines for word in (line[0], "0")]
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"street.txt", "overlay.mp4", "street.jpg", "fused.png", "metrics.csv"} <= made
