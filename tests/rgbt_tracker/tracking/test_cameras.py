"""Camera frames as the network wants them: thermal range, size, homography."""

import numpy as np

from rgbt_tracker.config import ThermalConfig, load_config
from rgbt_tracker.tracking.cameras import CameraFrames, ThermalFrames

IR = np.random.default_rng(0).integers(0, 256, (120, 160)).astype(np.uint8)


def test_deep_thermal_keeps_one_scale_whose_state_can_be_kept() -> None:
    view = ThermalFrames(ThermalConfig())
    first = np.linspace(20000, 30000, 120 * 160).reshape(120, 160).astype(np.uint16)
    start = view(first, None)
    assert start.shape == (120, 160, 3) and (start.min(), start.max()) == (0, 255)
    other = ThermalFrames(ThermalConfig())
    other.scale.restore(view.scale.state())
    hotter = first.copy()
    hotter[:20, :20] = 60000
    np.testing.assert_array_equal(view(hotter, None)[30:], start[30:])
    np.testing.assert_array_equal(other(hotter, None)[30:], start[30:])


def test_a_rim_without_measurements_is_filled_evenly() -> None:
    first = np.linspace(20000, 30000, 120 * 160).reshape(120, 160).astype(np.uint16)
    first[:10] = 0
    frame = ThermalFrames(ThermalConfig())(first, None)[..., 0]
    assert len(np.unique(frame[:10])) == 1 and 100 < frame[0, 0] < 155
    assert (frame[20:].min(), frame[20:].max()) == (int(frame[20, 0]), 255)
    eight = np.where(first == 0, 0, 100).astype(np.uint8)
    np.testing.assert_array_equal(ThermalFrames(ThermalConfig())(eight, None)[..., 0], eight)


def test_other_resolution_is_resized_and_a_homography_warps() -> None:
    small = IR[::2, ::2]
    assert ThermalFrames(ThermalConfig())(small, (160, 120)).shape == (120, 160, 3)
    shift = ThermalFrames(ThermalConfig(homography=((1, 0, 5), (0, 1, 3), (0, 0, 1))))(IR, (160, 120))
    np.testing.assert_array_equal(shift[3:, 5:, 0], IR[:-3, :-5])


def test_frames_come_in_the_configurations_order_and_in_the_visible_ones_pixels() -> None:
    config = load_config("nestfuse_nanotrack")
    frames = CameraFrames(config)(IR, IR[::2, ::2])
    assert list(frames) == ["rgb", "ir"]
    assert {image.shape for image in frames.values()} == {(120, 160, 3)}
    alone = CameraFrames(config.replace(modality="ir"))(None, IR[::2, ::2])
    assert {camera: image.shape for camera, image in alone.items()} == {"ir": (60, 80, 3)}


def test_a_new_sequence_has_a_thermal_range_of_its_own() -> None:
    frames = CameraFrames(load_config("nestfuse_nanotrack").replace(modality="ir"))
    slope = np.linspace(0, 255, IR.size).reshape(IR.shape)
    near, wide = ((slope * gain + 20000).astype(np.uint16) for gain in (10, 40))
    first = frames(None, near)["ir"]
    assert frames(None, wide)["ir"][100:].min() == 255
    frames.start()
    np.testing.assert_allclose(frames(None, wide)["ir"].astype(int), first, atol=1)
