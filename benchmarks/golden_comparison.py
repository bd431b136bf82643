"""Comparing with reference arrays: what a checker yields, and the files it reads."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


class AbsentError(Exception):
    """A reference array or file that should be there is not."""


@dataclass(frozen=True)
class Comparison:
    """One array against its reference."""

    array: str
    difference: float
    """Infinite where the shapes differ, NaN where a number is not finite."""
    tolerance: float
    measure: str = "max abs"

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance; NaN is not."""
        return bool(self.difference <= self.tolerance)


def compare(
    array: str, found: Any, expected: np.ndarray, tolerance: float, *, relative_from: float = 0.0
) -> Comparison:
    """Largest difference: absolute, or relative to each expected number.

    Args:
        array: Title of the comparison.
        found: What was computed.
        expected: The reference.
        tolerance: Largest difference allowed.
        relative_from: If above 0, differences are relative to the expected numbers, those nearer
            to zero than this counting as this much.
    """
    found = np.asarray(found, dtype=np.float64)
    expected = np.asarray(expected, dtype=np.float64)
    measure = "max rel" if relative_from else "max abs"
    if found.shape != expected.shape:
        return Comparison(array, float("inf"), tolerance, f"shape {found.shape}")
    difference = np.abs(found - expected)
    if relative_from:
        difference = difference / np.maximum(np.abs(expected), relative_from)
    return Comparison(array, float(difference.max(initial=0.0)), tolerance, measure)


@dataclass
class GoldenFile:
    """A file of reference arrays that remembers which were used."""

    path: Path
    arrays: dict[str, np.ndarray]
    used: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, path: Path) -> "GoldenFile":
        """Read all arrays.

        Raises:
            AbsentError: there is no such file.
        """
        if not path.is_file():
            raise AbsentError(f"{path}: no such file")
        with np.load(path) as archive:
            return cls(path, dict(archive))

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.arrays:
            raise AbsentError(f"{self.path}: holds no array '{name}'")
        self.used.add(name)
        return self.arrays[name]

    def compare(
        self, name: str, found: Any, tolerance: float, *, relative_from: float = 0.0
    ) -> Comparison:
        """Compare with the array of that name."""
        title = f"{self.path.stem}: {name}"
        return compare(title, found, self[name], tolerance, relative_from=relative_from)
