"""Write every export format, read it back with an independent reader, print how far off it is.

`python -m benchmarks.formats`. Two made-up people of different build bend every joint; the second
comes late and is lost for two frames. The readers (`benchmarks/format_readers`) share no code with
the exporters; the truth is reckoned with formulas of its own. Largest errors over everybody, all
frames, joints and vertices.
"""

import argparse
import importlib
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from benchmarks.format_readers.reading import Off, off
from benchmarks.format_readers.truth import made_up_people, truths, write_made_up_result
from pipeline.context import Context
from pipeline.exporting import Part, export, read_take
from pipeline.skeletons import COCO17, skeleton_named
from pipeline.take import Take

FORMATS = {
    "amass": "NumPy, own kinematics",
    "bvh": "own reader and kinematics",
    "glb": "pygltflib, own skinning",
    "phalp": "pickle, own kinematics",
    "obj": "trimesh",
    "ply": "trimesh",
    "csv": "csv",
    "trc": "own reader",
    "opensim": "own reader and kinematics",
    "c3d": "c3d",
    "usd": "usd-core's skinning",
}


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "No analog data")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        take = read_take(write_made_up_result(folder / "made_up"), Part(), Context())
        print("| format | read back with | frames | position mm | rotation ° | time ms | bytes |")
        print("|---|---|---|---|---|---|---|")
        for name, reader in FORMATS.items():
            print(_row(take, name, reader, folder))
        for name in ("coco", "motchallenge"):
            print(_picture_row(take, name, folder))


def _row(take: Take, name: str, reader: str, folder: Path) -> str:
    paths = export(take, [name], folder, Context())[name]
    readings = importlib.import_module(f"benchmarks.format_readers.{name}").read(paths)
    true = truths()
    offs = [off(reading, true[reading.person_id]) for reading in readings]
    worst = Off(
        sum(o.frames for o in offs),
        max(o.time_s for o in offs),
        max(o.position_mm for o in offs),
        max(o.rotation_deg for o in offs),
    )
    size = sum(path.stat().st_size for path in paths)
    numbers = (worst.position_mm, worst.rotation_deg, 1000 * worst.time_s)
    return _line(name, reader, worst.frames, *(_number(value) for value in numbers), size)


def _picture_row(take: Take, name: str, folder: Path) -> str:
    """Formats of the picture: largest distance in pixels."""
    path = export(take, [name], folder, Context())[name][0]
    read_px, true_px = (_coco if name == "coco" else _boxes)(path)
    worst_px = float(np.abs(read_px - true_px).max())
    reader = "json" if name == "coco" else "own reader"
    size = path.stat().st_size
    return _line(name, reader, len(read_px), f"{worst_px:.1e} px", "-", "0", size)


def _coco(path: Path) -> tuple[np.ndarray, np.ndarray]:
    entries = json.loads(path.read_text())["annotations"]
    entries.sort(key=lambda entry: (entry["track_id"], entry["image_id"]))
    chosen = skeleton_named("blazepose33").indices(*COCO17.points)
    true = [p.keypoints_px[p.drawn][:, chosen, :2] for p in made_up_people()]
    read = np.array([entry["keypoints"] for entry in entries]).reshape(len(entries), 17, 3)
    return read[..., :2], np.concatenate(true)


def _boxes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    rows = np.loadtxt(path, delimiter=",")
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1]))]
    corners = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    return corners, np.concatenate([p.boxes_xyxy_px[p.drawn] for p in made_up_people()])


def _number(value: float) -> str:
    return "-" if np.isnan(value) else "0" if value == 0 else f"{value:.1e}"


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
