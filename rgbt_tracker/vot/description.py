"""What the VOT server says about VOT-RGBT2019.

Its layout is ``rgbtir/meta/description.json``, ``rgbtir/meta/NAME.zip`` (annotations) and
``rgbtir/sequences/HASH.zip`` (one archive of frames a channel). vot-toolkit resolves the description's
``../../sequences/...`` one folder too high, so that every frame archive is "not available" (its issue 138).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlparse

import requests

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.names import safe_name
from nestfuse_core.common.sections import shown
from rgbt_tracker.zoo.download import TIMEOUT, read_text

DESCRIPTION = "https://data.votchallenge.net/vot2019/rgbtir/meta/description.json"
PATTERN = re.compile(r"[\w.+-]*%0?\d{0,2}d[\w.+-]*")


@dataclass(frozen=True)
class Archive:
    """A zip file of the dataset: where it is, what it must be, and the sub-folder it fills ('' for annotations)."""

    address: str
    md5: str | None
    compressed: int
    uncompressed: int
    folder: str


@dataclass(frozen=True)
class Entry:
    """One sequence of the description: its archives, and the lines of its ``sequence`` file."""

    name: str
    archives: list[Archive]
    properties: dict[str, str]


def address_of(description: str, relative: str) -> str:
    """Address of a file that the description names.

    ``../../`` counts the description itself as a folder; other names are beside it.
    """
    if urlparse(relative).netloc:
        return relative
    return urljoin(description + "/" if relative.startswith("../../") else description, relative)


def read_description(address: str) -> list[Entry]:
    """Fetch and check the description of the dataset.

    Raises:
        UserError: no connection, or not a description.
    """
    try:
        with requests.get(address, timeout=TIMEOUT, stream=True) as response:
            response.raise_for_status()
            text = read_text(response)
    except requests.RequestException as error:
        raise UserError(
            f"Cannot reach {address} ({error}); check the network, or adopt a folder you have: "
            "'rgbt vot prepare --from DIR'."
        ) from error
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"Expected the description of a VOT dataset at {address}, got something else.") from error
    try:
        entries = [_entry(address, item) for item in content["sequences"]]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(f"Expected the description of a VOT dataset at {address}, {error} is missing.") from error
    names = [entry.name.lower() for entry in entries]
    if not names or len(set(names)) < len(names):
        problem = "no sequence" if not names else "two sequences of one name"
        raise UserError(f"Expected the description of a VOT dataset at {address}, got one with {problem}.")
    return entries


def _entry(address: str, item: dict[str, Any]) -> Entry:
    name = _safe(item["name"])
    archives = [_archive(address, item["annotations"], "")]
    properties = {"name": name, "fps": _rate(item.get("fps", 30)), "format": "default", "channel.default": "color"}
    for channel, facts in item["channels"].items():
        archives.append(_archive(address, facts, _safe(channel)))
        properties[f"channels.{channel}"] = f"{channel}/{_pattern(facts.get('pattern', '%08d.jpg'))}"
    return Entry(name, archives, properties)


def _archive(address: str, facts: dict[str, Any], folder: str) -> Archive:
    return Archive(
        address=address_of(address, str(facts["url"])),
        md5=str(facts["checksum"]) if facts.get("checksum") else None,
        compressed=max(0, int(facts.get("compressed") or 0)),
        uncompressed=max(0, int(facts.get("uncompressed") or 0)),
        folder=folder,
    )


def _safe(name: Any) -> str:
    if not isinstance(name, str) or safe_name(name) != name:
        raise ValueError(f"a usable name instead of {shown(name)}")
    return name


def _pattern(text: Any) -> str:
    """How the frames of a channel are called: a plain name with one number in it."""
    if not isinstance(text, str) or not PATTERN.fullmatch(text):
        raise ValueError(f"a pattern such as %08d.jpg instead of {shown(text)}")
    return text


def _rate(value: Any) -> str:
    rate = float(value)
    if not 0 < rate < 1e6:
        raise ValueError(f"a rate of frames instead of {shown(value)}")
    return f"{value}"
