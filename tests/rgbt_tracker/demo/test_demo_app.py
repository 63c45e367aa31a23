"""The demo's addresses: opening, tracking, fusing, and everything that is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the demo's extra: pip install -e '.[demo]'")


def encoded(suffix: str, value: int, size: tuple[int, int] = (40, 30), dtype=np.uint8, color: bool = True) -> bytes:
    shape = (size[1], size[0], 3) if color else (size[1], size[0])
    return cv2.imencode(suffix, np.full(shape, value, dtype))[1].tobytes()


def pair(count: int = 3, thermal=np.uint8) -> list:
    """Files of a pair as the browser sends them; visible frames get brighter, thermal ones darker."""
    files = []
    for index in range(count):
        files.append(("rgb", (f"v{index + 8}.png", encoded(".png", 40 * index), "image/png")))
        deep = encoded(".png", 3000 - 1000 * index, dtype=thermal, color=False) if thermal == np.uint16 else None
        files.append(("ir", (f"t{index + 8}.png", deep or encoded(".png", 200 - 40 * index, color=False), "image/png")))
    return files


def picture(response) -> np.ndarray:
    assert response.status_code == 200
    return np.asarray(cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_UNCHANGED))


def folders(app) -> list[Path]:
    return list(app.state.root.iterdir())


def test_page_and_its_parts_come_from_this_server_only(client):
    page = client.get("/")
    assert page.status_code == 200 and "default-src 'self'" in page.headers["content-security-policy"]
    for part in ("/static/demo.css", "/static/demo.js"):
        assert part in page.text and client.get(part).status_code == 200
    assert "http://" not in page.text and "https://" not in page.text
    about = client.get("/api/about").json()
    assert about["megabytes"] == 1 and {"street", "smoke"} <= {scene["name"] for scene in about["scenes"]}


def test_drawn_sequence_knows_its_box(client):
    opened = client.post("/api/scenes", data={"scene": "street"}).json()
    assert (opened["width"], opened["height"], opened["cameras"]) == (160, 120, ["rgb", "ir"])
    assert len(opened["box"]) == 4 and opened["length"] == 12
    assert picture(client.get(f"/api/sessions/{opened['id']}/ir/0.jpg")).shape[:2] == (120, 160)


def test_images_are_ordered_by_number_and_removed_at_the_end(client, app):
    opened = client.post("/api/uploads", files=pair()).json()
    assert (opened["length"], opened["width"], opened["height"], opened["box"]) == (3, 40, 30, None)
    values = [picture(client.get(f"/api/sessions/{opened['id']}/rgb/{index}.jpg")).mean() for index in range(3)]
    assert np.allclose(values, [0, 40, 80], atol=2)  # v8, v9, v10: by number, not by letter
    assert len(folders(app)) == 1
    assert client.delete(f"/api/sessions/{opened['id']}").status_code == 204
    assert folders(app) == []
    assert client.get(f"/api/sessions/{opened['id']}/rgb/0.jpg").status_code == 404


def test_images_whose_names_are_times_are_paired_by_them(client):
    times = {"rgb": [1_700_000_000 + index / 30 for index in range(6)], "ir": [1_700_000_000, 1_700_000_000.1]}
    files = [
        (camera, (f"{time}.png", encoded(".png", 40 * index + 20, color=camera == "rgb"), "image/png"))
        for camera, stamps in times.items()
        for index, time in enumerate(stamps)
    ]
    opened = client.post("/api/uploads", files=files).json()
    assert opened["length"] == 6 and opened["fps"] == pytest.approx(30, abs=0.01)
    assert "5 of 6 frames have both" in opened["notes"][0]
    values = {
        camera: [picture(client.get(f"/api/sessions/{opened['id']}/{camera}/{index}.jpg")).mean() for index in range(6)]
        for camera in ("rgb", "ir")
    }
    assert np.allclose(values["rgb"], [20, 60, 100, 140, 180, 220], atol=2)
    assert np.allclose(values["ir"], [20, 20, 60, 60, 60, 0], atol=2), "black where the thermal camera has no picture"


def test_deep_thermal_images_and_videos(client, video):
    deep = client.post("/api/uploads", files=pair(2, np.uint16)).json()
    assert picture(client.get(f"/api/sessions/{deep['id']}/ir/1.jpg")).dtype == np.uint8
    films = [("rgb", ("a.avi", video, "video/avi")), ("ir", ("b.avi", video, "video/avi"))]
    film = client.post("/api/uploads", files=films).json()
    assert (film["length"], film["width"], film["fps"]) == (8, 64, 10)
    assert abs(picture(client.get(f"/api/sessions/{film['id']}/rgb/5.jpg")).mean() - 100) < 5


def test_thermal_image_of_another_size_is_fitted(client):
    files = [
        ("rgb", ("a.png", encoded(".png", 9), "")),
        ("ir", ("b.png", encoded(".png", 9, (20, 15), color=False), "")),
    ]
    opened = client.post("/api/uploads", files=files).json()
    assert picture(client.get(f"/api/sessions/{opened['id']}/ir/0.jpg")).shape[:2] == (30, 40)


def test_tracking_and_switching_while_it_runs(client, made):
    name = client.post("/api/uploads", files=pair(6)).json()["id"]
    start = {"frame": 1, "boxes": [[5, 6, 10, 8]], "modalities": ["rgbt"]}
    assert client.post(f"/api/sessions/{name}/start", json=start).json()["frame"] == 1

    def step(*modalities: str) -> dict:
        return client.post(f"/api/sessions/{name}/step", json={"modalities": list(modalities)}).json()

    first = step("rgbt")
    assert first["frame"] == 2 and first["tracks"]["rgbt"]["box"] == [6, 6, 10, 8] and not first["last"]
    both = step("rgbt", "ir")  # thermal starts in frame 2 at the box of the fused tracker
    assert both["tracks"]["rgbt"]["box"] == [7, 6, 10, 8] and both["tracks"]["ir"]["box"] == [8, 6, 10, 8]
    alone = step("ir")
    assert set(alone["tracks"]) == {"ir"} and alone["tracks"]["ir"]["box"] == [10, 6, 10, 8]
    end = step("rgb")
    assert end["last"] and end["tracks"]["rgb"]["box"] == [11, 6, 10, 8]
    assert step("rgb")["tracks"] == {}  # there is no further frame
    assert [tracker.modality for tracker in made] == ["rgbt", "ir", "rgb"]


def test_fusing_gives_a_file_to_download(client):
    name = client.post("/api/uploads", files=pair(2)).json()["id"]
    response = client.get(f"/api/sessions/{name}/fused/1.png?strategy=max")
    assert response.headers["content-disposition"] == 'attachment; filename="fused-00001-max.png"'
    assert picture(response).shape == (30, 40, 3) and picture(response).max() == 160


def test_one_camera_alone(client):
    name = client.post("/api/uploads", files=[("ir", ("a.png", encoded(".png", 9), ""))]).json()["id"]

    def start(modality: str):
        return client.post(f"/api/sessions/{name}/start", json={"boxes": [[1, 1, 9, 9]], "modalities": [modality]})

    refused = start("rgbt")
    assert refused.status_code == 400 and "needs visible images" in refused.json()["detail"]
    assert client.get(f"/api/sessions/{name}/rgb/0.jpg").status_code == 400
    assert (
        client.post(f"/api/sessions/{name}/start", json={"boxes": [[1, 1, 9, 9]], "modalities": ["ir"]}).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("rgb", ("a.png", b"#!/bin/sh\necho", "image/png"))], "neither ('a.png')"),
        ([("rgb", ("a.png", b"", "image/png"))], "neither"),
        ([("rgb", ("a.html", b"<script>alert(1)</script>", "image/png"))], "neither"),
        ([("rgb", ("../../etc/passwd", b"root:x:0:0", "image/png"))], "neither ('passwd')"),
        ([("rgb", ("a.png", b"\x89PNG\r\n\x1a\n" + b"x" * 50, "image/png"))], "cannot be read"),
        ([("rgb", ("a.avi", b"RIFF\0\0\0\0AVI " + b"x" * 50, "video/avi"))], "rgb.avi"),
        ([("rgb", ("a.png", encoded(".png", 9, (400, 300)), "image/png"))], "400x300"),
        ([], "Expected files for one camera or both"),
        (pair(2)[:3], "visible frames and"),
    ],
)
def test_bad_uploads_are_refused_in_a_sentence_and_leave_nothing(client, app, files, message):
    response = client.post("/api/uploads", files=files, data={} if files else {"x": "y"})
    assert response.status_code == 400 and message in response.json()["detail"]
    assert str(app.state.root) not in response.json()["detail"]
    assert folders(app) == []


def test_a_video_among_images_is_refused(client, app, video):
    files = [("rgb", ("a.avi", video, "")), ("rgb", ("b.png", encoded(".png", 1), ""))]
    response = client.post("/api/uploads", files=files)
    assert response.status_code == 400 and "a video among them" in response.json()["detail"] and folders(app) == []


def test_names_of_files_lead_nowhere(client, app):
    """Path tricks in names change nothing: files lie in the session's own folder under names of our own."""
    names = ["../../../../tmp/evil.png", "/etc/evil.png", "C:\\evil.png", "a\x00b.png", ".htaccess"]
    files = [("rgb", (name, encoded(".png", 9), "image/png")) for name in names]
    assert client.post("/api/uploads", files=files).status_code == 200
    (folder,) = folders(app)
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert written == [f"rgb/{number:06d}.png" for number in range(1, 6)]


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/api/sessions/%2e%2e/about"]
)
def test_addresses_lead_nowhere_either(client, path):
    response = client.get(path)
    assert response.status_code in (404, 405) and "create_app" not in response.text


