"""SPIN as published (Kolotouros et al., ICCV 2019): ResNet-50 and a regressor on one crop a person.

The official weights are the user's to bring (`humans4d models add spin FILE`).
"""

import numpy as np
from pydantic import Field
from torch import Tensor

from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.licences import Licence
from stages.regression._cut_crops import CutCrops
from stages.regression._regressor import Regressor, RegressorConfig
from stages.regression.spin.crops import Numerics, cut_crops, normalised, place_from_boxes
from stages.regression.spin.network import Spin, network_with, shapes

LICENCES = (
    Licence(
        "SPIN weights",
        "published with BSD-3-Clause code; trained with SMPL and on research-only data",
        commercial=False,
    ),
)


class Config(RegressorConfig):
    """Settings of `spin`."""

    crop: Numerics = "imresize"
    """imresize: as published, stretches each crop's levels; cuda11: the later version."""
    enlarge: float = Field(default=1.0, gt=0)
    """Factor on the boxes' sides: the official demo takes boxes as they are, and enlarges boxes
    around keypoints by 1.2."""


def checkpoint_layout() -> Layout:
    """What the official checkpoint must hold."""
    return Layout("SPIN", shapes(), ignored_endings=(".num_batches_tracked",))


class Backend(Regressor):
    """Crops, network, camera."""

    name = "spin"
    _config: Config

    def read_network(self) -> Spin:
        """The network with the user's weights."""
        return network_with(read_checkpoint(self._weights_path, checkpoint_layout()))

    def cut(self, picture: Tensor, boxes_xyxy_px: np.ndarray) -> CutCrops:
        """Crops of one frame."""
        boxes = np.hstack([boxes_xyxy_px[:, :2], boxes_xyxy_px[:, 2:] - boxes_xyxy_px[:, :2]])
        return cut_crops(picture, place_from_boxes(boxes, self._config.enlarge), self._config.crop)

    def normalised(self, crops_rgb: Tensor) -> Tensor:
        """Crops as the network wants them."""
        return normalised(crops_rgb)
