"""From exact keypoints to what a detector gives, and worse: what the lifter must see through."""

from dataclasses import replace
from math import pi

import torch
from jaxtyping import Bool
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, COCO17
from stages.regression.lifter.detected import DetectedPeople
from stages.regression.lifter.filmed import Filmed
from stages.regression.lifter.view import MIRRORED_POINTS, rays_of, seen_straight

Range = tuple[float, float]
LEAST_CONFIDENCE = 0.01
_HEAD = ("nose", "eye", "ear", "mouth")
_ARM = ("elbow", "wrist", "pinky", "index", "thumb")
_FOOT = ("ankle", "heel", "foot_index")


class CorruptionConfig(BaseModel):
    """Shares are of windows; amounts are drawn evenly for each window, lengths in sizes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stored_gain: Range = (0.7, 1.3)
    """How much larger than stored a detector's errors are."""
    white: Range = (0.0, 0.03)
    only_coco17: float = 0.25
    """Windows in which the other landmarks are missing."""
    hidden_parts: float = 0.3
    hidden_error: Range = (0.05, 0.4)
    """Of hidden points that a detector guesses nevertheless."""
    hidden_error_m: float = 0.3
    """The same in space, at the largest."""
    without_space: float = 0.15
    """Windows without a guess in space, beside those with COCO's keypoints only."""
    turned_guess: float = 0.7
    """Windows whose guess in space is turned as a whole: on real people detectors err so."""
    guess_turn_deg: float = 6.0
    """Spread of that turn about each axis."""
    swaps: float = 0.25
    swapped_frames: float = 0.35
    """Largest share of frames in which left is taken for right."""
    missed_frames: float = 0.3
    most_missed: float = 0.4
    """Largest share of frames without a detection."""
    short: float = 0.08
    """Windows that end early."""
    wrong_focal: float = 0.7
    focal_log_spread: float = 0.2


def as_detected(
    exact: Filmed, store: DetectedPeople, config: CorruptionConfig, rng: torch.Generator
) -> Filmed:
    """Put stored errors of people who look alike on exact keypoints."""
    view = seen_straight(exact.rays, exact.confidence)
    stored = store.errors_like(view.points, rng)
    gain = _amount(config.stored_gain, len(view.points), rng)[:, None, None, None]
    return replace(
        exact,
        rays=rays_of(view.points + gain * stored.error, view),
        confidence=stored.confidence,
        landmarks_m=exact.landmarks_m + gain * stored.error_m,
    )


def spoiled(seen: Filmed, config: CorruptionConfig, rng: torch.Generator) -> Filmed:
    """Noise, hidden limbs, exchanged sides and missed frames on top."""
    count, frames = seen.confidence.shape[:2]
    size = seen_straight(seen.rays, seen.confidence).size[:, None, None, None]
    white = _amount(config.white, count, rng)[:, None, None, None]
    seen = replace(
        seen, rays=seen.rays + size * white * torch.randn(seen.rays.shape, generator=rng)
    )
    seen = _hidden(_swapped(seen, config, rng), size, config, rng)
    in_space_m = _turned_guess(seen.landmarks_m, config, rng)
    only = torch.rand(count, 1, 1, generator=rng) < config.only_coco17
    confidence = torch.where(only & ~_in_coco17(), 0.0, seen.confidence)
    flat = only | (torch.rand(count, 1, 1, generator=rng) < config.without_space)
    missed = torch.rand(count, frames, generator=rng) < (
        _chosen(config.missed_frames, count, rng) * _amount((0.0, config.most_missed), count, rng)
    ).unsqueeze(1)
    ends = torch.randint(2, frames, (count, 1), generator=rng)
    short = _chosen(config.short, count, rng)[:, None].bool()
    missed |= short & (torch.arange(frames) >= ends)
    missed[:, 0] = False
    return replace(
        seen,
        confidence=torch.where(missed[..., None], 0.0, confidence),
        landmarks_m=torch.where(flat[..., None], 0.0, in_space_m),
    )


def focal_factors(count: int, config: CorruptionConfig, rng: torch.Generator) -> Tensor:
    """(b,) by how much the true focal length is larger than the assumed one."""
    spread = config.focal_log_spread * torch.randn(count, generator=rng)
    return (spread * _chosen(config.wrong_focal, count, rng)).exp()


def _turned_guess(landmarks_m: Tensor, config: CorruptionConfig, rng: torch.Generator) -> Tensor:
    """The guess in space turned about the middle between the hips, alike in the whole window."""
    count = len(landmarks_m)
    spread = _chosen(config.turned_guess, count, rng) * (config.guess_turn_deg * pi / 180)
    turn = rotvec_to_rotmat(spread[:, None] * torch.randn(count, 3, generator=rng))
    return landmarks_m @ turn[:, None].mT


