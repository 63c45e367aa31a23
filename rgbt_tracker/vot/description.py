"""What the VOT server says about VOT-RGBT2019.

Its layout is ``rgbtir/meta/description.json``, ``rgbtir/meta/NAME.zip`` (annotations) and
``rgbtir/sequences/HASH.zip`` (one archive of frames a channel). vot-toolkit resolves the description's
``../../sequences/...`` one folder too high, so that every frame archive is "not available" (its issue 138).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlparse

import requests

from nestfuse_core.common.errors import UserError

DESCRIPTION = "https://data.votchallenge.net/vot2019/rgbtir/meta/description.json"


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
        response = requests.get(address, timeout=30)
        response.raise_for_status()
        return [_entry(address, item) for item in response.json()["sequences"]]
    except requests.exceptions.JSONDecodeError as error:
        raise UserError(f"Expected the description of a VOT dataset at {address}, got something else.") from error
    except requests.RequestException as error:
        raise UserError(
            f"Cannot reach {address} ({error}); check the network, or adopt a folder you have: "
            "'rgbt vot prepare --from DIR'."
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"Expected the description of a VOT dataset at {address}, '{error}' is missing.") from error


def _entry(address: str, item: dict[str, Any]) -> Entry:
    name = _safe(str(item["name"]))
    archives = [_archive(address, item["annotations"], "")]
    properties = {"name": name, "fps": f"{item.get('fps', 30)}", "format": "default", "channel.default": "color"}
    for channel, facts in item["channels"].items():
        archives.append(_archive(address, facts, _safe(channel)))
        properties[f"channels.{channel}"] = f"{channel}/{facts.get('pattern', '%08d.jpg')}"
    return Entry(name, archives, properties)


def _archive(address: str, facts: dict[str, Any], folder: str) -> Archive:
    return Archive(
        address=address_of(address, str(facts["url"])),
        md5=facts.get("checksum"),
        compressed=int(facts.get("compressed") or 0),
        uncompressed=int(facts.get("uncompressed") or 0),
        folder=folder,
    )


def _safe(name: str) -> str:
    if not name or name.startswith(".") or set(name) & set('/\\:*?"<>|'):
        raise ValueError(f"a usable name instead of '{name}'")
    return name
