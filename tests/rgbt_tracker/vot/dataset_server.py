"""A local double of data.votchallenge.net/vot2019/rgbtir: same layout, same description, faults on demand.

``meta/description.json`` names annotations beside itself (``NAME.zip``) and frames as ``../../sequences/HASH.zip``,
which the real server serves from ``rgbtir/sequences``: resolved as a browser would, they are not there.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = "/vot2019/rgbtir"


class DatasetServer:
    """Files by path, and what goes wrong.

    Attributes:
        files: path below the host -> bytes.
        cuts: path -> bytes after which the next connections for it are cut, one entry a connection.
        wrong: paths whose bytes are served with the last one changed.
        asked: (path, Range header) of every request.
    """

    def __init__(self, dataset: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.cuts: dict[str, list[int]] = {}
        self.wrong: set[str] = set()
        self.asked: list[tuple[str, str | None]] = []
        entries = [self._add(folder) for folder in sorted(dataset.iterdir()) if (folder / "sequence").is_file()]
        description = {"name": "VOT-RGBT2019", "homepage": "", "sequences": entries}
        self.files[f"{ROOT}/meta/description.json"] = json.dumps(description).encode()
        self.address = ""

    def archive(self, name: str, part: str) -> str:
        """Path of a sequence's archive: part is 'annotations' or a channel."""
        description = json.loads(self.files[f"{ROOT}/meta/description.json"])
        entry = next(item for item in description["sequences"] if item["name"] == name)
        if part == "annotations":
            return f"{ROOT}/meta/{entry['annotations']['url']}"
        return f"{ROOT}/{entry['channels'][part]['url'].removeprefix('../../')}"

    def change(self, edit) -> None:
        """Edit the description in place."""
        path = f"{ROOT}/meta/description.json"
        description = json.loads(self.files[path])
        edit(description)
        self.files[path] = json.dumps(description).encode()

    def _add(self, folder: Path) -> dict:
        texts = [path for path in sorted(folder.iterdir()) if path.suffix in (".txt", ".tag")]
        annotations = self._zip(texts)
        self.files[f"{ROOT}/meta/{folder.name}.zip"] = annotations
        channels = {}
        for channel, letter in (("color", "v"), ("ir", "i")):
            content = self._zip(sorted((folder / channel).iterdir()))
            uid = hashlib.sha512(channel.encode() + folder.name.encode()).hexdigest()
            self.files[f"{ROOT}/sequences/{uid}.zip"] = content
            facts = self._facts(content, f"../../sequences/{uid}.zip", uid)
            channels[channel] = {**facts, "pattern": f"%08d{letter}.jpg"}
        length = len((folder / "groundtruth.txt").read_text().split())
        facts = self._facts(annotations, f"{folder.name}.zip", folder.name)
        return {"name": folder.name, "fps": 30, "length": length, "annotations": facts, "channels": channels}

    def _facts(self, content: bytes, url: str, uid: str) -> dict:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            uncompressed = sum(member.file_size for member in archive.infolist())
        checksum = hashlib.md5(content).hexdigest()
        return {
            "url": url,
            "uid": uid,
            "checksum": checksum,
            "compressed": len(content),
            "uncompressed": uncompressed,
        }

    def _zip(self, paths: list[Path]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                archive.write(path, path.name)
        return buffer.getvalue()

    @contextmanager
    def running(self):
        """Serve until the block ends; yields the address of the description."""
        handler = type("Bound", (_Handler,), {"dataset": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{ROOT}/meta/description.json"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    dataset: DatasetServer

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        dataset, wanted = self.dataset, self.headers.get("Range")
        dataset.asked.append((self.path, wanted))
        body = dataset.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        if self.path in dataset.wrong:
            body = body[:-1] + bytes([body[-1] ^ 1])
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("ETag", f'"{hashlib.md5(body).hexdigest()}"')
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cuts = dataset.cuts.get(self.path)
        rest = body[start:]
        self.wfile.write(rest[: cuts.pop(0)] if cuts else rest)
