"""Adults drawn from MakeHuman's macro targets: gender, age, muscle, weight, height, proportions.

The distributions are the project's own choice, not a survey: stature comes out near
1.71 +/- 0.096 m. They decide the mean shape and what one unit of each beta means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64

from pipeline.body_build.makehuman import BaseMesh, read_target
from pipeline.body_build.wheel import Assets

_GENDERS = ("male", "female")
_AGES = ("young", "old")
_PEOPLES = ("african", "asian", "caucasian")
_MUSCLES = ("minmuscle", "averagemuscle", "maxmuscle")
_WEIGHTS = ("minweight", "averageweight", "maxweight")
_HEIGHTS = ("minheight", "maxheight")
_PROPORTIONS = ("uncommonproportions", "idealproportions")

Mix = dict[str, float]
"""How much of every named macro value a person has."""


@dataclass(frozen=True)
class MacroTargets:
    """Targets, each active by the product of its macro values."""

    values: tuple[tuple[str, ...], ...]
    """The macro values of every target."""
    offsets_m: Float64[np.ndarray, "k v 3"]

    def vertices_m(self, mesh: BaseMesh, mix: Mix) -> Float64[np.ndarray, "v 3"]:
        """The body of one person, in the base mesh's own pose."""
        amounts = np.array([np.prod([mix[value] for value in values]) for values in self.values])
        return mesh.vertices_m + np.tensordot(amounts, self.offsets_m, 1)


def read_macro_targets(assets: Assets, mesh: BaseMesh) -> MacroTargets:
    """Read every macro target of adults."""
    found = {
        values: offsets
        for name, values in _target_names()
        if (offsets := read_target(assets, name, len(mesh.vertices_m))) is not None
    }
    return MacroTargets(tuple(found), np.stack(list(found.values())))


def _target_names() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Path of each target, with the macro values that make it active."""
    for gender, age in product(_GENDERS, _AGES):
        for people in _PEOPLES:
            yield f"macrodetails/{people}-{gender}-{age}", (gender, age, people)
        for muscle, weight in product(_MUSCLES, _WEIGHTS):
            build = (gender, age, muscle, weight)
            name = "-".join(build)
            yield f"macrodetails/universal-{name}", build
            for height in _HEIGHTS:
                yield f"macrodetails/height/{name}-{height}", (*build, height)
            for proportion in _PROPORTIONS:
                yield f"macrodetails/proportions/{name}-{proportion}", (*build, proportion)
            if gender == "female":
                yield f"breast/{name}-averagecup-averagefirmness", (*build, "average breast")


def sample_adults(count: int, seed: int) -> list[Mix]:
    """Draw people."""
    generator = np.random.default_rng(seed)
    return [_one_adult(generator) for _ in range(count)]


def _one_adult(generator: np.random.Generator) -> Mix:
    # The order of these draws is part of the result: it decides every number that follows.
    female = float(generator.random() < 0.5)  # noqa: PLR2004
    female = float(np.clip(female + generator.normal(0, 0.08), 0, 1))
    old = generator.beta(1.2, 2.5)
    muscle = generator.beta(3, 3)
    weight = generator.beta(3, 2.7)
    height = float(np.clip(generator.normal(0.07, 0.095), -0.5, 0.5))
    proportion = float(np.clip(generator.normal(0.1, 0.4), -1, 1))
    peoples = generator.dirichlet([1, 1, 1])
    return {
        **dict(zip(_GENDERS, (1 - female, female), strict=True)),
        **dict(zip(_AGES, (1 - old, old), strict=True)),
        **dict(zip(_MUSCLES, _three_anchors(muscle), strict=True)),
        **dict(zip(_WEIGHTS, _three_anchors(weight), strict=True)),
        **dict(zip(_HEIGHTS, (max(-height, 0.0), max(height, 0.0)), strict=True)),
        **dict(zip(_PROPORTIONS, (max(-proportion, 0.0), max(proportion, 0.0)), strict=True)),
        **dict(zip(_PEOPLES, map(float, peoples), strict=True)),
        "average breast": 1.0,
    }


def _three_anchors(x: float) -> tuple[float, float, float]:
    """Shares of the anchors at 0, 1/2 and 1 that interpolate x."""
    return max(0.0, 1 - 2 * x), 1 - abs(2 * x - 1), max(0.0, 2 * x - 1)
