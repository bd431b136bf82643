"""Figures on real truth, and the targets, as tables."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from pipeline.bench.bonn import BonnScore
from pipeline.bench.cells import NONE, number, table, unit
from pipeline.bench.clips import ClipScore
from pipeline.bench.scene_tables import IDENTITY_TITLES, identity_cells
from pipeline.bench.stills import StillsScore
from pipeline.bench.targets import Target

REACHED, MISSED = "[green]✓[/]", "[red]✗[/]"


def clip_table(title: str, scores: Iterable[ClipScore]) -> Table:
    """Joints of one person."""
    made = table(
        title,
        (
            "clip",
            "configuration",
            unit("PA", "mm"),
            unit("MPJPE", "mm"),
            unit("accel.", "m/s²"),
            unit("place", "mm"),
            unit("ahead", "ms"),
            unit("found", "%"),
            "frames",
            unit("speed", "f/s"),
        ),
        caption="PA: PA-MPJPE. MPJPE and acceleration error: the middle of the hips on the true. "
        "ahead: by how much the truth's clock is ahead of the picture's.",
        left=2,
    )
    for s in scores:
        made.add_row(
            s.clip,
            s.configuration,
            number(s.score.pa_mpjpe_mm, 1),
            number(s.score.mpjpe_mm, 1),
            number(s.score.acceleration_error_m_s2, 2),
            number(s.score.translation_error_mm, 0),
            number(s.score.truth_ahead_ms, 1),
            number(100 * s.score.coverage, 0),
            str(s.score.frames),
            number(s.frames / max(s.seconds, 1e-9), 1),
        )
    return made


def bonn_table(scores: Sequence[BonnScore]) -> Table:
    """Four people who hide each other."""
    made = table(
        "bonn_posetrack",
        (
            "configuration",
            unit("recall", "%"),
            unit("prec.", "%"),
            unit("PCKh", "%"),
            "ids",
            *IDENTITY_TITLES,
        ),
        caption="Detections at IoU 0.5; PCKh@0.5 of the tracked people's visible limb keypoints.",
    )
    for s in scores:
        tracked = [NONE] * len(IDENTITY_TITLES)
        made.add_row(
            s.configuration,
            number(100 * s.detection.recall, 1),
            number(100 * s.detection.precision, 1),
            number(100 * s.pckh, 1),
            str(s.people),
            *(tracked if s.identities is None else identity_cells(s.identities)),
        )
    return made


def stills_table(scores: Sequence[StillsScore]) -> Table:
    """COCO photographs."""
    made = table(
        "COCO stills",
        (
            "configuration",
            "people",
            unit("recall", "%"),
            unit("prec.", "%"),
            "OKS",
            unit("PCK@0.1", "%"),
        ),
    )
    for s in scores:
        made.add_row(
            s.configuration,
            str(s.detection.visible),
            number(100 * s.detection.recall, 1),
            number(100 * s.detection.precision, 1),
            number(s.oks, 3),
            number(100 * s.pck, 1),
        )
    return made


def target_table(targets: Iterable[Target]) -> Table:
    """What was to be reached, and whether it was."""
    made = table(
        "Figures to reach", ("figure", "configuration", "measured", "at most", "unit", ""), left=2
    )
    for target in targets:
        made.add_row(
            target.what,
            target.configuration,
            number(target.value, 2),
            number(target.at_most, 2),
            target.unit,
            REACHED if target.reached else MISSED,
        )
    return made
