"""A scene as a file on disk: `clip.mp4` with blur, noise and compression, `truth.npz` beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from pipeline.context import Context
from pipeline.overlap import prefetch
from pipeline.scenes.drawing import Picture, film
from pipeline.scenes.scene import Scene, Truth, truth_of, write_truth
from pipeline.scenes.video import write_film

CLIP_NAME, TRUTH_NAME = "clip.mp4", "truth.npz"
PICTURES_AHEAD = 8


@dataclass(frozen=True)
class FilmOptions:
    """What a real camera and its file do to the picture."""

    exposures: int = 1
    """Moments drawn for each frame of the film; the scene runs at this multiple of its rate."""
    open_exposures: int = 1
    """Moments with the shutter open, an odd number: their mean is the picture (motion blur)."""
    noise: float = 0.0
    """Standard deviation of the sensor's noise, of 255."""
    crf: int = 18
    """H.264's constant rate factor: more is worse."""
    seed: int = 0
    """Of the noise."""

    @property
    def middle(self) -> int:
        """The moment that the truth is told of."""
        return self.open_exposures // 2


PLAIN = FilmOptions()


def make_film(scene: Scene, folder: Path, context: Context, options: FilmOptions = PLAIN) -> Truth:
    """Draw the scene into `clip.mp4` and write its truth beside it, last.

    Args:
        scene: with motion blur, at `options.exposures` times the film's frame rate.
        folder: made if need be.
        context: for progress.
        options: blur, noise and compression.

    Raises:
        OutputError: the folder cannot be written.
    """
    boxes, shares = [], []
    rng = np.random.default_rng([options.seed, 6])

    def measured(pictures: Iterator[Picture]) -> Iterator[np.ndarray]:
        with context.progress("Filming", len(scene)) as advance:
            for picture in pictures:
                boxes.append(picture.boxes_xyxy_px)
                shares.append(picture.seen_share)
                yield picture.rgb
                advance(1)

    with prefetch(film(scene), PICTURES_AHEAD) as ahead:
        frames = _exposed(measured(ahead), options)
        noisy = (_with_noise(rgb, options.noise, rng) for rgb in frames)
        fps = scene.fps / options.exposures
        write_film(folder / CLIP_NAME, noisy, fps, crf=options.crf)
    truth = truth_of(scene, np.stack(boxes, axis=1), np.stack(shares, axis=1))
    truth = truth.every(options.exposures, options.middle)
    write_truth(folder / TRUTH_NAME, truth)
    return truth


def _exposed(pictures: Iterator[np.ndarray], options: FilmOptions) -> Iterator[np.ndarray]:
    """One picture for every group of moments: the mean of those with the shutter open."""
    gathered: list[np.ndarray] = []
    for index, rgb in enumerate(pictures):
        moment = index % options.exposures
        if options.open_exposures == 1:
            if moment == 0:
                yield rgb
            continue
        if moment < options.open_exposures:
            gathered.append(rgb)
        if moment == options.open_exposures - 1:
            mean = np.stack(gathered).mean(axis=0, dtype=np.float32) + np.float32(0.5)
            gathered = []
            yield mean.astype(np.uint8)


def _with_noise(
    rgb: UInt8[np.ndarray, "h w 3"], amount: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "h w 3"]:
    if amount <= 0:
        return rgb
    noise = rng.standard_normal(rgb.shape, dtype=np.float32) * amount
    return np.clip(rgb + noise + 0.5, 0, 255).astype(np.uint8)
