"""A long film's detections, made of a short result's: played forwards and backwards in turn."""

import shutil
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

    def __init__(self, result: Path, minutes: float, out: Path, copies: int = 1) -> None:
        """Read the short result's first pass and make it long, with copies of everybody."""
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
        self.detections, rows = _side_by_side(self.detections, rows, copies)
        names = ("pose_rotvec", "betas", "t_camera_m", "appearance")
        self.bodies = Bodies(**{name: bodies[name][rows] for name in names})
        self.rows = len(rows)
        self.people: tuple[Person, ...] = ()

    def _arrays(self, name: str) -> storage.Arrays:
        return storage.read_npz(self.folder.stage_path(name))

    def steps(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Names and work, in order; finished parts are kept as in a run."""
        yield "lifting", self._in_parts("lifted", self._lift)
        yield "tracking", self._track
        yield "refinement", self._in_parts("refined", self._refine)
        yield "smoothing", self._in_parts("smoothed", self._smooth)
        yield "stage files", self._store
        yield "people files", self._write

    def _in_parts(self, name: str, work: Callable[[], None]) -> Callable[[], None]:
        def at_work() -> None:
            context = self.context
            with context.parts.kept_in(self.out / name, "this film", context.events):
                work()
            shutil.rmtree(self.out / name, ignore_errors=True)

        return at_work

    def _lift(self) -> None:
        bodies = self.do.regression.over_time(self.video, self.detections, self.camera)
        self.bodies = replace(bodies, appearance=self.bodies.appearance)

    def _track(self) -> None:
        self.people = self.do.tracking(self.video, self.detections, self.bodies, self.camera)
        del self.detections, self.bodies
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


def _side_by_side(
    detections: Detections, rows: np.ndarray, copies: int
) -> tuple[Detections, np.ndarray]:
    """Everybody so many times, each copy to the right of the one before."""
    arrays: dict[str, Any] = {
        key: np.repeat(value, copies, axis=0) if isinstance(value, np.ndarray) else value
        for key, value in storage.arrays_of(detections).items()
    }
    boxes = arrays["boxes_xyxy_px"]
    apart_px = 1.5 * float((boxes[:, 2] - boxes[:, 0]).max(initial=0))
    shift_px = (apart_px * (np.arange(len(boxes)) % copies)).astype(np.float32)
    boxes[:, [0, 2]] += shift_px[:, None]
    if "landmarks_px" in arrays:
        arrays["landmarks_px"][..., 0] += shift_px[:, None]
    return Detections(**arrays), np.repeat(rows, copies)
