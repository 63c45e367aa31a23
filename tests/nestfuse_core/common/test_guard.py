"""What the world does to a command becomes a sentence and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.guard import INTERRUPTED, MISTAKE, REFUSED, run, what_happened

MAIN = "from nestfuse_core.common.guard import run\nrun({what}, [])\n"


def ended(error, capsys):
    """Exit code and stderr of a command that ends in an error."""

    def fail(args):
        raise error

    with pytest.raises(SystemExit) as end:
        run(fail, [])
    return end.value.code, capsys.readouterr().err


def program(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("no such thing"), "Error: no such thing\n"),
        (OSError(errno.ENOSPC, "No space left", "/x/a.txt"), "Cannot use '/x/a.txt': No space left; make room"),
        (OSError(errno.ENOSPC, "No space left"), "The system refused to go on: No space left."),
        (NotADirectoryError(errno.ENOTDIR, "", "/x"), "Cannot use '/x': a file lies where a folder is needed"),
        (PermissionError(errno.EACCES, "Not allowed", b"/x"), "Cannot use '/x': Not allowed; give another path"),
        (MemoryError("Unable to allocate 6 EiB"), "There is not enough memory for this (Unable to allocate 6 EiB)."),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "There is not enough memory"),
    ],
)
def test_what_the_world_does_is_one_sentence(error, sentence, capsys):
    code, said = ended(error, capsys)
    assert code == REFUSED and sentence in said and "Traceback" not in said and said.count("\n") == 1


def test_a_mistake_of_ours_goes_to_a_file(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, said = ended(ZeroDivisionError("oh"), capsys)
    (file,) = tmp_path.iterdir()
    assert code == MISTAKE and f"(ZeroDivisionError: oh); please report it with '{file}'" in said
    assert "Traceback" in file.read_text() and "Traceback" not in said
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    assert ended(ZeroDivisionError("oh"), capsys)[1].endswith("please report it.\n")


def test_ctrl_c_while_the_command_is_being_imported(capsys, tmp_path, monkeypatch):
    (tmp_path / "interrupted_module.py").write_text("raise KeyboardInterrupt\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SystemExit) as end:
        run("interrupted_module:main")
    assert end.value.code == INTERRUPTED and "Interrupted" in capsys.readouterr().err


def test_a_message_is_one_line_without_control_letters():
    assert str(UserError("a\n  b\x1b[31mc\u2028d")) == "a b?[31mc d"


def test_what_is_no_error_of_the_world_is_none():
    assert what_happened(ZeroDivisionError()) is None and what_happened(RuntimeError("x")) is None


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("ignored", [False, True], ids=["", "in a shell's background"])
def test_a_signal_that_ends_a_process_is_ctrl_c(ignored):
    work = "lambda args: (print('working', flush=True), __import__('time').sleep(60))"
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN.format(what=work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL),
    )
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED and said == "Interrupted; nothing half-written was left behind.\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes of a shell")
def test_a_closed_pipe_is_no_traceback():
    code = MAIN.format(what="lambda args: print('x\\n' * 100000)")
    done = subprocess.run(["sh", "-c", '"$0" -c "$1" | head -1', sys.executable, code], capture_output=True, text=True)
    assert done.stdout == "x\n" and done.stderr == ""


def test_a_terminal_without_a_letter_gets_another():
    done = program(MAIN.format(what="lambda args: print('a→b')"), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "a?b\n", "")


@pytest.mark.skipif(os.name != "posix", reason="a folder that is in use cannot be removed elsewhere")
def test_a_working_folder_that_is_gone(tmp_path):
    gone = f"import os\nos.mkdir({str(tmp_path / 'a')!r}); os.chdir({str(tmp_path / 'a')!r}); os.rmdir(os.getcwd())\n"
    done = program(gone + MAIN.format(what="lambda args: os.getcwd()"))
    assert done.returncode == REFUSED and "The system refused to go on: No such file" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="Windows goes on telling the number of a parent that is gone")
def test_a_worker_ends_with_its_parent(tmp_path):
    child = (
        "import os, time\nfrom nestfuse_core.common.processes import end_with_parent\nend_with_parent()\n"
        f"open({str(tmp_path / 'pid')!r} + 'new', 'w').write(str(os.getpid()))\n"
        f"os.rename({str(tmp_path / 'pid')!r} + 'new', {str(tmp_path / 'pid')!r})\ntime.sleep(60)\n"
    )
    starts = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    starts = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    parent = subprocess.Popen([sys.executable, "-c", starts])
    wait_for(lambda: (tmp_path / "pid").exists())
    number = int((tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    wait_for(lambda: not alive(number))


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    # A container may have nobody who buries the dead.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
