"""A tiny crop set, a tiny model and a recipe that trains it in milliseconds."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml

MODEL = {
    "name": "tiny",
    "modality": "rgbt",
    "model": {
        "backbone": {"type": "mobilenetv2", "levels": [2, 3], "width": 0.25, "shared": True},
        "neck": {"channels": [8, 8], "crop": True},
        "head": {"type": "rpn", "channels": 8, "weighted": True},
    },
    "tracking": {"instance": 191},
}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def crop_set(tmp_path_factory) -> Path:
    """Three visible-thermal clips of four moments, one visible still, one thermal still."""
    folder = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(0)
    rows = []
    plan = [(f"clip{i}", frame, ("rgb", "ir")) for i in range(3) for frame in (1, 11, 61, 161)]
    plan += [("still-rgb", 0, ("rgb",)), ("still-ir", 0, ("ir",))]
    for name, frame, modalities in plan:
        for modality in modalities:
            image = cv2.resize(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8), (383, 383))
            cv2.rectangle(image, (160, 140), (222, 242), (30, 220, 90), -1)
            image = image if modality == "rgb" else image[..., 1]
            file = folder / modality / f"{name}-{frame}.png"
            file.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(file), image)
            kind = "still" if frame == 0 else "video"
            box = [160.0, 140.0, 63.0, 103.0]
            rows.append(
                {"sequence": name, "modality": modality, "frame": frame, "file": f"{modality}/{file.name}"}
                | {"box": box, "kind": kind, "source": "drawn for a test"}
            )
    (folder / "index.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture
def tiny_model(tmp_path) -> Path:
    """The configuration of a model that trains in milliseconds."""
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(MODEL))
    return tmp_path / "tiny.yaml"


@pytest.fixture
def recipe_file(tmp_path, crop_set, tiny_model):
    """Write a recipe with changes; returns its path."""

    def write(**changes: Any) -> Path:
        content: dict[str, Any] = {
            "name": "tiny",
            "model": tiny_model.name,
            "seed": 5,
            "steps": 6,
            "batch": 4,
            "ema": 0.9,
            "data": {"sources": [{"crops": str(crop_set)}], "paired": 0.5, "workers": 0, "negatives": 0.25},
            "augment": dict.fromkeys(("brightness", "flip", "corruption", "occlusion", "distractor", "noise"), 0.5),
            "loss": {"hard": 0.5},
            "optimiser": {"type": "adamw", "rate": 0.002},
            "schedule": {"type": "cosine", "warmup": 2, "end": 0.0},
            "checkpoints": {"every": 1000, "keep": 0},
        }
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(content | changes))
        return path

    return write


@pytest.fixture
def segmented(tmp_path) -> tuple[list[Path], Path]:
    """Bright ellipses before dark photographs, with their masks; and one photograph without an object."""
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    photos.mkdir()
    masks.mkdir()
    for name, (width, height) in {"a": (30, 60), "b": (70, 40), "c": (0, 0)}.items():
        picture, mask = np.full((240, 320, 3), 30, np.uint8), np.zeros((240, 320), np.uint8)
        if width:
            for image in (picture, mask):
                cv2.ellipse(image, (150, 120), (width // 2, height // 2), 0, 0, 360, (220,) * 3, -1)
            mask = np.where(mask > 0, 255, 0).astype(np.uint8)
        cv2.imwrite(str(photos / f"{name}.png"), picture)
        cv2.imwrite(str(masks / f"{name}.png"), mask)
    return sorted(photos.iterdir()), masks
