"""The mean of weights: what it holds, and what does not belong together."""

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from nestfuse_core.common.errors import UserError
from rgbt_tracker.cli.main import build_app
from rgbt_tracker.zoo.soup import make_soup


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for name, value in (("a", 1.0), ("b", 4.0)):
        state = {"conv.weight": torch.full((2, 3), value), "bn.num_batches_tracked": torch.tensor(int(value))}
        torch.save(state, tmp_path / f"{name}.pt")
    return [tmp_path / "a.pt", tmp_path / "b.pt"]


def test_the_mean(files: list[Path]) -> None:
    state = make_soup([files[0], files[0], files[1]])
    assert state["conv.weight"].dtype == torch.half and (state["conv.weight"] == 2).all()
    assert state["bn.num_batches_tracked"] == 1


def test_other_networks_are_refused(files: list[Path], tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(2, 4), "bn.num_batches_tracked": torch.tensor(1)}, tmp_path / "c.pt")
    torch.save({"conv.weight": torch.zeros(2, 3)}, tmp_path / "d.pt")
    with pytest.raises(UserError, match=r"c\.pt' is not of the same network as .*a\.pt': they differ in 'conv.weight'"):
        make_soup([files[0], tmp_path / "c.pt"])
    with pytest.raises(UserError, match=r"differ in 'bn.num_batches_tracked'"):
        make_soup([files[0], tmp_path / "d.pt"])
    with pytest.raises(UserError, match="two or more weights to average, got 1"):
        make_soup(files[:1])


def test_the_command(files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "mean.pt"
    arguments = ["weights", "soup", *map(str, files), "--output", str(output)]
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code == 0 and str(output) in result.output.replace("\n", "")
    assert (torch.load(output, weights_only=True)["conv.weight"] == 2.5).all()
