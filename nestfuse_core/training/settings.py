"""What a training run is made of, checked before anything starts."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nestfuse_core.common.errors import UserError, suggestion


class TrainSettings(BaseModel):
    """The recipe of one run; the defaults are the released code's. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: str = Field(description="folder of photographs, searched through")
    version: Literal["paper", "released"] = "paper"
    deep_supervision: bool = False
    loss: Literal["released", "paper"] = "released"
    weight: float = Field(100.0, ge=0, description="lambda, the weight of the SSIM part")
    preparation: Literal["resize", "crop"] = "resize"
    size: int = Field(256, ge=16, description="side of the training images in pixels")
    batch: int = Field(4, ge=1, description="images a step, over all processes")
    steps: int | None = Field(None, ge=1)
    epochs: float = Field(2.0, gt=0, description="length of the run where steps is not given")
    rate: float = Field(1e-4, gt=0)
    warmup: int = Field(0, ge=0, description="steps over which the rate rises to its value")
    schedule: Literal["constant", "cosine"] = "constant"
    initial: Literal["default", "kaiming"] = Field("default", description="PyTorch's initial weights, or He's")
    start: str | None = Field(None, description="file of weights to start from instead")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    seed: int = Field(0, ge=0)

    def length(self, images: int) -> int:
        """Return the number of steps of a run over so many images."""
        return self.steps if self.steps is not None else max(1, round(self.epochs * images / self.batch))


def check_settings(values: dict[str, Any]) -> TrainSettings:
    """Build the settings, or raise a ``UserError`` that names the first bad value."""
    try:
        return TrainSettings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UserError(f"Unknown setting '{name}'{suggestion(name, TrainSettings.model_fields)}") from error
        raise UserError(f"The setting '{name}' is {first['input']!r}: {first['msg'].lower()}.") from error
