"""What the cluster of two namespaces calls wrong; the cluster itself needs root, Linux and Ray."""

import sys
from dataclasses import replace

import pytest


@pytest.fixture
def two_nodes(load):
    return load("accuracy/two_nodes")


def test_a_run_is_judged_by_its_code_words_and_files(two_nodes, tmp_path):
    for name, content in (("a/s0.txt", "1,2,3,4"), ("a/s0_time.txt", "0.1"), ("log.txt", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    files = two_nodes.files_of(tmp_path)
    assert set(files) == {"a/s0.txt", "log.txt"}, "measured times differ from run to run"
    ran = two_nodes.Ran(0, "done", files, tmp_path)
    assert ran.complaint(files) == ""
    assert ran.complaint({**files, "a/s1.txt": b"", "log.txt": b"x"}) == "other files: a/s1.txt, log.txt"
    assert ran.complaint(files, 2).startswith("exit code 0: done")
    assert replace(ran, said="Traceback (most recent call last):").complaint(files) == "a traceback"


def test_a_sentence_may_be_wrapped_by_the_terminal(two_nodes, tmp_path):
    ran = two_nodes.Ran(2, "Error: No Ray cluster\n  answers at 'x'", {}, tmp_path)
    assert two_nodes.sentence(ran, "No Ray cluster answers at") == ""
    assert two_nodes.sentence(ran, "jobs failed").startswith("it says 'Error: No Ray cluster answers")


def test_without_ray_it_names_the_extra(refusal, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "cluster" in refusal("accuracy/two_nodes")
