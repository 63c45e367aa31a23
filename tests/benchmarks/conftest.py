"""Scripts of benchmarks/ called in this process, which has the imports already."""

import importlib.util
import sys
from pathlib import Path

import cv2
import pytest
import torch

from nestfuse_core.common.guard import run
from rgbt_tracker.sequences.vot_folder import write_vot
from rgbt_tracker.synthetic import draw_sequence

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Function FOLDER/NAME -> the script's module; torch's and OpenCV's threads are as before afterwards."""
    threads, opencv = torch.get_num_threads(), cv2.getNumThreads()

    def module(name):
        path = BENCHMARKS / f"{name}.py"
        monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])
        spec = importlib.util.spec_from_file_location(path.stem, path)
        loaded = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, path.stem, loaded)  # dataclasses look their module up
        spec.loader.exec_module(loaded)
        return loaded

    yield module
    torch.set_num_threads(threads)
    cv2.setNumThreads(opencv)


@pytest.fixture
def script(load, capsys):
    """Function (FOLDER/NAME, arguments) -> what the script prints."""

    def call(name, *arguments):
        load(name).main(list(map(str, arguments)))
        return capsys.readouterr().out

    return call


@pytest.fixture
def refusal(load, capsys):
    """Function (FOLDER/NAME, arguments) -> the last line the script prints when it refuses them with exit code 2."""

    def call(name, *arguments):
        with pytest.raises(SystemExit) as end:
            run(load(name).main, list(map(str, arguments)), keep_memory=False)
        assert end.value.code == 2
        return capsys.readouterr().err.strip().splitlines()[-1]

    return call


@pytest.fixture(scope="session")
def sequence(tmp_path_factory):
    """A drawn sequence of a few small frames, in the VOT layout."""
    drawn = draw_sequence("street", length=8, size=(96, 72), seed=3)
    return write_vot(drawn, tmp_path_factory.mktemp("drawn"))
