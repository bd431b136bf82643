"""An encoder's vectors as looks: few numbers that tell this video's people apart.

The evidence for and against two being one is written for numbers by which people differ by a known
amount. So the vectors are laid along the directions in which they vary most in this video, in units
by which those who are seen at the same time, and so are surely two, differ as people usually do.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float32, Int

from pipeline.blocks import blocks
from stages.tracking.phalp.looks import BETWEEN

SIZE = 15
MOST_SAMPLED = 800
"""Vectors from which the directions are told."""
MOST_FRAMES = 400
"""Frames from which it is told how far people are apart."""
BLOCK = 4096
LEAST_PAIRS = 5
USUAL_DISTANCE = 50.0
"""Where nobody is seen beside another: the distance at which PHALP's published cost has doubled."""


def looks_from_embeddings(
    embeddings: Float[np.ndarray, "n d"], frame_index: Int[np.ndarray, " n"]
) -> Float32[np.ndarray, "n 15"]:
    """Looks of all detections of a video; NaN where there is no vector.

    Args:
        embeddings: NaN in rows without.
        frame_index: of the detections.
    """
    found = np.full((len(embeddings), SIZE), np.nan, np.float32)
    known = np.flatnonzero(np.isfinite(embeddings[:, 0]))
    if not len(known):
        return found
    sample = known[np.linspace(0, len(known) - 1, min(len(known), MOST_SAMPLED)).astype(int)]
    vectors = embeddings[sample].astype(np.float64)
    centre = vectors.mean(axis=0)
    directions = _main_directions(vectors - centre)
    for some in blocks(len(known), BLOCK):
        rows = known[some]
        along = (embeddings[rows].astype(np.float64) - centre) @ directions
        found[rows, : directions.shape[1]] = along
        found[rows, directions.shape[1] :] = 0.0
    apart = _distance_of_two(found[known], frame_index[known])
    return np.asarray(found * np.float32(np.sqrt(2 * SIZE) * BETWEEN.mean() / apart))


def _main_directions(vectors: np.ndarray) -> np.ndarray:
    """(d, at most 15) unit vectors, by the products of the samples, of which there are fewer."""
    values, weights = np.linalg.eigh(vectors @ vectors.T)
    largest = np.argsort(values)[::-1][:SIZE]
    largest = largest[values[largest] > 1e-9 * max(values.max(), 1e-30)]
    return np.asarray(vectors.T @ weights[:, largest] / np.sqrt(values[largest]))


def _distance_of_two(looks: np.ndarray, frame_index: np.ndarray) -> float:
    """Median distance of those who are in one frame."""
    order = np.argsort(frame_index, kind="stable")
    bounds = np.flatnonzero(np.diff(frame_index[order], prepend=-1, append=-1))
    spans = [span for span in pairwise(bounds.tolist()) if span[1] - span[0] > 1]
    some = np.linspace(0, len(spans) - 1, min(len(spans), MOST_FRAMES)).astype(int)
    distances = [np.zeros(0)]
    for start, stop in (spans[number] for number in some):
        here = looks[order[start:stop]].astype(np.float64)
        gap = np.linalg.norm(here[:, None] - here[None], axis=-1)
        distances.append(gap[np.triu_indices(len(here), 1)])
    every = np.concatenate(distances)
    if len(every) < LEAST_PAIRS or not np.median(every) > 0:
        return USUAL_DISTANCE
    return float(np.median(every))
