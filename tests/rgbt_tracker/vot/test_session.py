"""The parts around the tracker: session, adapter arguments, replay, forwarded log, files, single targets."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nestfuse_core.common.errors import UserError
from rgbt_tracker.vot import session
from rgbt_tracker.vot.session import Session, TrackerOptions, build


class Scripted:
    """Answers a list of (box, score)."""

    def __init__(self, *answers):
        self.answers, self.started = list(answers), None

    def initialize(self, rgb, ir, box):
        self.started = (rgb, ir, box)

    def update(self, rgb, ir):
        box, score = self.answers.pop(0)
        return SimpleNamespace(box=box, score=score)


def test_the_session_answers_in_the_form_it_was_asked_in():
    session = Session(Scripted(((1, 2, 3, 4), 0.5), ((5.00004, 6, 7, 8), 0.25)), ("ir",))
    image = np.zeros((9, 9))
    session.initialize({"ir": image}, [10, 20, 14, 20, 14, 26, 10, 26])
    assert session.tracker.started == (None, image, (10, 20, 4, 6))
    values, confidence = session.update({"ir": image})
    np.testing.assert_array_equal(values, [1, 2, 4, 2, 4, 6, 1, 6])
    assert confidence == "0.500000"
    session.initialize({"ir": image}, [10, 20, 4, 6])
    np.testing.assert_array_equal(session.update({"ir": image})[0], [5, 6, 7, 8])


def test_nan_is_never_sent():
    lines = []
    nan = float("nan")
    session = Session(
        Scripted(((nan, 1, 2, 3), 0.9), ((1, 1, 0, 3), 0.9), ((1, 1, 2, 2), nan), ((1e9, 1, 2, 2), 0.9)),
        ("rgb",),
        log=lines.append,
    )
    session.initialize({}, [10, 20, 4, 6])
    answers = [session.update({}) for _ in range(4)]
    np.testing.assert_array_equal([values for values, _ in answers], [[10, 20, 4, 6]] * 2 + [[1, 1, 2, 2]] * 2)
    assert [confidence for _, confidence in answers] == ["0.000000"] * 4
    assert len(lines) == 2, "once for each run of unusable boxes"


def test_a_frame_before_the_start_is_an_error():
    with pytest.raises(UserError, match="before an initialisation"):
        Session(Scripted(), ("rgb",)).update({})


def test_options():
    from rgbt_tracker.vot.adapter import options_from

    assert options_from({"config": "x", "threads": 1}) == TrackerOptions(config="x", threads=1)
    with pytest.raises(UserError, match="Unknown argument 'colour'; expected"[:24]):
        options_from({"colour": 1})


def test_the_environment_chooses_the_device(monkeypatch):
    from rgbt_tracker.vot.adapter import options_from

    monkeypatch.setenv("RGBT_DEVICE", "cuda:1")
    assert options_from({"config": "x", "device": "cpu"}).device == "cuda:1"


def test_building():
    made = build(TrackerOptions(factory="template_tracker:TemplateTracker", modality="ir"))
    assert made.cameras == ("ir",) and hasattr(made.tracker, "update")
    assert build(TrackerOptions(factory="template_tracker:TemplateTracker")).cameras == ("rgb", "ir")
    made = build(TrackerOptions("nestfuse_nanotrack", weights="untrained", modality="ir", device="cpu"))
    assert made.cameras == ("ir",) and made.device == "cpu"
    odd = TrackerOptions(factory="template_tracker:TemplateTracker", modality="irr")
    for options in (TrackerOptions(), TrackerOptions(factory="nowhere:x"), TrackerOptions(factory="os"), odd):
        with pytest.raises(UserError, match="Expected"):
            build(options)


def replay_of(answers):
    """A first repetition of the given answers, recorded."""
    from rgbt_tracker.vot.inprocess import Replay

    replay = Replay(checked=2)
    replay.start(files(0), np.zeros(4))
    for index, answer in enumerate(answers, start=1):
        assert replay.answer(files(index)) is None
        replay.compare(files(index), answer)
    return replay


def files(index):
    return {"ir": Path(f"{index}.jpg")}


def test_equal_repetitions_are_replayed_after_a_comparison():
    pytest.importorskip("vot")
    answers = [(np.full(4, float(index)), "0.5") for index in range(5)]
    replay = replay_of(answers)
    replay.start(files(0), np.zeros(4))
    for index in (1, 2):
        assert replay.answer(files(index)) is None
        replay.compare(files(index), (answers[index - 1][0].copy(), "0.5"))
    for index in (3, 4, 5):
        assert replay.answer(files(index)) is answers[index - 1]
    assert replay.answer(files(6)) is None, "the first repetition did not get so far"
    assert replay.deterministic


@pytest.mark.parametrize("other", [(np.array([0, 0, 0, 1e-12]), "0.5"), (np.zeros(4), "0.4")])
def test_one_difference_ends_replaying(other):
    pytest.importorskip("vot")
    answers = [(np.zeros(4), "0.5")] * 5
    replay = replay_of(answers)
    replay.start(files(0), np.zeros(4))
    replay.compare(files(1), other)
    assert not replay.deterministic
    for index in range(2, 6):
        assert replay.answer(files(index)) is None
    replay.start(files(0), np.zeros(4))
    assert replay.answer(files(3)) is None


def test_another_start_is_not_replayed():
    pytest.importorskip("vot")
    replay = replay_of([(np.zeros(4), "0.5")] * 5)
    replay.start(files(0), np.ones(4))
    for index in range(1, 6):
        assert replay.answer(files(index)) is None
        replay.compare(files(index), (np.zeros(4), "0.5"))


def test_the_trackers_lines_reach_the_log(caplog):
    pytest.importorskip("vot")
    from rgbt_tracker.vot.runtimes import ForwardingLog

    log = ForwardingLog("Mine")
    with caplog.at_level("INFO", logger="vot"):
        for fragment in ("@@TRAX:hello x\n[rg", "bt] ready\n", "@@TRAX:state 1,2\npart"):
            log(fragment)
    assert [record.getMessage() for record in caplog.records] == ["Mine: [rgbt] ready"]
    assert str(log) == "[rgbt] ready\npart"


def test_a_tracker_of_ours_keeps_freed_memory(monkeypatch):
    asked = []
    monkeypatch.setattr(session, "keep_freed_memory", lambda: asked.append(True))
    build(TrackerOptions("nestfuse_nanotrack", weights="untrained", modality="rgb", device="cpu"))
    assert asked


def test_trajectories_are_written_last_and_whole(tmp_path, monkeypatch):
    pytest.importorskip("vot")
    from vot.region import Rectangle
    from vot.tracker import Results, Trajectory
    from vot.workspace import LocalStorage

    from rgbt_tracker.vot import toolkit

    order = []
    real = toolkit.write_bytes
    monkeypatch.setattr(toolkit, "write_bytes", lambda path, content: order.append(path.name) or real(path, content))
    trajectory = Trajectory(3)
    trajectory.set(1, Rectangle(1, 2, 3, 4), {"confidence": "0.5", "time": 0.25})
    by_us, by_toolkit = tmp_path / "ours", tmp_path / "theirs"
    toolkit.write_trajectory(trajectory, Results(LocalStorage(str(by_us))), "a_001")
    trajectory.write(Results(LocalStorage(str(by_toolkit))), "a_001")
    assert order[-1].startswith("a_001.") and len(order) == 3
    assert {p.name: p.read_bytes() for p in by_us.iterdir()} == {p.name: p.read_bytes() for p in by_toolkit.iterdir()}


def test_several_ground_truth_files_are_one_target(drawn, tmp_path):
    """The public diamond has boxes of either camera beside groundtruth.txt; the toolkit sees two targets there."""
    pytest.importorskip("vot")
    import shutil

    from vot.dataset import load_sequence

    from rgbt_tracker.vot import toolkit

    shutil.copytree(drawn / "a", tmp_path / "a")
    for camera in ("visible", "infrared"):
        (tmp_path / "a" / f"groundtruth_{camera}.txt").write_text("1,2,3,4\n" * 28)
    sequence = load_sequence(str(tmp_path / "a"))
    assert len(sequence.objects()) == 2
    single = toolkit.with_single_target(sequence)
    expected = (drawn / "a" / "groundtruth.txt").read_text().split()[5]
    np.testing.assert_allclose(toolkit.to_array(single.groundtruth(5)), [float(v) for v in expected.split(",")])
    assert single.name == "a" and len(single.objects()) == 1 and single.object("other") is None


def test_a_run_alike_is_alike_beyond_the_border_too():
    """The toolkit's comparison takes a box left of the image for different from itself."""
    pytest.importorskip("vot")
    from rgbt_tracker.results.trajectory import Trajectory
    from rgbt_tracker.vot.experiment import same_course

    run = Trajectory.of_regions([1, np.array([-5.0, -3, 12, 9]), 2])
    assert same_course(run, Trajectory.of_regions([1, np.array([-5.0, -3, 12, 9]), 2]))
    assert same_course(run, Trajectory.of_regions([1, np.array([-5.001, -3, 12, 9]), 2]))
    assert not same_course(run, Trajectory.of_regions([1, np.array([-4.0, -3, 12, 9]), 2]))
    assert not same_course(run, Trajectory.of_regions([1, 2, 0]))
