"""A network from a file of YOLO weights, checked for people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.errors import InputError
from stages.detection.yolo.checkpoint import kind_of, open_checkpoint, tasks
from stages.detection.yolo.decode import HeadFacts

TASKS = ("detect", "pose", "segment")
RGB = 3


@dataclass(frozen=True)
class Model:
    """A network ready to be run, and how to read what it gives."""

    network: torch.nn.Module
    facts: HeadFacts
    image_px: int
    """Side of the pictures it was trained on."""
    stride_px: int


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
    content = open_checkpoint(path, trusted=trusted)
    network = content.get("ema") or content.get("model")
    if not isinstance(network, tasks.BaseModel):
        raise InputError(f"{path}: holds no YOLO network of ultralytics, but {kind_of(network)}")
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
    network = _renewed(network.float()).fuse(verbose=False).eval().requires_grad_(False)
    facts = HeadFacts(head.nc, classes, keypoint_shape, bool(getattr(head, "end2end", False)))
    stride_px = max(int(network.stride.max()), 1)
    return Model(network, facts, _trained_px(content), stride_px)


def _renewed(network: Any) -> Any:
    """Give networks pickled under an older torch what this one expects of its layers."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.Upsample) and not hasattr(layer, "recompute_scale_factor"):
            layer.recompute_scale_factor = None
    return network


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
