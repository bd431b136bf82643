"""The detector's anchors: points of the 224 x 224 input that its outputs are measured from.

The single-shot scheme of SSD (Liu et al. 2016) with square anchors of fixed size 1, as BlazePose's
detector uses it: neighbouring layers of equal stride share one grid, and every layer adds two
anchors to each cell of it.
"""

import numpy as np
from jaxtyping import Float32

INPUT_SIZE_PX = 224
LAYER_STRIDES_PX = (8, 16, 32, 32, 32)
ANCHORS_PER_LAYER = 2


def anchor_centers_px() -> Float32[np.ndarray, "2254 2"]:
    """Anchor centres (x, y) in input pixels, in the order of the detector's outputs."""
    grids = []
    for stride in dict.fromkeys(LAYER_STRIDES_PX):
        cells = INPUT_SIZE_PX // stride
        along = (np.arange(cells) + 0.5) * stride
        grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
        per_cell = ANCHORS_PER_LAYER * LAYER_STRIDES_PX.count(stride)
        grids.append(np.repeat(grid, per_cell, axis=0))
    return np.concatenate(grids).astype(np.float32)
