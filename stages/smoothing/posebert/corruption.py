"""What a regressor does to a motion: the errors that PoseBERT learns to take away.

Masks alone teach to fill gaps and nothing about jitter; so there is noise of four kinds, each
window with its own amounts, and masks of single frames and of blocks.
"""

from dataclasses import dataclass
from math import pi

import torch
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from pipeline.motion_clips import mirror_rotmat
from pipeline.rotations import rotvec_to_rotmat

Range = tuple[float, float]


class CorruptionConfig(BaseModel):
    """Amounts, drawn evenly from these ranges for every window; angles per axis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    white_deg: Range = (0.3, 3.0)
    slow_deg: Range = (0.0, 7.0)
    slow_frames: Range = (8.0, 20.0)
    """Standard deviation of the Gaussian that makes the slow part."""
    bursts: Range = (0.0, 0.02)
    """Share of frames in which a joint's wrong turn begins; it lasts one to three."""
    burst_deg: Range = (10.0, 40.0)
    swaps: Range = (0.0, 0.03)
    """Share of frames in which left is taken for right."""
    single_masks: Range = (0.0, 0.2)
    """Share of hidden frames, each on its own."""
    blocks: int = 3
    """Most hidden blocks."""
    block_frames: tuple[int, int] = (2, 25)
    cutoff_hz: Range = (3.5, 6.0)
    """Of the filter before the network."""


@dataclass(frozen=True)
class Corrupted:
    """What the network gets to see."""

    rotmat: Float[Tensor, "b t 24 3 3"]
    seen: Bool[Tensor, "b t"]


def corrupted(
    rotmat: Float[Tensor, "b t 24 3 3"], config: CorruptionConfig, rng: torch.Generator
) -> Corrupted:
    """Errors on every window; the same generator state gives the same errors."""
    count, length = rotmat.shape[:2]
    error_deg = _amount(config.white_deg, count, rng) * _normal(rng, count, length, 24, 3)
    slow = _low_passed(_normal(rng, count, length, 24, 3), _amount(config.slow_frames, count, rng))
    error_deg = error_deg + _amount(config.slow_deg, count, rng) * slow
    error_deg = error_deg + _bursts_deg(config, count, length, rng)
    swapped = _uniform(rng, count, length) < _amount(config.swaps, count, rng)[:, :, 0, 0]
    other = mirror_rotmat(rotmat)
    # The root is not mirrored: who takes left for right still sees which way a person faces.
    other = torch.cat([rotmat[:, :, :1], other[:, :, 1:]], dim=2)
    seen_as = torch.where(swapped[..., None, None, None], other, rotmat)
    return Corrupted(
        seen_as @ rotvec_to_rotmat(error_deg * (pi / 180)), ~_hidden(config, count, length, rng)
    )


def _bursts_deg(config: CorruptionConfig, count: int, length: int, rng: torch.Generator) -> Tensor:
    """(b, t, 24, 3) wrong turns."""
    begins = _uniform(rng, count, length, 24, 1) < _amount(config.bursts, count, rng)
    direction = torch.nn.functional.normalize(_normal(rng, count, length, 24, 3), dim=-1)
    low, high = config.burst_deg
    wrong = begins * direction * (low + (high - low) * _uniform(rng, count, length, 24, 1))
    frames = _uniform(rng, count, length, 24, 1) * 3
    out = wrong
    for late in (1, 2):
        shifted = torch.zeros_like(wrong)
        shifted[:, late:] = (wrong * (frames > late))[:, :-late]
        out = torch.where(shifted != 0, shifted, out)
    return out


def _hidden(config: CorruptionConfig, count: int, length: int, rng: torch.Generator) -> Tensor:
    """(b, t) single frames in one half of the windows, blocks in the other."""
    share = _amount(config.single_masks, count, rng)[:, :, 0, 0]
    single = _uniform(rng, count, length) < share
    low, high = config.block_frames
    size = torch.randint(low, high + 1, (count, config.blocks, 1), generator=rng)
    start = (_uniform(rng, count, config.blocks, 1) * length).long()
    frame = torch.arange(length)
    used = torch.arange(config.blocks)[None, :, None] < torch.randint(
        1, config.blocks + 1, (count, 1, 1), generator=rng
    )
    block = ((frame >= start) & (frame < start + size) & used).any(dim=1)
    hidden = torch.where(torch.randint(2, (count, 1), generator=rng) == 0, single, block)
    return hidden & ~hidden.all(dim=1, keepdim=True)


def _low_passed(
    white: Float[Tensor, "b t j c"], sigma: Float[Tensor, "b 1 1 1"]
) -> Float[Tensor, "b t j c"]:
    """Smooth along time, of unit variance."""
    length = white.shape[1]
    frequency = torch.fft.rfftfreq(length, dtype=white.dtype)
    gain = torch.exp(-2 * (pi * frequency * sigma[:, :, 0, 0]) ** 2)
    full = torch.cat([gain, gain[:, 1 : (length + 1) // 2]], dim=1)
    gain = gain / full.square().mean(dim=1, keepdim=True).sqrt()
    spectrum = torch.fft.rfft(white, dim=1) * gain[:, :, None, None]
    return torch.fft.irfft(spectrum, n=length, dim=1)


def _amount(ends: Range, count: int, rng: torch.Generator) -> Tensor:
    """(b, 1, 1, 1) one number per window."""
    return ends[0] + (ends[1] - ends[0]) * _uniform(rng, count, 1, 1, 1)


def _uniform(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(shape, generator=rng)


def _normal(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=rng)
