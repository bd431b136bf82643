"""Speed and memory of the trackers on made-up walkers, and identities on public detections.

Run: ``python -m benchmarks.tracking``. The sequences are read at ``../shared/data`` if present.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from pipeline import backends
from pipeline.boxes import box_iou
from pipeline.context import Context
from pipeline.types import Bodies, Camera, Detections, Person, Video
from stages.tracking.phalp.frames import Frames
from stages.tracking.phalp.looks import look_of
from stages.tracking.phalp.online import OnlineSettings, OnlineTracks, Seen
from stages.tracking.phalp.online_flow import state_of

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


LOOKS = 28
SEEN, ALIVE, SETTLED = 10, 50, 30
"""People who are seen, live tracks beside them, and the frame from which that is so."""


def main() -> None:
    """Print the tables."""
    console = Console()
    table = Table("tracker", "people", "frames", "s", "ms/frame", "ids", title="Whole videos")
    for people, frames in ((10, 1000), (30, 10_000), (200, 60)):
        video, detections = walkers(people, frames, 33)
        for name, options in TRACKERS:
            seconds, found = timed(video, detections, name, options)
            rate = f"{1e3 * seconds / frames:.2f}"
            told = name + "".join(f", {key}={value}" for key, value in options.items())
            table.add_row(told, *map(str, (people, frames, f"{seconds:.2f}", rate, len(found))))
    console.print(table)
    console.print(live_tracks())
    console.print(identity_table(console))


TRACKERS: tuple[tuple[str, dict[str, object]], ...] = (
    ("phalp", {}),
    ("phalp", {"offline": False}),
    ("bytetrack", {}),
    ("sort", {}),
)


def live_tracks() -> Table:
    """Ten people who are seen and fifty who are waited for: time of a frame, memory of a track."""
    table = Table("live tracks", "seen", "ms/frame", "bytes/track", title="phalp, frame by frame")
    for waited_for in (0, ALIVE, 4 * ALIVE):
        video, detections = walkers(SEEN + waited_for, 330, 33, staying=SEEN)
        looks = np.asarray(bodies_of(detections).appearance, np.float64)
        tracks, spent = OnlineTracks(OnlineSettings(0.4, 1e9, 0.2, 0.7, 0.1)), []
        for one in Frames(video, detections, np.arange(len(detections)), 0.8):
            index = one.found.index
            facing = np.tile(np.eye(3), (len(index), 1, 1))
            start = time.perf_counter()
            tracks.step(Seen(one.found, look_of(looks[index]), facing), one.time_s, one.frame)
            spent.append(time.perf_counter() - start)
        alive, mean_s = len(tracks.who), float(np.mean(spent[SETTLED:]))
        each = state_bytes(tracks) / alive
        table.add_row(str(alive), str(SEEN), f"{1e3 * mean_s:.2f}", f"{each:.0f}")
    return table


def state_bytes(tracks: OnlineTracks) -> int:
    """Of the arrays that hold what is known of live tracks; the sightings come on top."""
    return sum(array.nbytes for array in state_of(tracks).values())


def identity_table(console: Console) -> Table:
    """Public detections, counted simply; `humans4d bench tracking` has the published metrics."""
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
        count = compare(timed(video, detections, "phalp", {})[1], read_mot(folder / truth))
        numbers = map(str, (count.people, count.true_people, count.switches))
        table.add_row(name, *numbers, f"{count.recall:.3f}", f"{count.precision:.3f}")
    return table


def timed(
    video: Video, detections: Detections, backend: str, options: dict[str, object]
) -> tuple[float, tuple[Person, ...]]:
    """Seconds and people of one run with standing bodies, looks where there are landmarks."""
    config = backends.make_config("tracking", backend, options)
    tracker = backends.make("tracking", backend, config, Context())
    bodies = bodies_of(detections)
    start = time.perf_counter()
    people: tuple[Person, ...] = tracker(video, detections, bodies, CAMERA)
    return time.perf_counter() - start, people


def bodies_of(detections: Detections) -> Bodies:
    """Bodies that turn a little, so that they count as such; looks by the place of the start."""
    count = len(detections)
    rng = np.random.default_rng(1)
    pose = rng.normal(size=(count, 24, 3)).astype(np.float32) * np.float32(0.02)
    looks = None
    if detections.landmarks_px is not None:
        clothes = rng.uniform(20, 80, (1000, LOOKS))
        height = detections.boxes_xyxy_px[:, 3] - detections.boxes_xyxy_px[:, 1]
        looks = clothes[(height * 7).astype(int) % 1000] + rng.normal(size=(count, LOOKS)) * 3
    return Bodies(
        pose,
        np.zeros((count, 10), np.float32),
        np.full((count, 3), 5, np.float32),
        None if looks is None else looks.astype(np.float32),
    )


def video_of(frames: int, fps: float) -> Video:
    """A video's facts without a video."""
    return Video(Path("none"), 1920, 1080, 0, np.arange(frames) / fps, 0, False, "none")


def walkers(
    people: int, frames: int, landmarks: int, staying: int | None = None
) -> tuple[Video, Detections]:
    """People who walk across a wide picture, with noise and misses; 30 fps.

    After the first second only those `staying` are seen.
    """
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
    seen[SETTLED:, people if staying is None else staying :] = False
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
