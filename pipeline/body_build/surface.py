"""Cavities nobody sees, closed: the mouth by a membrane, the eye sockets by an eyeball's bulge.

The mouth bag, the eye sockets and the nipples of the base mesh cost vertices and tear when
skinned. Their vertices are listed in `pipeline/data/interior_vertex_ids.json`: those inside were
found once, as the larger patches of head vertices that no ray from outside reaches.
"""

import json
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float64, Int64

from pipeline.body_build.makehuman import BODY_VERTEX_COUNT, BaseMesh

_IDS = Path(__file__).parent.parent / "data" / "interior_vertex_ids.json"
_EYE_REACH_RADII = 2.0


def skin_and_eye_rows(mesh: BaseMesh) -> Int64[np.ndarray, " r"]:
    """Vertices that the surface is made from: the skin, then both eyeballs."""
    eyes = [mesh.groups[f"helper-{side}-eye"] for side in "lr"]
    return np.concatenate([np.arange(BODY_VERTEX_COUNT), *eyes])


class Surface:
    """Closes the cavities of bodies that share the base mesh's skin."""

    def __init__(self, mesh: BaseMesh) -> None:
        """Prepare the membranes' linear map."""
        ids = json.loads(_IDS.read_text())
        self._sockets = np.array(ids["interior"])
        inner = np.union1d(ids["interior"], ids["nipples"])
        adjacency = _adjacency(mesh.faces)
        laplacian = sp.diags(np.asarray(adjacency.sum(1)).ravel()) - adjacency
        rim = np.setdiff1d(adjacency[inner].indices, inner)
        self._inner, self._rim = inner, rim
        inside, towards_rim = laplacian[inner][:, inner], laplacian[inner][:, rim]
        self._from_rim = -np.linalg.solve(inside.toarray(), towards_rim.toarray())
        sizes = [len(mesh.groups[f"helper-{side}-eye"]) for side in "lr"]
        self._eye_slices = np.split(np.arange(sum(sizes)) + BODY_VERTEX_COUNT, [sizes[0]])

    def closed(self, rows_m: Float64[np.ndarray, "r 3"]) -> Float64[np.ndarray, "v 3"]:
        """The skin of one body with its cavities closed, from `skin_and_eye_rows`."""
        skin = rows_m[:BODY_VERTEX_COUNT].copy()
        # A harmonic membrane: each inner vertex at the mean of its neighbours.
        skin[self._inner] = self._from_rim @ skin[self._rim]
        for rows in self._eye_slices:
            self._bulge(skin, rows_m[rows])
        return skin

    def eye_centre_m(self, rows_m: Float64[np.ndarray, "r 3"]) -> Float64[np.ndarray, "2 3"]:
        """Centres of the left and the right eyeball."""
        return np.stack([rows_m[rows].mean(0) for rows in self._eye_slices])

    def _bulge(self, skin: np.ndarray, eyeball_m: np.ndarray) -> None:
        """Push the membrane over one eye socket out to the eyeball's sphere, in place."""
        centre = eyeball_m.mean(0)
        radius_m = np.linalg.norm(eyeball_m - centre, axis=1).mean()
        ray = skin[self._sockets] - centre
        distance_m = np.linalg.norm(ray, axis=1)
        own = distance_m < _EYE_REACH_RADII * radius_m
        stretch = np.maximum(1.0, radius_m / distance_m[own])[:, None]
        skin[self._sockets[own]] = centre + stretch * ray[own]


def _adjacency(faces: Int64[np.ndarray, "f 3"]) -> sp.csr_matrix:
    """Which vertices share an edge, as a symmetric matrix of ones."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    # Every edge of a closed surface is met once in either direction.
    size = (BODY_VERTEX_COUNT, BODY_VERTEX_COUNT)
    return sp.coo_matrix((np.ones(len(start)), (start, end)), size).tocsr()