def test_large_bodies_are_refused_before_they_are_read(client, app):
    response = client.post("/api/uploads", content=b"", headers={"content-length": "1000001"})
    assert response.status_code == 413 and "at most 1 MB" in response.json()["detail"]
    chunked = client.post("/api/uploads", content=iter([b"x" * 100]))
    assert chunked.status_code == 411 and folders(app) == []


def test_other_hosts_and_origins_are_refused(client):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    other = client.post("/api/scenes", data={"scene": "street"}, headers={"origin": "http://evil.example"})
    assert other.status_code == 403
    own = client.get("/api/about", headers={"origin": "http://testserver"})
    assert own.status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"boxes": [], "modalities": ["rgb"]}, 422),
        ({"boxes": [[1, 2, 3]], "modalities": ["rgb"]}, 422),
        ({"boxes": [[1, 2, 3, "x"]], "modalities": ["rgb"]}, 422),
        ({"boxes": [[1, 2, 9, 9]], "modalities": []}, 422),
        ({"boxes": [[1, 2, 9, 9]], "modalities": ["depth"]}, 400),
        ({"boxes": [[1, 2, 0, 9]], "modalities": ["rgb"]}, 400),
        ({"boxes": [[900, 2, 9, 9]], "modalities": ["rgb"]}, 400),
        ({"frame": 99, "boxes": [[1, 2, 9, 9]], "modalities": ["rgb"]}, 400),
    ],
)
def test_bad_starts_are_refused(client, body, status):
    name = client.post("/api/uploads", files=pair(2)).json()["id"]
    assert client.post(f"/api/sessions/{name}/start", json=body).status_code == status
    unstarted = client.post(f"/api/sessions/{name}/step", json={"modalities": ["rgb"]})
    assert unstarted.status_code == 400 and "start tracking first" in unstarted.json()["detail"]


