"""The demo: make a film whose truth is known, run the pipeline on it, compare."""

from pathlib import Path

from pipeline.body import load_body
from pipeline.body_file import EMBEDDED
from pipeline.config import load_settings
from pipeline.context import Context
from pipeline.person_file import person_path, read_person
from pipeline.run import run
from pipeline.scenes.film_file import CLIP_NAME, TRUTH_NAME, make_film
from pipeline.scenes.scene import Truth
from pipeline.scenes.scoring import Score, score

__all__ = ["CLIP_NAME", "TRUTH_NAME", "make_film", "run_and_score"]


def run_and_score(folder: Path, truth: Truth, context: Context) -> Score:
    """Run the pipeline with its default settings on the film in `folder` and compare.

    The run is told the film's focal length, as somebody who knows the camera would; nothing else.
    """
    focal_px = float(truth.K_px[0, 0])
    settings = load_settings(overrides=[f"camera.focal_px={focal_px}"])
    report = run(folder / CLIP_NAME, folder, settings, context)
    people = tuple(read_person(person_path(folder, person["id"]))[0] for person in report["people"])
    return score(truth, people, load_body(EMBEDDED))
