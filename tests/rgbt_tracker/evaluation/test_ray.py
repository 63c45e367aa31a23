"""Jobs on a real Ray cluster of one machine."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ray = pytest.importorskip("ray", reason="needs the extra: pip install -e '.[cluster]'")

from rgbt_tracker.evaluation.cluster import TRACEBACKS, connect, run_on_cluster  # noqa: E402
from rgbt_tracker.evaluation.job import FactorySetup, Job, OnePass, Source  # noqa: E402
from rgbt_tracker.evaluation.runner import Worker, run_jobs  # noqa: E402
from rgbt_tracker.evaluation.store import ResultFolder, unfinished  # noqa: E402
from rgbt_tracker.synthetic import draw_sequence  # noqa: E402

# The trackers of these tests, as a module that the workers find.
TRACKERS = '''
import os, signal
from pathlib import Path
from types import SimpleNamespace

class Still:
    def __init__(self, weights=None):
        self.weights = weights
    def initialize(self, rgb, ir, box):
        self.box = tuple(box)
    def update(self, rgb, ir):
        return SimpleNamespace(box=self.box, score=0.5)

class Fails(Still):
    def update(self, rgb, ir):
        raise ZeroDivisionError("no such number")

class DiesOnce(Still):
    """Ends its process, once: its weights are the file that remembers it."""
    def initialize(self, rgb, ir, box):
        mark = Path(os.environ["RGBT_TEST_MARK"])
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        super().initialize(rgb, ir, box)

class Reads(Still):
    """Its score is what its weights say, which must not be where the command found them."""
    def update(self, rgb, ir):
        assert str(self.weights) != os.environ["RGBT_TEST_WEIGHTS"]
        return SimpleNamespace(box=self.box, score=float(Path(self.weights).read_text()))
'''


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    place = tmp_path_factory.mktemp("cluster")
    (place / "ray_trackers.py").write_text(TRACKERS)
    (place / "score.txt").write_text("0.25")
    own = Path(__file__).resolve().parents[3]
    variables = {
        "PYTHONPATH": f"{place}{os.pathsep}{own}",
        "RGBT_TEST_MARK": str(place / "mark"),
        "RGBT_TEST_WEIGHTS": str(place / "score.txt"),
    }
    patience = {"RAY_agent_register_timeout_ms": "200000", "RAY_raylet_start_wait_time_s": "200"}
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}  # or one is written to the home folder
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        for name, value in (variables | patience | secret).items():
            patch.setenv(name, value)
        try:
            ray.init(
                num_cpus=2,
                include_dashboard=False,
                object_store_memory=100_000_000,
                log_to_driver=False,
                logging_level="error",
                runtime_env={"env_vars": variables},
            )
        except Exception as error:  # it gives its processes half a minute, in which a busy machine may not start them
            ray.shutdown()
            pytest.skip(f"Ray does not start here: {' '.join(str(error).split())}")
        yield place
        ray.shutdown()


def jobs_of(factory, weights=None, names="ab"):
    setup = FactorySetup(f"ray_trackers:{factory}", weights)
    return [
        Job(name, setup, Source(draw_sequence, ("street", 5, (96, 72)), {"seed": seed}), OnePass(read_ahead=False))
        for seed, name in enumerate(names)
    ]


def tracks(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.txt")) if not path.stem.endswith("_time")}


def test_without_a_cluster_it_is_one_sentence():
    """The first of these tests, since one runs from the next on."""
    code = "from rgbt_tracker.evaluation.cluster import connect\nfrom nestfuse_core.common.guard import run\n"
    code += "run(lambda args: connect('auto'))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean, check=False)
    assert done.returncode == 2 and done.stderr.startswith("Error: No Ray cluster answers at 'auto'")
    assert "Traceback" not in done.stderr


def test_a_cluster_that_is_no_more_is_one_sentence_at_once():
    """Ray itself would try for minutes."""
    from nestfuse_core.common.errors import UserError

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UserError, match=f"^No Ray cluster answers at '127.0.0.1:{port}'"):
        connect(f"127.0.0.1:{port}")


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:x", "..:1", "\ud800:1", "\0:1", "nonsense", "", ":"])
def test_an_address_that_is_none_is_one_sentence(address):
    from nestfuse_core.common.errors import UserError

    with pytest.raises(UserError, match=r"^No Ray cluster answers at "):
        connect(address)


def test_the_files_are_those_of_one_process(cluster, tmp_path):
    notices, here = [], ResultFolder(tmp_path / "here")
    there = ResultFolder(tmp_path / "there")
    done = [job.name for job, _ in run_on_cluster(jobs_of("Still"), Worker(there), connect(), on_notice=notices.append)]
    assert sorted(done) == ["a", "b"] and len(notices) == 2 and " on " in notices[0]
    list(run_jobs(jobs_of("Still"), Worker(here)))
    assert tracks(there.folder) == tracks(here.folder) and len(tracks(here.folder)) == 4


def test_weights_travel_with_the_job(cluster, tmp_path):
    store = ResultFolder(tmp_path)
    jobs = jobs_of("Reads", str(cluster / "score.txt"), "a")
    assert [track.scores[-1] for _, track in run_on_cluster(jobs, Worker(store), connect())] == [0.25]


def test_a_killed_worker_s_job_is_done_by_another(cluster, tmp_path):
    store, notices = ResultFolder(tmp_path), []
    done = list(run_on_cluster(jobs_of("DiesOnce"), Worker(store), connect(), on_notice=notices.append))
    assert len(done) == 2 and (cluster / "mark").exists()
    assert any("its worker was lost" in notice for notice in notices)


def test_a_job_that_fails_leaves_its_neighbours(cluster, tmp_path):
    from nestfuse_core.common.errors import UserError

    store = ResultFolder(tmp_path)
    good, bad = jobs_of("Still", names="abc"), jobs_of("Fails", names="x")
    done = []
    with pytest.raises(UserError, match=r"^1 jobs failed.*the first, x: ZeroDivisionError: no such number") as caught:
        done.extend(job.name for job, _ in run_on_cluster([*bad, *good], Worker(store), connect()))
    assert "Traceback" not in str(caught.value) and "in update" in (tmp_path / TRACEBACKS).read_text()
    assert [job.name for job in unfinished([*bad, *good], store)] == ["x"]