def test_unknown_scenes_and_sessions(client):
    refused = client.post("/api/scenes", data={"scene": "stret"})
    assert refused.status_code == 400 and "did you mean 'street'" in refused.json()["detail"]
    assert client.post("/api/sessions/none/step", json={"modalities": ["rgb"]}).status_code == 404


def test_sessions_are_limited_and_idle_ones_forgotten(client, app, monkeypatch):
    from rgbt_tracker.demo import sessions

    names = [client.post("/api/uploads", files=pair(1)).json()["id"] for _ in range(sessions.MAXIMUM + 2)]
    assert len(folders(app)) == sessions.MAXIMUM
    status = [client.get(f"/api/sessions/{name}/rgb/0.jpg").status_code for name in names]
    assert status == [404, 404] + [200] * sessions.MAXIMUM
    monkeypatch.setattr(sessions, "IDLE_SECONDS", -1.0)
    assert client.get(f"/api/sessions/{names[-1]}/rgb/0.jpg").status_code == 404 and folders(app) == []


def test_everything_is_removed_when_the_demo_ends(app):
    from fastapi.testclient import TestClient

    with TestClient(app) as client:
        client.post("/api/uploads", files=pair(1))
        assert len(folders(app)) == 1
    assert not app.state.root.exists()


def test_points_lay_thermal_on_visible_and_give_the_file(client):
    name = client.post("/api/uploads", files=pair()).json()["id"]
    own = picture(client.get(f"/api/sessions/{name}/own/ir/0.jpg"))
    assert own.shape[:2] == (30, 40)
    pairs = [[x + 3, y, x, y] for x, y in ((2, 2), (36, 3), (35, 27), (3, 26))]
    few = client.post(f"/api/sessions/{name}/points", json={"pairs": pairs[:3]}).json()
    assert few["left"] == [] and few["file"] is None and few["overlay"].startswith("data:image/jpeg;base64,")
    refused = client.post(f"/api/sessions/{name}/lay", json={"pairs": pairs[:3]})
    assert refused.status_code == 400 and "at least 4 pairs of points, got 3" in refused.json()["detail"]
    all_four = client.post(f"/api/sessions/{name}/points", json={"pairs": pairs}).json()
    assert np.allclose(all_four["left"], 0, atol=1e-3) and "homography" in all_four["file"]
    assert "x 2.5 to 42.5" in client.post(f"/api/sessions/{name}/lay", json={"pairs": pairs}).json()["summary"]
    # Thermal now begins at column 3; where it shows nothing its mean stands.
    assert (
        client.post(f"/api/sessions/{name}/start", json={"boxes": [[4, 4, 9, 9]], "modalities": ["rgbt"]}).status_code
        == 200
    )
    line = client.post(f"/api/sessions/{name}/points", json={"pairs": [[x, x, x, x] for x in range(4)]})
    assert line.status_code == 400 and "lie on one line" in line.json()["detail"]
    assert client.get(f"/api/sessions/{name}/own/ir/9.jpg").status_code == 400


