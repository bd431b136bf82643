"""Run configurations on a clip through `pipeline.run`, each in its own folder."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from pipeline.bench.configurations import Configuration
from pipeline.body import BodyModel
from pipeline.context import Context, ProgressFactory
from pipeline.device import choose_device
from pipeline.result import ResultFolder
from pipeline.run import run
from pipeline.storage import noun_from, people_from, read_npz, video_from
from pipeline.types import Detections, Person

COUNTED = ("perception", "tracking", "refinement", "smoothing", "people")
"""Stages whose seconds make up the time of a run; the overlay is for the eye."""


@dataclass(frozen=True)
class BenchRun:
    """What a configuration made of a clip."""

    configuration: str
    people: tuple[Person, ...]
    """As they are written for the user; landmarks too, where the detector gives any."""
    tracked: tuple[Person, ...]
    """Before refinement and smoothing."""
    detections: Detections
    time_s: Float64[np.ndarray, " f"]
    """Of the clip's frames, the first at 0."""
    seconds: float
    body: BodyModel

    @property
    def frames_per_s(self) -> float:
        """Speed of the whole run without the overlay."""
        return len(self.time_s) / self.seconds


@dataclass(frozen=True)
class Runner:
    """Runs clips; stages that two configurations share are done once, and count for both."""

    folder: Path
    """Results go to `folder/<clip's name>/<configuration>/`."""
    progress: ProgressFactory

    def each(
        self,
        clip: Path,
        name: str,
        chosen: Sequence[Configuration],
        extra: Sequence[str] = (),
    ) -> list[BenchRun]:
        """The results of all configurations on a clip, in order.

        Args:
            clip: video file.
            name: of the clip, for its folder.
            chosen: what to run.
            extra: settings under everybody's own, such as the known focal length.
        """
        runs: list[BenchRun] = []
        before: Path | None = None
        for configuration in chosen:
            out = self.folder / name / configuration.name
            if before is not None and not out.exists():
                shutil.copytree(before, out)
            runs.append(self._one(clip, out, configuration, extra))
            before = out
        return runs

    def _one(
        self, clip: Path, out: Path, configuration: Configuration, extra: Sequence[str]
    ) -> BenchRun:
        settings = configuration.settings(extra)
        context = Context(
            progress=self.progress,
            body_model=settings.body.model,
            device=choose_device(settings.device),
        )
        report = run(clip, out, settings, context)
        folder = ResultFolder(out)
        arrays = {
            name: read_npz(folder.stage_path(name))
            for name in ("video", "detections", "tracks", "smoothed")
        }
        time_s = video_from(arrays["video"], clip).time_s
        return BenchRun(
            configuration=configuration.name,
            people=people_from(arrays["smoothed"]),
            tracked=people_from(arrays["tracks"]),
            detections=noun_from(Detections, arrays["detections"]),
            time_s=time_s - time_s[0],
            seconds=sum(report["made"][stage]["seconds"] for stage in COUNTED),
            body=context.body,
        )
