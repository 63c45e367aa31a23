"""Fetching a file over HTTP so that a broken transfer can be resumed and only the right file is kept."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import NoReturn
from urllib.parse import urljoin

import requests

from nestfuse_core.common.errors import DISK_FULL, UserError
from nestfuse_core.common.files import write_text

CHUNK = 1 << 16  # at most this much is lost when a connection breaks
ATTEMPTS = 5
MOST_BYTES = 2_000_000_000
"""Of a file whose size nobody has said."""
LONG = 19
"""Digits of a number of bytes that is none."""
MOST_TEXT = 1 << 24
"""Bytes of a page or a description."""
TIMEOUT = (10, 30)  # seconds to connect, seconds without a byte
NETWORK_ERRORS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
Report = Callable[[int, "int | None"], None]


@dataclass
class _Job:
    """One transfer: bytes gather in ``part``; ``mark`` beside it remembers which version of the file they are of."""

    address: str
    target: Path
    size: int | None
    most: int
    by_hand: str
    on_bytes: Report
    hash_known: bool

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def mark(self) -> Path:
        return self.target.with_name(self.target.name + ".part.json")

    def have(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def discard(self) -> None:
        self.part.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)

    def version(self) -> str | None:
        """Return the server's tag of what ``part`` holds, or None when it has none or belongs to another address."""
        try:
            mark = json.loads(self.mark.read_text(encoding="utf-8"))
            return mark["version"] if mark["address"] == self.address else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def fetch(
    address: str,
    target: Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    most: int = MOST_BYTES,
    on_bytes: Report | None = None,
    by_hand: str = "",
    attempts: int = ATTEMPTS,
    pause: float = 1.0,
) -> Path:
    """Download ``address`` to ``target``, continuing where an earlier call stopped.

    Bytes gather in ``target.part``; ``target`` appears only when the length and the hash are right. A server that
    knows no ranges, or whose file has changed since, makes the transfer start again from the first byte.

    Args:
        sha256, size: what the file must be, where known.
        most: bytes that are taken where the size is not known.
        on_bytes: called with (bytes so far, total or None).
        by_hand: the command that adopts a file fetched otherwise, for messages.
        attempts: how many broken transfers in a row without a new byte are tolerated.
        pause: seconds before the second attempt, doubled for each further one.

    Raises:
        UserError: no connection, refused, no space on the disk, more bytes than there should be, or the wrong file.
    """
    report = on_bytes or (lambda done, total: None)
    job = _Job(address, target, size, most if size is None else size, by_hand, report, sha256 is not None)
    stalls, before = 0, job.have()
    while True:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _transfer(job)
            break
        except NETWORK_ERRORS as error:
            stalls = stalls + 1 if job.have() <= before else 1
            before = job.have()
            if stalls >= attempts:
                raise UserError(_broken(job)) from error
            time.sleep(min(pause * 2 ** (stalls - 1), 30))
        except requests.RequestException as error:
            raise UserError(f"Cannot fetch {address}: {error}{_otherwise(job)}.") from error
        except OSError as error:
            raise UserError(_not_written(job, error)) from error
    _verify(job, sha256)
    job.part.replace(target)
    job.discard()
    return target


def _broken(job: _Job) -> str:
    kept = f"{job.have()} bytes are kept and the same command continues from there" if job.have() else "nothing arrived"
    return f"The transfer of {job.address} broke off ({kept}); check the network{_otherwise(job)}."


def _not_written(job: _Job, error: OSError) -> str:
    if error.errno in DISK_FULL:
        return (
            f"The disk became full at {job.have()} bytes of {job.address}; make room in '{job.target.parent}' and type "
            "the same command again, it continues from there."
        )
    return f"Cannot write to '{job.target.parent}' ({error.strerror}); choose another folder with RGBT_CACHE."


def _otherwise(job: _Job) -> str:
    return f", or fetch it in a browser and type {job.by_hand}" if job.by_hand else ""


