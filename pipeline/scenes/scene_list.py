"""The benchmark's scenes: a fixed list where its motion files are there, else what can be made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.errors import InputError, SettingsError
from pipeline.scenes import several_scenes, single_scenes
from pipeline.scenes.camera_moves import CameraPlan, Move
from pipeline.scenes.held_out_scenes import held_out
from pipeline.scenes.recordings import read_recording
from pipeline.scenes.specs import PlaceName, Recorded, Role, SceneSpec

OTHER_FILES = 8
"""Of a folder with other motions at most this many are filmed, evenly chosen by name."""
SHORTEST_S, LONGEST_S = 1.5, 6.0
MOVES: tuple[Move, ...] = ("static", "pan", "handheld")
OTHER_PLACES: tuple[PlaceName, ...] = ("street", "hall", "meadow")
QUICK = ("referee", "procedural_squat", "cross_near_far")
QUICK_S, QUICK_PX = 2.4, (640, 360)


@dataclass(frozen=True)
class SceneList:
    """What to film, and where its motion files are."""

    specs: tuple[SceneSpec, ...]
    motions_folder: Path | None
    held_out: tuple[SceneSpec, ...] = ()
    """Films on ways drawn by lot, for what was tuned on the others; only identities are told."""


def scene_list(
    motions: Path | None, *, quick: bool = False, only: Sequence[str] = (), lot: int = 1
) -> SceneList:
    """The scenes to film.

    Args:
        motions: a folder of motion files, or one that holds it as `val/`; None: the project's own
            motions.
        quick: two short small scenes only, one of them with two people.
        only: names of the scenes wanted; none: all.
        lot: which lot the held-out films are drawn by.

    Raises:
        InputError: there is no such folder, or no usable motion in it.
        SettingsError: there is no scene of that name.
    """
    folder = None if motions is None else _files_folder(motions)
    specs: tuple[SceneSpec, ...]
    if folder is None:
        specs = single_scenes.PROCEDURAL + several_scenes.PROCEDURAL
    else:
        fixed = single_scenes.RECORDED + several_scenes.PROCEDURAL + several_scenes.RECORDED
        specs = tuple(s for s in fixed if all((folder / f"{c}.npz").is_file() for c in s.clips))
        if specs == several_scenes.PROCEDURAL:
            specs = _of_any_files(folder) + several_scenes.PROCEDURAL
    specs, drawn = (_quick(specs), ()) if quick else (specs, held_out(lot))
    known = [spec.name for spec in (*specs, *drawn)]
    for name in only:
        if name not in known:
            raise SettingsError(f"unknown scene '{name}'. Known: {', '.join(known)}")
    return SceneList(_chosen(specs, only), folder, _chosen(drawn, only))


def _chosen(specs: tuple[SceneSpec, ...], only: Sequence[str]) -> tuple[SceneSpec, ...]:
    return tuple(spec for spec in specs if not only or spec.name in only)


def _files_folder(motions: Path) -> Path:
    if not motions.is_dir():
        raise InputError(f"--motions {motions}: no such folder")
    folder = motions / "val" if (motions / "val").is_dir() else motions
    if not any(folder.glob("*.npz")):
        raise InputError(f"--motions {motions}: holds no motion file (.npz with poses and trans)")
    return folder


def _of_any_files(folder: Path) -> tuple[SceneSpec, ...]:
    """A scene of the first seconds of each of some files, cameras and places by turns."""
    files = sorted(folder.glob("*.npz"))
    chosen = np.unique(np.linspace(0, len(files) - 1, OTHER_FILES).round().astype(int))
    specs = []
    for number, index in enumerate(chosen):
        seconds = min(read_recording(files[index]).end_s, LONGEST_S)
        if seconds < SHORTEST_S:
            continue
        facing_deg = float(np.random.default_rng([number, 7]).uniform(-70, 70))
        camera = CameraPlan(MOVES[number % 3], distance_m=6.0, seed=number)
        role = Role(Recorded(files[index].stem, 0.0, facing_deg), 70 + number)
        place = OTHER_PLACES[number % 3]
        specs.append(SceneSpec(files[index].stem, "single", (role,), seconds, place, camera))
    if not specs:
        raise InputError(f"--motions {folder}: no motion of {SHORTEST_S} s or more")
    return tuple(specs)


def _quick(specs: tuple[SceneSpec, ...]) -> tuple[SceneSpec, ...]:
    """Two of the scenes, short and small; the names say so."""
    several = next(spec for spec in specs if spec.name in QUICK and spec.group == "several")
    singles = [spec for spec in specs if spec.group == "single"]
    single = next((spec for spec in singles if spec.name in QUICK), singles[0])
    width_px, height_px = QUICK_PX
    return tuple(
        replace(
            spec,
            name=f"{spec.name}_quick",
            seconds=min(spec.seconds, QUICK_S),
            width_px=width_px,
            height_px=height_px,
        )
        for spec in (single, several)
    )
