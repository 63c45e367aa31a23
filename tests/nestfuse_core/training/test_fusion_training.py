"""The training loop: it learns, resumes to the same bits, splits over processes, and says what is wrong."""

import os
import socket
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from nestfuse_core.model.network import load_network
from nestfuse_core.training import loop
from nestfuse_core.training.curves import Row, plot, read_rows, write_rows
from nestfuse_core.training.data import Samples, batches, list_photographs, prepare
from nestfuse_core.training.settings import check_settings


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for index in range(6):
        image = cv2.resize(
            random.integers(0, 256, (6, 7), np.uint8), (40 + 4 * index, 36), interpolation=cv2.INTER_CUBIC
        )
        (folder / f"set{index % 2}").mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"set{index % 2}" / f"{index}.png"), image)
    return folder


def recipe(photos, **values):
    defaults = {"images": str(photos), "size": 16, "preparation": "crop", "batch": 2, "steps": 6, "rate": 1e-3}
    return check_settings({**defaults, **values})


def weights(folder):
    return torch.load(folder / "network.pt", weights_only=True)


def test_the_loss_falls_and_everything_is_written(photos, tmp_path):
    lengths = []
    network = loop.train(recipe(photos, steps=24), tmp_path, device="cpu", on_step=lambda row, n: lengths.append(n))
    rows = read_rows(tmp_path / "losses.csv")
    assert [row.step for row in rows] == list(range(24)) and lengths == [24] * 24
    assert np.mean([row.loss for row in rows[-6:]]) < 0.3 * np.mean([row.loss for row in rows[:5]])
    assert all(row.loss == pytest.approx(row.pixel + 100 * row.ssim, rel=1e-5) for row in rows)
    assert load_network(network).version == "paper"
    assert {path.name for path in tmp_path.iterdir()} == {
        loop.CHECKPOINT,
        loop.NETWORK,
        loop.CURVE,
        loop.PLOT,
        loop.RECIPE,
    }


@pytest.mark.parametrize("values", [{}, {"deep_supervision": True, "precision": "bf16", "schedule": "cosine"}])
def test_a_stopped_run_resumes_to_the_same_bits(photos, tmp_path, values):
    plan = recipe(photos, steps=4, **values)
    loop.train(plan, tmp_path / "whole", device="cpu")

    def stop(row, length):
        if row.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(plan, tmp_path / "parts", device="cpu", save_every=2, on_step=stop)
    assert not (tmp_path / "parts" / "network.pt").exists()
    loop.train(plan, tmp_path / "parts", device="cpu", resume=True)
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
    curves = [[row[:4] for row in read_rows(tmp_path / name / "losses.csv")] for name in ("whole", "parts")]
    assert curves[0] == curves[1]


