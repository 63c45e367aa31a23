"""The demo's web application: one page and the few addresses its script calls."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import numpy as np
from fastapi import FastAPI, File, Form, HTTPException, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

from nestfuse_core.common.errors import UserError
from nestfuse_core.common.files import temporary_folder
from nestfuse_core.common.guard import what_happened
from nestfuse_core.common.pictures import encode_image
from nestfuse_core.rig.file import Rig, choose_rig
from rgbt_tracker.demo.answers import Patience, without_folders
from rgbt_tracker.demo.pointing import QUALITY, add_pointing
from rgbt_tracker.demo.sessions import MakeTracker, Session, Sessions
from rgbt_tracker.demo.uploads import KINDS, Limits, save_camera
from rgbt_tracker.sequences.base import Frame

HERE = Path(__file__).parent
Fuse = Callable[[Frame, str, dict[str, Any]], NDArray[np.generic]]
POLICY = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'"
LOCAL = ("127.0.0.1", "localhost", "[::1]")
Pixels = Annotated[float, Field(allow_inf_nan=False, strict=True)]
FourPixels = Annotated[list[Pixels], Field(min_length=4, max_length=4)]


@dataclass(frozen=True)
class Settings:
    """How the demo is served.

    Attributes:
        limits: what an upload may be.
        hosts: names under which the page may be asked for; another site that points its own name at this machine is
            refused. ("*",) allows every name.
        scene_size: (width, height) of drawn sequences.
        scene_length: their number of frames; None for each scene's own.
        patience: seconds without a byte after which an upload is given up.
        rig: file of the rig that uploads were recorded with; None where the cameras see the same.
    """

    limits: Limits = field(default_factory=Limits)
    hosts: tuple[str, ...] = LOCAL
    scene_size: tuple[int, int] = (640, 480)
    scene_length: int | None = None
    patience: float = 30.0
    rig: str | None = None


class Start(BaseModel):
    """Where tracking begins: the frame, a box x, y, w, h in its pixels for each target, and the modalities."""

    frame: Annotated[int, Field(strict=True)] = 0
    boxes: Annotated[
        list[Annotated[list[Pixels], Field(min_length=4, max_length=4)]], Field(min_length=1, max_length=8)
    ]
    modalities: Annotated[list[str], Field(min_length=1, max_length=3)]


class Step(BaseModel):
    """The modalities that track the next frame."""

    modalities: Annotated[list[str], Field(min_length=1, max_length=3)]


def create_app(make_tracker: MakeTracker, fuse: Fuse, settings: Settings | None = None) -> FastAPI:
    """Return the application.

    Args:
        make_tracker: modality ("rgbt", "rgb" or "ir") -> a new tracker.
        fuse: frame, strategy ("avg", "max" or "nuclear") and a session's ``fusers`` -> fused picture.
    """
    settings = settings or Settings()
    sessions, stack = Sessions(), ExitStack()
    root = stack.enter_context(temporary_folder())
    stack.callback(sessions.close)
    compute = threading.Lock()  # one tracker at a time: two would only slow each other down

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with stack:
            yield

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.root = root
    _guard(app, settings)

    def find(name: str) -> Session:
        session = sessions.get(name)
        if session is None:
            raise HTTPException(404, "This pair is no longer open; open it again.")
        return session

    def opened(session: Session) -> dict[str, Any]:
        try:
            first, frames = session.frame(0), session.frames
            image = next(image for image in (first.rgb, first.ir) if image is not None)
            description = {
                "name": frames.name,
                "length": len(frames),
                "fps": frames.info.fps or 30,
                "width": image.shape[1],
                "height": image.shape[0],
                "cameras": session.cameras,
                "box": frames.info.start_box,
                "notes": frames.info.notes,
            }
        except BaseException:
            session.close()
            raise
        return {"id": sessions.add(session), **description}

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(HERE / "templates" / "demo.html", media_type="text/html")

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        from rgbt_tracker.synthetic import SCENES

        scenes = [{"name": scene.name, "summary": scene.summary} for scene in SCENES.values()]
        return {"scenes": scenes, "kinds": KINDS, "megabytes": settings.limits.megabytes}

    @app.post("/api/scenes")
    def open_scene(scene: Annotated[str, Form()]) -> dict[str, Any]:
        from rgbt_tracker.synthetic import draw_sequence

        return opened(Session(draw_sequence(scene, settings.scene_length, settings.scene_size)))

    @app.post("/api/uploads")
    def upload(
        rgb: Annotated[list[UploadFile] | None, File()] = None, ir: Annotated[list[UploadFile] | None, File()] = None
    ) -> dict[str, Any]:
        from rgbt_tracker.sequences import open_pair

        folder = root / secrets.token_hex(8)
        folder.mkdir()
        try:
            given = {"rgb": rgb or [], "ir": ir or []}
            if not rgb and not ir:
                raise UserError(f"Expected files for one camera or both: {KINDS}.")
            paths = {name: save_camera(files, folder, name, settings.limits) for name, files in given.items() if files}
            frames = open_pair(paths.get("rgb"), paths.get("ir"), "upload", rig=settings.rig)
            rig = choose_rig(settings.rig)[0] or Rig()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return opened(Session(frames, folder, rig))

    @app.get("/api/sessions/{name}/{camera}/{index}.jpg")
    def image(name: str, camera: str, index: int) -> Response:
        data = encode_image(find(name).picture(index, camera), ".jpg", QUALITY)
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})

    @app.post("/api/sessions/{name}/start")
    def start(name: str, wanted: Start) -> dict[str, Any]:
        session = find(name)
        with compute:
            return session.start(wanted.frame, wanted.boxes, list(dict.fromkeys(wanted.modalities)), make_tracker)

    @app.post("/api/sessions/{name}/step")
    def step(name: str, wanted: Step) -> dict[str, Any]:
        session = find(name)
        with compute:
            return session.step(list(dict.fromkeys(wanted.modalities)), make_tracker)

    @app.get("/api/sessions/{name}/fused/{index}.png")
    def fused(name: str, index: int, strategy: str = "avg") -> Response:
        session = find(name)
        with compute:
            picture = fuse(session.frame(index), strategy, session.fusers)
        header = {"Content-Disposition": f'attachment; filename="fused-{index:05d}-{strategy}.png"'}
        return Response(encode_image(np.asarray(picture), ".png"), media_type="image/png", headers=header)

    add_pointing(app, find)

    @app.delete("/api/sessions/{name}", status_code=204, response_model=None)
    def close(name: str) -> None:
        sessions.remove(name)

    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app


def _guard(app: FastAPI, settings: Settings) -> None:
    """Refuse foreign hosts and origins, and bodies that are large or stall; say what is wrong in one sentence."""
    limit = settings.limits.megabytes * 1_000_000

    @app.exception_handler(UserError)
    @app.exception_handler(OSError)
    @app.exception_handler(MemoryError)
    @app.exception_handler(Exception)
    def refused(_: Request, error: Exception) -> JSONResponse:
        sentence = what_happened(error)
        if sentence is None:
            return JSONResponse({"detail": "This is a mistake of the server; its terminal tells more."}, 500)
        return JSONResponse({"detail": without_folders(sentence)}, 400)

    @app.exception_handler(RequestValidationError)
    def unfitting(_: Request, error: RequestValidationError) -> JSONResponse:
        # What was sent is not sent back: not every number of a request can stand in an answer.
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return JSONResponse({"detail": f"The request does not fit: {where[:100]}: {first['msg'][:200]}."}, 422)

    @app.middleware("http")
    async def check(request: Request, call_next: Callable) -> Response:
        origin = request.headers.get("origin")
        if origin and urlsplit(origin).netloc != request.headers.get("host"):
            return JSONResponse({"detail": "Requests from other sites are refused."}, 403)
        if request.method == "POST":
            length = request.headers.get("content-length", "")
            if not length.isdecimal():
                return JSONResponse({"detail": "The size of an upload must be known beforehand."}, 411)
            if len(length) > 15 or int(length) > limit:
                words = f"Expected at most {settings.limits.megabytes} MB, got {length[:15]} bytes."
                return JSONResponse({"detail": words}, 413)
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    # Those that are added last are asked first.
    app.add_middleware(Patience, seconds=settings.patience)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts))
