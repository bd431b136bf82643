"""Association alone on boxes that are given: public sequences, and films' true boxes made worse."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from pipeline.context import Context
from pipeline.mot_text import MotBoxes, as_detections, read_mot
from pipeline.scenes.film_cache import CachedFilm
from pipeline.tracking_alone import BoxesInVideo, boxes_in_video, boxes_without_video

DETECTIONS = "det.txt"
MISSED, BOX_NOISE = 0.05, 0.03
"""Share of true boxes that are left out, and error of their edges in heights."""


@dataclass(frozen=True)
class GivenSequence:
    """Boxes to be associated, and who is where in truth."""

    name: str
    given: BoxesInVideo
    true_boxes_xyxy_px: Float64[np.ndarray, "p t 4"]
    """In the pixels of the given boxes."""
    present: Bool[np.ndarray, "p t"]


def tud_campus(folder: Path) -> GivenSequence:
    """71 frames of people who pass each other in a street; no video, so no looks."""
    given = boxes_without_video(as_detections(read_mot(folder / DETECTIONS)), 25.0, "tud_campus")
    return _sequence("tud_campus", given, read_mot(folder / "gt.txt"))


def pets09(folder: Path, context: Context) -> GivenSequence:
    """219 frames of small walkers from afar; boxes of 768 x 576, the video is smaller."""
    frames, size_px = 219, (768, 576)
    given = boxes_in_video(
        as_detections(_first(read_mot(folder / DETECTIONS), frames)),
        folder / "pets09_s2l1_480x360_10fps.mp4",
        context,
        boxes_size_px=size_px,
        fps=7.0,
        last_frame=frames,
    )
    truth = read_mot(folder / "gt_001_219.txt")
    ratio = given.video.width_px / size_px[0], given.video.height_px / size_px[1]
    return _sequence("pets09_s2l1", given, truth.scaled(*ratio))


def film_boxes(film: CachedFilm, name: str, context: Context, seed: int = 0) -> GivenSequence:
    """A made film's true boxes with noise and misses, the looks from its pictures."""
    rng = np.random.default_rng(seed)
    true, present = film.truth.boxes_xyxy_px.astype(np.float64), film.truth.present
    seen = present & (rng.random(present.shape) >= MISSED)
    height = true[..., 3:] - true[..., 1:2]
    noisy = true + BOX_NOISE * height * rng.standard_normal(true.shape)
    frame, person = np.nonzero(seen.T)
    boxes = MotBoxes(
        frame.astype(np.int64),
        np.full(len(frame), -1, np.int64),
        noisy[person, frame],
        np.full(len(frame), 0.9),
    )
    return GivenSequence(
        name, boxes_in_video(as_detections(boxes), film.clip, context), true, present
    )


def _first(boxes: MotBoxes, frames: int) -> MotBoxes:
    kept = boxes.frame_index < frames
    return MotBoxes(
        boxes.frame_index[kept], boxes.ids[kept], boxes.boxes_xyxy_px[kept], boxes.score[kept]
    )


def _sequence(name: str, given: BoxesInVideo, truth: MotBoxes) -> GivenSequence:
    frames = given.video.frame_count
    ids = np.unique(truth.ids)
    true = np.full((len(ids), frames, 4), np.nan)
    kept = truth.frame_index < frames
    rows = np.searchsorted(ids, truth.ids[kept])
    true[rows, truth.frame_index[kept]] = truth.boxes_xyxy_px[kept]
    return GivenSequence(name, given, true, np.isfinite(true).all(axis=-1))
