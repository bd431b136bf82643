"""Films made once: kept in the cache folder under the digest of all that made them."""

from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.body import BodyModel
from pipeline.context import Context
from pipeline.files import file_digest, value_digest
from pipeline.fingerprint import code_digest
from pipeline.scenes.film_file import CLIP_NAME, TRUTH_NAME, make_film
from pipeline.scenes.scene import Truth, read_truth
from pipeline.scenes.specs import SceneSpec
from pipeline.scenes.staging import staged
from pipeline.weights import cache_folder

DRAWN_WITH = ("body", "camera", "kinematics", "projection", "rotations", "skinning")
"""Modules of `pipeline` outside this package that a film depends on."""


@dataclass(frozen=True)
class CachedFilm:
    """A film on disk and its truth."""

    clip: Path
    truth: Truth


def default_cache() -> Path:
    """Beside the weights: `scenes` in the cache folder."""
    return cache_folder() / "scenes"


def cached_film(
    spec: SceneSpec,
    body: BodyModel,
    motions_folder: Path | None,
    cache: Path,
    context: Context,
) -> CachedFilm:
    """The scene's film, made if it is not there.

    Raises:
        MissingError, InputError: a motion file is not there or unusable.
        OutputError: the cache cannot be written.
    """
    folder = cache / f"{spec.name}-{_fingerprint(spec, body, motions_folder)}"
    clip, truth = folder / CLIP_NAME, folder / TRUTH_NAME
    if clip.is_file() and truth.is_file():  # the truth is written last
        return CachedFilm(clip, read_truth(truth))
    scene = staged(spec, body, motions_folder)
    return CachedFilm(clip, make_film(scene, folder, context, spec.options))


def _fingerprint(spec: SceneSpec, body: BodyModel, motions_folder: Path | None) -> str:
    folder = Path(__file__).resolve().parent.parent
    modules = [folder / f"{name}.py" for name in DRAWN_WITH]
    code = [file_digest(module) for module in modules if module.is_file()]
    code.append(code_digest("pipeline/scenes", "stages/rendering"))
    clips = [] if motions_folder is None else [motions_folder / f"{c}.npz" for c in spec.clips]
    recorded = [file_digest(clip) for clip in clips if clip.is_file()]
    return value_digest([asdict(spec), body.sha256, code, recorded])
