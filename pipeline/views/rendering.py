"""From a result folder to a video, stills or a PNG sequence of one view."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pipeline import storage
from pipeline.context import Context
from pipeline.encode import OverlayWriter
from pipeline.errors import InputError
from pipeline.exporting import Part
from pipeline.files import output_errors
from pipeline.limits import MAX_PIXELS, VideoLimits
from pipeline.result import ResultFolder, has_film
from pipeline.take import Take
from pipeline.types import Video
from pipeline.video import open_video, read_frames
from pipeline.views.heads import blur_heads
from pipeline.views.modes import Mode, View, make_view, natural_size_px, needs_video
from pipeline.views.png import write_png
from pipeline.views.scene import Moment, Scene, read_scene
from pipeline.views.target import picture_path, video_path

STAGE = "rendering"
BLOCK_FRAMES = 16


@dataclass(frozen=True)
class Wanted:
    """What to render, and how."""

    mode: Mode
    part: Part
    size_px: tuple[int, int] | None = None
    """Width and height; None: the mode's own."""
    blur_faces: bool = False
    transparent: bool = False
    """Pictures without a background (PNG only)."""
    stills: int | None = None
    """So many PNG pictures, evenly spread."""
    png: bool = False
    """A PNG of every frame, instead of a video."""
    video: Path | None = None
    """The source, if it has moved."""


def render(
    folder: ResultFolder, wanted: Wanted, out: Path | None, renderer: Any, context: Context
) -> list[Path]:
    """Draw a view of a result.

    Args:
        folder: the result.
        wanted: what to draw.
        out: a video file, or the folder of PNG pictures; by default `views/` in the result.
        renderer: a rendering backend.
        context: where events and progress go.

    Returns:
        The files written.

    Raises:
        UserError: a result, people, a stretch or a video that cannot be used.
    """
    scene, take = read_scene(folder, wanted.part, context, renderer)
    source = _source(folder, take, wanted, context)
    if wanted.blur_faces and source is not None:
        text = f"the heads of {len(scene.everybody)} tracked people are blurred; others keep theirs"
        context.events.record(STAGE, "info", text)
    film = source is not None and not wanted.transparent
    size_px = wanted.size_px or natural_size_px(wanted.mode, scene, film=film)
    view = make_view(wanted.mode, scene, size_px, transparent=wanted.transparent, film=film)
    moments = _moments(scene, take, source, wanted, context)
    default = folder.path / "views"
    if wanted.stills or wanted.png:
        return _write_pictures(view, moments, out, default / wanted.mode, take, wanted, context)
    path = video_path(out, default / f"{wanted.mode}.mp4")
    return _write_video(view, moments, path, _clock(take, source), wanted, context)


def _source(folder: ResultFolder, take: Take, wanted: Wanted, context: Context) -> Video | None:
    """The stretch of the source video; None where it is gone, which is said."""
    path = wanted.video or Path(take.source_video)
    if wanted.video and not path.exists():
        raise InputError(f"--video {path}: no such file")
    filmed = wanted.video or has_film(folder.read_report())
    if not filmed or not path.exists():
        if needs_video(wanted.mode):
            why = f"the source video {path} is not there" if filmed else "this result has no video"
            text = f"{why}: drawn without it. Say where it is: --video"
            context.events.record(STAGE, "fallback", text)
        return None
    # The run that made the result may have been allowed larger pictures.
    limits = VideoLimits(max_pixels=max(MAX_PIXELS, take.width_px * take.height_px))
    found = open_video(path, limits=limits)
    if (found.width_px, found.height_px) != (take.width_px, take.height_px):
        raise InputError(
            f"{path}: is {found.width_px}x{found.height_px}, the result was made from a video of "
            f"{take.width_px}x{take.height_px}. Give the right one with --video"
        )
    kept = folder.stage_path("video")
    whole = storage.video_from(storage.read_npz(kept), path) if kept.exists() else found
    return replace(whole, first_frame=int(take.frame_index[0]), time_s=take.time_s)


def _clock(take: Take, source: Video | None) -> Video:
    """The video whose times the written one has."""
    if source is not None:
        return source
    return Video(
        path=Path(take.source_video),
        width_px=take.width_px,
        height_px=take.height_px,
        first_frame=int(take.frame_index[0]),
        time_s=take.time_s,
        rotation_deg=0,
        has_audio=False,
        codec="",
    )


def _moments(
    scene: Scene, take: Take, source: Video | None, wanted: Wanted, context: Context
) -> Iterator[Moment]:
    """The frames that are asked for, in order."""
    rows = np.arange(len(take.frame_index))
    if wanted.stills:
        rows = spread(len(rows), wanted.stills)
    pictures = _pictures(scene, source, take.frame_index[rows], wanted, context)
    for block in np.array_split(rows, -(-len(rows) // BLOCK_FRAMES)):
        start, end = int(take.frame_index[block[0]]), int(take.frame_index[block[-1]]) + 1
        sparse = end - start > len(block)
        meshes = {} if sparse else dict(enumerate(scene.meshes(start, end), start))
        for row in block:
            index = int(take.frame_index[row])
            own = meshes[index] if index in meshes else scene.meshes(index, index + 1)[0]
            yield Moment(index, float(take.time_s[row]), next(pictures), own)


def spread(frames: int, count: int) -> np.ndarray:
    """So many frames, evenly apart, each in the middle of its part; all where there are no more."""
    return np.floor((np.arange(min(count, frames)) + 0.5) * frames / min(count, frames)).astype(int)


def _pictures(
    scene: Scene, source: Video | None, indices: np.ndarray, wanted: Wanted, context: Context
) -> Iterator[UInt8[np.ndarray, "h w 3"] | None]:
    """The source's pictures of these frames, with heads blurred if that is asked for."""
    if source is None or wanted.transparent or not needs_video(wanted.mode):
        yield from (None for _ in indices)
        return
    chosen = set(indices.tolist())
    frames = (f for f in read_frames(source, events=context.events) if f.index in chosen)
    for frame in islice(frames, len(indices)):
        rgb = frame.rgb
        if wanted.blur_faces:
            rgb = blur_heads(rgb, scene.everybody, frame.index, scene.camera.K_px)
        yield rgb
    while True:  # frames that the file announces and does not hold: the reader has said so
        yield None


def _write_video(
    view: View,
    moments: Iterator[Moment],
    path: Path,
    clock: Video,
    wanted: Wanted,
    context: Context,
) -> list[Path]:
    own_pixels = clock.codec and needs_video(wanted.mode) and wanted.size_px is None
    aspect = None if own_pixels else Fraction(1)
    with (
        context.progress("Drawing", clock.frame_count) as advance,
        OverlayWriter(path, clock, events=context.events, pixel_aspect=aspect) as writer,
    ):
        for moment in moments:
            writer.write(np.ascontiguousarray(view.picture(moment)[..., :3]), moment.time_s)
            advance(1)
    return [path]


def _write_pictures(
    view: View,
    moments: Iterator[Moment],
    out: Path | None,
    default: Path,
    take: Take,
    wanted: Wanted,
    context: Context,
) -> list[Path]:
    count = min(wanted.stills or len(take.frame_index), len(take.frame_index))
    written = []
    with output_errors(out or default), context.progress("Drawing", count) as advance:
        for moment in moments:
            path = picture_path(out, default, f"{wanted.mode}_{moment.frame_index:06d}", count)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png(path, view.picture(moment))
            written.append(path)
            advance(1)
    return written
