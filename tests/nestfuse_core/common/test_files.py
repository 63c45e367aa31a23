"""Files and folders that are complete or absent, and what killed processes leave."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from nestfuse_core.common import files
from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import UNFINISHED, check_writable, held, replacing, sweep, temporary_folder, write_text

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and locks of folders are POSIX's")


def process(code: str) -> subprocess.Popen:
    """A Python process that has said something."""
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline()
    return running


def test_a_file_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists() and temporary.name == target.name
        assert temporary.parent.parent == target.parent, "on the same disk, so that it can be moved in one step"
    assert target.read_text() == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: order.append("flush"))
    replace = files.Path.replace
    monkeypatch.setattr(files.Path, "replace", lambda *names: (order.append("rename"), replace(*names)))
    write_text(tmp_path / "a.txt", "x")
    assert order == ["flush", "rename", "flush"]


def test_a_folder_takes_the_place_of_another(tmp_path):
    for word in ("one", "two"):
        with replacing(tmp_path / "a") as folder:
            (folder / "inside").mkdir(parents=True)
            (folder / "inside" / word).touch()
    assert [path.name for path in (tmp_path / "a" / "inside").iterdir()] == ["two"]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "kept").touch()
    (tmp_path / "a").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "a") as folder:
        folder.mkdir()
    assert (tmp_path / "real" / "kept").exists() and not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interruption_keeps_the_old_file(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), replacing(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("named", [None, "the source"])
def test_a_full_disk_names_the_file_that_was_to_be_written(tmp_path, named):
    with pytest.raises(OSError, match="No space") as caught, replacing(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device", *([named] if named else []))
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_another_file_s_error_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a.txt"):
        (tmp_path / "absent").read_text()
    assert caught.value.filename == str(tmp_path / "absent")


@posix
def test_permissions_are_those_of_any_new_file(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    (tmp_path / "b.txt").touch()
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_lines_end_alike_everywhere(tmp_path):
    write_text(tmp_path / "a.txt", "ä\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == "ä\nb\n".encode()


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(tmp_path):
    check_writable(tmp_path / "new" / "newer")
    assert not list(tmp_path.iterdir()), "nothing is made"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"Cannot write to '.*deep': '.*file' is no folder"):
        check_writable(tmp_path / "file" / "deep")


@posix
def test_what_a_killed_process_left_is_removed_and_what_a_living_one_uses_is_not(tmp_path):
    code = (
        "import sys, time\nfrom nestfuse_core.common.files import replacing\n"
        f"with replacing({str(tmp_path / 'a.txt')!r}) as file:\n"
        "    file.write_text('half')\n    print('writing', flush=True)\n    time.sleep(60)"
    )
    killed, living = process(code), process(code)
    assert len(list(tmp_path.glob(f"{UNFINISHED}*/a.txt"))) == 2 and not list(tmp_path.glob("*.txt"))
    killed.kill()
    killed.wait()
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    living.kill()
    living.wait()
    # The next run of the same command writes the same file.
    again = "from nestfuse_core.common.files import write_text\n" + f"write_text({str(tmp_path / 'a.txt')!r}, 'x')"
    subprocess.run([sys.executable, "-c", again], check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_sweep_takes_nothing_else(tmp_path):
    for name in (".hidden-x.txt", UNFINISHED.removeprefix("."), f"{UNFINISHED}file"):
        (tmp_path / name).touch()
    (tmp_path / f"{UNFINISHED}link").symlink_to(tmp_path, target_is_directory=True)
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_where_folders_cannot_be_locked_the_old_ones_go(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    for name, age in (("new", 60), ("old", 2 * files.FORGOTTEN)):
        (tmp_path / f"{UNFINISHED}{name}").mkdir()
        os.utime(tmp_path / f"{UNFINISHED}{name}", (files.time.time() - age,) * 2)
    with temporary_folder(tmp_path) as folder:
        assert folder.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [f"{UNFINISHED}new"]


@posix
def test_the_second_process_on_one_folder_is_told_of_the_first(tmp_path):
    first = process(
        f"import time\nfrom nestfuse_core.common.files import held\nwith held({str(tmp_path)!r}, ''):\n"
        "    print('held', flush=True)\n    time.sleep(60)"
    )
    number = rf" \(number {first.pid}\)" if sys.platform == "linux" else ""
    with pytest.raises(UserError, match=f"Another process{number} is writing to '.*' just now; wait for it"):
        held(tmp_path, "wait for it").__enter__()
    first.kill()
    first.wait()
    with held(tmp_path, "wait for it"):
        pass
