"""How many people the `blazepose` backend finds, how many of its findings are people, how fast.

Run as ``python -m benchmarks.detection [--data DIR]``. Recall and precision are counted at IoU 0.5:

* `bonn_posetrack`: the truth is the box of a person's annotated keypoints (hidden ones too), grown
  by 20 % (10 % on each side). A person counts as visible when at least 4 keypoints are visible;
  the stricter half of the keypoints is printed beside it. A finding that matches a person who is
  not visible counts neither way. Nobody else is in the footage.
* COCO stills: the annotated person boxes; each picture is a batch of one frame.

Speed is the stage's time over the time of one landmark inference for every person found, both on
the same machine in the same run.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from pipeline import weights
from pipeline.boxes import box_iou
from pipeline.context import Context
from pipeline.frame import Frame
from pipeline.types import Detections
from pipeline.video import open_video, read_frames
from stages.detection.blazepose import Backend, Config
from stages.detection.blazepose.landmarks import SIDE_PX, LandmarkNetwork

BATCH_FRAMES = 20
MATCHED_IOU = 0.5
MIN_VISIBLE = 4
SPEED_FRAMES = 120


@dataclass
class Count:
    """Hits and misses over several frames."""

    visible: int = 0
    hits: int = 0
    findings: int = 0

    def add(self, truth_xyxy: np.ndarray, visible: np.ndarray, found_xyxy: np.ndarray) -> None:
        """Match one frame's findings to its people."""
        iou = box_iou(truth_xyxy, found_xyxy)
        rows, columns = linear_sum_assignment(-iou)
        matched = rows[iou[rows, columns] >= MATCHED_IOU]
        self.visible += int(visible.sum())
        self.hits += int(visible[matched].sum())
        self.findings += len(found_xyxy) - int((~visible[matched]).sum())

    def __str__(self) -> str:
        recall, precision = self.hits / max(1, self.visible), self.hits / max(1, self.findings)
        return (
            f"recall {100 * recall:.1f} % of {self.visible}, "
            f"precision {100 * precision:.1f} % of {self.findings}"
        )


def detect(backend: Backend, frames: Sequence[Frame]) -> list[Detections]:
    """The stage's results over a whole clip, batch by batch."""
    backend.restart()
    return [
        backend(frames[start : start + BATCH_FRAMES])
        for start in range(0, len(frames), BATCH_FRAMES)
    ]


def boxes_of(results: Sequence[Detections], frame_index: int) -> np.ndarray:
    """Boxes found in one frame, (n, 4)."""
    return np.concatenate([r.boxes_xyxy_px[r.frame_index == frame_index] for r in results])


def bonn(backend: Backend, folder: Path) -> None:
    """Recall and precision with people hiding each other."""
    truth = json.loads((folder / "gt_060470979.json").read_text())["frames"]
    frames = list(read_frames(open_video(folder / "060470979.mp4")))
    results = detect(backend, frames)
    counts = {"4 keypoints visible": Count(), "half of them visible": Count()}
    for frame, annotated in zip(frames, truth, strict=True):
        people = [keypoints_of(person) for person in annotated["people"]]
        boxes = np.array([grown_box(points) for points in people]).reshape(-1, 4)
        seen = np.array([(points[:, 2] > 0).sum() for points in people])
        half = np.array([len(points) / 2 for points in people])
        found = boxes_of(results, frame.index)
        counts["4 keypoints visible"].add(boxes, seen >= MIN_VISIBLE, found)
        counts["half of them visible"].add(boxes, seen >= half, found)
    for name, count in counts.items():
        print(f"bonn_posetrack, {name}: {count}")


def keypoints_of(person: dict[str, Any]) -> np.ndarray:
    """Annotated keypoints (k, 3): x, y as continuous pixels (the file counts from 1), visible."""
    rows = [row for row in person["keypoints"] if row[0] is not None]
    return np.array(rows, float) - (0.5, 0.5, 0)


def grown_box(points: np.ndarray) -> np.ndarray:
    """Box of the keypoints, 20 % wider and higher."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    margin = 0.1 * (high - low)
    return np.concatenate([low - margin, high + margin])


def stills(backend: Backend, folder: Path) -> None:
    """Recall and precision on photographs."""
    truth = json.loads((folder / "people.json").read_text())
    count = Count()
    for image in truth["images"]:
        bgr = cv2.imread(str(folder / image["file_name"]))
        assert bgr is not None, image["file_name"]
        picture = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(bgr[..., ::-1].astype(np.uint8)), format="rgb24"
        )
        people = [
            person["bbox"]
            for person in truth["annotations"]
            if person["image_id"] == image["id"] and not person.get("iscrowd")
        ]
        boxes = np.array(people, float).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        results = detect(backend, [Frame(0, 0.0, picture)])
        count.add(boxes, np.ones(len(boxes), bool), boxes_of(results, 0))
    print(f"COCO stills: {count}")


def speed(backend: Backend, clip: Path) -> None:
    """The stage against the landmark network alone."""
    frames = list(islice(read_frames(open_video(clip)), SPEED_FRAMES))
    network = LandmarkNetwork(weights.path("blazepose-landmarks"))
    for frame in frames:
        _ = frame.rgb
    picture = np.full((SIDE_PX, SIDE_PX, 3), 0.5, np.float32)
    network.infer([picture])
    start = time.perf_counter()
    results = detect(backend, frames)
    stage_ms = 1e3 * (time.perf_counter() - start) / len(frames)
    people = sum(map(len, results)) / len(frames)
    start = time.perf_counter()
    for _ in frames:
        network.infer([picture])
    alone_ms = 1e3 * (time.perf_counter() - start) / len(frames)
    print(
        f"{clip.name}: {people:.2f} people a frame, {stage_ms:.1f} ms a frame; one landmark "
        f"inference {alone_ms:.1f} ms; ratio {stage_ms / max(1e-9, alone_ms * people):.2f}"
    )


def main() -> None:
    """Print everything that the data folder allows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    data: Path = parser.parse_args().data
    backend = Backend(Config(), Context())
    parts = (
        (bonn, data / "bonn_posetrack"),
        (stills, data / "images" / "coco"),
        (speed, data / "videos" / "phalp_vid_run.mp4"),
    )
    for measure, place in parts:
        if place.exists():
            measure(backend, place)
        else:
            print(f"{place}: not there, left out")


if __name__ == "__main__":
    main()
