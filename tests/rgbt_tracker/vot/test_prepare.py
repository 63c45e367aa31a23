"""``rgbt vot prepare`` against a double of the dataset server, with what goes wrong on the way."""

import errno
import shutil

import pytest
from dataset_server import DatasetServer
from typer.testing import CliRunner

from nestfuse_core.common import archives, files
from nestfuse_core.common.errors import UserError
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.vot import prepare
from rgbt_tracker.vot.dataset import inspect_sequence, listed_sequences
from rgbt_tracker.vot.description import address_of


@pytest.fixture
def server(drawn):
    return DatasetServer(drawn)


def hurry(monkeypatch):
    """No pauses between attempts, and bytes written as they come although the archives are small."""
    monkeypatch.setattr("rgbt_tracker.zoo.download.time.sleep", lambda seconds: None)
    monkeypatch.setattr("rgbt_tracker.zoo.download.CHUNK", 500)


def same_files(one, other):
    names = sorted(path.relative_to(one).as_posix() for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other).as_posix() for path in other.rglob("*") if path.is_file())
    for name in names:
        if not name.endswith("sequence"):
            assert (one / name).read_bytes() == (other / name).read_bytes()


def test_the_corrected_addresses():
    """Frames are below rgbtir, where the description's relative address does not lead."""
    description = "https://data.votchallenge.net/vot2019/rgbtir/meta/description.json"
    assert address_of(description, "../../sequences/x.zip") == (
        "https://data.votchallenge.net/vot2019/rgbtir/sequences/x.zip"
    )
    assert address_of(description, "car.zip") == "https://data.votchallenge.net/vot2019/rgbtir/meta/car.zip"
    assert address_of(description, "https://elsewhere.org/x.zip") == "https://elsewhere.org/x.zip"


def test_download(server, drawn, tmp_path):
    target = tmp_path / "sequences"
    with server.running() as address:
        assert prepare.download(target, address) == ["a", "b"]
        asked = len(server.asked)
        assert prepare.download(target, address) == ["a", "b"]
    assert len(server.asked) == asked + 1, "only the description is asked for again"
    for name in "ab":
        assert not inspect_sequence(target / name).problems
        same_files(drawn / name, target / name)
    assert (target / "list.txt").read_text() == "a\nb\n"
    assert sorted(path.name for path in target.iterdir()) == ["a", "b", "list.txt"]


def test_a_broken_transfer_is_continued(server, tmp_path, monkeypatch):
    hurry(monkeypatch)
    path = server.archive("a", "ir")
    server.cuts[path] = [1000, 5000]
    with server.running() as address:
        assert prepare.download(tmp_path, address) == ["a", "b"]
    assert [wanted for asked, wanted in server.asked if asked == path] == [None, "bytes=1000-", "bytes=6000-"]


def test_a_restart_continues_and_list_txt_comes_last(server, tmp_path, monkeypatch):
    hurry(monkeypatch)
    path = server.archive("b", "color")
    # Nothing arrives after the first 2000 bytes: the command gives up, as if it had been stopped.
    server.cuts[path] = [2000] + [0] * 20
    with server.running() as address:
        with pytest.raises(UserError, match="broke off"):
            prepare.download(tmp_path, address)
        assert listed_sequences(tmp_path) == []
        assert not inspect_sequence(tmp_path / "a").problems
        (tmp_path / f"{files.UNFINISHED}b").mkdir()  # what a kill while unpacking leaves
        files._sweep_once.cache_clear()  # as in another process
        server.cuts.clear()
        server.asked.clear()
        assert prepare.download(tmp_path, address) == ["a", "b"]
    assert (path, "bytes=2000-") in server.asked
    assert not any("/a.zip" in asked for asked, _ in server.asked)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a", "b", "list.txt"]


def test_a_wrong_hash_is_refused_and_fetched_again(server, tmp_path):
    path = server.archive("a", "color")
    server.wrong.add(path)
    with server.running() as address:
        with pytest.raises(UserError, match=r"arrived with MD5 .* expected .* type the same command again"):
            prepare.download(tmp_path, address)
        assert not (tmp_path / "a").exists() and listed_sequences(tmp_path) == []
        server.wrong.clear()
        assert prepare.download(tmp_path, address) == ["a", "b"]


def test_no_space_is_said_before_the_first_archive(server, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))
    with server.running() as address, pytest.raises(UserError, match=r"needs 0\.0 GB more .* 0\.0 GB are free"):
        prepare.download(tmp_path, address)
    assert len(server.asked) == 1


