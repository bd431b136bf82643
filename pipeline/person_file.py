"""`people/person_NNN.npz`: the product. A superset of AMASS, one file per person."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.blocks import blocks
from pipeline.files import output_errors, write_npz
from pipeline.storage import SCHEMA_VERSION, read_npz
from pipeline.types import Camera, Person

if TYPE_CHECKING:
    from pipeline.body import BodyModel

BLOCK_FRAMES = 4096
"""So many are posed at once, that memory stays bounded for somebody seen for hours."""


def person_path(folder: Path, person_id: int) -> Path:
    """Where a person's file lies inside a result folder."""
    return folder / "people" / f"person_{person_id:03d}.npz"


def write_people(
    folder: Path, people: tuple[Person, ...], camera: Camera, body: "BodyModel", source: Path
) -> list[Path]:
    """Write every person's file and remove those of people who are no longer there."""
    paths = [person_path(folder, person.id) for person in people]
    with output_errors(folder / "people"):
        (folder / "people").mkdir(parents=True, exist_ok=True)
    for path, person in zip(paths, people, strict=True):
        write_npz(path, person_arrays(person, camera, body, source.name))
    for stale in set((folder / "people").glob("person_*.npz")) - set(paths):
        stale.unlink()
    return paths


def person_arrays(person: Person, camera: Camera, body: "BodyModel", source: str) -> dict[str, Any]:
    """All that is known of one person, under AMASS's names where AMASS has one."""
    arrays: dict[str, Any] = {
        **_amass(person),
        "schema_version": SCHEMA_VERSION,
        "person_id": person.id,
        "frame_index": person.frame_index,
        "time_s": person.time_s,
        "status": person.status,
        "confidence": person.confidence,
        "joints_camera_m": joints_camera_m(person, body),
        "boxes_xyxy_px": person.boxes_xyxy_px,
        "camera_K_px": camera.K_px,
        "camera_origin": camera.origin,
        "body_model": body.name,
        "source_video": source,
    }
    if person.pose_spread_rad is not None:
        arrays["expected_error_deg"] = np.rad2deg(person.pose_spread_rad)
    if person.keypoints_px is not None:
        arrays["keypoints_px"] = person.keypoints_px
        arrays["skeleton"] = person.skeleton
    return arrays


def _amass(person: Person) -> dict[str, Any]:
    span_s = float(person.time_s[-1] - person.time_s[0])
    fps = (len(person) - 1) / span_s if span_s > 0 else 30.0
    return {
        "poses": person.pose_rotvec.reshape(len(person), -1),
        "trans": person.t_camera_m,
        "betas": person.betas,
        "gender": "neutral",
        "mocap_framerate": fps,
        "mocap_frame_rate": fps,
    }


def joints_camera_m(person: Person, body: "BodyModel") -> np.ndarray:
    """(T, 24, 3) float32 joints in metres in the camera."""
    import torch  # noqa: PLC0415  (slow to import; readers of files do not need it)

    shaped = body.with_shape(torch.from_numpy(person.betas))
    joints_m = np.empty((len(person), 24, 3), np.float32)
    for rows in blocks(len(person), BLOCK_FRAMES):
        posed = shaped.with_pose(
            torch.from_numpy(person.pose_rotvec[rows]), torch.from_numpy(person.t_camera_m[rows])
        )
        joints_m[rows] = posed.joints_m.numpy()
    return joints_m


def read_person(path: Path) -> tuple[Person, Mapping[str, np.ndarray]]:
    """A person's file as a `Person`, and all its arrays.

    Raises:
        OutputError: not a whole file; use `humans4d validate` to see what is wrong.
    """
    arrays = read_npz(path)
    keypoints, error_deg = arrays.get("keypoints_px"), arrays.get("expected_error_deg")
    person = Person(
        id=int(arrays["person_id"]),
        frame_index=arrays["frame_index"],
        time_s=arrays["time_s"],
        status=arrays["status"],
        confidence=arrays["confidence"],
        pose_rotvec=arrays["poses"].reshape(-1, 24, 3),
        betas=arrays["betas"],
        t_camera_m=arrays["trans"],
        boxes_xyxy_px=arrays["boxes_xyxy_px"],
        skeleton=str(arrays["skeleton"]) if "skeleton" in arrays else None,
        keypoints_px=keypoints,
        pose_spread_rad=None if error_deg is None else np.deg2rad(error_deg),
    )
    return person, arrays
