"""Changes of a recipe as a user types them: ``KEY=VALUE``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from nestfuse_core.common.errors import UserError


def parse_changes(pairs: Iterable[str]) -> dict[str, Any]:
    """``["a.b=1"]`` -> ``{"a.b": 1}``, values read as YAML: the overrides of `load_recipe`.

    Raises:
        UserError: a text without ``=``, or a value that cannot be read.
    """
    changes: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise UserError(f"--set expects key=value, got '{pair}'; for instance --set optimiser.rate=0.001.")
        try:
            changes[key] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise UserError(f"--set {key}: '{value[:60]}' is no value that YAML can read.") from None
    return changes
