"""Names, hashes and the cache: nothing is fetched unasked, nothing but a checkpoint is adopted."""

from __future__ import annotations

import io
import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from fault_server import Behaviour, serve
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import file_hash
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.zoo import Entry, add, get, resolve, store, table
from rgbt_tracker.zoo.entries import shipped


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RGBT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


def checkpoint(seed: int = 0) -> bytes:
    stream = io.BytesIO()
    torch.save({"layer.weight": torch.full((3, 4), float(seed))}, stream)
    return stream.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pth"
    path.write_bytes(checkpoint())
    return path


def use_address(monkeypatch: pytest.MonkeyPatch, address: str, sha256: str | None = None) -> None:
    entry = Entry(name="remote", address=address, sha256=sha256, licence="MIT")
    monkeypatch.setattr(store, "table", lambda: {"remote": entry})


def test_table_holds_what_the_sources_publish() -> None:
    entry = table()["nanotrackv3"]
    assert entry.sha256 == "4f0d25108385a67bdec5fa01ca37c74acb72343b53996dd645fe18b86e512e69"
    assert entry.size == 3_498_955
    for name in ("siamrpn_r50_l234_dwxcorr", "siamrpn_mobilev2_l234_dwxcorr", "siamrpn_alex_dwxcorr"):
        assert table()[name].licence == "CC BY-SA 3.0"
        assert (table()[name].address or "").startswith("https://drive.google.com/")


def test_published_hash_is_that_of_the_real_file(shared: Path) -> None:
    assert file_hash(shared / "data" / "weights" / "nanotrackv3.pth") == table()["nanotrackv3"].sha256


def test_resolve_a_path(file: Path) -> None:
    assert resolve(file) == file
    assert resolve(str(file)) == file


def test_absent_weights_say_what_to_type() -> None:
    with pytest.raises(UserError, match=r"rgbt weights get nanotrackv3.*3\.5 MB.*rgbt weights add nanotrackv3 FILE"):
        resolve("nanotrackv3")
    with pytest.raises(UserError, match=r"did you mean 'nanotrackv3'\?.*rgbt weights add nanotrack3 FILE"):
        resolve("nanotrack3")
    with pytest.raises(UserError, match="No weights file at"):
        resolve("folder/nothing.pth")
    with pytest.raises(UserError, match="No weights file at"):
        resolve("nothing.pth")


def test_add_then_resolve(file: Path, cache: Path) -> None:
    path = add("mine", file)
    assert path == resolve("mine") == cache / "weights" / "mine.pth"
    assert path.read_bytes() == file.read_bytes()
    assert "mine" in store.known_names()


def test_add_refuses_what_is_not_the_published_file(file: Path) -> None:
    with pytest.raises(UserError, match=r"not the published 'nanotrackv3'.*name of your own"):
        add("nanotrackv3", file)
    with pytest.raises(UserError, match="are not on this machine"):
        resolve("nanotrackv3")


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.system, ("touch pwned",))


def bad_files() -> dict[str, bytes]:
    return {
        "text": b"hello",
        "empty": b"",
        "truncated": checkpoint()[:200],
        "code": pickle.dumps({"weight": Malicious()}, protocol=2),
        "page": b"<html>quota exceeded</html>",
    }


@pytest.mark.parametrize("kind", sorted(bad_files()))
def test_add_refuses_what_is_not_a_checkpoint(kind: str, tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "bad.pth"
    path.write_bytes(bad_files()[kind])
    with pytest.raises(UserError):
        add("bad", path)
    assert not (cache / "weights" / "bad.pth").exists()
    assert not Path("pwned").exists()


@pytest.mark.parametrize("name", ["../up", "", "a b", ".hidden", "a/b"])
def test_add_refuses_names_that_are_no_file_names(name: str, file: Path) -> None:
    with pytest.raises(UserError, match="Expected a name"):
        add(name, file)


def test_shipped_weights_resolve_without_network_or_cache(cache: Path) -> None:
    for name, path in shipped().items():
        assert resolve(name) == path
        with pytest.raises(UserError, match="shipped with the package"):
            add(name, path)


def test_shipped_files_are_found_by_stem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rgbt_tracker.zoo.entries.SHIPPED", tmp_path)
    (tmp_path / "ours.pth").write_bytes(checkpoint())
    (tmp_path / "ours.md").write_text("recipe")
    assert resolve("ours") == tmp_path / "ours.pth"
    assert get("ours") == tmp_path / "ours.pth"


def test_get_records_an_unknown_hash_and_checks_it_later(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    server = Behaviour(checkpoint(1))
    with serve(server) as address:
        use_address(monkeypatch, address)
        path = get("remote")
        recorded = json.loads((cache / "weights" / "recorded.json").read_text())["remote"]
        assert recorded["sha256"] == file_hash(path)
        assert get("remote") == path and len(server.requests) == 1, "a second get fetches nothing"

        path.unlink()
        server.body = checkpoint(2)
        with pytest.raises(UserError, match="not the expected file: SHA-256"):
            get("remote")
        assert get("remote", force=True).read_bytes() == checkpoint(2)
        assert resolve("remote").read_bytes() == checkpoint(2)


def test_a_fetched_file_that_is_no_checkpoint_is_not_kept(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    with serve(Behaviour(b"not torch" * 100)) as address:
        use_address(monkeypatch, address)
        with pytest.raises(UserError, match=r"remote\.download"):
            get("remote")
    assert not (cache / "weights").exists()


def test_a_failed_forced_fetch_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Behaviour(checkpoint(1))
    with serve(server) as address:
        use_address(monkeypatch, address)
        get("remote")
        server.status = 500
        with pytest.raises(UserError, match="answered 500"):
            get("remote", force=True)
    assert resolve("remote").read_bytes() == checkpoint(1)


def test_a_changed_file_is_noticed(file: Path) -> None:
    path = add("mine", file)
    path.write_bytes(checkpoint(7))
    with pytest.raises(UserError, match=r"has changed: expected SHA-256.*rgbt weights add mine FILE"):
        resolve("mine")


def test_a_file_put_into_the_cache_by_hand_is_recorded(cache: Path) -> None:
    (cache / "weights").mkdir(parents=True)
    (cache / "weights" / "hand.pth").write_bytes(checkpoint(3))
    assert resolve("hand") == cache / "weights" / "hand.pth"
    assert "hand" in json.loads((cache / "weights" / "recorded.json").read_text())


def test_a_damaged_record_is_no_obstacle(file: Path, cache: Path) -> None:
    add("mine", file)
    (cache / "weights" / "recorded.json").write_text("{")
    assert resolve("mine").is_file()


def test_command_line(file: Path) -> None:
    run, app = CliRunner(), build_app()
    assert run.invoke(app, ["weights", "add", "mine", str(file)]).exit_code == 0
    listed = run.invoke(app, ["weights", "list"])
    assert "siamrpn_mobilev2_l234_dwxcorr" in listed.stdout and "mine" in listed.stdout
    rows = {row["name"]: row for row in json.loads(run.invoke(app, ["weights", "list", "--json"]).stdout)}
    assert rows["mine"]["here"] == "fetched" and rows["nanotrackv3"]["here"] is None
    failed = run.invoke(app, ["weights", "get", "nonsense"])
    assert isinstance(failed.exception, UserError) and "No address" in str(failed.exception)