def _transfer(job: _Job) -> None:
    """Ask for the missing bytes once and append them. Raises one of NETWORK_ERRORS if the connection breaks."""
    version = job.version()
    if version is None and not job.hash_known:
        # Without a tag or a hash nothing would show that the file on the server has changed in between.
        job.discard()
    headers = {"Accept-Encoding": "identity"}
    if job.have():
        headers |= {"Range": f"bytes={job.have()}-"} | ({"If-Range": version} if version else {})
    with requests.Session() as session, _ask(session, job, headers) as response:
        start = _first_byte(job, response)
        if start is None:
            return
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() and len(length) < LONG else job.size
        _check_space(job, total, start)
        tag = response.headers.get("ETag", "")
        version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
        write_text(job.mark, json.dumps({"address": job.address, "version": version}))
        _append(job, response, start, total)
    if total is not None and job.have() < total:
        raise requests.ConnectionError(f"{job.have()} of {total} bytes")


def _ask(session: requests.Session, job: _Job, headers: dict[str, str]) -> requests.Response:
    """GET the file; a page with a confirmation form (Google Drive, large files) is answered once."""
    response = session.get(job.address, headers=headers, stream=True, timeout=TIMEOUT)
    if _is_page(response):
        form = _Form()
        form.feed(read_text(response))
        if form.action:
            where = urljoin(response.url, form.action)
            response = session.get(where, params=form.fields, headers=headers, stream=True, timeout=TIMEOUT)
    if _is_page(response):
        raise UserError(f"{job.address} answered with a web page instead of a file{_otherwise(job)}.")
    if response.status_code not in (200, 206, 416):
        raise UserError(f"{job.address} answered {response.status_code} {response.reason}{_otherwise(job)}.")
    return response


def read_text(response: requests.Response) -> str:
    """The text of a streamed answer.

    Raises:
        UserError: it does not end after `MOST_TEXT` bytes.
    """
    data = bytearray()
    for chunk in response.iter_content(CHUNK):
        data += chunk
        if len(data) > MOST_TEXT:
            raise UserError(f"{response.url} answered with more than {MOST_TEXT >> 20} MB of text; nothing kept.")
    return data.decode("utf-8", errors="replace")


def _is_page(response: requests.Response) -> bool:
    return response.ok and response.headers.get("Content-Type", "").startswith("text/html")


class _Form(HTMLParser):
    """The first form of a page: where it goes and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and not self.action:
            self.action = values.get("action") or ""
        elif tag == "input" and self.action and values.get("name"):
            self.fields[values["name"] or ""] = values.get("value") or ""


def _first_byte(job: _Job, response: requests.Response) -> int | None:
    """Return the position of the first byte of the answer, or None when ``part`` already holds everything."""
    if response.status_code == 416:
        total = response.headers.get("Content-Range", "").rpartition("/")[2]
        if total == str(job.have()):
            return None
        job.discard()
        raise requests.ConnectionError("the file on the server is shorter than what was fetched")
    if response.status_code == 206:
        start = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
        if start == str(job.have()):
            return job.have()
        job.discard()
        raise requests.ConnectionError("the server sent another range than the one asked for")
    job.discard()
    return 0


def _check_space(job: _Job, total: int | None, start: int) -> None:
    if total is not None and total > job.most:
        _refuse_more(job, total)
    free = shutil.disk_usage(job.target.parent).free
    if total is not None and total - start > free:
        raise UserError(
            f"No space for {job.address}: {total - start} bytes are missing and '{job.target.parent}' has {free} free; "
            "make room, or choose another folder with RGBT_CACHE."
        )


def _append(job: _Job, response: requests.Response, start: int, total: int | None) -> None:
    done = start
    job.on_bytes(done, total)
    with job.part.open("ab") as stream:
        for chunk in response.iter_content(CHUNK):
            stream.write(chunk)
            done += len(chunk)
            if done > job.most:
                _refuse_more(job, done)
            job.on_bytes(done, total)


def _refuse_more(job: _Job, found: int) -> NoReturn:
    job.discard()
    due = f"instead of {job.size}" if job.size is not None else f"and more, where at most {job.most} can be"
    raise UserError(f"{job.address} is not the expected file: {found} bytes {due}; nothing kept.")


def _verify(job: _Job, sha256: str | None) -> None:
    if job.size is not None and job.have() != job.size:
        found = job.have()
        job.discard()
        raise UserError(f"{job.address} is not the expected file: {found} bytes instead of {job.size}; nothing kept.")
    if sha256 is None:
        return
    digest = hashlib.sha256()
    with job.part.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        job.discard()
        raise UserError(
            f"{job.address} is not the expected file: SHA-256 {digest.hexdigest()} instead of {sha256}; nothing kept, "
            "type the same command to fetch it again."
        )
