"""`humans4d demo`: a film with known truth, the pipeline on it, and the error in mm."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pipeline.console import OUT, configure_logging, progress_factory

if TYPE_CHECKING:
    from pipeline.scenes.scene import Truth
    from pipeline.scenes.scoring import PersonScore, Score

Out = Annotated[Path, typer.Option("-o", "--output", help="Result folder.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress bars.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the log.")]


def demo_command(
    output: Out = Path("outputs/demo"), quiet: Quiet = False, verbose: Verbose = False
) -> int:
    """Film two made-up people who walk and cross, run the pipeline, print its error in mm."""
    from pipeline.body import load_body
    from pipeline.context import Context
    from pipeline.demo import CLIP_NAME, make_film, run_and_score
    from pipeline.scenes.library import crossing

    configure_logging(verbose=verbose)
    context = Context(progress=progress_factory(quiet=quiet))
    started = time.perf_counter()
    scene = crossing(load_body())
    truth = make_film(scene, output, context)
    filmed = time.perf_counter()
    result = run_and_score(output, truth, context)
    OUT.print(
        f"Filmed {len(scene)} frames in {filmed - started:.1f} s, "
        f"ran in {time.perf_counter() - filmed:.1f} s.",
        highlight=False,
    )
    OUT.print(score_table(result, truth))
    OUT.print(f"Film: {output / CLIP_NAME}   Overlay: {output / 'overlay.mp4'}", highlight=False)
    _stop_if_nothing_found(result, output)
    return 0


def score_table(result: "Score", truth: "Truth") -> Table:
    """The errors, a row per true person."""
    from pipeline.scenes.scene import SEEN_ENOUGH

    table = Table(
        title="Error against the film's exact truth",
        caption=(
            f"Counted: every frame in which at least {SEEN_ENOUGH:.0%} of the person can be seen; "
            "who is who goes by place in the picture. MPJPE: 24 joints, pelvis on pelvis; PA: "
            "after the best turn, shift and scale; place: the pelvis in the camera, its unknown "
            "distance included. The run was told the focal length "
            f"({truth.K_px[0, 0]:.0f} px), nothing else. "
            f"Bodies where nobody is: {result.nobody_frames}."
        ),
    )
    measures = ("found\n%", "MPJPE\nmm", "PA-MPJPE\nmm", "place\nmm", "angle\n°", "accel.\nm/s²")
    for title in ("person", "frames", *measures, "id\nswaps"):
        table.add_column(title, justify="right", no_wrap=True)
    for number, person in enumerate(result.people, start=1):
        table.add_row(str(number), *_cells(person))
    return table


def _cells(person: "PersonScore") -> tuple[str, ...]:
    return (
        str(person.frames_present),
        f"{100 * person.coverage:.0f}",
        f"{person.mpjpe_mm:.0f}",
        f"{person.pa_mpjpe_mm:.0f}",
        f"{person.translation_error_mm:.0f}",
        f"{person.joint_angle_error_deg:.1f}",
        f"{person.acceleration_error_mm_s2 / 1000:.2f}",
        str(person.id_switches),
    )


def _stop_if_nothing_found(result: "Score", output: Path) -> None:
    from pipeline.errors import UserError

    missed = [n for n, person in enumerate(result.people, start=1) if not person.coverage > 0]
    if missed:
        who = "nobody" if len(missed) == len(result.people) else f"not person {missed[0]}"
        raise UserError(
            f"The demo found {who} in its own film: something in this set-up is broken. Look at "
            f"{output / 'overlay.mp4'} and at the events: humans4d inspect {output}"
        )