def _swapped(seen: Filmed, config: CorruptionConfig, rng: torch.Generator) -> Filmed:
    """Left for right in runs of frames: legs, arms or everything."""
    count, frames = seen.confidence.shape[:2]
    share = _chosen(config.swaps, count, rng) * _amount((0.0, config.swapped_frames), count, rng)
    wave = _slow(count, frames, rng)
    pairs = zip(wave, share, strict=True)
    level = torch.stack([torch.quantile(one, 1 - 0.999 * part) for one, part in pairs])
    when = (wave > level[:, None]) & (share > 0)[:, None]
    parts = torch.stack([_points("hip", "knee", *_FOOT), _points("shoulder", *_ARM), _points("")])
    swap = when[:, :, None] & parts[torch.randint(3, (count,), generator=rng)][:, None]

    def exchanged(values: Tensor) -> Tensor:
        chosen = swap.view(*swap.shape, *[1] * (values.ndim - 3))
        return torch.where(chosen, values[:, :, MIRRORED_POINTS], values)

    return replace(
        seen,
        rays=exchanged(seen.rays),
        confidence=exchanged(seen.confidence),
        landmarks_m=exchanged(seen.landmarks_m),
    )


def _hidden(seen: Filmed, size: Tensor, config: CorruptionConfig, rng: torch.Generator) -> Filmed:
    """A part of the body out of sight for a while: missing, or guessed with little confidence."""
    count, frames = seen.confidence.shape[:2]
    parts = torch.stack(_HIDING)
    begin = torch.randint(-frames // 2, frames, (count, 1), generator=rng)
    length = torch.randint(3, 2 * frames, (count, 1), generator=rng)
    time = torch.arange(frames)
    when = (time >= begin) & (time < begin + length)
    when &= _chosen(config.hidden_parts, count, rng)[:, None].bool()
    hidden = when[:, :, None] & parts[torch.randint(len(parts), (count,), generator=rng)][:, None]
    drift = _slow(count * 33 * 5, frames, rng).unflatten(0, (count, 33, 5)).permute(0, 3, 1, 2)
    amount = _amount(config.hidden_error, count, rng)[:, None, None, None]
    amount_m = amount * config.hidden_error_m / config.hidden_error[1]
    left = 0.4 * torch.rand(count, 1, 1, generator=rng)
    left = torch.where(_chosen(0.5, count, rng)[:, None, None].bool(), 0.0, left)
    faint = (seen.confidence * left).clamp_min(LEAST_CONFIDENCE) * (left > 0)
    chosen = hidden[..., None]
    return replace(
        seen,
        rays=torch.where(chosen, seen.rays + amount * size * drift[..., :2], seen.rays),
        confidence=torch.where(hidden, faint * (seen.confidence > 0), seen.confidence),
        landmarks_m=torch.where(
            chosen, seen.landmarks_m + amount_m * drift[..., 2:], seen.landmarks_m
        ),
    )


def _slow(count: int, frames: int, rng: torch.Generator) -> Tensor:
    """(count, frames) smooth noise of about unit size: white noise over five frames, twice."""
    white = torch.randn(count, 1, frames + 8, generator=rng)
    kernel = torch.ones(1, 1, 5) / 5**0.5
    smooth = torch.nn.functional.conv1d(torch.nn.functional.conv1d(white, kernel), kernel)
    return smooth[:, 0] / 1.9


def _points(*parts: str, of: tuple[str, ...] = ("",)) -> Bool[Tensor, " 33"]:
    """Landmarks whose name holds one of `parts` and one of `of`."""
    names = BLAZEPOSE33.points
    return torch.tensor([any(p in n for p in parts) and any(o in n for o in of) for n in names])


def _in_coco17() -> Tensor:
    return torch.tensor([name in COCO17.points for name in BLAZEPOSE33.points])


def _amount(between: Range, count: int, rng: torch.Generator) -> Tensor:
    low, high = between
    return low + (high - low) * torch.rand(count, generator=rng)


def _chosen(share: float, count: int, rng: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=rng) < share).float()


_HIDING = (
    _points("left", of=_ARM),
    _points("right", of=_ARM),
    _points("left", of=("knee", *_FOOT)),
    _points("right", of=("knee", *_FOOT)),
    _points(*_FOOT),
    _points("knee", *_FOOT),
    _points("hip", "knee", *_FOOT),
    _points(*_HEAD),
)
"""What a table, a bag, the edge of the picture or the body itself hides."""
