"""Which results are there, and whether they were made with the same settings."""

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import load_config
from rgbt_tracker.evaluation.job import Job, Setup
from rgbt_tracker.evaluation.store import KeptFigures, ResultFolder, Unkept, difference, unfinished


def record(weights="untrained", **changes):
    return Setup(load_config("nestfuse_nanotrack").replace(**changes), weights).record()


def test_results_of_other_settings_are_not_continued(tmp_path):
    store = ResultFolder(tmp_path)
    store.check(record())
    store.check(record())
    with pytest.raises(UserError, match=r"tracking\.window = 0\.455, now it is 0\.3"):
        store.check(record(**{"tracking.window": 0.3}))
    (tmp_path / "w.pth").write_bytes(b"x")
    with pytest.raises(UserError, match=r"weights = untrained, now it is w\.pth sha256:"):
        store.check(record(str(tmp_path / "w.pth")))


def test_a_record_names_its_weights_by_their_digest_and_the_runtime(tmp_path):
    file = tmp_path / "w.pth"
    file.write_bytes(b"x")
    digest = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    named = {"config": 0, "weights": f"w.pth {digest}", "digest": digest, "runtime": "torch"}
    assert {**record(str(file)), "config": 0} == named
    assert {**record(), "config": 0} == {**named, "weights": "untrained", "digest": None}
    assert record(None)["runtime"] == "onnx"
    with pytest.raises(UserError, match="No weights called 'nobody'"):
        record("nobody")


@pytest.mark.parametrize("content", ["", "{'name'", "\udcff"])
def test_damaged_settings_are_named(tmp_path, content):
    (tmp_path / "settings.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"settings\.json', but it is damaged"):
        ResultFolder(tmp_path).check({"name": "nano"})


def test_the_first_difference_is_named():
    earlier = {"config": {"a": 1, "gone": 2, "b": {"c": [1, 2]}}, "sequences": {"x": 3, "y": 4}}
    assert difference(earlier, {"config": {"a": 1, "b": {"c": (1, 2)}}, "sequences": {"x": 3, "y": 4}}) is None
    assert difference(earlier, {**earlier, "config": {"a": 1, "b": {"c": [1]}}}) == ("config.b.c", [1, 2], [1])
    assert difference(earlier, {**earlier, "config": {"a": 1, "new": 5}}) == ("config.new", None, 5)
    assert difference(earlier, {**earlier, "sequences": {"x": 3}}) == ("sequences.y", 4, None)


def test_what_earlier_versions_did_not_write_down_is_no_difference():
    now = {"benchmark": "lasher", "config": {"a": 1}, "weights": None, "digest": "sha256:1"}
    assert difference({"config": {"a": 1}, "weights": None}, now) is None
    assert difference({**now, "digest": "sha256:2"}, now) == ("digest", "sha256:2", "sha256:1")
    assert difference({**now, "benchmark": "gtot"}, now) == ("benchmark", "gtot", "lasher")


@dataclass(frozen=True)
class Figures:
    value: float


def test_kept_figures_count_for_their_settings_alone(tmp_path):
    store = KeptFigures(tmp_path)
    job = Job("nano/one", None, None, SimpleNamespace(result=Figures), {"config": {"a": 1}})
    other = replace(job, made_with={"config": {"a": 2}})
    store.save(job, Figures(0.5))
    assert store.load(job) == Figures(0.5) and store.load(other) is None
    kept = []
    assert list(unfinished([job, other], store, kept.append)) == [other] and kept == [job]
    assert list(unfinished([job, other], Unkept())) == [job, other]
    content = json.loads((tmp_path / "nano" / "one.json").read_text())
    assert content == {"made_with": {"config": {"a": 1}}, "result": {"value": 0.5}}


def test_what_says_done_is_written_last(tmp_path):
    names = ["a.txt", "a_scores.txt", "a_time.txt"]
    assert [name for name in names if ResultFolder(tmp_path).completes(name)] == ["a.txt"]
    assert KeptFigures(tmp_path).completes("a.json")


def test_the_same_store_elsewhere(tmp_path):
    store = ResultFolder(tmp_path)
    other = store.elsewhere(tmp_path / "there")
    assert (store.folder, other.folder, type(other)) == (tmp_path, tmp_path / "there", ResultFolder)
