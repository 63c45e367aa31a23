"""What ``--device`` may say, with and without CUDA."""

import pytest
import torch

from nestfuse_core.common.devices import exact, select_device
from nestfuse_core.common.errors import UserError


@pytest.fixture
def cuda(monkeypatch):
    """Pretend that there are this many CUDA devices."""

    def pretend(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return pretend


@pytest.mark.parametrize(
    ("count", "name", "local", "expected"),
    [
        (0, "auto", 0, "cpu"),
        (2, "auto", 0, "cuda:0"),
        (2, "auto", 1, "cuda:1"),
        (2, "cuda", 1, "cuda:1"),
        (2, "cuda:0", 1, "cuda:0"),
        (2, "cpu", 1, "cpu"),
    ],
)
def test_names(cuda, count, name, local, expected):
    cuda(count)
    assert str(select_device(name, local)) == expected


@pytest.mark.parametrize(
    ("count", "name", "message"),
    [
        (0, "cuda", "'cuda' was asked for, but torch finds 0 CUDA devices; use cpu or auto."),
        (2, "cuda:2", "'cuda:2' was asked for, but torch finds 2"),
        (2, "cuba", "Unknown device 'cuba'; expected auto, cpu, cuda or cuda:N; did you mean 'cuda'?"),
        (0, "", "Unknown device ''"),
        (0, "meta", "Unknown device 'meta'"),
    ],
)
def test_names_that_do_not_serve(cuda, count, name, message):
    cuda(count)
    with pytest.raises(UserError) as error:
        select_device(name)
    assert message in str(error.value)


def test_float32_is_exact_on_a_gpu_and_the_users_choice_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for chosen in (True, False):
        monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", chosen)
        with exact(torch.device("cpu")):
            assert torch.backends.cudnn.allow_tf32 == chosen
        with pytest.raises(KeyError), exact(torch.device("cuda")):
            assert not torch.backends.cudnn.allow_tf32
            raise KeyError
        assert torch.backends.cudnn.allow_tf32 == chosen
