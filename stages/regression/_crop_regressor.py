"""What HMR2 and TokenHMR share: one 256 px crop per person, as 4D-Humans cuts it."""

from typing import Literal

import numpy as np
from torch import Tensor

from stages.regression._blur import cut_demo_crops
from stages.regression._crops import CROP_PX, MARGIN_PX, cut_crops, normalised, squares_from_boxes
from stages.regression._cut_crops import CutCrops
from stages.regression._predictor import Precision
from stages.regression._regressor import Regressor, RegressorConfig

SEEN_COLUMNS = range(MARGIN_PX, CROP_PX - MARGIN_PX)


class CropConfig(RegressorConfig):
    """Settings of these backends."""

    crop: Literal["tracker", "image_demo"] = "tracker"
    """The official programs differ: the image demo blurs the frame for people over 563 px."""
    precision: Precision = "auto"
    """auto: bf16 on a GPU that has it (else fp16), fp32 on a CPU."""
    compile: bool = False
    """Let torch.compile rewrite the network: a minute at the start, then faster."""


class CropRegressor(Regressor):
    """Crops, network, camera."""

    _config: CropConfig

    @property
    def precision(self) -> Precision:
        """As set."""
        return self._config.precision

    @property
    def compiled(self) -> bool:
        """As set."""
        return self._config.compile

    def cut(self, picture: Tensor, boxes_xyxy_px: np.ndarray) -> CutCrops:
        """The middle columns of the crops (n, 256, 192, 3) of one frame."""
        squares = squares_from_boxes(boxes_xyxy_px)
        cut = cut_crops if self._config.crop == "tracker" else cut_demo_crops
        return CutCrops(cut(picture, squares, SEEN_COLUMNS), squares)

    def normalised(self, crops_rgb: Tensor) -> Tensor:
        """Crops as the network wants them."""
        return normalised(crops_rgb)
