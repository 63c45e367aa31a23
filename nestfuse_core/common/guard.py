"""The one place where a program ends: whatever the world does to it becomes a sentence and an exit code.

Nothing but what Python brings is imported here, so that the guard stands before the slow imports begin.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

from nestfuse_core.common.errors import DISK_FULL, UserError

REFUSED, MISTAKE, INTERRUPTED = 2, 1, 130
"""Exit codes: what the user can put right (or the machine: a full disk), a mistake of this program, and Ctrl-C."""
_IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY)
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "insufficient memory")
"""How torch and OpenCV say it, in errors of their own."""


def run(command: str | Callable[..., Any], arguments: list[str] | None = None, *, keep_memory: bool = True) -> None:
    """Run a command line to its end. Every entry point of this project is one call of this function.

    A ``UserError`` becomes its sentence on stderr and exit code 2; so does what the system refuses (no permission, a
    file where a folder is to be, a full disk, no memory). Ctrl-C becomes exit code 130, and a signal that ends the
    process is Ctrl-C to it. What is left is a mistake of this program: its traceback goes to a file that a sentence
    names, with exit code 1.

    Args:
        command: a function of ``args``, such as a typer application; or ``module:function`` of what returns one, which
            is imported here.
        arguments: the process's own by default.
        keep_memory: `nestfuse_core.common.memory.keep_freed_memory` first.
    """
    _prepare()
    try:
        application = _imported(command) if isinstance(command, str) else command
        if keep_memory:
            from nestfuse_core.common.memory import keep_freed_memory

            keep_freed_memory()
        application(args=arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer turns Ctrl-C into it without a word
            _interrupted()
        raise
    except Exception as error:
        _end(error)


def _imported(command: str) -> Any:
    module, _, function = command.partition(":")
    return getattr(import_module(module), function)()


def _prepare() -> None:
    """Let signals that end a process be Ctrl-C, and a terminal that lacks a letter get another for it."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _as_ctrl_c)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _as_ctrl_c(_: int, frame: FrameType | None) -> None:
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # ignored, as in a shell's background; the wish to end the process is not
        raise KeyboardInterrupt
    handler(signal.SIGINT, frame)


def _interrupted() -> NoReturn:
    _say("Interrupted; nothing half-written was left behind.")
    sys.exit(INTERRUPTED)


def _end(error: Exception) -> NoReturn:
    if isinstance(error, BrokenPipeError):
        # Whoever read the output has enough of it; what is still in the buffer must not be tried again at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(MISTAKE)
    sentence = what_happened(error)
    if sentence is None:
        sentence, code = _mistake(error), MISTAKE
    else:
        code = REFUSED
    _say(sentence, "Error: ")
    sys.exit(code)


def what_happened(error: BaseException) -> str | None:
    """The sentence for what the user or the machine brought about; None for a mistake of this program."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name == "torch":
        return (
            "This needs torch, which is not installed: type pip install torch; what works without it is listed in "
            "docs/guides/export.md."
        )
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _is_about_memory(error)):
        return f"There is not enough memory for this ({' '.join(str(error).split())[:200] or 'allocation refused'})."
    if isinstance(error, OSError) and error.errno is not None:
        return _about_files(error)
    return None


def _is_about_memory(error: Exception) -> bool:
    text = str(error).lower()
    return any(words in text for words in _NO_MEMORY)


def _about_files(error: OSError) -> str:
    if error.errno in _IN_THE_WAY:
        reason = "a file lies where a folder is needed, or a folder where a file is"
    else:
        reason = error.strerror or type(error).__name__
    if error.filename is None:
        return f"The system refused to go on: {reason}."
    remedy = "make room, or give another place" if error.errno in DISK_FULL else "give another path, or make way there"
    return f"Cannot use '{os.fsdecode(error.filename)}': {reason}; {remedy}."


def _mistake(error: Exception) -> str:
    sentence = f"This is a mistake of the program ({type(error).__name__}: {error}); please report it"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="rgbt-error-", suffix=".txt", encoding="utf-8", errors="replace", delete=False
        ) as file:
            traceback.print_exception(error, file=file)
    except OSError:  # no room for that either
        return f"{sentence}."
    return f"{sentence} with '{file.name}'."


def _say(sentence: str, head: str = "") -> None:
    # rich is imported here, and a sentence must also come where that is what failed.
    try:
        from rich.markup import escape

        from nestfuse_core.common.console import stderr

        # Paths may hold brackets, which must not be taken for markup.
        stderr.print((f"[bold red]{head}[/]" if head else "") + escape(sentence), markup=True, highlight=False)
    except Exception:
        print(head + sentence, file=sys.stderr)
