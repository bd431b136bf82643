"""HMR as published (Kanazawa et al., CVPR 2018): ResNet-50 v2 and a regressor on one crop a person.

The official weights, a TensorFlow checkpoint, are the user's to bring (`humans4d models add hmr
model.ckpt-667589.index`); TensorFlow is not needed.
"""

import numpy as np
from torch import Tensor

from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.licences import Licence
from stages.regression._cut_crops import CutCrops
from stages.regression._regressor import Regressor, RegressorConfig
from stages.regression.hmr.crops import cut_crops, normalised, place_from_extents
from stages.regression.hmr.network import (
    PREFIXES,
    TRAINING_ENDINGS,
    Hmr,
    network_with,
    shapes,
)

LICENCES = (
    Licence(
        "HMR weights",
        "published with MIT code; trained with SMPL and on research-only data",
        commercial=False,
    ),
)


class Config(RegressorConfig):
    """Settings of `hmr`."""


def checkpoint_layout() -> Layout:
    """What the official checkpoint must hold."""
    return Layout("HMR", shapes(), PREFIXES, ignored_endings=TRAINING_ENDINGS)


class Backend(Regressor):
    """Crops, network, camera."""

    name = "hmr"

    def read_network(self) -> Hmr:
        """The network with the user's weights."""
        return network_with(read_checkpoint(self._weights_path, checkpoint_layout()))

    def cut(self, picture: Tensor, boxes_xyxy_px: np.ndarray) -> CutCrops:
        """Crops of one frame."""
        return cut_crops(picture, place_from_extents(boxes_xyxy_px))

    def normalised(self, crops_rgb: Tensor) -> Tensor:
        """Crops as the network wants them."""
        return normalised(crops_rgb)
