"""Pickles of NumPy arrays that old programs read, too.

NumPy 2 names its own module `numpy._core` in a pickle, which NumPy before 1.26 does not have; its
older name `numpy.core` is known to all.
"""

import pickle
from pathlib import Path
from typing import Any, ClassVar

from pipeline.files import written_aside

_PLAIN_PICKLER: Any = pickle._Pickler
PROTOCOL = 3
"""Known to every Python 3, and without frames."""


class _Pickler(_PLAIN_PICKLER):
    dispatch: ClassVar[dict[Any, Any]] = dict(_PLAIN_PICKLER.dispatch)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Write a global's name, NumPy's the old way."""
        module = getattr(obj, "__module__", None) or ""
        if not module.startswith("numpy._core"):
            super().save_global(obj, name)
            return
        old = module.replace("numpy._core", "numpy.core", 1)
        self.write(pickle.GLOBAL + f"{old}\n{name or obj.__qualname__}\n".encode())
        self.memoize(obj)

    dispatch[type(lambda: None)] = save_global
    dispatch[type] = save_global


def write_pickle(path: Path, content: Any) -> None:
    """Write plain values and arrays, whole or not at all."""
    with written_aside(path) as aside, aside.open("wb") as file:
        _Pickler(file, PROTOCOL).dump(content)
