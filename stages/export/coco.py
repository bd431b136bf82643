"""COCO keypoints: one JSON file with images, people in them (17 keypoints, box), and the category.

Pixels of the upright video. Frames in which a person is missing have no annotation of it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float

from pipeline.backends import BackendConfig
from pipeline.camera import project
from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.landmark_sites import PosedSites
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, COCO17, skeleton_named
from pipeline.take import Take
from pipeline.types import Person
from stages.export._boxes import boxes_xyxy_px

UPS = ()
FILLS_GAPS = False
PERSON_CATEGORY = 1
HIDDEN, VISIBLE = 1, 2
SEEN_VISIBILITY = 0.5


class Config(BackendConfig):
    """Where the keypoints come from."""

    keypoints: Literal["detected", "body"] = "detected"
    """`detected`: the detector's, and the body's where there are none; `body`: the body's."""


@dataclass(frozen=True)
class _Keypoints:
    """17 points of all frames."""

    places_px: Float[np.ndarray, "t 17 2"]
    score: Float[np.ndarray, "t 17"]


class Backend:
    """Writes `<take>_keypoints.json`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file with everybody."""
        annotations = [entry for person in take.people for entry in self._of(take, person)]
        annotations.sort(key=lambda entry: (entry["image_id"], entry["track_id"]))
        for number, entry in enumerate(annotations, start=1):
            entry["id"] = number
        content = {
            "info": {"description": take.name, "source_video": take.source_video},
            "images": _images(take),
            "annotations": annotations,
            "categories": [_category()],
        }
        path = folder / "coco" / f"{take.name}_keypoints.json"
        with written_aside(path) as aside:
            aside.write_text(json.dumps(content, allow_nan=False), encoding="ascii")
        return [path]

    def _of(self, take: Take, person: Person) -> Iterator[dict[str, Any]]:
        keypoints, (boxes, detected) = self._keypoints(take, person), boxes_xyxy_px(take, person)
        for row in np.flatnonzero(person.drawn):
            left, top, right, bottom = (round(float(value), 3) for value in boxes[row])
            size = [round(right - left, 3), round(bottom - top, 3)]
            visible = np.where(keypoints.score[row] > SEEN_VISIBILITY, VISIBLE, HIDDEN)
            points = np.concatenate([keypoints.places_px[row].round(3), visible[:, None]], axis=1)
            yield {
                "image_id": int(person.frame_index[row]),
                "category_id": PERSON_CATEGORY,
                "track_id": person.id,
                "bbox": [left, top, *size],
                "bbox_from": "detector" if detected[row] else "body",
                "area": round(size[0] * size[1], 3),
                "iscrowd": 0,
                "score": round(float(person.confidence[row]), 4),
                "keypoints": points.reshape(-1).tolist(),
                "keypoint_scores": keypoints.score[row].round(4).tolist(),
                "num_keypoints": len(COCO17),
            }

    def _keypoints(self, take: Take, person: Person) -> _Keypoints:
        body = _body_keypoints(take, person)
        found = _detected_keypoints(person) if self.config.keypoints == "detected" else None
        if found is None:
            return body
        known = np.isfinite(found.places_px).all(axis=(1, 2))
        return _Keypoints(
            np.where(known[:, None, None], found.places_px, body.places_px),
            np.where(known[:, None], found.score, body.score),
        )


def _detected_keypoints(person: Person) -> _Keypoints | None:
    """The detector's, if its landmarks have all of COCO's."""
    if person.keypoints_px is None or person.skeleton is None:
        return None
    skeleton = skeleton_named(person.skeleton)
    if not set(COCO17.points) <= set(skeleton.points):
        return None
    points = person.keypoints_px[:, skeleton.indices(*COCO17.points)]
    return _Keypoints(points[..., :2].astype(np.float64), points[..., 2].astype(np.float64))


def _body_keypoints(take: Take, person: Person) -> _Keypoints:
    """The marked points of the body, seen through the camera."""
    rotmat = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec.astype(np.float64)))
    betas = torch.from_numpy(person.betas.astype(np.float64)).expand(len(person), -1)
    sites_m = PosedSites(take.body).places(rotmat, betas).numpy()
    chosen_m = sites_m[:, BLAZEPOSE33.indices(*COCO17.points)] + person.t_camera_m[:, None]
    return _Keypoints(project(chosen_m, take.camera.K_px), np.ones((len(person), len(COCO17))))


def _images(take: Take) -> list[dict[str, Any]]:
    return [
        {
            "id": int(index),
            "file_name": f"{index:06d}.jpg",
            "width": take.width_px,
            "height": take.height_px,
            "time_s": float(time_s),
        }
        for index, time_s in zip(take.frame_index, take.time_s, strict=True)
    ]


def _category() -> dict[str, Any]:
    """COCO counts the points of its skeleton from 1."""
    return {
        "id": PERSON_CATEGORY,
        "name": "person",
        "keypoints": list(COCO17.points),
        "skeleton": (COCO17.edges + 1).tolist(),
    }
