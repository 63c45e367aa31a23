"""The window: where there is a screen, and the box drawn in it."""

from __future__ import annotations

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.output.window import check_screen, into_panel


def test_a_window_without_a_screen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(UserError, match=r"--show needs a screen.*--video"):
        check_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    check_screen()


@pytest.mark.parametrize(("x", "expected"), [(10, 10), (410, 10), (395, -5), (380, 380)])
def test_a_box_drawn_on_either_picture(x: float, expected: float) -> None:
    assert into_panel((x, 5, 20, 30), 400) == (expected, 5, 20, 30)
