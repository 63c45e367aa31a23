"""Reading ahead and writing behind."""

import threading

import pytest

from nestfuse_core.common.ahead import Behind, ahead


def test_the_next_item_is_loaded_while_this_one_is_used():
    loaded, second = [], threading.Event()

    def load(item):
        loaded.append((item, threading.current_thread().name))
        if item == 1:
            second.set()
        return 10 * item

    items = ahead(load, range(4))
    assert next(items) == (0, 0) and second.wait(10)
    assert list(items) == [(1, 10), (2, 20), (3, 30)]
    assert [item for item, _ in loaded] == [0, 1, 2, 3] and all("read-ahead" in name for _, name in loaded)


def test_what_loading_raises_comes_in_its_turn():
    def load(item):
        if item == 2:
            raise KeyError(item)
        return item

    got = []
    with pytest.raises(KeyError):
        for item, _ in ahead(load, range(5)):
            got.append(item)
    assert got == [0, 1]


def test_work_is_done_in_order_and_before_the_end():
    done = []
    with Behind() as later:
        for number in range(20):
            later(done.append, number)
    assert done == list(range(20))


def test_what_writing_raises_is_raised():
    def fail():
        raise OSError("full")

    with pytest.raises(OSError, match="full"), Behind() as later:
        later(fail)
    # What went wrong first is what counts.
    with pytest.raises(ValueError, match="first"), Behind() as later:
        later(fail)
        raise ValueError("first")
