"""Made-up people whose every joint and vertex is known, by formulas written out here in NumPy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import storage
from pipeline.body import load_body
from pipeline.body_file import EMBEDDED_PATH
from pipeline.person_file import write_people
from pipeline.quality import person_summary
from pipeline.result import ResultFolder
from pipeline.types import Camera, Person, Status, Video

FRAMES, FPS, FIRST_FRAME = 14, 30.0, 15
CAMERA = Camera(np.array([[900.0, 0, 650], [0, 890, 350], [0, 0, 1]]), "given")
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)


@dataclass(frozen=True)
class Truth:
    """One person, all frames from first to last sighting, in the camera (OpenCV's axes)."""

    person: Person
    joints_m: np.ndarray
    """(t, 24, 3)"""
    rotmat: np.ndarray
    """(t, 24, 3, 3): turns the resting body's axes into the camera's, joint by joint."""
    vertices_m: np.ndarray
    """(t, v, 3)"""


def made_up_video() -> Video:
    """A video that does not begin at its file's first frame."""
    time_s = (FIRST_FRAME + np.arange(FRAMES)) / FPS
    return Video(Path("made_up.mp4"), 1280, 720, FIRST_FRAME, time_s, 0, False, "h264")


def made_up_people() -> tuple[Person, ...]:
    """Two of different build who bend every joint; the second comes late, and is lost a while."""
    return _person(1, slice(0, 14), ()), _person(2, slice(3, 13), (4, 5))


def first_frame_of(person_id: int) -> int:
    """Source frame in which somebody is first seen."""
    return next(int(p.frame_index[0]) for p in made_up_people() if p.id == person_id)


def write_made_up_result(path: Path, people: tuple[Person, ...] | None = None) -> ResultFolder:
    """A result folder as a run leaves it, without pictures."""
    people = made_up_people() if people is None else people
    folder, video = ResultFolder(path), made_up_video()
    files = write_people(path, people, CAMERA, load_body(), Path("made_up.mp4"))
    storage.write_noun(folder.stage_path("video"), storage.video_arrays(video), "made up")
    listed = [person_summary(person, folder, CAMERA, load_body()) for person in people]
    made = {"fingerprint": "made up", "files": folder.sizes(files), "seconds": 0.0}
    made |= {"reused": False, "events": []}
    folder.write_report(
        {
            "status": "complete",
            "settings": {"body": {"model": "embedded"}},
            "licences": {"verdict": "made up", "used": []},
            "video": {
                "path": "made_up.mp4",
                "width_px": video.width_px,
                "height_px": video.height_px,
                "first_frame": video.first_frame,
                "frame_count": video.frame_count,
                "fps": video.fps,
                "duration_s": float(video.time_s[-1] - video.time_s[0]),
                "has_audio": False,
                "codec": video.codec,
            },
            "camera": {"K_px": CAMERA.K_px.tolist(), "origin": CAMERA.origin},
            "people": listed,
            "events": [],
            "made": {"people": made},
        }
    )
    return folder


def truths() -> dict[int, Truth]:
    """What every format should say, by id; frames without a body filled by slerp."""
    return {person.id: truth_of(person) for person in made_up_people()}


def truth_of(person: Person) -> Truth:
    """Forward kinematics and linear blend skinning of the embedded body."""
    with np.load(EMBEDDED_PATH) as file:
        body = {key: file[key].astype(np.float64) for key in file.files if key != "f"}
    betas = person.betas.astype(np.float64)
    rest_m = body["v_template"] + body["shapedirs"][..., :10] @ betas
    joints_rest_m = body["J_regressor"] @ rest_m
    pose, place_m = _without_gaps(person)
    turns, joints_m = forward_kinematics(joints_rest_m, rotmats(pose))
    joints_m = joints_m + place_m[:, None]
    arms_m = rest_m[None] - joints_rest_m[:, None]
    vertices_m = np.stack(
        [
            np.einsum("vj,jvc->vc", body["weights"], arms_m @ turn.swapaxes(1, 2) + at[:, None])
            for turn, at in zip(turns, joints_m, strict=True)
        ]
    )
    return Truth(person, joints_m, turns, vertices_m)


def forward_kinematics(rest_m: np.ndarray, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World rotations (t, 24, 3, 3) and places (t, 24, 3); the root stays where it rests."""
    turns, places = [local[:, 0]], [np.broadcast_to(rest_m[0], (len(local), 3))]
    for joint, parent in list(enumerate(PARENTS))[1:]:
        turns.append(turns[parent] @ local[:, joint])
        places.append(places[parent] + turns[parent] @ (rest_m[joint] - rest_m[parent]))
    return np.stack(turns, 1), np.stack(places, 1)


def rotmats(rotvec: np.ndarray) -> np.ndarray:
    """Rodrigues' formula."""
    angle = np.linalg.norm(rotvec, axis=-1, keepdims=True)
    x, y, z = np.moveaxis(rotvec / np.maximum(angle, 1e-12), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    angle = angle[..., None]
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def in_axes(points: np.ndarray, up: str) -> np.ndarray:
    """The camera's points in axes with that up."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([x, -y, -z] if up == "y" else [x, z, -y], -1)


def rotmats_in_axes(rotmat: np.ndarray, up: str, upright_rest: bool) -> np.ndarray:
    """The same for rotations; `upright_rest`: the file's resting body stands along its up axis."""
    turned = np.moveaxis(in_axes(np.moveaxis(rotmat, -2, -1), up), -1, -2)
    if up == "z" and upright_rest:
        back = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
        return turned @ back
    return turned


def _person(person_id: int, frames: slice, missing: tuple[int, ...]) -> Person:
    rng = np.random.default_rng(person_id)
    index = np.arange(FIRST_FRAME, FIRST_FRAME + FRAMES, dtype=np.int32)[frames]
    time_s = index / FPS
    phase = rng.uniform(0, 6, (24, 3))
    pose = rng.uniform(0.1, 0.7, (24, 3)) * np.sin(4 * time_s[:, None, None] + phase)
    pose[:, 0] = (np.pi - 0.2, 0.3, 0.2) + pose[:, 0]
    status = np.full(len(index), Status.OBSERVED, np.uint8)
    status[list(missing)] = Status.MISSING
    seen = status == Status.OBSERVED
    boxes = np.stack([100 + 9 * index, 50 + index, 300 + 9 * index, 600 + index], -1)
    keypoints = rng.uniform(50, 700, (len(index), 33, 3))
    keypoints[..., 2] = rng.uniform(0, 1, (len(index), 33))
    place_m = np.stack([np.sin(time_s), 0.3 + 0.1 * time_s, 4 + time_s], -1)
    place_m[:, 0] += person_id
    pose[~seen], place_m[~seen] = 0.1, 9.0
    return Person(
        id=person_id,
        frame_index=index,
        time_s=time_s,
        status=status,
        confidence=np.where(seen, 0.75, 0.0).astype(np.float32),
        pose_rotvec=pose.astype(np.float32),
        betas=rng.normal(size=10).astype(np.float32),
        t_camera_m=place_m.astype(np.float32),
        boxes_xyxy_px=np.where(seen[:, None], boxes, np.nan).astype(np.float32),
        skeleton="blazepose33",
        keypoints_px=np.where(seen[:, None, None], keypoints, np.nan).astype(np.float32),
    )


def _without_gaps(person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Pose and place with missing frames on the shortest arc between their neighbours."""
    pose, place_m = person.pose_rotvec.astype(np.float64), person.t_camera_m.astype(np.float64)
    known = np.flatnonzero(person.status != Status.MISSING)
    for row in np.flatnonzero(person.status == Status.MISSING):
        a, b = known[known < row].max(), known[known > row].min()
        share = (person.time_s[row] - person.time_s[a]) / (person.time_s[b] - person.time_s[a])
        place_m[row] = (1 - share) * place_m[a] + share * place_m[b]
        start, end = rotmats(pose[a]), rotmats(pose[b])
        step = _rotvec(start.swapaxes(1, 2) @ end)
        pose[row] = _rotvec(start @ rotmats(share * step))
    return pose, place_m


def _rotvec(rotmat: np.ndarray) -> np.ndarray:
    """Logarithm of rotations by less than half a turn."""
    cosine = (np.trace(rotmat, axis1=-2, axis2=-1) - 1) / 2
    angle = np.arccos(np.clip(cosine, -1, 1))[..., None]
    skew = np.stack(
        [
            rotmat[..., 2, 1] - rotmat[..., 1, 2],
            rotmat[..., 0, 2] - rotmat[..., 2, 0],
            rotmat[..., 1, 0] - rotmat[..., 0, 1],
        ],
        -1,
    )
    return np.where(angle < 1e-9, skew / 2, skew * angle / (2 * np.maximum(np.sin(angle), 1e-12)))
