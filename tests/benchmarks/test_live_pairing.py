"""Two local network cameras with clocks in their pictures: how far apart the pairs are, and the table of it."""

import numpy as np
import pytest

from nestfuse_core.common.video_stream import StreamEndedError, VideoStream


@pytest.fixture
def clocks(load):
    return load("accuracy/clock_stream")


@pytest.mark.parametrize("seconds", [0.0, 1.234, 98765.432, (2**32 - 1) / 1000])
def test_a_clock_is_read_from_its_picture(clocks, seconds):
    picture = clocks.draw_clock(seconds)
    assert picture.shape == (480, 640, 3) and clocks.read_clock(picture) == pytest.approx(seconds, abs=0.0011)
    noisy = np.clip(picture + np.random.default_rng(0).normal(0, 20, picture.shape), 0, 255).astype(np.uint8)
    assert clocks.read_clock(noisy) == clocks.read_clock(picture)


def test_a_stream_that_is_down_refuses_and_comes_back(clocks):
    with clocks.clock_streams(60) as (server,):
        server.down.set()
        with pytest.raises(StreamEndedError):
            VideoStream(server.address)
        server.down.clear()
        stream = VideoStream(server.address)
        shown = []
        for _ in range(4):
            stream.grab()
            shown.append(clocks.read_clock(stream.retrieve()))
        stream.close()
    assert shown == sorted(set(shown))


def test_30_and_9_a_second_are_paired_in_time(load):
    """The clocks in the pictures, which know nothing of what the pairing believes; a busy machine delays a few."""
    case = load("accuracy/live_pairing").measure((30.0, 9.0), 1.0, lambda frame: None)
    assert len(case.apart) >= 8
    assert np.median(case.apart) <= 1000 / 9 and np.median(case.ages) < 500
    assert case.summary[0].startswith("visible camera: ") and "pairs: " in case.summary[2]


def test_the_table(load, capsys, monkeypatch):
    module = load("accuracy/live_pairing")
    monkeypatch.setattr(module, "AWAY", 0.3)
    module.main(["--seconds", "0.4", "--work", "5"])
    printed = capsys.readouterr().out
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == ["30 + 30", "30 + 9", "30 + 9, the first away for 0.3 s"]
    for row in rows[1:]:
        assert len(row) == len(rows[0]) and row[1] == "5 ms" and int(row[3]) > 0
    assert "visible camera: lost at 0." in printed


def test_a_tracker_in_place_of_the_wait(load, monkeypatch):
    module = load("accuracy/live_pairing")
    seen = []

    class Tracker:
        def initialize(self, rgb, ir, box):
            seen.append(("initialize", box))

        def update(self, rgb, ir):
            seen.append(("update", rgb is None or rgb.shape))

    monkeypatch.setattr(module, "build_tracker", lambda config, device: Tracker())
    case = module.measure((60.0, 60.0), 0.2, module.tracking("any", "cpu"))
    names = [name for name, _ in seen]
    assert names[:3] == ["initialize", "update", "initialize"], "warmed up, then started on the first frame"
    assert names[3:] == ["update"] * (len(case.ages) - 1) and len(case.ages) > 1


def test_no_time_is_refused(refusal):
    assert "Expected seconds and milliseconds" in refusal("accuracy/live_pairing", "--seconds", 0)
