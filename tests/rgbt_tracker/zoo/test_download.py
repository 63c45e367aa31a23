"""Downloads over a real (local) connection: every fault ends in the right file or in one clear sentence."""

from __future__ import annotations

import errno
import hashlib
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from fault_server import Behaviour, serve

from nestfuse_core.common.errors import UserError
from rgbt_tracker.zoo.download import fetch

BODY = random.Random(0).randbytes(1_000_003)
K = 65536  # breaks on this grid lose no byte
HASH = hashlib.sha256(BODY).hexdigest()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_whole_file_and_progress(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with serve(Behaviour(BODY)) as address:
        path = fetch(address, tmp_path / "w.pth", sha256=HASH, on_bytes=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == BODY
    assert leftovers(tmp_path) == ["w.pth"]
    assert seen[0] == (0, len(BODY)) and seen[-1] == (len(BODY), len(BODY))


def test_broken_transfers_are_continued_within_one_call(tmp_path: Path) -> None:
    server = Behaviour(BODY, break_after=[4 * K, 4 * K, 10])
    with serve(server) as address:
        path = fetch(address, tmp_path / "w.pth", sha256=HASH, pause=0)
    assert path.read_bytes() == BODY
    starts = [int((wanted or "bytes=0-").removeprefix("bytes=").rstrip("-")) for wanted in server.requests]
    assert starts == sorted(starts) and len(starts) == 4 and starts[1] > 0


def test_a_second_call_continues_where_the_first_gave_up(tmp_path: Path) -> None:
    server = Behaviour(BODY, break_after=[6 * K, 0, 0])
    with serve(server) as address:
        with pytest.raises(UserError, match=r"broke off \(393216 bytes are kept"):
            fetch(address, tmp_path / "w.pth", attempts=2, pause=0)
        assert not (tmp_path / "w.pth").exists()
        server.break_after.clear()
        fetch(address, tmp_path / "w.pth")
    assert server.requests[-1] == "bytes=393216-"
    assert (tmp_path / "w.pth").read_bytes() == BODY
    assert leftovers(tmp_path) == ["w.pth"]


def test_a_server_without_ranges_starts_again(tmp_path: Path) -> None:
    server = Behaviour(BODY, ranges=False, break_after=[7 * K])
    with serve(server) as address:
        fetch(address, tmp_path / "w.pth", sha256=HASH, pause=0)
    assert server.requests == [None, f"bytes={7 * K}-"]
    assert (tmp_path / "w.pth").read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_not_mixed(tmp_path: Path) -> None:
    server = Behaviour(b"old" + BODY, tag='"old"', break_after=[3 * K, 0])
    with serve(server) as address:
        with pytest.raises(UserError, match="broke off"):
            fetch(address, tmp_path / "w.pth", attempts=2, pause=0)
        server.body, server.tag, server.break_after = BODY, '"new"', []
        fetch(address, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == BODY


def test_without_tag_or_hash_nothing_is_continued(tmp_path: Path) -> None:
    server = Behaviour(BODY, tag=None, break_after=[3 * K])
    with serve(server) as address:
        fetch(address, tmp_path / "w.pth", pause=0)
    assert server.requests == [None, None]
    assert (tmp_path / "w.pth").read_bytes() == BODY


def test_a_complete_part_file_is_only_checked(tmp_path: Path) -> None:
    server = Behaviour(BODY)
    (tmp_path / "w.pth.part").write_bytes(BODY)
    with serve(server) as address:
        fetch(address, tmp_path / "w.pth", sha256=HASH)
    assert server.requests == [f"bytes={len(BODY)}-"]
    assert (tmp_path / "w.pth").read_bytes() == BODY


def test_a_part_file_longer_than_the_file_starts_again(tmp_path: Path) -> None:
    (tmp_path / "w.pth.part").write_bytes(BODY + b"more")
    with serve(Behaviour(BODY)) as address:
        fetch(address, tmp_path / "w.pth", sha256=HASH, pause=0)
    assert (tmp_path / "w.pth").read_bytes() == BODY


def test_wrong_hash_keeps_nothing(tmp_path: Path) -> None:
    with serve(Behaviour(BODY[:-1] + b"x")) as address, pytest.raises(UserError, match=f"instead of {HASH}"):
        fetch(address, tmp_path / "w.pth", sha256=HASH)
    assert leftovers(tmp_path) == []


def test_wrong_size_keeps_nothing(tmp_path: Path) -> None:
    with serve(Behaviour(BODY)) as address, pytest.raises(UserError, match="1000003 bytes instead of 5"):
        fetch(address, tmp_path / "w.pth", size=5)
    assert leftovers(tmp_path) == []


def test_no_space_is_seen_before_a_byte_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**6, 10**6 - 1000, 1000))
    with serve(Behaviour(BODY)) as address, pytest.raises(UserError, match=r"No space .* 1000 free"):
        fetch(address, tmp_path / "w.pth")
    assert leftovers(tmp_path) == []


def test_a_disk_that_fills_up_keeps_what_can_be_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path.open

    class Full:
        """A file that takes one write and then has no room."""

        def __init__(self, stream: Any) -> None:
            self.stream, self.writes = stream, 0

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *arguments: object) -> None:
            self.stream.close()

        def write(self, data: bytes) -> int:
            self.writes += 1
            if self.writes > 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.stream.write(data)

    def open_(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        stream = original(path, mode, *arguments, **options)
        return Full(stream) if mode == "ab" else stream

    server = Behaviour(BODY)
    with serve(server) as address:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", open_)
            with pytest.raises(UserError, match="disk became full at"):
                fetch(address, tmp_path / "w.pth", sha256=HASH)
        kept = (tmp_path / "w.pth.part").stat().st_size
        assert 0 < kept < len(BODY)
        fetch(address, tmp_path / "w.pth", sha256=HASH)
    assert server.requests[-1] == f"bytes={kept}-"
    assert (tmp_path / "w.pth").read_bytes() == BODY


def test_confirmation_page_of_large_files(tmp_path: Path) -> None:
    server = Behaviour(BODY, confirm=True, break_after=[10 * K])
    with serve(server) as address:
        fetch(address, tmp_path / "w.pth", pause=0)
    assert server.requests == [None, None, f"bytes={10 * K}-", f"bytes={10 * K}-"]
    assert (tmp_path / "w.pth").read_bytes() == BODY


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (Behaviour(BODY, only_page=True), "web page instead of a file, or fetch it in a browser and type 'rgbt x'"),
        (Behaviour(BODY, status=404), "answered 404"),
        (Behaviour(BODY, status=503), "answered 503"),
    ],
)
def test_refusals_say_what_to_do(tmp_path: Path, server: Behaviour, message: str) -> None:
    with serve(server) as address, pytest.raises(UserError, match=message):
        fetch(address, tmp_path / "w.pth", by_hand="'rgbt x'")
    assert leftovers(tmp_path) == []


def test_no_connection(tmp_path: Path) -> None:
    with serve(Behaviour(BODY)) as address:
        pass
    with pytest.raises(UserError, match="nothing arrived"):
        fetch(address, tmp_path / "w.pth", attempts=2, pause=0)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with serve(Behaviour(BODY)) as address, pytest.raises(UserError, match="Cannot write to"):
        fetch(address, tmp_path / "file" / "w.pth")
