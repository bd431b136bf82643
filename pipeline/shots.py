"""Where a video changes from one shot to the next, from small statistics of every frame.

They are gathered in the pass that finds people, so that nothing is decoded twice. A cut is a frame
whose colours and layout differ from the frame before far more than its neighbours do from theirs,
and stay different: a flash comes back, a pan changes every frame alike, a change of exposure keeps
the pattern of light and dark.
"""

import numpy as np
from jaxtyping import Float, Float32, Int32, UInt8

LEVELS = 4
"""Of red, green and blue in the histogram."""
BLOCKS_X, BLOCKS_Y = 16, 9
SAMPLES = 4
"""Along each side of a block."""
SIGNATURE = LEVELS**3 + BLOCKS_X * BLOCKS_Y * 3
LEAST_COLOUR_CHANGE, LEAST_LAYOUT_CHANGE = 0.16, 0.05
"""Of the histogram (0 to 1) and of the blocks' colours (0 to 1); both are needed."""
MOST_ALIKE = 0.9
"""Correlation of the blocks' lightness; a change of exposure keeps the pattern, a cut does not."""
MOST_USUAL = 0.35
"""What the frames around may change by, over the change at the cut."""
NEIGHBOURS = 4
STAYS = 0.6
"""The frames on both sides of the cut must still differ by this share of the change."""


def signature(rgb: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, " s"]:
    """Shares of 64 colours, then the mean colours of 16 by 9 blocks (0 to 1)."""
    height_px, width_px = rgb.shape[:2]
    y = ((np.arange(BLOCKS_Y * SAMPLES) + 0.5) * height_px / (BLOCKS_Y * SAMPLES)).astype(int)
    x = ((np.arange(BLOCKS_X * SAMPLES) + 0.5) * width_px / (BLOCKS_X * SAMPLES)).astype(int)
    small = rgb[y[:, None], x]
    level = (small // (256 // LEVELS)).astype(np.int64)
    colour = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[..., 2]
    shares = np.bincount(colour.ravel(), minlength=LEVELS**3) / colour.size
    blocks = small.reshape(BLOCKS_Y, SAMPLES, BLOCKS_X, SAMPLES, 3).mean(axis=(1, 3)) / 255
    return np.concatenate([shares, blocks.ravel()]).astype(np.float32)


def find_cuts(signatures: Float[np.ndarray, "f s"]) -> Int32[np.ndarray, " c"]:
    """Numbers of the frames (the first is 0) that begin a new shot."""
    if len(signatures) < 2:  # noqa: PLR2004
        return np.zeros(0, dtype=np.int32)
    colour, layout = changes(signatures[:-1], signatures[1:])
    sure = (colour > LEAST_COLOUR_CHANGE) & (layout > LEAST_LAYOUT_CHANGE)
    sure &= _correlation(signatures[:-1], signatures[1:]) < MOST_ALIKE
    change = colour + layout
    cuts = [
        row + 1
        for row in np.flatnonzero(sure).tolist()
        if _stands_out(change, row) and _stays(signatures, row, float(change[row]))
    ]
    return np.array(cuts, dtype=np.int32)


def changes(
    before: Float[np.ndarray, "f s"], after: Float[np.ndarray, "f s"]
) -> tuple[Float[np.ndarray, " f"], Float[np.ndarray, " f"]]:
    """Share of the picture that changed its colour, mean change of the blocks; 0 to 1."""
    gap = np.abs(np.asarray(after, np.float64) - before)
    return gap[:, : LEVELS**3].sum(axis=1) / 2, gap[:, LEVELS**3 :].mean(axis=1)


def _correlation(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(f,) of the blocks' lightness in both frames, -1 to 1; 0 where a frame is of one colour."""
    first, second = (
        frames[:, LEVELS**3 :].astype(np.float64).reshape(len(frames), -1, 3).mean(axis=-1)
        for frames in (before, after)
    )
    first, second = (light - light.mean(axis=1, keepdims=True) for light in (first, second))
    norm = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray((first * second).sum(axis=1) / np.maximum(norm, 1e-9))


def _stands_out(change: np.ndarray, row: int) -> bool:
    around = np.r_[change[max(row - NEIGHBOURS, 0) : row], change[row + 1 : row + 1 + NEIGHBOURS]]
    return not len(around) or bool(np.median(around) < MOST_USUAL * change[row])


def _stays(signatures: np.ndarray, row: int, change: float) -> bool:
    """Whether the pictures a little before and after the step differ as well."""
    early, late = max(row - 2, 0), min(row + 3, len(signatures) - 1)
    colour, layout = changes(signatures[early : early + 1], signatures[late : late + 1])
    return bool(colour[0] + layout[0] > STAYS * change)