def test_points_need_both_cameras(client):
    alone = client.post("/api/uploads", files=[file for file in pair() if file[0] == "rgb"]).json()["id"]
    refused = client.post(f"/api/sessions/{alone}/points", json={"pairs": []})
    assert refused.status_code == 400 and "this frame lacks one" in refused.json()["detail"]


def test_a_rig_of_the_server_lays_uploads_and_points_keep_the_rest_of_it(made, tmp_path):
    from fastapi.testclient import TestClient

    from nestfuse_core.rig.file import Rig, write_rig
    from rgbt_tracker.demo.app import Settings, create_app
    from rgbt_tracker.demo.uploads import Limits

    rows = ((1, 0, 16), (0, 1, 0), (0, 0, 1))
    write_rig(tmp_path / "rig.yaml", Rig(visible=(40, 30), thermal=(40, 30), homography=rows, thermal_range=(0, 200)))
    settings = Settings(Limits(megabytes=1), ("testserver",), rig=str(tmp_path / "rig.yaml"))
    ramp = cv2.imencode(".png", np.tile(np.arange(0, 240, 6, dtype=np.uint8), (30, 1)))[1].tobytes()
    files = [("rgb", ("a.png", encoded(".png", 90), "image/png")), ("ir", ("a.png", ramp, "image/png"))]
    with TestClient(create_app(lambda modality: made, lambda *_: None, settings)) as client:
        opened = client.post("/api/uploads", files=files).json()
        assert "thermal picture lies at x 15.5 to 55.5" in " ".join(opened["notes"])
        shown = picture(client.get(f"/api/sessions/{opened['id']}/ir/0.jpg")).astype(int)
        own = picture(client.get(f"/api/sessions/{opened['id']}/own/ir/0.jpg")).astype(int)
        assert abs(shown[15, 16 + 5] - 30) < 6 and abs(shown[15, 39] - 23 * 6) < 6
        assert own[15, 0] < 10 and own[15, 39] > 200
        pairs = [[x, y, x, y] for x, y in ((2, 2), (36, 3), (35, 27), (3, 26))]
        file = client.post(f"/api/sessions/{opened['id']}/points", json={"pairs": pairs}).json()["file"]
        assert "thermal_range" in file and "4 pairs of points" in file


def test_several_targets_are_told_with_ids_and_colours(client):
    name = client.post("/api/uploads", files=pair()).json()["id"]
    boxes = [[5, 6, 10, 8], [20, 10, 9, 9]]
    address = f"/api/sessions/{name}"
    started = client.post(f"{address}/start", json={"boxes": boxes, "modalities": ["rgbt"]}).json()
    assert [each["box"] for each in started["tracks"]["rgbt"]["targets"]] == boxes
    both = client.post(f"{address}/step", json={"modalities": ["rgbt", "ir"]}).json()["tracks"]
    assert [(each["id"], each["box"][0]) for each in both["rgbt"]["targets"]] == [(1, 6), (2, 21)]
    assert [each["box"][0] for each in both["ir"]["targets"]] == [7, 22], "one that joins takes them over"
    assert both["rgbt"]["box"] == [6, 6, 10, 8] and len({each["color"] for each in both["rgbt"]["targets"]}) == 2