def test_a_disk_that_fills_up_while_unpacking(server, tmp_path, monkeypatch):
    def full(self, *arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with server.running() as address:
        with monkeypatch.context() as patch:
            patch.setattr(archives, "_inside", full)
            with pytest.raises(OSError, match=r"No space left on device: '.*/a'"):
                prepare.download(tmp_path, address)
        assert [item.name for item in tmp_path.iterdir()] == [".archives"]
        server.asked.clear()
        assert prepare.download(tmp_path, address, ["a"]) == ["a"]
    assert len(server.asked) == 1, "the archives were kept"


def test_a_damaged_archive_without_a_hash(server, tmp_path):
    def forget(description):
        for item in description["sequences"]:
            item["channels"]["ir"].pop("checksum")

    server.change(forget)
    server.files[server.archive("a", "ir")] = b"not a zip file"
    with server.running() as address, pytest.raises(UserError, match="damaged"):
        prepare.download(tmp_path, address)


def test_missing_frames_are_noticed(server, tmp_path, drawn):
    short = [path for path in sorted((drawn / "a" / "ir").iterdir()) if path.name != "00000028i.jpg"]
    content = server._zip(short)
    server.files[server.archive("a", "ir")] = content
    server.change(lambda description: description["sequences"][0]["channels"]["ir"].pop("checksum"))
    server.change(lambda description: description["sequences"][0]["channels"]["ir"].pop("compressed"))
    with server.running() as address, pytest.raises(UserError, match="channel 'ir' has 27 frames"):
        prepare.download(tmp_path, address)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil.txt"])
def test_archives_cannot_write_outside(server, tmp_path, name):
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    server.files[server.archive("a", "annotations")] = buffer.getvalue()
    server.change(lambda description: description["sequences"][0]["annotations"].pop("checksum"))
    with server.running() as address, pytest.raises(UserError, match="outside its folder"):
        prepare.download(tmp_path / "sequences", address)


def test_bad_descriptions(server, tmp_path):
    with server.running() as address:
        with pytest.raises(UserError, match="no sequence 'c'"):
            prepare.download(tmp_path, address, ["c"])
        with pytest.raises(UserError, match="Cannot reach"):
            prepare.download(tmp_path, address + ".gone")
        server.files[address[address.index("/vot2019") :]] = b"<html>"
        with pytest.raises(UserError, match="got something else"):
            prepare.download(tmp_path, address)
        server.files[address[address.index("/vot2019") :]] = b'{"sequences": [{"name": "../x"}]}'
        with pytest.raises(UserError, match="description of a VOT dataset"):
            prepare.download(tmp_path, address)
    with pytest.raises(UserError, match="rgbt vot prepare --from"):
        prepare.download(tmp_path, address)


def test_adopt_links_frames_and_leaves_further_targets_behind(drawn, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(drawn, source)
    (source / "a" / "groundtruth_visible.txt").write_text("1,2,3,4\n" * 28)
    target = tmp_path / "sequences"
    arguments = ["vot", "prepare", "--from", str(source), "--workspace", str(tmp_path)]
    answer = CliRunner().invoke(build_app(), arguments)
    assert answer.exit_code == 0, answer.output
    assert "2 sequences" in answer.output
    assert f"rgbt vot check NestFuseNano --workspace {tmp_path}" in answer.output.replace("\n", "")
    assert (target / "a" / "ir").is_symlink() and not (target / "a" / "groundtruth_visible.txt").exists()
    assert listed_sequences(target) == ["a", "b"]
    assert prepare.adopt(target, source / "a", copy=True) == ["a", "b"]


def test_adopt_copies(drawn, tmp_path):
    prepare.adopt(tmp_path, drawn, ["b"], copy=True)
    assert not (tmp_path / "b" / "ir").is_symlink()
    same_files(drawn / "b", tmp_path / "b")
    assert listed_sequences(tmp_path) == ["b"]


def test_adopt_in_place(drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "sequences")
    (tmp_path / "sequences" / "list.txt").unlink()
    assert prepare.adopt(tmp_path / "sequences", tmp_path / "sequences") == ["a", "b"]
    assert not (tmp_path / "sequences" / "a" / "ir").is_symlink()


def test_adopt_refuses_damaged_and_missing_sequences(drawn, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(drawn, source)
    (source / "b" / "ir" / "00000003i.jpg").unlink()
    with pytest.raises(UserError, match="channel 'ir' has 2 frames"):
        prepare.adopt(tmp_path / "sequences", source)
    assert not (tmp_path / "sequences").exists()
    with pytest.raises(UserError, match="no sequence 'c'"):
        prepare.adopt(tmp_path, source, ["c"])
    with pytest.raises(UserError, match="found none"):
        prepare.adopt(tmp_path, tmp_path / "source" / "a" / "ir")
    with pytest.raises(UserError, match="is none"):
        prepare.adopt(tmp_path, tmp_path / "nowhere")
