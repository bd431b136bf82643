"""YOLO weights: found where the user says, opened without running code, checked for people.

A `.pt` of ultralytics is a pickle, and a pickle can run any code. It is therefore opened in the
restricted way that newer versions of ultralytics have: only PyTorch's and ultralytics' own layers
are built. A file that needs more is refused unless the user trusts it in so many words.
"""

import inspect
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from pipeline.errors import InputError, MissingError
from pipeline.weights import cache_folder
from stages.detection.yolo.decode import HeadFacts

RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
TASKS = ("detect", "pose", "segment")
RGB = 3


@contextmanager
def _process_left_as_it_was() -> Iterator[None]:
    """Importing ultralytics sets threads and print formats of the whole process; undo that."""
    environment, threads, printed = dict(os.environ), cv2.getNumThreads(), np.get_printoptions()
    try:
        yield
    finally:
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)
        cv2.setNumThreads(threads)
        np.set_printoptions(**printed)
        torch.set_printoptions(profile="default")


with _process_left_as_it_was():
    from ultralytics.nn import tasks


@dataclass(frozen=True)
class Model:
    """A network ready to be run, and how to read what it gives."""

    network: torch.nn.Module
    facts: HeadFacts
    image_px: int
    """Side of the pictures it was trained on."""
    stride_px: int


def find_weights(name: str) -> Path:
    """The file of that path, or of that name in the cache folder; nothing is downloaded.

    Raises:
        MissingError: there is none; the text says where to get it and where to put it.
    """
    given, cached = Path(name).expanduser(), cache_folder() / Path(name).name
    for path in (given, cached):
        if path.is_file():
            return path
    file = Path(name).name
    raise MissingError(
        f"detection.yolo.weights={name}: no such file, and no {file} in {cached.parent}. Name your "
        "own file there, or get one that ultralytics publishes (AGPL-3.0) with: "
        f"curl -fL --create-dirs -o '{cached}' {RELEASE}/{file}"
    )


def load_model(path: Path, person_names: tuple[str, ...], *, trusted: bool) -> Model:
    """Open a file of weights and check that it can find people.

    Args:
        path: a `.pt` that ultralytics wrote.
        person_names: names of the classes that are people.
        trusted: run the code in the file, if need be.

    Raises:
        InputError: no YOLO, a YOLO of another task, one that knows no people, or a file that
            would run code and is not trusted.
    """
    content = _opened(path, trusted)
    network = content.get("ema") or content.get("model")
    if not isinstance(network, tasks.BaseModel):
        raise InputError(f"{path}: holds no YOLO network of ultralytics, but {_kind(network)}")
    layers: Any = network.model
    head = layers[-1]
    task = _task(network, head)
    if task not in TASKS:
        raise InputError(
            f"{path}: is a YOLO for the task '{task}'; needed is one of {', '.join(TASKS)}"
        )
    if next(network.parameters()).shape[1] != RGB:
        raise InputError(f"{path}: looks at pictures of other channels than red, green and blue")
    classes = _person_classes(path, network, person_names)
    keypoint_shape = _keypoint_shape(path, head)
    network = network.float().fuse(verbose=False).eval().requires_grad_(False)
    facts = HeadFacts(head.nc, classes, keypoint_shape, bool(getattr(head, "end2end", False)))
    stride_px = max(int(network.stride.max()), 1)
    return Model(network, facts, _trained_px(content), stride_px)


def _opened(path: Path, trusted: bool) -> dict[str, Any]:
    if path.suffix.lower() != ".pt":
        raise InputError(f"{path}: is no .pt file, the only form of YOLO weights that is read")
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            start = file.read(16)
        raise InputError(
            f"{path}: cannot be read as YOLO weights; it begins with {start!r}. Was it cut short, "
            "or a web page saved in its place?"
        )
    careful = "safe_only" in inspect.signature(tasks.torch_safe_load).parameters
    if not trusted and not careful:
        raise InputError(
            f"{path}: this version of ultralytics can only open weights in a way that runs code "
            "in them. Update it (pip install -U ultralytics), or set detection.yolo.trust=true if "
            "you trust the file"
        )
    try:
        if trusted:
            content = torch.load(path, map_location="cpu", weights_only=False)
        else:
            content, _ = tasks.torch_safe_load(str(path), safe_only=True)
    except Exception as error:  # whatever the bytes of a stranger make of the loader
        raise InputError(_refusal(path, error, trusted)) from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: is no checkpoint of ultralytics, but {_kind(content)}")
    return content


def _refusal(path: Path, error: Exception, trusted: bool) -> str:
    reason = " ".join(str(error).split()).replace("ERROR ❌️ ", "")
    if not trusted and "outside the supported" in reason:
        return (
            f"{path}: needs more than the layers of a YOLO, which could be code that does harm. "
            "If you trust where it comes from, set detection.yolo.trust=true"
        )
    return f"{path}: cannot be read as YOLO weights: {type(error).__name__}: {reason[:200]}"


def _task(network: Any, head: Any) -> str:
    """The task by the network's last layer; 'rtdetr' and the like by its name."""
    if isinstance(head, tasks.OBB):
        return "obb"
    for layer, task in ((tasks.Pose, "pose"), (tasks.Segment, "segment"), (tasks.Detect, "detect")):
        if isinstance(head, layer):
            return task
    return str(getattr(network, "task", None) or type(head).__name__).lower()


def _person_classes(path: Path, network: Any, person_names: tuple[str, ...]) -> tuple[int, ...]:
    names = {int(number): str(name) for number, name in dict(network.names).items()}
    classes = tuple(number for number, name in names.items() if name in person_names)
    if not classes:
        known = ", ".join(list(names.values())[:8])
        raise InputError(
            f"{path}: knows no class called {' or '.join(person_names)}, but {known}"
            f"{', ...' if len(names) > 8 else ''}. Set detection.yolo.person_names"  # noqa: PLR2004
        )
    return classes


def _keypoint_shape(path: Path, head: Any) -> tuple[int, int] | None:
    if not isinstance(head, tasks.Pose):
        return None
    count, numbers = (int(number) for number in head.kpt_shape)
    if count != 17 or numbers not in (2, 3):  # noqa: PLR2004
        raise InputError(
            f"{path}: marks {count} keypoints of {numbers} numbers; known are COCO's 17 of 2 or 3"
        )
    return count, numbers


def _trained_px(content: dict[str, Any]) -> int:
    """The size in the training's settings; ultralytics' usual 640 where they say none."""
    size = dict(content.get("train_args") or {}).get("imgsz", 640)
    return int(max(size) if isinstance(size, list | tuple) else size)


def _kind(thing: object) -> str:
    return "nothing" if thing is None else f"an object of the kind {type(thing).__name__}"