def test_two_processes_give_what_one_gives(photos, tmp_path, monkeypatch):
    plan = recipe(photos, steps=3, batch=4)
    loop.train(plan, tmp_path / "one", device="cpu")
    options = (
        f"--images {photos} --output {tmp_path / 'two'} --size 16 --preparation crop --batch 4 --steps 3 --rate 1e-3"
    )
    command = [sys.executable, "-m", "rgbt_tracker.cli.main", "fusion", "train", *options.split(), "--device", "cpu"]
    # What torchrun says to each of its processes; this one is the first of them.
    with socket.create_server(("127.0.0.1", 0)) as free:
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    ranks = [{**shared, "RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
    for name, value in ranks[0].items():
        monkeypatch.setenv(name, value)
    second = subprocess.Popen(command, env={**os.environ, **ranks[1], "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)
    loop.train(plan, tmp_path / "two", device="cpu")
    _, said = second.communicate(timeout=240)
    assert second.returncode == 0, said
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for key in one:
        # Two processes sum in another order; a weight moves by up to 3e-3 in three steps.
        torch.testing.assert_close(one[key], two[key], rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(*(read_rows(tmp_path / name / "losses.csv") for name in ("one", "two")), strict=True):
        assert ours[:4] == pytest.approx(theirs[:4], rel=1e-5)


def test_a_dead_output_starts_again(photos, tmp_path, monkeypatch):
    fresh = loop._fresh

    def dead_at_first(settings, device, restarts=0):
        run = fresh(settings, device, restarts)
        if restarts == 0:
            torch.nn.init.constant_(run.network.conv_out.conv2d.bias, -1e6)
        return run

    monkeypatch.setattr(loop, "_fresh", dead_at_first)
    messages = []
    loop.train(recipe(photos), tmp_path, device="cpu", on_message=messages.append)
    assert len(messages) == 1 and "died (all zero) at step 3" in messages[0]
    assert len(read_rows(tmp_path / "losses.csv")) == 6


def test_a_run_can_start_from_weights(photos, tmp_path):
    first = loop.train(recipe(photos, steps=2, initial="kaiming"), tmp_path / "first", device="cpu")
    loop.train(recipe(photos, steps=1, rate=1e-12, start=str(first)), tmp_path / "second", device="cpu")
    before, after = weights(tmp_path / "first"), weights(tmp_path / "second")
    assert all(torch.allclose(before[key], after[key], atol=1e-9) for key in before)
    with pytest.raises(UserError, match="without deep supervision; train that one"):
        loop.train(recipe(photos, start=str(first), deep_supervision=True), tmp_path / "third", device="cpu")


def test_hes_initial_weights_begin_alive_and_in_range(photos):
    plan = recipe(photos, size=32, initial="kaiming")
    images = next(batches(Samples(list_photographs(photos), plan), 0, 1))
    for seed in range(3):
        output = loop._fresh(plan.model_copy(update={"seed": seed}), torch.device("cpu")).network(images)
        assert 0.1 < output.mean() / images.mean() < 10


def test_the_rate_rises_and_falls(photos):
    plan = recipe(photos, warmup=4, schedule="cosine", rate=1.0)
    rates = [loop._rate(plan, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.2) and max(rates) == rates[4] and rates[-1] < 1e-3
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_a_run_that_cannot_go_on_says_why(photos, tmp_path):
    plan = recipe(photos, steps=2)
    loop.train(plan, tmp_path, device="cpu")
    with pytest.raises(UserError, match="add --resume"):
        loop.train(plan, tmp_path, device="cpu")
    with pytest.raises(UserError, match="started with size = 16, not 20"):
        loop.train(recipe(photos, size=20), tmp_path, device="cpu", resume=True)
    with pytest.raises(UserError, match="needs a CUDA device"):
        loop.train(recipe(photos, precision="fp16"), tmp_path / "half", device="cpu")
    with pytest.raises(UserError, match="lower the learning rate"):
        loop.train(recipe(photos, rate=1e30), tmp_path / "wild", device="cpu")
    with pytest.raises(UserError, match="Unknown device 'gpu'"):
        loop.train(plan, tmp_path / "gpu", device="gpu")


def test_bad_data_and_settings_are_named(photos, tmp_path):
    with pytest.raises(UserError, match="No folder at"):
        list_photographs(tmp_path / "absent")
    with pytest.raises(UserError, match="holds no images"):
        list_photographs(tmp_path)
    with pytest.raises(UserError, match="did you mean 'weight'"):
        recipe(photos, wieght=1)
    with pytest.raises(UserError, match="'batch' is 0"):
        recipe(photos, batch=0)
    (tmp_path / "broken.jpg").write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"broken.jpg': it is not an image"):
        loop.train(recipe(tmp_path), tmp_path / "run", device="cpu", workers=1)


def test_the_shares_of_two_processes_make_up_the_batch(photos):
    samples = Samples(list_photographs(photos), recipe(photos, batch=4))
    whole = list(batches(samples, 1, 4))
    parts = [list(batches(samples, 1, 4, rank, 2)) for rank in (0, 1)]
    for step, images in enumerate(whole):
        assert torch.equal(images, torch.cat([parts[0][step], parts[1][step]]))


def test_each_epoch_sees_each_image_once(photos):
    samples = Samples(list_photographs(photos), recipe(photos, preparation="resize", size=16))
    for epoch in range(2):
        seen = {samples[6 * epoch + i].sum().item() for i in range(6)}
        assert len(seen) == 6


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(16, 32), st.sampled_from(["crop", "resize"]))
def test_prepared_images_have_the_size_asked_for(height, width, size, preparation):
    image = np.full((height, width), 7, np.uint8)
    prepared = prepare(image, preparation, size, np.random.default_rng(0))
    assert prepared.shape == (size, size) and (prepared == 7).all()


def test_curves_read_back_and_plot(tmp_path):
    rows = [Row(i, 1 / (i + 3), 2.0 + i, 0.1, 0.25 * i) for i in range(300)]
    write_rows(tmp_path / "curve.csv", rows)
    assert read_rows(tmp_path / "curve.csv") == rows
    plot({"a": rows, "b": rows[:5]}, tmp_path / "curve.png")
    assert cv2.imread(str(tmp_path / "curve.png")) is not None
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="not a loss curve"):
        read_rows(tmp_path / "other.csv")
