"""Camera frames as the network wants them: thermal range, size, homography."""

import numpy as np

from rgbt_tracker.config import ThermalConfig, load_config
from rgbt_tracker.tracking.cameras import CameraFrames, ThermalFrames

IR = np.random.default_rng(0).integers(0, 256, (120, 160)).astype(np.uint8)


def test_16_bit_thermal_uses_the_first_frames_range() -> None:
    view = ThermalFrames(ThermalConfig())
    first = np.linspace(20000, 30000, 120 * 160).reshape(120, 160).astype(np.uint16)
    start = view(first, None)
    assert (start.min(), start.max()) == (0, 255)
    warmer = view(first + 1000, None)
    assert warmer[60, 80, 0] > start[60, 80, 0] + 20


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
    cold, warm = (IR.astype(np.uint16) * 10 + level for level in (20000, 30000))
    first = frames(None, cold)["ir"]
    assert frames(None, warm)["ir"].min() == 255
    frames.start()
    np.testing.assert_array_equal(frames(None, warm)["ir"], first)
