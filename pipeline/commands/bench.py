"""`humans4d bench`: any configuration against made-up and real truth, beside a baseline."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.console import OUT, configure_logging, progress_factory
from pipeline.errors import SettingsError

PARTS = ("scenes", "real", "tracking", "smoothing")

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[scenes|real|tracking|smoothing]... [KEY=VALUE]...",
        help="Parts (none: all), and settings as `humans4d run` takes them.",
    ),
]
Config = Annotated[
    list[str] | None,
    typer.Option("-c", "--config", help="Settings to measure; may be given several times."),
]
Compare = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=SETTINGS",
        help='One more configuration: "light=smoothing.backend=none". May be given several times.',
    ),
]
Baseline = Annotated[bool, typer.Option(help="Also the first one without refinement, smoothing.")]
Motions = Annotated[
    Path | None,
    typer.Option(help="Folder of motion files.  [default: ../shared/data/mocap_smpl if there]"),
]
Data = Annotated[Path | None, typer.Option(help="Folder of real data.  [default: ../shared/data]")]
Only = Annotated[
    list[str] | None, typer.Option(metavar="SCENE", help="Only this scene; several times.")
]
Lot = Annotated[
    int, typer.Option(min=1, help="Which lot the held-out films' ways are drawn by (tracking).")
]
Json = Annotated[Path | None, typer.Option("--json", help="Write every figure to this file.")]
Quick = Annotated[bool, typer.Option(help="Two short small scenes, fewer motions.")]
Cache = Annotated[
    Path | None, typer.Option(help="Where made scenes are kept.  [default: the cache folder]")
]
Clip = Annotated[Path | None, typer.Option(help="Score only this video; needs --truth.")]
Truth = Annotated[Path | None, typer.Option(help="Measured joints of --clip: docs/bench.md.")]
Out = Annotated[
    Path | None, typer.Option("-o", "--output", help="Keep the runs' result folders here.")
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress bars.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the log.")]


def bench_command(
    words: Words = None,
    config: Config = None,
    compare: Compare = None,
    baseline: Baseline = True,
    motions: Motions = None,
    data: Data = None,
    only: Only = None,
    lot: Lot = 1,
    json: Json = None,
    quick: Quick = False,
    cache: Cache = None,
    clip: Clip = None,
    truth: Truth = None,
    output: Out = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Measure errors, identities and speed of any settings against exact and real truth."""
    configure_logging(verbose=verbose)
    parts, overrides = _sorted_words(words or [])
    if (clip is None) != (truth is None):
        raise SettingsError("--clip and --truth belong together; give both or neither")
    if clip is not None and parts:
        raise SettingsError(f"--clip scores one clip; leave out '{parts[0]}'")

    from pipeline.bench.configurations import configurations

    chosen = configurations(config or [], overrides, compare or [], baseline=baseline)

    from pipeline.bench.all import run_bench, run_clip
    from pipeline.files import write_json

    progress = progress_factory(quiet=quiet)
    figures: dict[str, Any]
    if clip is not None and truth is not None:
        figures = run_clip(clip, truth, chosen, output, progress, OUT.print)
    else:
        plan = _plan(
            parts or PARTS, chosen, motions, data, only, cache, output, quick=quick, lot=lot
        )
        figures = run_bench(plan, progress, OUT.print)
    if json is not None:
        write_json(json, figures)
        OUT.print(f"Every figure: {json}", highlight=False)
    return 0


def _sorted_words(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Parts and `key=value` settings, told apart by the equals sign."""
    parts = tuple(word for word in words if "=" not in word)
    for part in parts:
        if part not in PARTS:
            raise SettingsError(f"bench {part}: unknown part. Known: {', '.join(PARTS)}")
    return parts, [word for word in words if "=" in word]


def _plan(
    parts: tuple[str, ...],
    chosen: Any,
    motions: Path | None,
    data: Path | None,
    only: list[str] | None,
    cache: Path | None,
    output: Path | None,
    *,
    quick: bool,
    lot: int,
) -> Any:
    from pipeline.bench.all import SHARED_DATA, Plan
    from pipeline.errors import InputError
    from pipeline.scenes.scene_list import scene_list

    if data is not None and not data.is_dir():
        raise InputError(f"--data {data}: no such folder")
    data = data or SHARED_DATA
    shared = data / "mocap_smpl"
    motions = motions or (shared if shared.is_dir() else None)
    scenes = (
        scene_list(motions, quick=quick, only=only or (), lot=lot)
        if {"scenes", "tracking"} & {*parts}
        else None
    )
    return Plan(parts, chosen, scenes, motions, data, cache, output, quick)
