"""A long film's detections, made of a short result's: played forwards and backwards in turn."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import storage
from pipeline.camera import make_camera
from pipeline.chosen import Chosen
from pipeline.config import load_settings
from pipeline.context import Context
from pipeline.events import EventLog
from pipeline.person_file import write_people
from pipeline.result import ResultFolder
from pipeline.types import Bodies, Detections, Person, Video

FPS = 30.0


class Hour:
    """What every stage makes of it, one after the other."""

    def __init__(self, result: Path, minutes: float, out: Path) -> None:
        """Read the short result's first pass and make it long."""
        self.folder, self.out = ResultFolder(result), out
        self.context = Context()
        self.do = Chosen(load_settings(), self.context)
        short = storage.video_from(self._arrays("video"), result)
        self.frames = round(minutes * 60 * FPS)
        self.video = replace(short, time_s=np.arange(self.frames) / FPS, cut_frames=None)
        self.camera = make_camera(self.video, None, None, EventLog())
        bodies = self._arrays("bodies")
        self.detections, rows = _played_to_and_fro(
            storage.noun_from(Detections, self._arrays("detections")), short, self.frames
        )
        self.looks = bodies["appearance"][rows]
        short_bodies = {k: bodies[k][rows] for k in ("pose_rotvec", "betas", "t_camera_m")}
        self.bodies = Bodies(**short_bodies, appearance=self.looks)
        self.rows = len(rows)
        self.people: tuple[Person, ...] = ()

    def _arrays(self, name: str) -> storage.Arrays:
        return storage.read_npz(self.folder.stage_path(name))

    def steps(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and work, in order."""
        yield "lifting", self._lift
        yield "tracking", self._track
        yield "refinement", self._refine
        yield "smoothing", self._smooth
        yield "stage files", self._store
        yield "people files", self._write

    def _lift(self) -> None:
        bodies = self.do.regression.over_time(self.video, self.detections, self.camera)
        self.bodies = replace(bodies, appearance=self.looks)

    def _track(self) -> None:
        self.people = self.do.tracking(self.video, self.detections, self.bodies, self.camera)
        print(f"    {len(self.people)} people, {sum(map(len, self.people))} rows")

    def _refine(self) -> None:
        self.people = self.do.refinement(self.people, self.camera)

    def _smooth(self) -> None:
        self.people = self.do.smoothing(self.people)

    def _store(self) -> None:
        storage.write_noun(self.out / "tracks.npz", storage.people_arrays(self.people), "x")

    def _write(self) -> None:
        write_people(self.out, self.people, self.camera, self.context.body, Path("long.mp4"))


def _played_to_and_fro(
    short: Detections, video: Video, frames: int
) -> tuple[Detections, np.ndarray]:
    """The detections over so many frames, and the row of the short film that each one is."""
    count = video.frame_count
    turn = np.concatenate([np.arange(count), np.arange(count)[-2:0:-1]])
    source = turn[np.arange(frames) % len(turn)] + video.first_frame
    rows_of = [np.flatnonzero(short.frame_index == frame) for frame in video.frame_index]
    found = [rows_of[frame - video.first_frame] for frame in source]
    rows = np.concatenate(found)
    frame_index = np.repeat(np.arange(frames, dtype=np.int32), [len(one) for one in found])
    arrays = storage.arrays_of(short)
    long = {
        key: value[rows] if isinstance(value, np.ndarray) else value
        for key, value in arrays.items()
    }
    return Detections(**{**long, "frame_index": frame_index}), rows
