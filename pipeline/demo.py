"""The demo: make a film whose truth is known, run the pipeline on it, compare."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.body import load_body
from pipeline.body_file import EMBEDDED
from pipeline.config import load_settings
from pipeline.context import Context
from pipeline.overlap import prefetch
from pipeline.person_file import person_path, read_person
from pipeline.run import run
from pipeline.scenes.drawing import Picture, film
from pipeline.scenes.scene import Scene, Truth, truth_of, write_truth
from pipeline.scenes.scoring import Score, score
from pipeline.scenes.video import write_film

CLIP_NAME, TRUTH_NAME = "clip.mp4", "truth.npz"
PICTURES_AHEAD = 8


def make_film(scene: Scene, folder: Path, context: Context) -> Truth:
    """Draw the scene into `clip.mp4` and write its truth beside it.

    Raises:
        OutputError: the folder cannot be written.
    """
    boxes, shares = [], []

    def measured(pictures: Iterator[Picture]) -> Iterator[np.ndarray]:
        with context.progress("Filming", len(scene)) as advance:
            for picture in pictures:
                boxes.append(picture.boxes_xyxy_px)
                shares.append(picture.seen_share)
                yield picture.rgb
                advance(1)

    with prefetch(film(scene), PICTURES_AHEAD) as ahead:
        write_film(folder / CLIP_NAME, measured(ahead), scene.fps)
    truth = truth_of(scene, np.stack(boxes, axis=1), np.stack(shares, axis=1))
    write_truth(folder / TRUTH_NAME, truth)
    return truth


def run_and_score(folder: Path, truth: Truth, context: Context) -> Score:
    """Run the pipeline with its default settings on the film in `folder` and compare.

    The run is told the film's focal length, as somebody who knows the camera would; nothing else.
    """
    focal_px = float(truth.K_px[0, 0])
    settings = load_settings(overrides=[f"camera.focal_px={focal_px}"])
    report = run(folder / CLIP_NAME, folder, settings, context)
    people = tuple(read_person(person_path(folder, person["id"]))[0] for person in report["people"])
    return score(truth, people, load_body(EMBEDDED))
