"""What hostile inputs do to the program, in a table.

    python tests/faults/hostile.py [--kind checkpoints --kind requests] [--verbose]

Every input is one that a stranger may hand out: weights, YAML, exported graphs, data and results, a workspace of the
VOT toolkit, a server, and requests to the demo page. Each is to be refused in one sentence that names it, with exit
code 2 (a status below 500 for requests); nothing of it may run, and nothing may be written outside the folder
asked for.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import checkpoints
import documents
import exports
import files_of_data
import requests_of_browsers
import servers
import workspaces
from judge import REFUSALS, WRONG, Case, judge

from nestfuse_core.common.guard import run

Found = Iterator[tuple[str, str, str]]
"""The name of an input, its verdict, and what was said."""


def of_cases(cases: list[Case], place: Path) -> Found:
    for number, case in enumerate(cases):
        yield case.name, *judge(case, place / f"{number:03d}")


def of_checkpoints(place: Path) -> Found:
    with patch.dict(os.environ, {"RGBT_CACHE": str(place / "cache")}):
        yield from of_cases(checkpoints.cases(), place)


def of_documents(place: Path) -> Found:
    yield from of_cases(documents.cases(), place)


def of_data(place: Path) -> Found:
    yield from of_cases(files_of_data.cases(workspaces.drawn(place / "drawn")), place)


def of_exports(place: Path) -> Found:
    yield from of_cases(exports.cases(workspaces.drawn(place / "drawn")), place)


def of_workspaces(place: Path) -> Found:
    yield from of_cases(workspaces.cases(place / "drawn"), place)


def of_servers(place: Path) -> Found:
    with patch("rgbt_tracker.zoo.download.TIMEOUT", (1, 0.3)):
        yield from of_cases(servers.cases(), place)


def of_requests(place: Path) -> Found:
    from fastapi.testclient import TestClient

    from rgbt_tracker.demo.app import Settings, create_app

    def make(modality: str) -> object:
        raise AssertionError("a tracker was made for a request that should be refused")

    def fuse(*_: object) -> object:
        raise AssertionError("a frame was fused for a request that should be refused")

    settings = Settings(hosts=("127.0.0.1", "localhost"), scene_size=(160, 120), scene_length=3)
    app = create_app(make, fuse, settings)  # type: ignore[arg-type]
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        session = client.post("/api/scenes", data={"scene": "street"}).json()["id"]
        for wish in requests_of_browsers.wishes():
            yield wish.name, requests_of_browsers.verdict(wish, client, session, str(app.state.root)), ""


KINDS: dict[str, Callable[[Path], Found]] = {
    "checkpoints": of_checkpoints,
    "documents": of_documents,
    "exports": of_exports,
    "data": of_data,
    "workspaces": of_workspaces,
    "servers": of_servers,
    "requests": of_requests,
}


def outcomes(kind: str, place: Path) -> list[tuple[str, str, str]]:
    """All inputs of a kind with what became of them; ``place`` is an empty folder."""
    return list(KINDS[kind](place))


def main(args: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only this kind; may be given again")
    parser.add_argument("--verbose", action="store_true", help="print what was said about every input")
    options = parser.parse_args(args)
    print(f"| inputs | tried | {REFUSALS} | {' | '.join(WRONG)} | other |")
    print("|---" * (len(WRONG) + 4) + "|")
    wrong: list[str] = []
    for kind in options.kind or KINDS:
        with tempfile.TemporaryDirectory() as name:
            found = outcomes(kind, Path(name))
        counts = Counter(verdict for _, verdict, _ in found)
        other = len(found) - sum(counts[verdict] for verdict in (REFUSALS, *WRONG))
        cells = [len(found), counts[REFUSALS], *(counts[verdict] for verdict in WRONG), other]
        print(f"| {kind} | {' | '.join(map(str, cells))} |", flush=True)
        for title, verdict, said in found:
            line = f"{kind}, {title}: {verdict}: {' '.join(said.split())[:300]}"
            wrong += [line] if verdict != REFUSALS else []
            if options.verbose:
                print("   ", line)
    print("\n".join(["", *wrong]) if wrong else "\nNothing went wrong.")


if __name__ == "__main__":
    run(main)
