"""Configurations: names, our YAML, PySOT's YAML, and what is refused."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nestfuse_core.common.errors import UserError
from rgbt_tracker.config import TrackerConfig, config_names, load_config, parse_config

PYSOT_R50 = """
META_ARC: "siamrpn_r50_l234_dwxcorr"
BACKBONE:
    TYPE: "resnet50"
    KWARGS: {used_layers: [2, 3, 4]}
    PRETRAINED: 'pretrained_models/resnet50.model'
ADJUST:
    ADJUST: true
    TYPE: "AdjustAllLayer"
    KWARGS: {in_channels: [512, 1024, 2048], out_channels: [256, 256, 256]}
RPN:
    TYPE: 'MultiRPN'
    KWARGS: {anchor_num: 5, in_channels: [256, 256, 256], weighted: true}
MASK: {MASK: false}
ANCHOR: {STRIDE: 8, RATIOS: [0.33, 0.5, 1, 2, 3], SCALES: [8], ANCHOR_NUM: 5}
TRACK:
    TYPE: 'SiamRPNTracker'
    PENALTY_K: 0.05
    WINDOW_INFLUENCE: 0.42
    LR: 0.38
    EXEMPLAR_SIZE: 127
    INSTANCE_SIZE: 255
    BASE_SIZE: 8
    CONTEXT_AMOUNT: 0.5
"""
PYSOT_ALEX = """
BACKBONE: {TYPE: alexnetlegacy, KWARGS: {width_mult: 1.0}}
ADJUST: {ADJUST: false}
RPN: {TYPE: DepthwiseRPN, KWARGS: {anchor_num: 5, in_channels: 256, out_channels: 256}}
TRACK: {PENALTY_K: 0.16, WINDOW_INFLUENCE: 0.40, LR: 0.30, INSTANCE_SIZE: 287, BASE_SIZE: 0}
"""


@pytest.mark.parametrize("name", config_names())
def test_every_shipped_configuration_loads_and_survives_a_round_trip(name: str, tmp_path: Path) -> None:
    config = load_config(name)
    assert config.name == name
    copy = tmp_path / f"{name}.yaml"
    copy.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    assert load_config(copy) == config


@pytest.mark.parametrize(("text", "ours"), [(PYSOT_R50, "nestfuse_siamrpn_r50"), (PYSOT_ALEX, "nestfuse_siamrpn_alex")])
def test_pysot_files_give_our_configurations(text: str, ours: str, tmp_path: Path) -> None:
    path = tmp_path / f"{ours}.yaml"
    path.write_text(text)
    config, expected = load_config(path), load_config(ours)
    assert config.model.neck == expected.model.neck
    assert config.model.backbone == expected.model.backbone
    assert config.tracking == expected.tracking
    assert config.anchors == expected.anchors
    assert config.modality == "rgbt"


def test_pysot_defaults_and_training_sections(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(PYSOT_R50.split("TRACK:")[0] + "DATASET: {NAMES: [VID]}\nTRAIN: {EPOCH: 20}\nCUDA: true\n")
    tracking = load_config(path).tracking
    assert (tracking.penalty, tracking.window, tracking.lr) == (0.04, 0.44, 0.4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tracking: {windw: 0.3}", r"unknown key 'tracking.windw'; did you mean 'window'"),
        ("modality: rgbtt", r"'modality' = 'rgbtt'.*did you mean 'rgbt'"),
        ("tracking: {online: {weight: 0.5}}", r"unknown key 'tracking.online'; expected one of penalty, window"),
        ("tracking: {window: 2}", r"'tracking.window' = 2"),
        ("tracking: 3", r"'tracking' = 3"),
        ("model: {backbone: {type: resnet51, levels: [2]}}", r"resnet51.*did you mean 'resnet5?0?'?"),
        (
            "model: {backbone: {type: resnet50, levels: [2, 3]}, neck: {channels: [256]}}",
            "1 entries for 2 backbone levels",
        ),
        ("thermal: {homography: [[1, 0, 0]]}", "expected 3 rows"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_hint(change: str, message: str) -> None:
    content = load_config("nestfuse_siamrpn_r50").model_dump()
    with pytest.raises(UserError, match=message) as caught:
        parse_config({**content, **yaml.safe_load(change)}, source="mine.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty or not a mapping"),
        ("- 1", "is empty or not a mapping"),
        ("a: [", "not valid YAML"),
        ("BACKBONE: {TYPE: resnet50}\nTRAK: {}", "unknown section 'TRAK'.*did you mean 'TRACK'"),
        ("BACKBONE: {TYPE: resnet50}\nMASK: {MASK: true}", "SiamMask"),
        ("BACKBONE: {TYPE: vgg16}", "vgg16"),
        ("name: a\nmodel: {fusion: {point: neck}}", "'model.backbone' is missing; copy it"),
        ("name: mine\nmodality: rgb", "'model' is missing; copy it from one of our files that is like yours.$"),
    ],
)
def test_bad_files(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_config(path)


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'nestfuse_siamrpn_r50'"):
        load_config("nestfuse_siamrpn_r5")


@given(st.floats(0, 1), st.sampled_from(["rgbt", "rgb", "ir"]))
def test_replace_changes_only_what_it_names(window: float, modality: str) -> None:
    config = load_config("nestfuse_nanotrack")
    changed = config.replace(modality=modality, **{"tracking.window": window})
    assert (changed.modality, changed.tracking.window) == (modality, window)
    assert isinstance(changed, TrackerConfig)
    assert changed.model == config.model
    assert changed.replace(modality=config.modality, **{"tracking.window": config.tracking.window}) == config
