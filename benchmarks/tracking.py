"""Speed of `sort` on made-up walkers, and its identities on given public detections.

Run: ``python -m benchmarks.tracking``. The sequences are read at ``../shared/data`` if present.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from pipeline.boxes import box_iou
from pipeline.context import Context
from pipeline.types import Bodies, Camera, Detections, Person, Video
from stages.tracking.sort import Backend, Config

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LEAST_IOU = 0.3
"""The true boxes of PETS are narrow and half a frame early, so not 0.5."""
CAMERA = Camera(np.diag([1000.0, 1000.0, 1.0]), "assumed")


@dataclass(frozen=True)
class Count:
    """What became of the true people's boxes."""

    people: int
    true_people: int
    switches: int
    recall: float
    precision: float


def main() -> None:
    """Print both tables."""
    console = Console()
    table = Table("people", "frames", "landmarks", "s", "frames/s", "ids", title="Speed of sort")
    for people, frames, landmarks in ((1, 1000, 33), (30, 1000, 0), (30, 1000, 33), (200, 60, 33)):
        video, detections = walkers(people, frames, landmarks)
        seconds, found = timed(video, detections)
        rate = f"{frames / seconds:.0f}"
        row = (people, frames, landmarks, f"{seconds:.2f}", rate, len(found))
        table.add_row(*map(str, row))
    console.print(table)
    table = Table("sequence", "ids", "true", "switches", "recall", "precision", title="Identities")
    for name, det, truth, fps, last in (
        ("pets09_s2l1", "det.txt", "gt_001_219.txt", 7.0, 219),
        ("tud_campus", "det.txt", "gt.txt", 25.0, 71),
    ):
        folder = DATA / name
        if not folder.is_dir():
            console.print(f"{name}: skipped, there is no {folder}")
            continue
        video, detections = from_mot(folder / det, fps, last)
        count = compare(timed(video, detections)[1], read_mot(folder / truth))
        numbers = map(str, (count.people, count.true_people, count.switches))
        table.add_row(name, *numbers, f"{count.recall:.3f}", f"{count.precision:.3f}")
    console.print(table)


def timed(video: Video, detections: Detections) -> tuple[float, tuple[Person, ...]]:
    """Seconds and people of one run with standing bodies."""
    bodies = Bodies(
        np.zeros((len(detections), 24, 3), np.float32),
        np.zeros((len(detections), 10), np.float32),
        np.full((len(detections), 3), 5, np.float32),
    )
    start = time.perf_counter()
    people = Backend(Config(), Context())(video, detections, bodies, CAMERA)
    return time.perf_counter() - start, people


def video_of(frames: int, fps: float) -> Video:
    """A video's facts without a video."""
    return Video(Path("none"), 1920, 1080, 0, np.arange(frames) / fps, 0, False, "none")


def walkers(people: int, frames: int, landmarks: int) -> tuple[Video, Detections]:
    """People who walk to and fro across a wide picture, with noise and misses; 30 fps."""
    rng = np.random.default_rng(0)
    video = video_of(frames, 30.0)
    height = rng.uniform(150, 300, people)
    speed = rng.uniform(-0.7, 0.7, people) * height
    start = rng.uniform(0, 400 * people, people)
    x = start + speed * video.time_s[:, None] + rng.normal(size=(frames, people)) * 2
    y = rng.uniform(300, 800, people) + rng.normal(size=(frames, people)) * 2
    half = np.stack([0.2 * height, 0.5 * height], -1)
    centre = np.stack([x, y], -1)
    boxes = np.concatenate([centre - half, centre + half], -1)
    seen = rng.random((frames, people)) < 0.95
    frame = np.nonzero(seen)[0].astype(np.int32)
    points = None
    if landmarks:
        place = centre[:, :, None] + rng.uniform(-1, 1, (people, landmarks, 2)) * half[:, None]
        points = np.concatenate([place, np.ones_like(place[..., :1])], -1)[seen].astype(np.float32)
    score = np.full(len(frame), 0.9, np.float32)
    skeleton = "blazepose33" if landmarks else None
    return video, Detections(frame, boxes[seen].astype(np.float32), score, skeleton, points)


def read_mot(path: Path) -> np.ndarray:
    """(n, 7): frame from 0, id, left, top, right, bottom, score."""
    rows = np.loadtxt(path, delimiter=",")
    box = rows[:, 2:6]
    corners = np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1)
    return np.column_stack([rows[:, 0] - 1, rows[:, 1], corners, rows[:, 6]])


def from_mot(path: Path, fps: float, last: int) -> tuple[Video, Detections]:
    """The first `last` frames of a MOT file of detections."""
    rows = read_mot(path)
    rows = rows[rows[:, 0] < last]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    score = np.clip(rows[:, 6], 0, 1).astype(np.float32)
    frame = rows[:, 0].astype(np.int32)
    return video_of(last, fps), Detections(frame, rows[:, 2:6].astype(np.float32), score)


def compare(people: tuple[Person, ...], truth: np.ndarray) -> Count:
    """Match boxes frame by frame, first those that matched before, as CLEAR MOT does."""
    last_id: dict[int, int] = {}
    switches = matched = drawn = 0
    for frame in np.unique(truth[:, 0]).astype(int):
        true = truth[truth[:, 0] == frame]
        here = [(p.id, p.boxes_xyxy_px[p.frame_index == frame]) for p in people]
        here = [(number, box[0]) for number, box in here if len(box) and np.isfinite(box).all()]
        drawn += len(here)
        if not here:
            continue
        overlap = box_iou(true[:, 2:6], np.stack([box for _, box in here]).astype(float))
        before = np.array([last_id.get(int(who), 0) for who in true[:, 1]])
        held = before[:, None] == np.array([number for number, _ in here])
        worth = np.where(overlap >= LEAST_IOU, overlap + held, 0.0)
        for a, b in zip(*linear_sum_assignment(-worth), strict=True):
            if overlap[a, b] < LEAST_IOU:
                continue
            matched += 1
            who, number = int(true[a, 1]), here[b][0]
            switches += last_id.get(who, number) != number
            last_id[who] = number
    true_people = len(np.unique(truth[:, 1]))
    recall, precision = matched / len(truth), matched / max(drawn, 1)
    return Count(len(people), true_people, switches, recall, precision)


if __name__ == "__main__":
    main()
