"""What is in one person's file, in words: for `humans4d inspect person_001.npz`."""

from collections.abc import Mapping

import numpy as np

from pipeline.schema import PERSON_ENTRIES
from pipeline.types import Status

MEANING = {
    "schema_version": "form of this file",
    "person_id": "the number drawn in the overlay",
    "poses": "24 joint rotations as axis-angle, radians; the first turns the body into the camera",
    "trans": "SMPL translation in the camera, metres: vertices = posed vertices + this",
    "betas": "shape; what the numbers mean depends on body_model",
    "gender": "always neutral",
    "mocap_framerate": "mean frames a second, as AMASS spells it",
    "mocap_frame_rate": "the same, as some tools spell it",
    "frame_index": "frame of the source video, counting from 0",
    "time_s": "seconds on the source's clock",
    "status": "0 missing, 1 observed, 2 interpolated, 3 predicted",
    "confidence": "0 to 1; 0 where missing",
    "joints_camera_m": "the 24 joints in the camera (x right, y down, z forward), metres",
    "boxes_xyxy_px": "left, top, right, bottom in the picture; NaN where not observed",
    "camera_K_px": "intrinsics of the upright video, pixels",
    "camera_origin": "given, estimated or assumed",
    "body_model": "which body the shape belongs to",
    "source_video": "the video's name",
    "expected_error_deg": "error to expect of each joint as regressed; NaN where not observed",
    "keypoints_px": "landmarks in the picture: x, y, visibility; NaN where not observed",
    "skeleton": "name of the landmark set",
}
"""Every array of `schema.PERSON_ENTRIES`."""

Arrays = Mapping[str, np.ndarray]


def sentences(arrays: Arrays) -> list[str]:
    """Who, when, how well seen, where: a line each.

    Args:
        arrays: of a file that keeps the schema (`schema.person_problems` finds nothing).
    """
    return [_when(arrays), _seen(arrays), _where(arrays), _body(arrays), _camera(arrays)]


def entries(arrays: Arrays) -> list[tuple[str, str, str]]:
    """Every array of the file: name, kind and shape, meaning."""
    known = [key for key in PERSON_ENTRIES if key in arrays]
    others = [key for key in arrays if key not in PERSON_ENTRIES]
    return [
        (key, _form(arrays[key]), MEANING.get(key, "not in the schema"))
        for key in (*known, *others)
    ]


def _form(value: np.ndarray) -> str:
    if value.ndim == 0:
        text = f"{value.item():.6g}" if value.dtype.kind == "f" else str(value.item())
        return text
    return f"{value.dtype} {value.shape}".replace(",)", ")")


def _when(arrays: Arrays) -> str:
    frames, time_s = arrays["frame_index"], arrays["time_s"]
    return (
        f"Person {int(arrays['person_id'])} of {arrays['source_video']}: {len(frames)} frames, "
        f"{frames[0]} to {frames[-1]}, {time_s[0]:.2f} to {time_s[-1]:.2f} s, "
        f"{float(arrays['mocap_framerate']):.3g} frames a second"
    )


def _seen(arrays: Arrays) -> str:
    counts = [(status, int((arrays["status"] == status).sum())) for status in Status]
    shown = ", ".join(f"{count} {status.name.lower()}" for status, count in counts if count)
    confidence = arrays["confidence"][arrays["status"] == Status.OBSERVED]
    mean = f"; mean confidence {confidence.mean():.2f}" if len(confidence) else ""
    return f"Frames: {shown}{mean}"


def _where(arrays: Arrays) -> str:
    pelvis_m = arrays["joints_camera_m"][arrays["status"] != Status.MISSING, 0]
    way_m = np.linalg.norm(np.diff(pelvis_m[:, ::2], axis=0), axis=1).sum()
    nearest_m, farthest_m = pelvis_m[:, 2].min(), pelvis_m[:, 2].max()
    return (
        f"Place: {nearest_m:.1f} to {farthest_m:.1f} m before the camera, "
        f"{pelvis_m[:, 0].min():.1f} to {pelvis_m[:, 0].max():.1f} m to its right; "
        f"a way of {way_m:.1f} m"
    )


def _body(arrays: Arrays) -> str:
    joints_m = arrays["joints_camera_m"].astype(np.float64)
    legs_m = np.linalg.norm(joints_m[:, [1, 4]] - joints_m[:, [4, 7]], axis=-1).sum(axis=1)
    betas = " ".join(f"{value:.2f}" for value in arrays["betas"])
    return f"Body: {arrays['body_model']}, legs of {np.median(legs_m):.2f} m, betas {betas}"


def _camera(arrays: Arrays) -> str:
    K_px = arrays["camera_K_px"]
    return (
        f"Camera: focal length {K_px[0, 0]:.0f} px ({arrays['camera_origin']}), "
        f"optical axis at {K_px[0, 2]:.0f}, {K_px[1, 2]:.0f}"
    )
