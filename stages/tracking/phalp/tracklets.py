"""Pieces of tracks and what is known of each: time, ends, speed, look, shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float64, Int64

from pipeline.types import Bodies, Detections, Video
from stages.tracking._box_measures import measure, scale_px
from stages.tracking.phalp.looks import Look, drift_in, pooled

END_S = 0.6
"""The last and the first moments from which a piece's speed is told."""
STRETCH_S = 0.5
"""Time over which a look's variation is told."""
LEAST_SPEED_S = 0.2
"""A shorter piece's speed is not told."""
CROWDED = 0.25
"""Share of a box from which on somebody else in it may be mistaken for its own."""


@dataclass(frozen=True)
class World:
    """All detections of a video, as the association over the whole of it needs them."""

    video: Video
    time_s: Float64[np.ndarray, " n"]
    frame: Int64[np.ndarray, " n"]
    boxes_xyxy_px: Float64[np.ndarray, "n 4"]
    measures: Float64[np.ndarray, "n 4"]
    score: Float64[np.ndarray, " n"]
    alone: Bool[np.ndarray, " n"]
    """Of whose box nobody else's covers much: its look is surely its own."""
    appearance: Float64[np.ndarray, "n d"]
    """NaN where not seen; without columns where there is none."""
    betas: Float64[np.ndarray, "n 10"]
    drift: Float64[np.ndarray, " d"]
    """How much one person's look varies here."""
    has_bodies: bool
    """Whether bodies tell more than the boxes they were put into."""

    @property
    def size_px(self) -> np.ndarray:
        """Width and height of the picture."""
        return np.array([self.video.width_px, self.video.height_px], np.float64)


def world_of(
    video: Video, detections: Detections, bodies: Bodies, tracks: Sequence[np.ndarray] = ()
) -> World:
    """Gather everything once; `tracks`, found from frame to frame, tell how looks vary.

    Boxes that cannot be measured must not be asked for.
    """
    boxes = detections.boxes_xyxy_px.astype(np.float64)
    frame = detections.frame_index.astype(np.int64)
    inside = np.clip(frame, video.first_frame, video.first_frame + video.frame_count - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        measures = measure(boxes)
    appearance = np.zeros((len(boxes), 0))
    if bodies.appearance is not None:
        appearance = bodies.appearance.astype(np.float64)
    spread = np.ptp(bodies.pose_rotvec, axis=0) if len(bodies) else np.zeros(1)
    return World(
        video=video,
        time_s=video.times_of(inside.astype(np.int32)),
        frame=frame,
        boxes_xyxy_px=boxes,
        measures=measures,
        score=detections.score.astype(np.float64),
        alone=_alone(boxes, frame),
        appearance=appearance,
        drift=drift_in(appearance, tracks, max(round(STRETCH_S * video.fps), 1)),
        betas=bodies.betas.astype(np.float64),
        has_bodies=bool(np.nanmax(spread) > 0),
    )


def _alone(boxes_xyxy_px: np.ndarray, frame: np.ndarray) -> Bool[np.ndarray, " n"]:
    """Boxes of which no other of the same frame covers more than `CROWDED`."""
    alone = np.ones(len(frame), dtype=bool)
    order = np.argsort(frame, kind="stable")
    bounds = np.flatnonzero(np.diff(frame[order], prepend=-1, append=2**40))
    for start, stop in pairwise(bounds):
        rows = order[start:stop]
        alone[rows] = _most_covered(boxes_xyxy_px[rows]) <= CROWDED
    return alone


def _most_covered(boxes: np.ndarray) -> Float64[np.ndarray, " n"]:
    """The greatest share of each box that one of the others covers."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    np.fill_diagonal(shared, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = shared.max(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.nan_to_num(share)


@dataclass(frozen=True)
class End:
    """The first or last sighting of a piece."""

    frame: int
    time_s: float
    measure: Float64[np.ndarray, " 4"]
    velocity_px_s: Float64[np.ndarray, " 2"]
    velocity_known: bool


@dataclass(frozen=True)
class Tracklet:
    """A piece of a track."""

    rows: Int64[np.ndarray, " m"]
    """Its detections, in order of frame, one a frame."""
    start: End
    end: End
    look: Look
    betas: Float64[np.ndarray, " 10"]
    height_px: float
    """Median height that a standing person of its size has."""

    def __len__(self) -> int:
        return len(self.rows)


def tracklet_of(world: World, rows: Sequence[int] | np.ndarray) -> Tracklet:
    """Describe a piece of a track."""
    rows = np.asarray(rows, np.int64)
    return Tracklet(
        rows=rows,
        start=_end(world, rows, last=False),
        end=_end(world, rows, last=True),
        look=pooled(world.appearance[rows]),
        betas=np.median(world.betas[rows], axis=0),
        height_px=float(np.median(scale_px(world.measures[rows]))),
    )


def _end(world: World, rows: np.ndarray, *, last: bool) -> End:
    """The robust middle of the last moments, carried on to the last sighting."""
    row = rows[-1] if last else rows[0]
    time_s = world.time_s[rows]
    near = rows[np.abs(time_s - world.time_s[row]) <= END_S]
    step_s = world.time_s[near] - world.time_s[row]
    long_enough = np.ptp(step_s) >= LEAST_SPEED_S and len(near) > 2  # noqa: PLR2004
    velocity = np.zeros(2)
    if long_enough:
        velocity = np.polyfit(step_s, world.measures[near, :2], 1)[0]
    middle = np.median(world.measures[near], axis=0)
    place = np.median(world.measures[near, :2] - velocity * step_s[:, None], axis=0)
    return End(
        frame=int(world.frame[row]),
        time_s=float(world.time_s[row]),
        measure=np.concatenate([place, middle[2:]]),
        velocity_px_s=velocity,
        velocity_known=bool(long_enough),
    )
