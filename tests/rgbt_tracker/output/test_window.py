"""The window: where there is a screen, and the box drawn in it."""

from __future__ import annotations

import socket
import sys

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.output import window
from rgbt_tracker.output.window import check_screen, into_panel

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X and Wayland")


def test_a_window_without_a_screen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(UserError, match=r"--show needs a screen.*--video"):
        check_screen()


@linux
def test_a_display_whose_server_is_gone_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV's window library aborts the process that asks, so that another one must ask."""
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":97")
    with pytest.raises(UserError, match=r"cannot open a window \(DISPLAY=:97\): .*; use --video out\.mp4"):
        check_screen()


@linux
def test_a_display_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        server.listen()
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{port - 6000}.0")
        with pytest.raises(UserError, match="no answer in 2 s"):
            check_screen(seconds=2)


def test_a_screen_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(window, "PROBE", "print('a window')")
    check_screen()


@pytest.mark.parametrize(("x", "expected"), [(10, 10), (410, 10), (395, -5), (380, 380)])
def test_a_box_drawn_on_either_picture(x: float, expected: float) -> None:
    assert into_panel((x, 5, 20, 30), 400) == (expected, 5, 20, 30)
