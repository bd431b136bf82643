"""PoseTrack's JSON of 2018 and 2021: images, and people in them with keypoints, box and track id.

As its evaluation reads it (Andriluka et al. 2018): COCO's layout, an `image_id` of every
annotation, keypoints x, y, visible of 17 points (`POSETRACK17`), `bbox` as left, top, width,
height. Pixels are as in COCO: a box's edges are continuous, a keypoint on the first pixel is at 0,
where the pixel's centre here is 0.5.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from pipeline.errors import InputError
from pipeline.files import output_errors, write_json
from pipeline.skeletons import POSETRACK17, skeleton_named
from pipeline.types import Detections, Person, Video

NOBODY = -1
FRAMES = 10_000
"""Frame ids are 10^10, plus the video's number times this, plus the frame from 0."""
FIRST_ID = 10_000_000_000
GROWN = 0.1
"""A box that is not given is that of the visible keypoints, larger by this on each side."""
LARGEST = 1e9
"""Of a pixel coordinate, and of a track's id."""


@dataclass(frozen=True)
class PoseTrackPeople:
    """People with ids, n over the whole video, ordered by frame."""

    frame_index: Int64[np.ndarray, " n"]
    ids: Int64[np.ndarray, " n"]
    """-1 where none is given."""
    boxes_xyxy_px: Float64[np.ndarray, "n 4"]
    score: Float64[np.ndarray, " n"]
    keypoints_px: Float64[np.ndarray, "n 17 3"] | None
    """In the order of `POSETRACK17`; visible 0 where unknown. None where nobody has any."""

    def scaled(self, x: float, y: float) -> "PoseTrackPeople":
        """People of a picture of another size."""
        points = self.keypoints_px
        return replace(
            self,
            boxes_xyxy_px=self.boxes_xyxy_px * np.array([x, y, x, y]),
            keypoints_px=None if points is None else points * np.array([x, y, 1.0]),
        )


def read_posetrack(path: Path) -> PoseTrackPeople:
    """Read people of a video; of detections without track ids, too.

    Raises:
        InputError: the file is missing or no such JSON; the annotation is named.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), list) for key in ("images", "annotations")
    ):
        raise InputError(f"{path}: PoseTrack's JSON holds lists 'images' and 'annotations'")
    frames = _frames(path, content["images"])
    rows = [_person(path, n, one, frames) for n, one in enumerate(content["annotations"])]
    return _ordered(rows)


def _frames(path: Path, images: list[Any]) -> dict[int, int]:
    """Frame by image id; ids whose last four digits count frames tell it, whatever is left out."""
    try:
        by_id = {int(one["id"]): int(one.get("frame_id", one["id"])) for one in images}
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise InputError(f"{path}: an image has no whole number as 'id'") from error
    if not by_id:
        return {}
    first = min(by_id.values())
    base = first - first % FRAMES if first >= FIRST_ID else 0
    frames = {image: number - base for image, number in by_id.items()}
    if min(frames.values()) < 0 or max(frames.values()) >= FRAMES * FRAMES:
        raise InputError(f"{path}: the images' frame ids are not those of one video")
    return frames


@dataclass(frozen=True)
class _Row:
    frame: int
    who: int
    box: np.ndarray
    score: float
    keypoints: np.ndarray | None


def _person(path: Path, number: int, one: Any, frames: dict[int, int]) -> _Row:
    where = f"{path}, annotation {number}"
    try:
        frame = frames[int(one["image_id"])]
        who = int(one.get("track_id", NOBODY))
        points = np.asarray(one.get("keypoints") or [], np.float64)
        box = np.asarray(one.get("bbox") or [], np.float64)
        score = _score(one)
    except KeyError as error:
        raise InputError(f"{where}: its image_id is missing or that of no image") from error
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise InputError(f"{where}: not numbers where numbers are expected: {error}") from error
    if abs(who) > LARGEST:
        raise InputError(f"{where}: its track_id is beyond {LARGEST:g}")
    if points.size not in {0, 3 * len(POSETRACK17)} or box.size not in {0, 4}:
        raise InputError(
            f"{where}: has {points.size} keypoint numbers (51) and {box.size} of a box"
        )
    if not (np.abs(np.append(points, box)) <= LARGEST).all():
        raise InputError(f"{where}: a coordinate is not finite, or beyond {LARGEST:g}")
    keypoints = points.reshape(-1, 3) if points.any() else None
    if keypoints is not None:
        keypoints[:, :2] += np.where(keypoints[:, 2:] > 0, 0.5, 0.0)
    return _Row(frame, who, _box(where, box, keypoints), score, keypoints)


def _score(one: Any) -> float:
    scores = one.get("scores") or ([one["score"]] if "score" in one else [])
    return float(np.clip(np.mean(np.asarray(scores, np.float64)), 0, 1)) if scores else 1.0


def _box(where: str, box: np.ndarray, keypoints: np.ndarray | None) -> np.ndarray:
    if box.size and (box[2:] > 0).all():
        return np.concatenate([box[:2], box[:2] + box[2:]])
    if keypoints is None or not (keypoints[:, 2] > 0).any():
        raise InputError(f"{where}: has neither a box nor visible keypoints")
    seen = keypoints[keypoints[:, 2] > 0, :2]
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = np.maximum(GROWN * (high - low), 0.5)
    return np.concatenate([low - margin, high + margin])


def _ordered(rows: list[_Row]) -> PoseTrackPeople:
    rows = sorted(rows, key=lambda row: row.frame)
    none = np.zeros((len(POSETRACK17), 3))
    some = any(row.keypoints is not None for row in rows)
    points = [none if row.keypoints is None else row.keypoints for row in rows]
    return PoseTrackPeople(
        np.array([row.frame for row in rows], np.int64),
        np.array([row.who for row in rows], np.int64),
        np.array([row.box for row in rows], np.float64).reshape(-1, 4),
        np.array([row.score for row in rows], np.float64),
        np.stack(points) if some else None,
    )


def as_detections(people: PoseTrackPeople) -> Detections:
    """The same without ids."""
    points = people.keypoints_px
    return Detections(
        people.frame_index.astype(np.int32),
        people.boxes_xyxy_px.astype(np.float32),
        people.score.astype(np.float32),
        None if points is None else POSETRACK17.name,
        None if points is None else points.astype(np.float32),
    )


def posetrack_of(people: tuple[Person, ...]) -> PoseTrackPeople:
    """Everybody's sightings; of other landmarks those that PoseTrack knows by the same name."""
    rows = []
    for person in people:
        points = _named(person)
        for at in np.flatnonzero(person.observed):
            rows.append(
                _Row(
                    int(person.frame_index[at]),
                    person.id,
                    person.boxes_xyxy_px[at].astype(np.float64),
                    float(person.confidence[at]),
                    None if points is None else points[at],
                )
            )
    return _ordered(rows)


