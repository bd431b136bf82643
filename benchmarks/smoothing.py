"""What every smoother takes away and what it keeps, on real motion with known errors added.

Run: ``python -m benchmarks.smoothing``. Reads motion at ``../shared/data/mocap_smpl``. The
default settings were chosen by these tables.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.smoothing_people import (
    CLIPS,
    DATA,
    REGRESSOR,
    SOURCE_FPS,
    WILD,
    Noise,
    joints_m,
    peak_speed,
    true_person,
    with_noise,
)
from pipeline import backends
from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.errors import MissingError
from pipeline.metrics import acceleration_error_mm_s2, mpjpe_mm, translation_error_mm
from pipeline.types import Person, Status
from stages.smoothing import whittaker
from stages.smoothing._report import fast_motion

HEADS = ("joints mm", "acceleration", "peak hand", "place mm")
CLEAN_HEADS = ("noise-free in: mm", "peak hand", "delay ms", "told: peak", "s")


@dataclass(frozen=True)
class Scores:
    """Means over the clips."""

    joint_mm: float
    acceleration_mm_s2: float
    hand_speed: float
    """Peak (99.5th percentile) over the true one."""
    place_mm: float

    def cells(self, raw: "Scores") -> tuple[str, ...]:
        """Table cells; acceleration error as a ratio to the raw one."""
        ratio = self.acceleration_mm_s2 / raw.acceleration_mm_s2
        hand = f"{100 * self.hand_speed:.0f} %"
        return (f"{self.joint_mm:.1f}", f"{ratio:.3f}", hand, f"{self.place_mm:.0f}")


def main() -> None:
    """Print all smoothers under two kinds of noise, the table of cut-offs, that of gaps."""
    console = Console()
    if not DATA.is_dir():
        console.print(f"skipped, there is no {DATA}")
        return
    for noise in (REGRESSOR, WILD):
        console.print(smoother_table(noise))
    console.print(cutoff_table())
    console.print(gap_table())


def smoother_table(noise: Noise, fps: float = SOURCE_FPS) -> Table:
    """Every smoother with its own settings, `none` first."""
    truth = [true_person(name, fps) for name in CLIPS]
    noisy = [with_noise(person, seed, noise) for seed, person in enumerate(truth)]
    raw = scores(truth, noisy)
    per_frame_mm = raw.acceleration_mm_s2 / fps**2
    title = f"{noise.title()}; {fps:g} fps; raw acceleration error {per_frame_mm:.0f} mm/frame^2"
    table = Table("smoother", *HEADS, *CLEAN_HEADS, title=title)
    for name in sorted(backends.names("smoothing"), key=lambda name: (name != "none", name)):
        try:
            table.add_row(name, *_row(name, truth, noisy, raw))
        except MissingError:
            table.add_row(name, "no weights here")
    return table


def _row(name: str, truth: list[Person], noisy: list[Person], raw: Scores) -> tuple[str, ...]:
    settings = backends.make_config("smoothing", name, {})
    start = time.perf_counter()
    out = smoothed(noisy, settings, name)
    seconds = time.perf_counter() - start
    clean = smoothed(truth, settings, name)
    body = Context().body
    pairs = (zip(truth, clean, strict=True), zip(noisy, out, strict=True))
    late, told = ([fast_motion(*pair, body) for pair in group] for group in pairs)
    delay_ms = 1000 * np.mean([motion.delay_s for motion in late if motion])
    kept = 100 * np.median([motion.peak_kept for motion in told if motion])
    ideal = scores(truth, clean).cells(raw)
    last = (f"{delay_ms:.0f}", f"{kept:.0f} %", f"{seconds:.2f}")
    return (*scores(truth, out).cells(raw), ideal[0], ideal[2], *last)


def cutoff_table() -> Table:
    """Whittaker's cut-offs at three frame rates."""
    heads = ("fps", "cut-off Hz", *HEADS, *CLEAN_HEADS[:2], "s")
    table = Table(*heads, title=f"whittaker; {WILD.title()}")
    for fps in (24.0, 30.0, 60.0):
        truth = [true_person(name, fps) for name in CLIPS]
        noisy = [with_noise(person, seed) for seed, person in enumerate(truth)]
        raw = scores(truth, noisy)
        table.add_row(f"{fps:g}", "raw", *raw.cells(raw), "0.0", "100 %", "")
        for cutoff_hz in (2.0, 3.0, 4.0, 5.0, 6.0):
            settings = whittaker.Config(rotation_cutoff_hz=cutoff_hz, root_cutoff_hz=cutoff_hz)
            start = time.perf_counter()
            out = smoothed(noisy, settings)
            seconds = time.perf_counter() - start
            clean = scores(truth, smoothed(truth, settings)).cells(raw)
            cells = (*scores(truth, out).cells(raw), clean[0], clean[2], f"{seconds:.2f}")
            table.add_row(f"{fps:g}", f"{cutoff_hz:g}", *cells)
        default = smoothed(noisy, whittaker.Config())
        table.add_row(f"{fps:g}", "default", *scores(truth, default).cells(raw), "", "", "")
    return table


def gap_table() -> Table:
    """Joint and place error inside of filled gaps."""
    table = Table(
        "gap s", "joints mm", "place mm", title="whittaker; inside of filled gaps, 30 fps"
    )
    truth = [true_person(name, SOURCE_FPS) for name in CLIPS]
    for frames in (3, 6, 10, 14):
        errors = []
        for seed, person in enumerate(truth):
            hidden = np.arange(len(person)) % (frames + 20) >= 20
            hidden[-1] = False
            status = np.where(hidden, Status.MISSING, Status.OBSERVED).astype(np.uint8)
            noisy = replace(with_noise(person, seed), status=status)
            (out,) = smoothed([noisy], whittaker.Config())
            joints = mpjpe_mm(joints_m(out), joints_m(person), valid=hidden)
            place = translation_error_mm(out.t_camera_m, person.t_camera_m, valid=hidden)
            errors.append((joints, place))
        joint_mm, place_mm = np.mean(errors, axis=0)
        table.add_row(f"{frames / SOURCE_FPS:.2f}", f"{joint_mm:.0f}", f"{place_mm:.0f}")
    return table


def smoothed(
    people: list[Person], settings: BackendConfig, name: str = "whittaker"
) -> list[Person]:
    """Each on its own, as the pipeline does."""
    return list(backends.make("smoothing", name, settings, Context())(tuple(people)))


def scores(truth: list[Person], found: list[Person]) -> Scores:
    """Means over people."""
    rows = []
    for true, person in zip(truth, found, strict=True):
        wanted, got = joints_m(true), joints_m(person)
        rows.append(
            (
                mpjpe_mm(got, wanted),
                acceleration_error_mm_s2(got, wanted, true.time_s),
                peak_speed(got, true.time_s) / peak_speed(wanted, true.time_s),
                translation_error_mm(person.t_camera_m, true.t_camera_m),
            )
        )
    return Scores(*np.mean(rows, axis=0))


if __name__ == "__main__":
    main()
