"""Lists of boxes, settings, and containers of weights."""

import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fuzz.doors import command, guarded
from benchmarks.fuzz.json_damage import damaged_json, damaged_value
from benchmarks.fuzz.mutations import damaged
from benchmarks.fuzz.npz_damage import damaged_npz
from benchmarks.fuzz.text_damage import damaged_text, damaged_yaml

if TYPE_CHECKING:
    from benchmarks.fuzz.files import Place, Step

SHAPES = {"layer.weight": (4, 3), "layer.bias": (4,)}


def _mot(place: "Place") -> Sequence["Step"]:
    path = place.folder / "boxes.txt"
    text = (place.seed / "foreign" / "boxes.txt").read_text()
    path.write_text(damaged_text(text, place.rng), errors="replace")
    out = place.folder / "out.txt"
    return [command("track", "--detections", path, "--mot-out", out, "-q")]


def _posetrack(place: "Place") -> Sequence["Step"]:
    path, out = place.folder / "people.json", place.folder / "out.json"
    data = (place.seed / "foreign" / "posetrack.json").read_bytes()
    if place.rng.random() < 0.3:
        path.write_bytes(damaged(data, place.rng)[0])
    else:
        path.write_text(damaged_json(json.loads(data), place.rng))
    return [command("track", "--detections", path, "--posetrack-out", out, "-q")]


def _boxes(place: "Place") -> Sequence["Step"]:
    path = place.folder / "boxes.csv"
    text = (place.seed / "foreign" / "boxes.csv").read_text()
    path.write_text(damaged_text(text, place.rng), errors="replace")
    out, film = place.folder / "result", place.seed / "film.mp4"
    words = ("detection.backend=given", f"detection.given.path={path}")
    return [command("run", film, *words, "refinement.backend=none", "-o", out, "-q")]


def _settings(place: "Place") -> Sequence["Step"]:
    path = place.folder / "settings.yaml"
    text = Path("configs/default.yaml").read_text()
    data = damaged_yaml(text, place.rng)
    path.write_text(data, encoding="utf-8", errors="replace")
    # There is no such video: whatever the settings say, the run ends soon.
    return [command("run", place.folder / "none.mp4", "-c", path, "-q")]


def _checkpoint(name: str) -> Callable[["Place"], Sequence["Step"]]:
    def prepare(place: "Place") -> Sequence["Step"]:
        from pipeline.checkpoints import Layout, convert  # noqa: PLC0415

        path = place.folder / name
        data = (place.seed / "foreign" / f"small_{name}").read_bytes()
        if name.endswith(".safetensors") and place.rng.random() < 0.6:
            path.write_bytes(_other_header(data, place))
        else:
            path.write_bytes(damaged(data, place.rng)[0])
        target = place.folder / "converted.safetensors"
        return [guarded(lambda: convert(path, Layout("small", SHAPES), target, licence="none"))]

    return prepare


def _other_header(data: bytes, place: "Place") -> bytes:
    length = struct.unpack("<Q", data[:8])[0]
    header = damaged_value(json.loads(data[8 : 8 + length]), place.rng)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def _body(place: "Place") -> Sequence["Step"]:
    from pipeline.body import load_body  # noqa: PLC0415

    path = place.folder / "body.npz"
    data = Path("pipeline/data/default_body.npz").read_bytes()
    bytes_only = place.rng.random() < 0.4
    path.write_bytes(damaged(data, place.rng)[0] if bytes_only else damaged_npz(data, place.rng))
    return [guarded(lambda: load_body(str(path)))]


def write_small_checkpoints(folder: Path) -> None:
    """A network of two tensors in both containers."""
    import torch  # noqa: PLC0415

    from pipeline.safetensors_file import write_safetensors  # noqa: PLC0415

    rng = np.random.default_rng(0)
    tensors = {
        name: torch.from_numpy(rng.normal(size=shape).astype(np.float32))
        for name, shape in SHAPES.items()
    }
    write_safetensors(folder / "small_weights.safetensors", tensors, {"system": "small"})
    torch.save({"state_dict": tensors, "epoch": 3}, folder / "small_zip.pt")
    torch.save(
        {"state_dict": tensors},
        folder / "small_legacy.pt",
        _use_new_zipfile_serialization=False,
    )


KINDS = {
    "boxes (MOT text)": _mot,
    "boxes (CSV)": _boxes,
    "boxes (PoseTrack JSON)": _posetrack,
    "settings (YAML)": _settings,
    "weights: safetensors": _checkpoint("weights.safetensors"),
    "weights: torch zip": _checkpoint("zip.pt"),
    "weights: torch legacy": _checkpoint("legacy.pt"),
    "body .npz": _body,
}
