"""From the numbers that the network gives for one picture to the people in it."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from stages.detection.yolo.letterbox import Letterbox
from stages.detection.yolo.nms import non_maximum_suppression

BOX = 4


@dataclass(frozen=True)
class HeadFacts:
    """How the numbers of a network are to be read."""

    class_count: int
    person_classes: tuple[int, ...]
    keypoint_shape: tuple[int, int] | None
    """17 and 2 (x, y) or 3 (visibility too); None without keypoints."""
    is_end_to_end: bool
    """Its boxes are final: left, top, right, bottom, score, class, keypoints, a row for each.
    Else there is a column for each anchor: centre, size, score of every class, keypoints."""


@dataclass(frozen=True)
class FramePeople:
    """The people of one picture, the surest first."""

    boxes_xyxy_px: Float32[np.ndarray, "n 4"]
    score: Float32[np.ndarray, " n"]
    keypoints_px: Float32[np.ndarray, "n k 3"] | None
    """x, y, visibility."""

    def __len__(self) -> int:
        return len(self.score)

    def __getitem__(self, rows: np.ndarray) -> "FramePeople":
        keypoints = None if self.keypoints_px is None else self.keypoints_px[rows]
        return FramePeople(self.boxes_xyxy_px[rows], self.score[rows], keypoints)

    def in_frame(self, letterbox: Letterbox) -> "FramePeople":
        """The same in pixels of the frame: boxes cut at its edge, those outside left out.

        Keypoints stay where they are, beyond the edge too.
        """
        corners = letterbox.to_frame(self.boxes_xyxy_px.reshape(-1, 2, 2))
        boxes = np.clip(corners, 0, np.array(letterbox.frame_wh_px, np.float32)).reshape(-1, 4)
        keypoints = self.keypoints_px
        if keypoints is not None:
            places = letterbox.to_frame(keypoints[..., :2])
            keypoints = np.concatenate([places, keypoints[..., 2:]], axis=-1)
        has_area = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return FramePeople(boxes, self.score, keypoints)[has_area]


def candidates(raw: Tensor, facts: HeadFacts, min_score: float) -> FramePeople:
    """What may be a person: its likeliest class is a person's, with a sufficient score.

    Args:
        raw: (4 + classes + keypoints, anchors), or (boxes, 6 + keypoints) of an end-to-end head.
        facts: how to read it.
        min_score: least score.
    """
    persons = torch.tensor(facts.person_classes, device=raw.device)
    if facts.is_end_to_end:
        rows = raw[(raw[:, 4] >= min_score) & torch.isin(raw[:, 5].long(), persons)]
        rows = rows.float().cpu()
        return FramePeople(rows[:, :BOX].numpy(), rows[:, BOX].numpy(), _keypoints(rows, 6, facts))
    end = BOX + facts.class_count
    score, kind = raw[BOX:end].max(dim=0)
    columns = (score >= min_score) & torch.isin(kind, persons)
    rows = raw[:, columns].T.float().cpu()
    centre, half = rows[:, :2], rows[:, 2:BOX] / 2
    boxes = torch.cat([centre - half, centre + half], dim=1)
    return FramePeople(
        boxes.numpy(), score[columns].float().cpu().numpy(), _keypoints(rows, end, facts)
    )


def _keypoints(rows: Tensor, start: int, facts: HeadFacts) -> np.ndarray | None:
    """(n, k, 3); points that come without visibility count as visible."""
    if facts.keypoint_shape is None:
        return None
    count, numbers = facts.keypoint_shape
    points = rows[:, start : start + count * numbers].reshape(-1, count, numbers).numpy()
    if numbers == 2:  # noqa: PLR2004
        points = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
    return points


def people_in(
    raw: Tensor, facts: HeadFacts, min_score: float, largest_iou: float, most: int
) -> FramePeople:
    """The people in one picture, in its own pixels."""
    found = candidates(raw, facts, min_score)
    if facts.is_end_to_end:
        return found[np.argsort(-found.score, kind="stable")[:most]]
    return found[non_maximum_suppression(found.boxes_xyxy_px, found.score, largest_iou, most)]
