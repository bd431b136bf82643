"""Shrinking and enlarging along one axis: which pixels each result mixes, and how much of each.

Two ways, as the two official versions of SPIN have them: Pillow's triangle filter, which grows
with the factor, in whole numbers; and scikit-image's blur followed by linear interpolation.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

FRACTION_BITS = 22
"""Of Pillow's weights: with 8-bit pixels the sums just fit into 32 bits."""
LEVELS = 255
TRUNCATE_SIGMAS = 4.0


@dataclass(frozen=True)
class Taps:
    """For each of p results: k source pixels and their weights, which sum to one (or 2**22)."""

    index: Int64[np.ndarray, "p k"]
    weight: Float64[np.ndarray, "p k"] | Int64[np.ndarray, "p k"]

    def within(self, start: int, size: int) -> "Taps":
        """Of a picture of `size` pixels whose first is number `-start`; outside is black."""
        index = self.index + start
        inside = (index >= 0) & (index < size)
        return replace(self, index=index.clip(0, size - 1), weight=self.weight * inside)


def triangle_taps(size_in: int, size_out: int) -> Taps:
    """Pillow's bilinear filter: a triangle as wide as two results, one pixel at least."""
    factor = size_in / size_out
    reach = max(factor, 1.0)
    centre = (np.arange(size_out) + 0.5) * factor
    first = np.maximum(np.trunc(centre - reach + 0.5), 0).astype(np.int64)
    last = np.minimum(np.trunc(centre + reach + 0.5), size_in).astype(np.int64)
    index = first[:, None] + np.arange(2 * int(np.ceil(reach)) + 1)
    weight = np.maximum(1.0 - np.abs((index - centre[:, None] + 0.5) * (1.0 / reach)), 0.0)
    weight = np.where(index < last[:, None], weight, 0.0)
    weight = weight / weight.sum(axis=1, keepdims=True)
    whole = np.trunc(weight * (1 << FRACTION_BITS) + 0.5).astype(np.int64)
    return Taps(np.minimum(index, size_in - 1), whole)


def blur_taps(size_in: int, size_out: int) -> Taps:
    """A gaussian that grows with the factor, then linear interpolation; mirrored at the borders."""
    factor = size_in / size_out
    place = (np.arange(size_out) + 0.5) * factor - 0.5
    first = np.floor(place)
    share = place - first
    pair = mirrored(np.stack([first, first + 1], axis=1).astype(np.int64), size_in)
    kernel = _gaussian(max(0.0, (factor - 1.0) / 2.0))
    spread = np.arange(len(kernel)) - len(kernel) // 2
    index = mirrored(pair[:, :, None] + spread, size_in)
    weight = np.stack([1.0 - share, share], axis=1)[:, :, None] * kernel
    return Taps(index.reshape(size_out, -1), weight.reshape(size_out, -1))


def mirrored(index: np.ndarray, size: int) -> np.ndarray:
    """Indices beyond the border count back from it; the pixel at the border is not repeated."""
    period = max(2 * (size - 1), 1)
    folded = index % period
    return np.where(folded < size, folded, period - folded)


def _gaussian(sigma_px: float) -> np.ndarray:
    if sigma_px == 0.0:
        return np.ones(1)
    radius_px = int(TRUNCATE_SIGMAS * sigma_px + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius_px, radius_px + 1) / sigma_px) ** 2)
    return weights / weights.sum()


def mixed(picture: Tensor, down: Taps, across: Taps) -> Tensor:
    """Resample a picture (h, w, c): first along rows, then along columns.

    Whole weights round each of the two results to 8-bit levels; others leave float64. The picture
    is laid on its side for the first, because whole lines are copied faster than single pixels.
    """
    return _mixed_lines(_mixed_lines(picture.transpose(0, 1), across).transpose(0, 1), down)


def _mixed_lines(picture: Tensor, taps: Taps) -> Tensor:
    """Resample along the first axis."""
    is_whole = taps.weight.dtype == np.int64
    lines = picture.to(torch.int32 if is_whole else torch.float64).contiguous()
    index = torch.from_numpy(taps.index).to(picture.device)
    weight = torch.from_numpy(taps.weight).to(picture.device, lines.dtype)[..., None, None]
    total = torch.zeros((len(index), *lines.shape[1:]), dtype=lines.dtype, device=lines.device)
    for tap in range(index.shape[1]):
        total.addcmul_(lines.index_select(0, index[:, tap]), weight[:, tap])
    if not is_whole:
        return total
    rounded = total.add_(1 << (FRACTION_BITS - 1)).bitwise_right_shift_(FRACTION_BITS)
    return rounded.clamp_(0, LEVELS).to(torch.uint8)
