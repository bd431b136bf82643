"""The project's doors, as steps of a trial: each gives the exit code that a user would see."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline import cli
from pipeline.errors import UserError
from pipeline.video import open_video, read_frames


def command(*arguments: object) -> Callable[[], int]:
    """`humans4d ...`."""

    def step() -> int:
        sys.argv = ["humans4d", *map(str, arguments)]
        return cli._exit_code()

    return step


def guarded(call: Callable[[], object]) -> Callable[[], int]:
    """A function of the project; its errors for users become an exit code, as in `cli`."""

    def step() -> int:
        try:
            call()
        except UserError as error:
            print(f"humans4d: {error}")
            return error.exit_code
        return 0

    return step


def decoded(path: Path, decoder: str = "pyav") -> Callable[[], int]:
    """Probe a video and convert every frame, as the first pass does."""

    def read() -> None:
        video = open_video(path, decoder=decoder)
        count = 0
        for frame in read_frames(video, decoder=decoder):
            count += frame.rgb.shape[0] > 0
            frame.yuv420()
        print(f"{count} frames")

    return guarded(read)


def warmed() -> None:
    """Import everything that the doors need, so that forks need not; starts no thread."""
    for name in ("foreign.importing", "run", "viewer", "views.rendering"):
        importlib.import_module(f"pipeline.{name}")
    from pipeline import backends, exporting  # noqa: PLC0415
    from pipeline.chosen import Chosen  # noqa: PLC0415
    from pipeline.config import load_settings  # noqa: PLC0415
    from pipeline.context import Context  # noqa: PLC0415
    from pipeline.fingerprint import code_digest, stage_fingerprint  # noqa: PLC0415

    Chosen(load_settings(), Context())
    for name in ("amass", "bvh", "csv", "glb"):
        backends.load(exporting.STAGE, name)
    code_digest("pipeline", "stages")
    for stage in ("perception", "tracking", "refinement", "smoothing", "rendering"):
        stage_fingerprint(stage, {}, [])  # remembers the digests of the sources
