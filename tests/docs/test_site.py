"""The documentation: it builds without a warning, asks nothing of the network, and keeps to its lengths."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CARDS = [ROOT / "rgbt_tracker/weights/nestfuse_nanotrack.md", ROOT / "nestfuse_core/weights/README.md"]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "vot_workspace/README.md", *CARDS])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of mkdocs, such as a broken link, fails it."""
    for needed in ("mkdocs", "material", "mkdocstrings", "mkdocstrings_handlers"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"needs the extra 'docs' ({needed} is not installed)")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_every_command_is_described(site: Path) -> None:
    page = (site / "reference/commands.html").read_text(encoding="utf-8")
    for command in ("rgbt track", "rgbt bench score", "rgbt vot evaluate", "rgbt data drawn-crops"):
        assert re.search(rf"<h[23] [^>]*>{command}<", page), command
    assert "--homography" in page and "--ground-truth" in page


def test_every_key_is_described(site: Path) -> None:
    from rgbt_tracker.config.schema import ReliabilityConfig, TrackingConfig
    from rgbt_tracker.training.material import Augmentation
    from rgbt_tracker.training.recipe import Recipe

    for page, sections in (("configuration", (ReliabilityConfig, TrackingConfig)), ("recipes", (Recipe, Augmentation))):
        text = (site / f"reference/{page}.html").read_text(encoding="utf-8")
        missing = [
            key for section in sections for key in section.model_fields if f"<td><code>{key}</code></td>" not in text
        ]
        assert missing == []
    assert "{#" not in text


def test_public_functions_are_described(site: Path) -> None:
    page = (site / "reference/python.html").read_text(encoding="utf-8")
    for name in ("build_tracker", "open_sequence", "track_sequence", "load_network", "fuse_features"):
        assert re.search(rf'id="[\w.]*\.{name}"', page), name


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    loads = re.compile(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"?(?:https?:)?//[^\s\">]+")
    found = {hit for page in site.rglob("*.html") for hit in loads.findall(page.read_text(encoding="utf-8"))}
    assert found == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_fit(page: Path) -> None:
    long = [number for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1) if len(line) > 120]
    assert long == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if re.match(r"https?:", file):
            continue
        found = page.parent / file if file else page
        assert found.exists(), target
        if anchor and "generated" not in found.read_text(encoding="utf-8"):
            assert anchor in anchors(found), target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as mkdocs and GitHub make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def test_readme_is_short_and_shows_its_commands_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 140
    assert len(text.split()) <= 1200
    first_screen = text.splitlines()[:20]
    assert any(line.startswith("make demo") for line in first_screen)
    assert any(line.startswith("make test") for line in first_screen)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.parent.parent.name)
def test_cards_are_short(card: Path) -> None:
    assert len(card.read_text(encoding="utf-8").splitlines()) <= 80
