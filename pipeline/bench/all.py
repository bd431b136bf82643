"""The whole benchmark: which parts run, on what, and all their figures."""

import importlib.util
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from pipeline import __version__
from pipeline.bench.bonn import score_bonn
from pipeline.bench.clips import score_clip, score_pose2sim
from pipeline.bench.configurations import Configuration
from pipeline.bench.identities import have_trackeval
from pipeline.bench.joint_truth import read_joint_truth
from pipeline.bench.real_tables import bonn_table, clip_table, stills_table, target_table
from pipeline.bench.running import Runner
from pipeline.bench.scene_tables import scene_tables
from pipeline.bench.scenes import pooled, run_scenes
from pipeline.bench.stills import score_stills
from pipeline.bench.targets import Target, real_targets, scene_targets
from pipeline.bench.tracking import tracking_scores, tracking_tables
from pipeline.context import ProgressFactory
from pipeline.scenes.film_cache import default_cache
from pipeline.scenes.scene_list import SceneList

PARTS = ("scenes", "real", "tracking", "smoothing")
SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SMOOTHING_MODULE = "pipeline.bench.smoothing"

Show = Callable[[RenderableType], None]


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    parts: tuple[str, ...]
    configurations: tuple[Configuration, ...]
    scenes: SceneList | None
    motions: Path | None
    data: Path
    cache: Path | None = None
    output: Path | None = None
    quick: bool = False

    @property
    def names(self) -> list[str]:
        """Of the configurations."""
        return [configuration.name for configuration in self.configurations]


def run_bench(plan: Plan, progress: ProgressFactory, show: Show) -> dict[str, Any]:
    """Run the parts, show each one's tables as soon as it is done, give every figure.

    Raises:
        UserError: bad input, settings, missing parts or an output that cannot be written.
    """
    figures: dict[str, Any] = _head(plan)
    targets: list[Target] = []
    with _runner(plan.output, progress) as runner:
        if "scenes" in plan.parts and plan.scenes is not None:
            targets += _scenes(plan, plan.scenes, runner, show, figures)
        if "real" in plan.parts:
            targets += _real(plan, runner, show, figures)
        if "tracking" in plan.parts:
            _tracking(plan, runner, show, figures)
    if "smoothing" in plan.parts:
        _smoothing(plan, show, figures)
    if targets:
        show(target_table(targets))
    figures["targets"] = [{**asdict(t), "reached": t.reached} for t in targets]
    return dict(plain(figures))


def run_clip(
    clip: Path,
    truth: Path,
    chosen: Sequence[Configuration],
    output: Path | None,
    progress: ProgressFactory,
    show: Show,
) -> dict[str, Any]:
    """Score one clip of the user's against its measured joints.

    Raises:
        InputError: clip or truth is unusable.
    """
    joints = read_joint_truth(truth)
    with _runner(output, progress) as runner:
        scores = score_clip(clip, clip.stem, joints, chosen, runner)
    show(clip_table(f"{clip.name} against {truth.name}", scores))
    return dict(plain({"humans4d_version": __version__, "clip": scores}))


def plain(value: Any) -> Any:
    """Values as JSON holds them; a number that is not finite becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


@contextmanager
def _runner(output: Path | None, progress: ProgressFactory) -> Iterator[Runner]:
    """Results in a folder that is removed afterwards, unless one is given."""
    if output is not None:
        yield Runner(output, progress)
        return
    with tempfile.TemporaryDirectory(prefix="humans4d-bench-") as folder:
        yield Runner(Path(folder), progress)


def _head(plan: Plan) -> dict[str, Any]:
    return {
        "humans4d_version": __version__,
        "parts": plan.parts,
        "motions": None if plan.motions is None else plan.motions.name,
        "quick": plan.quick,
        "configurations": {c.name: dict(c.settings().raw) for c in plan.configurations},
    }


def _scenes(
    plan: Plan, scenes: SceneList, runner: Runner, show: Show, figures: dict[str, Any]
) -> list[Target]:
    if scenes.motions_folder is None:
        show("No folder of motions: the project's own are filmed. Give one with --motions DIR.")
    result = run_scenes(scenes, plan.configurations, runner, plan.cache or default_cache())
    for made in scene_tables(result, plan.names):
        show(made)
    together = {
        group: {
            name: pooled([p for s in result.of(name, group) for p in s.score.people])
            for name in plan.names
            if result.of(name, group)
        }
        for group in ("single", "several")
    }
    figures["scenes"] = {
        "each": result.scores,
        "together": together,
        "identities": result.identities,
    }
    return scene_targets(result, plan.names)


def _real(plan: Plan, runner: Runner, show: Show, figures: dict[str, Any]) -> list[Target]:
    real: dict[str, Any] = {}
    figures["real"] = real
    targets: list[Target] = []
    if folder := _present(plan.data / "pose2sim_single", show):
        clips = score_pose2sim(folder, plan.configurations, runner)
        show(clip_table("pose2sim_single, 12 limb joints", clips))
        real["pose2sim_single"] = clips
        targets = real_targets(clips)
    if folder := _present(plan.data / "bonn_posetrack", show):
        real["bonn_posetrack"] = score_bonn(folder, plan.configurations, runner)
        show(bonn_table(real["bonn_posetrack"]))
    if folder := _present(plan.data / "images" / "coco", show):
        real["coco_stills"] = score_stills(folder, plan.configurations, runner)
        show(stills_table(real["coco_stills"]))
    return targets


def _tracking(plan: Plan, runner: Runner, show: Show, figures: dict[str, Any]) -> None:
    if not have_trackeval():
        show("tracking: left out, TrackEval is not installed (pip install 'humans4d[dev]').")
        return
    overrides = plan.configurations[0].overrides
    scores = tracking_scores(
        plan.scenes, plan.data, plan.cache or default_cache(), overrides, runner
    )
    for made in tracking_tables(scores):
        show(made)
    figures["tracking"] = scores


def _present(folder: Path, show: Show) -> Path | None:
    if folder.is_dir():
        return folder
    show(f"{folder.name}: left out, there is no {folder}. Say where the data is with --data DIR.")
    return None


def _smoothing(plan: Plan, show: Show, figures: dict[str, Any]) -> None:
    if importlib.util.find_spec(SMOOTHING_MODULE) is None:
        show("smoothing: left out, this version has no table of smoothers.")
        return
    module: Any = importlib.import_module(SMOOTHING_MODULE)
    tables, figures["smoothing"] = module.smoothing_tables(plan.motions, plan.quick)
    for made in tables:
        show(made)
