"""Which face lies on the other side of each edge: needed to find outlines."""

import numpy as np
from jaxtyping import Int32


def face_neighbours(faces: Int32[np.ndarray, "f 3"]) -> Int32[np.ndarray, "f 3"]:
    """The face that shares edge (k, k+1) of each face, running the other way; -1 where none."""
    if len(faces) == 0:
        return faces.astype(np.int32)
    start = faces.astype(np.int64)
    end = np.roll(start, -1, axis=1)
    stride = int(faces.max()) + 1
    key, wanted = (start * stride + end).ravel(), (end * stride + start).ravel()
    order = np.argsort(key, kind="stable")
    place = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
    match = order[place]
    found = np.where(key[match] == wanted, match // 3, -1)
    return found.reshape(faces.shape).astype(np.int32)
