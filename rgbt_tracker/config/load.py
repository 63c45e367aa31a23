"""Configurations from a name, a YAML file of ours or one of PySOT's."""

from __future__ import annotations

import os
from pathlib import Path

from nestfuse_core.common.errors import UserError, nearest
from nestfuse_core.common.names import safe_name
from nestfuse_core.common.sections import read_yaml
from rgbt_tracker.config.pysot import parse_pysot
from rgbt_tracker.config.schema import TrackerConfig, parse_config


def config_directory() -> Path:
    """The folder of the YAML files that come with the package: inside it when installed, beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "configs"
    return installed if installed.is_dir() else package.parent / "configs"


def config_names() -> list[str]:
    """Names that ``load_config`` accepts without a path."""
    return sorted(path.stem for path in config_directory().glob("*.yaml"))


def load_config(config: str | os.PathLike[str] | TrackerConfig) -> TrackerConfig:
    """Return the configuration for a name, a YAML file of ours, or a PySOT YAML file.

    Raises:
        UserError: no such name or file, YAML that cannot be read, an unknown key or a bad value; the message names
            the nearest valid one.
    """
    if isinstance(config, TrackerConfig):
        return config
    path = _find(config)
    content = read_yaml(path)
    if "BACKBONE" in content:
        return parse_pysot(content, name=safe_name(path.stem), source=str(path))
    return parse_config({"name": safe_name(path.stem), **content}, source=str(path))


def _find(config: str | os.PathLike[str]) -> Path:
    path = Path(config)
    if path.is_file():
        return path
    named = config_directory() / f"{path.name}.yaml"
    if named.is_file() and str(config) == path.name:
        return named
    hint = nearest(path.stem, config_names())
    raise UserError(
        f"No configuration '{config}': expected a YAML file or one of {', '.join(config_names())}{hint or '.'}"
    )
