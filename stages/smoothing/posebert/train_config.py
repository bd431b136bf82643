"""Everything that decides what training makes, beside the data."""

import json

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.backends import describe
from pipeline.errors import SettingsError
from stages.smoothing.posebert.corruption import CorruptionConfig
from stages.smoothing.posebert.windows import WINDOW


class TrainConfig(BaseModel):
    """Everything that decides what comes out, beside the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=256, gt=0)
    depth: int = Field(default=4, gt=0)
    heads: int = Field(default=4, gt=0)
    frames: int = Field(default=WINDOW, gt=3, le=WINDOW)
    steps: int = Field(default=20_000, gt=0)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    batch: int = Field(default=32, gt=0)
    uses: int = Field(default=4, gt=0)
    """How often a noisy window is used, each time before another camera."""
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    average: float = Field(default=0.998, ge=0, lt=1)
    """Share of the running mean of the weights that a step keeps, less at the beginning; that mean
    is what is saved."""
    autocast: bool = True
    """Multiply in bfloat16: half the time on recent processors."""
    warm_up: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the rate rises; then it falls along a cosine."""
    joints_weight: float = Field(default=4.0, ge=0)
    """Of the mean distance of joints, in metres."""
    acceleration_weight: float = Field(default=10.0, ge=0)
    """Of the mean second difference of the joints' errors, in metres."""
    start: str | None = None
    """Weights to go on from; None: random ones."""
    validate_every: int = Field(default=500, gt=0)
    seed: int = 0
    device: str = "cpu"
    corruption: CorruptionConfig = CorruptionConfig()


def settings(given: list[str]) -> TrainConfig:
    """`name=value` pairs; values as in JSON, names of noise with `corruption.` before them.

    Raises:
        SettingsError: an unknown name or an impossible value.
    """
    chosen: dict[str, object] = {}
    noise: dict[str, object] = {}
    for pair in given:
        name, _, text = pair.partition("=")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        (noise if name.startswith("corruption.") else chosen)[name.split(".")[-1]] = value
    try:
        return TrainConfig.model_validate({**chosen, "corruption": noise})
    except ValidationError as error:
        raise SettingsError(describe(error, "training", TrainConfig)) from error
