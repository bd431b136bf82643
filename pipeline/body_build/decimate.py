"""Half-edge collapse by quadric error (Garland and Heckbert 1997) to an exact vertex count.

A collapse moves one vertex onto a neighbour, so the result keeps a subset of the original
vertices and every per-vertex number carries over. Closed surfaces stay closed and of their genus.
"""

import heapq
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float64, Int64

# Long edges and collapses across different skinning cost extra (m^2 against m^4 of the quadric).
_LENGTH_COST = 2e-7
_LONG_EDGE_M = 0.03
_SKINNING_COST = 1e-6
_MIN_VALENCE = 4
_SLIVER = 0.08
"""Smallest allowed ratio of twice the area to the longest edge's square."""
_MIN_COSINE = 0.4
"""How far a face may turn."""
_GRID_M = 1e-6


def decimate(
    vertices_m: Float64[np.ndarray, "v 3"],
    faces: Int64[np.ndarray, "f 3"],
    weights: Float64[np.ndarray, "v 24"],
    keep: Bool[np.ndarray, " v"],
    count: int,
) -> tuple[Int64[np.ndarray, " count"], Int64[np.ndarray, "g 3"]]:
    """Indices of the vertices that stay (increasing), and the faces between them.

    Vertices marked in `keep` stay in any case.
    """
    # Rounding keeps the order of collapses the same where arithmetic differs in the last bits.
    mesh = _Mesh(np.round(vertices_m / _GRID_M) * _GRID_M, faces, weights, keep)
    mesh.collapse_to(count)
    kept = np.array([v for v, around in enumerate(mesh.faces_of) if around])
    left = np.array([mesh.faces[i] for i in sorted(mesh.faces)])
    return kept, np.searchsorted(kept, left)


class _Mesh:
    """A triangle mesh that loses vertices."""

    def __init__(
        self, vertices_m: np.ndarray, faces: np.ndarray, weights: np.ndarray, keep: np.ndarray
    ) -> None:
        self.points, self.weights, self.keep = vertices_m, weights, keep
        self.homogeneous = np.column_stack([vertices_m, np.ones(len(vertices_m))])
        self.quadrics = _quadrics(vertices_m, faces)
        self.faces = {i: tuple(map(int, face)) for i, face in enumerate(faces)}
        self.faces_of: list[set[int]] = [set() for _ in vertices_m]
        for i, face in self.faces.items():
            for vertex in face:
                self.faces_of[vertex].add(i)
        self.version = [0] * len(vertices_m)

    def collapse_to(self, count: int) -> None:
        """Collapse the cheapest edge again and again."""
        queue = [entry for v in range(len(self.points)) for entry in self._entries(v)]
        heapq.heapify(queue)
        alive = len(self.points)
        while alive > count:
            _, gone, onto, *versions = heapq.heappop(queue)
            if versions != [self.version[gone], self.version[onto]]:
                continue
            if self._allowed(gone, onto):
                self._collapse(gone, onto)
                alive -= 1
                for entry in self._entries(onto):
                    heapq.heappush(queue, entry)
                    heapq.heappush(queue, self._entry(entry[2], onto))

    def _neighbours(self, vertex: int) -> set[int]:
        return {v for i in self.faces_of[vertex] for v in self.faces[i]} - {vertex}

    def _entries(self, gone: int) -> Iterator[tuple[float, int, int, int, int]]:
        return (self._entry(gone, onto) for onto in sorted(self._neighbours(gone)))

    def _entry(self, gone: int, onto: int) -> tuple[float, int, int, int, int]:
        """Queue entry: cost, edge, and the state of both ends for which the cost holds."""
        point = self.homogeneous[onto]
        error = float(point @ (self.quadrics[gone] + self.quadrics[onto]) @ point)
        step = self.points[gone] - self.points[onto]
        square = float(step @ step)
        stretch = 1 + (square / _LONG_EDGE_M**2) ** 2
        difference = float(np.abs(self.weights[gone] - self.weights[onto]).sum())
        cost = error + square * (_LENGTH_COST * stretch + _SKINNING_COST * difference)
        return float(f"{cost:.6e}"), gone, onto, self.version[gone], self.version[onto]

    def _allowed(self, gone: int, onto: int) -> bool:
        """Whether the surface stays a surface, without slivers, folds or sharp vertices."""
        if self.keep[gone]:
            return False
        both = self._neighbours(gone) & self._neighbours(onto)
        if len(both) != 2 or any(len(self._neighbours(v)) < _MIN_VALENCE for v in both):  # noqa: PLR2004
            return False
        moved = sorted(self.faces_of[gone] - self.faces_of[onto])
        before = np.array([self.faces[i] for i in moved])
        after = np.where(before == gone, onto, before)
        return _shapes_stay(self.points[before], self.points[after])

    def _collapse(self, gone: int, onto: int) -> None:
        for i in self.faces_of[gone] & self.faces_of[onto]:
            for vertex in self.faces.pop(i):
                self.faces_of[vertex].discard(i)
        for i in self.faces_of[gone]:
            a, b, c = (onto if v == gone else v for v in self.faces[i])
            self.faces[i] = (a, b, c)
            self.faces_of[onto].add(i)
        self.faces_of[gone] = set()
        self.quadrics[onto] += self.quadrics[gone]
        self.version[gone] += 1
        self.version[onto] += 1


def _quadrics(points: np.ndarray, faces: np.ndarray) -> Float64[np.ndarray, "v 4 4"]:
    """For every vertex the area-weighted sum of its faces' squared plane distances."""
    corners = points[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = np.linalg.norm(normals, axis=1, keepdims=True) + 1e-15
    normals = normals / doubled
    planes = np.column_stack([normals, -(normals * corners[:, 0]).sum(1)])
    per_face = doubled[:, :, None] / 2 * planes[:, :, None] * planes[:, None, :]
    total = np.zeros((len(points), 4, 4))
    for corner in faces.T:
        np.add.at(total, corner, per_face)
    return total


def _shapes_stay(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether the faces (n, 3 corners, 3) keep a sound shape and about their direction."""
    old = np.cross(before[:, 1] - before[:, 0], before[:, 2] - before[:, 0])
    new = np.cross(after[:, 1] - after[:, 0], after[:, 2] - after[:, 0])
    old_size, new_size = np.linalg.norm(old, axis=1), np.linalg.norm(new, axis=1)
    edges = np.linalg.norm(after - np.roll(after, 1, axis=1), axis=2).max(1)
    turned = (old * new).sum(1) < _MIN_COSINE * old_size * new_size
    return not (np.any(new_size < _SLIVER * edges**2) or np.any(turned))
