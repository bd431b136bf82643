"""The pickle inside a PyTorch checkpoint, read without running anything in it.

Tensors become descriptions of where their numbers lie. Objects of other classes (settings of a
trainer, callbacks, dates) become `Unneeded`, an inert thing that swallows what it is given, so that
nothing runs whatever the pickle asks for. Names that show an attempt stop the reading at once.
"""

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import torch

from pipeline.errors import InputError
from pipeline.plain_unpickler import UNPICKLING_FAULTS, PlainUnpickler

KINDS = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
HARMFUL_MODULES = frozenset(
    "code ctypes importlib nt os posix pty runpy shutil signal socket subprocess sys webbrowser "
    "_posixsubprocess".split()
)
HARMFUL_BUILTINS = frozenset(
    ("__import__", "breakpoint", "compile", "eval", "exec", "execfile", "input", "open")
)
HARMLESS_BUILTINS = {
    "set": set,
    "frozenset": frozenset,
    "list": list,
    "dict": dict,
    "tuple": tuple,
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "complex": complex,
}
FAULTS = UNPICKLING_FAULTS


@dataclass(frozen=True)
class StorageKind:
    """What a storage class of torch's stands for."""

    dtype: torch.dtype


@dataclass(frozen=True)
class Storage:
    """A run of numbers somewhere in the file."""

    key: str
    dtype: torch.dtype
    count: int


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that has not been read: a view of a storage, in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class Unneeded:
    """Stands in for any object of a class we do not know; swallows everything, does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __new__(cls, *_: Any, **__: Any) -> "Unneeded":
        """Take any arguments."""
        return object.__new__(cls)

    def __setstate__(self, state: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> "Unneeded":
        """Swallow."""
        return Unneeded()

    def __setitem__(self, key: Any, value: Any) -> None:
        """Swallow."""

    def append(self, item: Any) -> None:
        """Swallow."""

    extend = add = update = append


class _Maker:
    """A function that the pickle may call and, unlike a bare function, may not alter."""

    __slots__ = ("_make",)

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a pickle may not alter what it calls")


def _stored(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> StoredTensor:
    if not isinstance(storage, Storage):
        raise pickle.UnpicklingError("a tensor without a storage")
    return StoredTensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


def _first(content: Any, *_: Any) -> Any:
    return content


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): _Maker(tuple),
    ("torch._utils", "_rebuild_tensor"): _Maker(_stored),
    ("torch._utils", "_rebuild_tensor_v2"): _Maker(_stored),
    ("torch._utils", "_rebuild_parameter"): _Maker(_first),
    ("torch._utils", "_rebuild_parameter_with_state"): _Maker(_first),
}


class TorchUnpickler(PlainUnpickler):
    """Reads one pickle of a checkpoint from a file; see the module."""

    def __init__(self, file: BufferedIOBase, path: Path) -> None:
        super().__init__(file, encoding="utf-8")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a global; never the global itself."""
        module = {"__builtin__": "builtins"}.get(module, module)
        if module == "torch" and name in KINDS:
            return StorageKind(KINDS[name])
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        if module == "builtins" and name in HARMLESS_BUILTINS:
            return _Maker(HARMLESS_BUILTINS[name])
        if module.split(".")[0] in HARMFUL_MODULES or (
            module == "builtins" and name in HARMFUL_BUILTINS
        ):
            raise InputError(
                f"{self._path}: the file asks for {module}.{name}, which weights have no use for; "
                "it was refused and nothing was run. Use a file from a source you trust"
            )
        return Unneeded

    def persistent_load(self, pid: Any) -> Storage:
        """Describe a storage: ('storage', kind, key, device, count[, view])."""
        word, kind, key, _, count, *view = pid
        if word != "storage" or not isinstance(kind, StorageKind) or any(view):
            raise pickle.UnpicklingError(f"a storage of an unknown kind: {key}")
        return Storage(str(key), kind.dtype, int(count))