def _named(person: Person) -> np.ndarray | None:
    """(t, 17, 3): visible where the network is surer than not, else 0."""
    if person.keypoints_px is None or person.skeleton is None:
        return None
    known = skeleton_named(person.skeleton).points
    found = np.zeros((len(person.frame_index), len(POSETRACK17), 3))
    for column, name in enumerate(POSETRACK17.points):
        if name in known:
            found[:, column] = person.keypoints_px[:, known.index(name)]
    seen = np.isfinite(found).all(axis=-1) & (found[..., 2] > 0.5)  # noqa: PLR2004
    found[..., 2] = 1.0
    return np.where(seen[..., None], found, 0.0)


def write_posetrack(path: Path, people: PoseTrackPeople, video: Video) -> None:
    """Write people of a video, all of its frames listed.

    The video's number is the digits in its name (PoseTrack's files begin with six), else 1.

    Raises:
        OutputError: the file cannot be written.
    """
    digits = "".join(c for c in video.path.stem if c.isdigit())[:6]
    number = int(digits or "1")
    first = FIRST_ID + number * FRAMES
    content = {
        "images": [
            {
                "has_no_densepose": True,
                "is_labeled": True,
                "file_name": f"images/{video.path.stem}/{frame:06d}.jpg",
                "nframes": int(video.first_frame + video.frame_count),
                "frame_id": first + frame,
                "vid_id": f"{number:06d}",
                "id": first + frame,
                "width": video.width_px,
                "height": video.height_px,
            }
            for frame in range(video.first_frame, video.first_frame + video.frame_count)
        ],
        "annotations": [_annotation(people, row, first) for row in range(len(people.ids))],
        "categories": [
            {
                "supercategory": "person",
                "id": 1,
                "name": "person",
                "keypoints": list(POSETRACK17.points),
                "skeleton": (POSETRACK17.edges + 1).tolist(),
            }
        ],
    }
    with output_errors(path):
        write_json(path, content)


def _annotation(people: PoseTrackPeople, row: int, first: int) -> dict[str, Any]:
    left, top, right, bottom = people.boxes_xyxy_px[row].tolist()
    image = first + int(people.frame_index[row])
    score = round(float(people.score[row]), 4)
    points = np.zeros((len(POSETRACK17), 3))
    if people.keypoints_px is not None:
        points = people.keypoints_px[row].copy()
        points[:, :2] -= np.where(points[:, 2:] > 0, 0.5, 0.0)
    return {
        "image_id": image,
        "id": row + 1,
        "track_id": int(people.ids[row]),
        "category_id": 1,
        "bbox": [round(v, 3) for v in (left, top, right - left, bottom - top)],
        "keypoints": np.round(points, 3).ravel().tolist(),
        "scores": [score] * len(POSETRACK17),
        "score": score,
    }
