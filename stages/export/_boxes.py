"""Where a person is in the picture: the detector's box, or that of the body where there is none."""

import numpy as np
from jaxtyping import Bool, Float32

from pipeline.camera import project
from pipeline.take import Take
from pipeline.types import Person

EVERY_VERTEX = 8


def boxes_xyxy_px(
    take: Take, person: Person
) -> tuple[Float32[np.ndarray, "t 4"], Bool[np.ndarray, " t"]]:
    """Boxes of all frames, and which of them are the detector's; the others span the body."""
    detected = np.isfinite(person.boxes_xyxy_px).all(axis=1)
    boxes = person.boxes_xyxy_px.copy()
    for row in np.flatnonzero(~detected):
        posed = take.posed(person, slice(row, row + 1))
        vertices_m = posed.vertices()[0, ::EVERY_VERTEX].numpy() - np.array(take.shift_m)
        seen_px = project(vertices_m @ take.from_camera, take.camera.K_px)
        boxes[row] = (*seen_px.min(axis=0), *seen_px.max(axis=0))
    return boxes, detected
