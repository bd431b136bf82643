"""The scenes' figures as tables, readable at 100 columns."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from pipeline.bench.cells import NONE, number, table, unit
from pipeline.bench.configurations import BASELINE
from pipeline.bench.identities import Identities, have_trackeval
from pipeline.bench.scenes import SceneScore, ScenesResult, pooled
from pipeline.scenes.scene import SEEN_ENOUGH
from pipeline.scenes.scoring import PersonScore

MEASURES = (
    unit("found", "%"),
    unit("MPJPE", "mm"),
    unit("PA", "mm"),
    unit("PVE", "mm"),
    unit("angle", "°"),
    unit("place", "mm"),
    unit("acc.", "m/s²"),
    unit("jitter", "x true"),
    unit("slide", "mm/f"),
)
GROUPS = {"single": "one person", "several": "several"}
IDENTITY_TITLES = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "switches", "breaks")


def scene_tables(result: ScenesResult, configurations: Sequence[str]) -> list[Table]:
    """Everything together; then person by person, but for the baseline; then identities."""
    tables = [_overall(result, configurations)]
    for group, title in GROUPS.items():
        for name in configurations:
            scores = result.of(name, group)
            if scores and name != BASELINE:
                tables.append(_people(f"Scenes, {title}: {name}", scores))
    several = [s.scene for s in result.of(configurations[0], "several")]
    if several:
        tables.append(_identities(result, configurations, several))
    return tables


def _overall(result: ScenesResult, configurations: Sequence[str]) -> Table:
    made = table(
        "Scenes, all together",
        ("scenes", "configuration", *MEASURES, unit("speed", "f/s")),
        caption=(
            f"Counted: every frame in which at least {SEEN_ENOUGH:.0%} of a person can be seen. "
            "MPJPE: 24 joints, pelvis on pelvis; PA: after the best turn, shift and scale; PVE: "
            "vertices, pelvis on pelvis; place: the pelvis in the camera; jitter: mean jerk of the "
            "joints over the truth's; slide: feet that truly touch the ground."
        ),
        left=2,
    )
    for group, title in GROUPS.items():
        for name in configurations:
            scores = result.of(name, group)
            if not scores:
                continue
            people = [person for s in scores for person in s.score.people]
            speed = sum(s.frames for s in scores) / max(sum(s.seconds for s in scores), 1e-9)
            made.add_row(title, name, *_cells(pooled(people)), number(speed, 1))
    return made


def _people(title: str, scores: Iterable[SceneScore]) -> Table:
    made = table(title, ("scene", "person", "frames", *MEASURES), left=1)
    every = []
    for s in scores:
        for index, person in enumerate(s.score.people, start=1):
            first = s.scene if index == 1 else ""
            made.add_row(first, str(index), str(person.frames_present), *_cells(person))
            every.append(person)
    made.add_section()
    together = pooled(every)
    made.add_row("all", "", str(together.frames_present), *_cells(together))
    return made


def _cells(person: PersonScore) -> tuple[str, ...]:
    return (
        number(100 * person.coverage, 0),
        number(person.mpjpe_mm, 1),
        number(person.pa_mpjpe_mm, 1),
        number(person.pve_mm, 1),
        number(person.joint_angle_error_deg, 1),
        number(person.translation_error_mm, 0),
        number(person.acceleration_error_mm_s2 / 1000, 1),
        number(person.jitter_m_s3 / person.true_jitter_m_s3, 2)
        if person.true_jitter_m_s3 > 0
        else NONE,
        number(person.foot_slide_mm_per_frame, 1),
    )


def _identities(
    result: ScenesResult, configurations: Sequence[str], several: Sequence[str]
) -> Table:
    caption = "Boxes around the found bodies, IoU 0.5; who is hidden is not asked for."
    if not have_trackeval():
        caption = (
            "Not measured: the package trackeval is not installed. "
            "Get it with: pip install 'humans4d[dev]'"
        )
    made = table(
        "Scenes, identities", ("scene", "configuration", *IDENTITY_TITLES), caption=caption, left=2
    )
    for scene in (*several, "all"):
        if scene == "all":
            made.add_section()
        for name in configurations:
            if name in result.identities:
                found = result.identities[name][scene]
                made.add_row(scene, name, *identity_cells(found))
    return made


def identity_cells(found: Identities) -> tuple[str, ...]:
    """In the order of `IDENTITY_TITLES`."""
    shares = (found.hota, found.det_a, found.ass_a, found.idf1, found.mota)
    counts = (found.id_switches, found.fragments)
    return (*(number(100 * share, 1) for share in shares), *map(str, counts))
