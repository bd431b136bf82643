"""Everything that decides what comes out of a training, beside the data."""

import json

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.backends import describe
from pipeline.errors import SettingsError
from stages.regression.lifter.corruption import CorruptionConfig


class TrainConfig(BaseModel):
    """Everything that decides what comes out, beside the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = Field(default=384, gt=0)
    depth: int = Field(default=5, gt=0)
    steps: int = Field(default=5500, gt=0)
    batch: int = Field(default=128, gt=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    warm_up: float = Field(default=0.03, ge=0, lt=1)
    """Share of the steps in which the rate rises; then it falls along a cosine."""
    detected_share: float = Field(default=0.3, ge=0, le=1)
    """Windows that are what the detector saw; the others are motion with stored errors."""
    mean_decay: float = Field(default=0.998, ge=0, lt=1)
    """Of the running mean of weights, which is what is kept."""
    joints: float = 10.0
    sites: float = 5.0
    rotations: float = 2.0
    speed: float = 20.0
    picture: float = 1.0
    place: float = 1.0
    shape: float = 0.03
    spread: float = 0.1
    only_spread: bool = False
    """Learn what errors to expect of a network that is left as it is."""
    validate_every: int = Field(default=250, gt=0)
    seed: int = 0
    corruption: CorruptionConfig = CorruptionConfig()


def settings(given: list[str]) -> TrainConfig:
    """`name=value` pairs; values as in JSON, names of errors with `corruption.` before them.

    Raises:
        SettingsError: an unknown name or an impossible value.
    """
    chosen: dict[str, object] = {}
    noise: dict[str, object] = {}
    for pair in given:
        name, _, text = pair.partition("=")
        (noise if name.startswith("corruption.") else chosen)[name.split(".")[-1]] = json.loads(
            text
        )
    try:
        return TrainConfig.model_validate({**chosen, "corruption": noise})
    except ValidationError as error:
        raise SettingsError(describe(error, "training", TrainConfig)) from error
