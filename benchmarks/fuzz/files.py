"""Damaged result files, imports, settings and weights through the commands that read them."""

import json
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from benchmarks.fuzz import small_files
from benchmarks.fuzz.doors import command
from benchmarks.fuzz.json_damage import damaged_json, damaged_value
from benchmarks.fuzz.mutations import Rng, damaged
from benchmarks.fuzz.npz_damage import damaged_npz
from benchmarks.fuzz.text_damage import damaged_text
from benchmarks.fuzz.trial import Trial

Step = Callable[[], int]
LIMIT_S = 60.0
STAGE_FILES = ("video", "detections", "bodies", "tracks", "refined", "smoothed")


@dataclass(frozen=True)
class Place:
    """Where a trial works."""

    seed: Path
    """The whole result and all else, to copy from."""
    folder: Path
    """The trial's own."""
    rng: Rng

    def result(self) -> Path:
        """A copy of the result."""
        return Path(shutil.copytree(self.seed / "result", self.folder / "result"))

    def one_of(self, *steps: Step) -> Step:
        """One of these, at random."""
        return steps[int(self.rng.integers(len(steps)))]


def file_trials(seed: Path, count: int, number: int, without: Collection[str] = ()) -> list[Trial]:
    """So many trials, spread over all kinds of files but those named."""
    kinds = [(kind, prepare) for kind, prepare in KINDS.items() if kind not in without]
    trials = []
    for index in range(count):
        kind, prepare = kinds[index % len(kinds)]
        name = f"file-{index:04d}"
        trials.append(Trial(name, kind, _steps(seed, prepare, number, index), LIMIT_S))
    return trials


def _steps(
    seed: Path, prepare: Callable[[Place], Sequence[Step]], number: int, index: int
) -> Callable[[Path], Sequence[Step]]:
    return lambda folder: prepare(Place(seed, folder, np.random.default_rng([number, index])))


def _bytes_or_npz(data: bytes, rng: Rng) -> bytes:
    return damaged(data, rng)[0] if rng.random() < 0.35 else damaged_npz(data, rng)


def _bytes_or_json(data: bytes, rng: Rng) -> bytes:
    if rng.random() < 0.3:
        return damaged(data, rng)[0]
    return damaged_json(json.loads(data), rng).encode()


def _readers(place: Place, folder: Path) -> list[Step]:
    """What looks at a result; the costly ones by chance."""
    costly = (
        command("export", folder, "--to", "amass", "bvh"),
        command("export", folder, "--to", "csv", "coco", "--floor"),
        command("render", folder, "--mode", "birdseye", "--stills", 1, "-q"),
        command("render", folder, "--mode", "side", "--stills", 1, "-q"),
        command("view", folder, "--export", place.folder / "view.html"),
        command("run", place.seed / "film.mp4", "-o", folder, "-q"),
        command("edit", folder, "merge", "1", "2", "-q"),
    )
    return [command("inspect", folder), command("validate", folder), place.one_of(*costly)]


def _person(place: Place) -> Sequence[Step]:
    folder = place.result()
    path = folder / "people" / "person_001.npz"
    path.write_bytes(_bytes_or_npz(path.read_bytes(), place.rng))
    alone = place.one_of(
        command("inspect", path),
        command("body", "render", "--pose", path, "-o", place.folder / "x.png"),
    )
    return [command("validate", path), alone, *_readers(place, folder)]


def _run_json(place: Place) -> Sequence[Step]:
    folder = place.result()
    path = folder / "run.json"
    path.write_bytes(_bytes_or_json(path.read_bytes(), place.rng))
    return _readers(place, folder)


def _report_json(place: Place) -> Sequence[Step]:
    folder = place.result()
    path = folder / "report.json"
    path.write_bytes(_bytes_or_json(path.read_bytes(), place.rng))
    return _readers(place, folder)


def _stage_file(place: Place) -> Sequence[Step]:
    """A stage's result; half of the time run.json tells its new size, as a hostile one would."""
    folder, name = place.result(), str(place.rng.choice(STAGE_FILES))
    path = folder / f"{name}.npz"
    path.write_bytes(_bytes_or_npz(path.read_bytes(), place.rng))
    report = json.loads((folder / "run.json").read_text())
    if place.rng.random() < 0.7:
        for made in report["made"].values():
            if path.name in made["files"]:
                made["files"][path.name] = path.stat().st_size
        report["fingerprint"] = "another"
        (folder / "run.json").write_text(json.dumps(report))
    rerun = command("run", place.seed / "film.mp4", "-o", folder, "-q")
    return [*_readers(place, folder), rerun]


def _chunk(place: Place) -> Sequence[Step]:
    folder = place.folder / "result"
    shutil.copytree(place.seed / "unfinished", folder / ".unfinished")
    chunks = sorted((folder / ".unfinished").glob("*/*.npz"))
    path = chunks[int(place.rng.integers(len(chunks)))]
    path.write_bytes(_bytes_or_npz(path.read_bytes(), place.rng))
    return [command("run", place.seed / "film.mp4", "-o", folder, "-q")]


def _identities(place: Place) -> Sequence[Step]:
    folder = place.result()
    path = folder / "identities.yaml"
    data, chance = path.read_bytes(), place.rng.random()
    if chance < 0.4:
        path.write_bytes(damaged(data, place.rng)[0])
    elif chance < 0.7:
        path.write_text(damaged_text(data.decode(), place.rng), encoding="utf-8", errors="replace")
    else:
        content = damaged_value(yaml.safe_load(data), place.rng)
        path.write_text(yaml.safe_dump(content), encoding="utf-8", errors="replace")
    return [
        command("inspect", folder),
        command("edit", folder, "-q"),
        command("run", place.seed / "film.mp4", "-o", folder, "-q"),
    ]


def _foreign(name: str) -> Callable[[Place], Sequence[Step]]:
    def prepare(place: Place) -> Sequence[Step]:
        data = (place.seed / "foreign" / name).read_bytes()
        path, out = place.folder / name, place.folder / "result"
        if name.endswith(".npz"):
            path.write_bytes(_bytes_or_npz(data, place.rng))
        elif name.endswith(".bvh") and place.rng.random() < 0.7:
            path.write_text(damaged_text(data.decode(), place.rng), errors="replace")
        else:
            path.write_bytes(damaged(data, place.rng)[0])
        return [command("import", path, "-o", out, "-q"), command("validate", out)]

    return prepare


NEED_A_RUN = ("stage results (.npz)", "unfinished chunks", "identities.yaml", "boxes (CSV)")
"""Kinds that mean something only beside a film and its whole result."""
KINDS: dict[str, Callable[[Place], Sequence[Step]]] = {
    "person_NNN.npz": _person,
    "run.json": _run_json,
    "report.json": _report_json,
    "stage results (.npz)": _stage_file,
    "unfinished chunks": _chunk,
    "identities.yaml": _identities,
    "import: PHALP pickle": _foreign("phalp.pkl"),
    "import: WHAM joblib": _foreign("wham.pkl"),
    "import: GVHMR .pt": _foreign("gvhmr.pt"),
    "import: AMASS .npz": _foreign("amass.npz"),
    "import: BVH": _foreign("motion.bvh"),
    **small_files.KINDS,
}
