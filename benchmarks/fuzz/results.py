"""One real result and files for import, as seeds for damage."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.fuzz.small_files import write_small_checkpoints
from pipeline.fingerprint import code_digest

FILM_SECONDS = 0.5
FILM_PX = (320, 180)
EXPORTED_AS = ("amass", "bvh", "phalp", "motchallenge")
EXPORTED = {
    "amass.npz": "amass/*_001.npz",
    "motion.bvh": "bvh/*_001.bvh",
    "phalp.pkl": "phalp/*.pkl",
    "boxes.txt": "motchallenge/*.txt",
}


def seed_result(folder: Path) -> Path:
    """A folder with `film.mp4`, `result/` (two people in 15 frames), `unfinished/`, `foreign/`.

    It is made again where this project's code is another: its fingerprints must be current.
    """
    folder = folder / code_digest("pipeline", "stages")[:12]
    if (folder / "foreign" / "gvhmr.pt").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _film(folder)
    # In processes of their own: the one that forks must not have used its threads.
    result, foreign = folder / "result", folder / "foreign"
    for words in (
        ["run", folder / "film.mp4", "-o", result, "-q"],
        ["edit", result, "name", "1", "Ada", "Lovelace", "-q"],
    ):
        subprocess.run([sys.executable, "-m", "pipeline", *map(str, words)], check=True)
    _export(result, foreign)
    _chunk(folder)
    _others(result, foreign)
    return folder


def light_seed(folder: Path) -> Path:
    """As `seed_result`, of made-up people: no film, no first pass."""
    foreign = folder / "foreign"
    code = (
        "from pathlib import Path;"
        "from benchmarks.format_readers.truth import write_made_up_result;"
        f"write_made_up_result(Path({str(folder / 'result')!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    _export(folder / "result", foreign)
    (folder / "result" / "report.json").write_text('{"people": []}')
    _others(folder / "result", foreign)
    return folder


def _export(result: Path, foreign: Path) -> None:
    words = ["export", result, "--to", *EXPORTED_AS, "-o", foreign]
    subprocess.run([sys.executable, "-m", "pipeline", *map(str, words)], check=True)
    for name, pattern in EXPORTED.items():
        next(foreign.glob(pattern)).rename(foreign / name)


def _film(folder: Path) -> None:
    """The film of two walkers, made in another process too."""
    code = (
        "from pathlib import Path; from pipeline.body import load_body;"
        "from pipeline.context import Context; from pipeline.scenes.film_file import make_film;"
        "from pipeline.scenes.library import crossing;"
        f"make_film(crossing(load_body(), seconds={FILM_SECONDS}, width_px={FILM_PX[0]},"
        f" height_px={FILM_PX[1]}), Path({str(folder)!r}), Context())"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    (folder / "clip.mp4").rename(folder / "film.mp4")


def _chunk(folder: Path) -> None:
    """Chunks of the first pass, as an interrupted run leaves them: nothing is cleared away."""
    code = (
        "import shutil, sys; shutil.rmtree = lambda *_, **__: None;"
        "from pipeline import cli; sys.argv[0] = 'humans4d'; sys.exit(cli._exit_code())"
    )
    other = folder / "other"
    words: list[object] = ["run", folder / "film.mp4", "-o", other, "-q"]
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)
    (other / ".unfinished").rename(folder / "unfinished")
    shutil.rmtree(other)


def _others(result: Path, foreign: Path) -> None:
    """WHAM's and GVHMR's files, and lists of boxes, from the result's own numbers."""
    import joblib  # noqa: PLC0415
    import torch  # noqa: PLC0415

    with np.load(result / "people" / "person_001.npz", allow_pickle=False) as file:
        poses, trans, betas = file["poses"], file["trans"], file["betas"]
        boxes = np.nan_to_num(file["boxes_xyxy_px"])
    wham = {"pose": poses, "trans": trans, "frame_ids": np.arange(len(poses))}
    joblib.dump({0: wham | {"betas": np.tile(betas, (len(poses), 1))}}, foreign / "wham.pkl")
    incam = {
        "global_orient": torch.from_numpy(poses[:, :3].copy()),
        "body_pose": torch.from_numpy(poses[:, 3:66].copy()),
        "transl": torch.from_numpy(trans.copy()),
        "betas": torch.from_numpy(np.tile(betas, (len(poses), 1))),
    }
    lines = [f"{i},{','.join(f'{v:.1f}' for v in box)},0.9" for i, box in enumerate(boxes)]
    write_small_checkpoints(foreign)
    images = [{"id": i, "frame_id": i} for i in range(len(boxes))]
    people = [
        {"image_id": i, "track_id": 1, "bbox": [float(v) for v in box], "scores": [0.9]}
        for i, box in enumerate(boxes)
    ]
    content = {"images": images, "annotations": people}
    (foreign / "posetrack.json").write_text(json.dumps(content))
    (foreign / "boxes.csv").write_text("\n".join(["frame,left,top,right,bottom,score", *lines]))
    torch.save({"smpl_params_incam": incam, "K_fullimg": torch.eye(3)[None]}, foreign / "gvhmr.pt")
