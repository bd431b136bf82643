"""Files of YOLO weights: found where the user says, opened without running code.

A `.pt` of ultralytics is a pickle, and a pickle can run any code. It is therefore opened in the
restricted way that newer versions of ultralytics have: only PyTorch's and ultralytics' own layers
are built. A file that needs more is refused unless the user trusts it in so many words.
"""

import inspect
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from pipeline.errors import InputError, MissingError
from pipeline.weights import cache_folder

RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.4.0"


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


def open_checkpoint(path: Path, *, trusted: bool) -> dict[str, Any]:
    """What is in a file of weights.

    Raises:
        InputError: it cannot be read, or would run code and is not trusted.
    """
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
        raise InputError(f"{path}: is no checkpoint of ultralytics, but {kind_of(content)}")
    return content


def _refusal(path: Path, error: Exception, trusted: bool) -> str:
    reason = " ".join(str(error).split()).replace("ERROR ❌️ ", "")
    if not trusted and "outside the supported" in reason:
        return (
            f"{path}: needs more than the layers of a YOLO, which could be code that does harm. "
            "If you trust where it comes from, set detection.yolo.trust=true"
        )
    return f"{path}: cannot be read as YOLO weights: {type(error).__name__}: {reason[:200]}"


def kind_of(thing: object) -> str:
    """A thing in words, for messages."""
    return "nothing" if thing is None else f"an object of the kind {type(thing).__name__}"
