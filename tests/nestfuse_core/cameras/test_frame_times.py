"""Times out of file names, files and rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.cameras.times import in_order, name_times, own_file, parse_rates, rate_times, read_times
from nestfuse_core.common.errors import UserError

START = 1_700_000_000


@given(
    st.lists(st.integers(0, 10**10), min_size=1, max_size=20, unique=True),
    st.sampled_from([0, 3, 6, 9, -9, "."]),
    st.sampled_from(["", "rgb_", "cam1-", "frame_000123_"]),
    st.sampled_from(["", "_left", "-T"]),
)
def test_stamps_of_every_unit(micros, digits, before, after):
    """Times since 1970 with decimals, joined at once, or nanoseconds apart as ROS writes them."""

    def name(micro: int) -> str:
        whole, rest = divmod(micro, 10**6)
        nanos = f"{rest * 1000:09d}"
        form = {".": f".{rest:06d}".rstrip("0"), -9: f"_{nanos}"}
        return f"{before}{START + whole}{form.get(digits, nanos[: digits if digits != '.' else 0])}{after}"

    names = [name(micro) for micro in micros]
    unit = {0: 10**6, 3: 1000}.get(digits, 1)
    told = name_times(names)
    if len({micro // unit for micro in micros}) < len(micros):
        assert told is None, "two frames of one time are told by something else"
    else:
        assert told is not None
        np.testing.assert_allclose(told - START, [micro // unit * unit / 1e6 for micro in micros], atol=1e-6)


def test_names_of_pythons_own_clock():
    names = [str(START + index / 30) for index in range(300)]
    files = [Path(f"{name}.png") for name in sorted(names, key=lambda name: [int(part) for part in name.split(".")])]
    assert [file.stem for file in files] != names, "what an order by numbers makes of them"
    assert [file.stem for file in in_order(files, key=lambda path: path.name)] == names


def test_seconds_from_a_start_of_their_own():
    times = name_times([str(index / 30) for index in range(40)])
    assert times is not None
    np.testing.assert_allclose(times, np.arange(40) / 30)


@pytest.mark.parametrize(
    "names",
    [
        ["00001", "00002"],
        ["frame_0000000123", "frame_0000000124"],  # KITTI counts with ten digits
        ["20240501120000", "20240501120001"],  # dates of fourteen, ten and twelve digits
        ["2024050112", "2024050113"],
        ["202405011200", "202405011201"],
        ["20240501_120000_001", "20240501_120000_002"],
        ["DJI_20240501120000_0001_W", "DJI_20240501120001_0002_W"],
        ["1700000000_000001", "1700000000_000002"],  # when it was recorded, and a number
        ["1700000000", "0000000001"],
        ["1.1", "1.2", "1.10"],  # chapters
        ["0.001", "0.002", "0.003"],  # a thousand frames a second are no camera's
        ["1700000000.1_1700000000.2", "1700000000.3_1700000000.4"],
        ["17000000000", "17000000001"],
        ["night", "day"],
    ],
)
def test_what_is_no_time(names):
    assert name_times(names) is None


NAMES = ["a/00003.png", "00001.png", "00002.png"]
EXPECTED = [2.5, 0.5, 1.25]


@pytest.mark.parametrize(
    "text",
    [
        "name,seconds\n00001.png,0.5\n00002.png,1.25\n00003.png,2.5\n",
        "00001,0.5\n00002,1.25\n00003,2.5\n",
        "frame;time\n1;0.5\n2;1.25\n3;2.5\n",
        "# timestamp filename\n0.5 rgb/00001.png\n1.25 rgb/00002.png\n2.5 rgb\\00003.png\n9 rgb/00004.png\n",
        "\ufeffframe,time_ms\n1,500\n2,1250\n3,2500\n",
        "#timestamp [ns],filename\n500000000,00001.png\n1250000000,00002.png\n2500000000,00003.png\n",
    ],
)
def test_a_file_of_times_by_name(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    times = read_times(tmp_path / "t.csv", [Path(name).name for name in NAMES])
    np.testing.assert_allclose(times, EXPECTED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,0\n1,0.5\n2,1.5\n", [0, 0.5, 1.5]),
        ("index,s\n3,1.5\n1,0\n2,0.5\n", [0, 0.5, 1.5]),
        ("0\n0.5\n\n1.5\n", [0, 0.5, 1.5]),
        ("seconds,index\n1700000000.5,0\n1700000001,1\n1700000002,2\n", [1700000000.5, 1700000001, 1700000002]),
        ("1700000000500\n1700000001000\n1700000002000\n", [1700000000.5, 1700000001, 1700000002]),
        ("1700000000500000000\n1700000001000000000\n1700000002000000000\n", [1700000000.5, 1700000001, 1700000002]),
        ("2023-11-14 22:13:20.5\n2023-11-14 22:13:21\n2023-11-14 22:13:22\n", [1700000000.5, 1700000001, 1700000002]),
        (
            "2023-11-14T22:13:20.5Z\n2023-11-14T23:13:21.000000000+01:00\n2023-11-14T22:13:22z\n",
            [1700000000.5, 1700000001, 1700000002],
        ),
    ],
)
def test_a_file_of_times_by_index(tmp_path, text, expected):
    (tmp_path / "t.txt").write_text(text)
    np.testing.assert_allclose(read_times(tmp_path / "t.txt", [], len(expected)), expected, atol=1e-6, rtol=0)


@given(st.permutations(range(8)), st.lists(st.floats(0, 1e6), min_size=8, max_size=8), st.booleans(), st.integers(0, 1))
def test_rows_in_any_order(tmp_path_factory, order, seconds, by_name, first):
    path = tmp_path_factory.mktemp("times") / "t.csv"
    rows = [(f"{place}.jpg" if by_name else str(place + first), seconds[place]) for place in order]
    path.write_text("what,when\n" + "".join(f"{what},{when!r}\n" for what, when in rows))
    told = read_times(path, [f"{place}.jpg" for place in range(8)] if by_name else [], 8)
    assert told.tolist() == seconds


@pytest.mark.parametrize("text", ["", "0,1\n1,2\n", "0,1.5\n1,2.5\n3,3.5\n", "a,b\n0,1\n1,x\n2,3\n", "1\n2\nnan\n"])
def test_a_file_that_does_not_fit_is_refused(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=r"Expected a time for each of 3 frames in '.*t\.csv' \(name or index and"):
        read_times(tmp_path / "t.csv", [], 3)
    with pytest.raises(UserError, match=r"3 frames, such as 'x\.png'"):
        read_times(tmp_path / "t.csv", ["x.png", "y.png", "z.png"])
    with pytest.raises(UserError, match="Cannot read the times"):
        read_times(tmp_path / "absent.csv", [], 3)


def test_composed_and_decomposed_names_are_one(tmp_path):
    (tmp_path / "t.csv").write_text("cafe\u0301_1.png,0.5\ncaf\u00e9_2.png,1\n", encoding="utf-8")
    assert read_times(tmp_path / "t.csv", ["caf\u00e9_1.png", "cafe\u0301_2.png"]).tolist() == [0.5, 1]


def test_rates():
    assert parse_rates("30") == (30, 30) and parse_rates("30,9") == (30, 9)
    assert parse_rates(",9") == (None, 9) and parse_rates("29.97,") == (29.97, None)
    np.testing.assert_allclose(rate_times(4, 8, 2), [2, 2.125, 2.25, 2.375])
    for text in ("", ",", "fast", "0", "30,-9", "1,2,3", "inf"):
        with pytest.raises(UserError, match="rates in frames a second for --fps"):
            parse_rates(text)


def test_a_folders_own_file(tmp_path):
    assert own_file(tmp_path) is None
    (tmp_path / "timestamps.txt").write_text("0\n1\n")
    assert own_file(tmp_path) == tmp_path / "timestamps.txt"
