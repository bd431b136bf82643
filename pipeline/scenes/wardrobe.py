"""Bodies and clothes drawn by lot: shapes, skin tones, hair, colours."""

import numpy as np
from jaxtyping import Float32

from pipeline.scenes.clothes import Outfit, Rgb

SHIRTS: tuple[Rgb, ...] = (
    (186, 52, 46),
    (44, 86, 140),
    (232, 226, 214),
    (60, 110, 74),
    (36, 36, 40),
    (214, 168, 62),
    (122, 72, 120),
    (150, 152, 156),
)
TROUSERS: tuple[Rgb, ...] = (
    (52, 62, 92),
    (96, 84, 66),
    (40, 40, 44),
    (122, 116, 104),
    (70, 52, 44),
    (88, 96, 110),
)
SHOES: tuple[Rgb, ...] = ((48, 40, 36), (200, 196, 190), (90, 34, 34), (30, 30, 34))
HAIR: tuple[Rgb, ...] = ((28, 22, 20), (54, 38, 26), (104, 72, 42), (176, 142, 88), (150, 148, 146))
SKIN: tuple[Rgb, ...] = (
    (236, 196, 168),
    (224, 172, 140),
    (198, 142, 108),
    (158, 106, 76),
    (112, 72, 52),
    (82, 54, 42),
)
STRIPED_SHARE = 0.3
SHAPE_SPREAD = np.array([0.9, 0.9, 0.7, 0.7, *[0.5] * 6], dtype=np.float32)
FARTHEST_BETA = 1.8


def random_outfit(seed: int) -> Outfit:
    """Clothes by lot; the same for the same seed."""
    rng = np.random.default_rng([seed, 1])

    def one_of(colours: tuple[Rgb, ...]) -> Rgb:
        return colours[int(rng.integers(len(colours)))]

    shirt, stripe = one_of(SHIRTS), one_of(SHIRTS)
    striped = rng.random() < STRIPED_SHARE and stripe != shirt
    return Outfit(
        shirt=shirt,
        trousers=one_of(TROUSERS),
        shoes=one_of(SHOES),
        hair=one_of(HAIR),
        skin=one_of(SKIN),
        stripe=stripe if striped else None,
        sleeve=float(rng.uniform(0.35, 0.95)),
    )


def random_betas(seed: int) -> Float32[np.ndarray, " 10"]:
    """A shape by lot, none of its ten numbers beyond 1.8; the same for the same seed."""
    rng = np.random.default_rng([seed, 2])
    betas = rng.normal(size=10).astype(np.float32) * SHAPE_SPREAD
    return np.clip(betas, -FARTHEST_BETA, FARTHEST_BETA)
