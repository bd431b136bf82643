"""Checkpoints as training programs leave them: tensors amid objects of classes nobody has here."""

import sys
import types
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

ABSENT = ("omegaconf_absent", "omegaconf_absent.dictconfig", "trainer_absent")


@contextmanager
def classes_that_vanish():
    """Classes that exist while the file is written and cannot be imported afterwards."""
    modules = {name: types.ModuleType(name) for name in ABSENT}
    sys.modules.update(modules)
    try:
        made = {}
        for module, name in ((ABSENT[1], "DictConfig"), (ABSENT[2], "Callback")):
            made[name] = type(name, (), {"__module__": module, "__qualname__": name})
            setattr(modules[module], name, made[name])
        kept = type("KeptDict", (dict,), {"__module__": ABSENT[2], "__qualname__": "KeptDict"})
        modules[ABSENT[2]].KeptDict = made["KeptDict"] = kept
        yield types.SimpleNamespace(**made)
    finally:
        for name in ABSENT:
            del sys.modules[name]


def write_lightning_checkpoint(
    path: Path,
    tensors: Mapping[str, Tensor],
    *,
    legacy: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write `tensors` as the `state_dict` of a Lightning checkpoint, settings and all.

    Args:
        path: Where to.
        tensors: The state.
        legacy: In the container from before torch 1.6.
        extra: More entries at the top level.
    """
    with classes_that_vanish() as absent:
        settings = absent.DictConfig()
        settings.__dict__.update({"_content": {"lr": 1e-5, "layers": [1, 2]}, "_flags": {"a"}})
        callbacks = absent.KeptDict({"best": absent.Callback(), "at": Path("somewhere")})
        content = {
            "epoch": 35,
            "global_step": 1_000_000,
            "pytorch-lightning_version": "1.8.1",
            "state_dict": dict(tensors),
            "callbacks": callbacks,
            "hyper_parameters": {"cfg": settings},
            **(extra or {}),
        }
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
