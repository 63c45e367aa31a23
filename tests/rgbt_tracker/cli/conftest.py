"""Fixtures of the tests of ``rgbt track``."""

from __future__ import annotations

from fake_tracking import fake, folder, rgbt, window

__all__ = ["fake", "folder", "rgbt", "window"]
