"""People who cross, leave and return on ways drawn by lot: nothing is ever tuned on these.

The laid-out scenes of `several_scenes` are looked at while trackers are made; these tell whether
what helps there helps elsewhere.
"""

import numpy as np

from pipeline.scenes.camera_moves import CameraPlan, Move
from pipeline.scenes.specs import PlaceName, Procedural, Role, SceneSpec

LANE_M = 0.7
"""Between the depths at which people walk: their bodies never touch."""
LANES = 5
PLACES: tuple[PlaceName, ...] = ("street", "hall", "meadow")
MOVES: tuple[Move, ...] = ("static", "static", "pan", "handheld")
LOT_SEEDS = 100
"""The second lot's films are numbered from 101."""
RATES = (24.0, 25.0, 30.0, 50.0)


def _crossing(seed: int) -> SceneSpec:
    """Two to four people cross the picture, each in a lane, from either side."""
    rng = np.random.default_rng([seed, 501])
    people = int(rng.integers(2, 5))
    lanes = rng.permutation(LANES)[:people]
    sides = np.where(np.arange(people) % 2, 1, -1) * rng.choice([-1, 1])
    roles = []
    for number in range(people):
        z = 0.3 - LANE_M * lanes[number] + rng.uniform(-0.1, 0.1, 2)
        x = sides[number] * rng.uniform(2.4, 3.2, 2)
        corners = ((float(x[0]), float(z[0])), (float(-x[1]), float(z[1])))
        speed, step = rng.uniform(0.9, 1.5), rng.uniform()
        motion = Procedural("walk", corners, 0.0, float(speed), float(step))
        roles.append(Role(motion, 500 + 10 * seed + number))
    return _scene(f"held_out_crossing_{seed}", seed, tuple(roles), 4.5, rng)


def _return(seed: int) -> SceneSpec:
    """One or two people leave the picture and come back, past somebody who stays."""
    rng = np.random.default_rng([seed, 502])
    side = float(rng.choice([-1, 1]))
    roles = []
    for number in range(int(rng.integers(1, 3))):
        own = side * (-1) ** number
        far, near = rng.uniform(-1.6, -1.2) - 0.4 * number, rng.uniform(-0.4, 0.0) - 0.4 * number
        start, out, end = rng.uniform(0.2, 0.8), rng.uniform(3.7, 4.2), rng.uniform(-2.4, -1.6)
        corners = tuple(
            (float(own * x), float(z)) for x, z in ((start, near), (out, near), (out, far))
        )
        motion = Procedural("walk", (*corners, (float(own * end), float(far))), 0.0, 1.5)
        roles.append(Role(motion, 700 + 10 * seed + number))
    spot = ((float(side * rng.uniform(-1.2, -0.7)), -0.7),)
    roles.append(Role(Procedural("reach", spot, float(rng.uniform(-30, 30))), 705 + 10 * seed))
    return _scene(f"held_out_return_{seed}", seed + 1, tuple(roles), 7.5, rng)


def _scene(
    name: str, turn: int, roles: tuple[Role, ...], seconds: float, rng: np.random.Generator
) -> SceneSpec:
    move = MOVES[turn % len(MOVES)]
    camera = CameraPlan(
        move,
        distance_m=float(rng.uniform(5.2, 6.4)),
        travel_m=0.0 if move == "static" else 0.8,
        seed=turn,
    )
    place = PLACES[turn % len(PLACES)]
    return SceneSpec(name, "several", roles, seconds, place, camera, fps=float(rng.choice(RATES)))


def held_out(lot: int = 1) -> tuple[SceneSpec, ...]:
    """Ten films; every lot draws its own, so that a lot that was looked at can be replaced."""
    first = 1 + LOT_SEEDS * (lot - 1)
    crossings = (_crossing(seed) for seed in range(first, first + 7))
    return (*crossings, *(_return(seed) for seed in range(first, first + 3)))
