"""Two to five people who cross, hide behind each other, leave and return.

All but the last two need no motion file: walkers whose ways are laid out to the decimetre.
"""

from pipeline.scenes.camera_moves import CameraPlan
from pipeline.scenes.film_file import FilmOptions
from pipeline.scenes.specs import Procedural, Recorded, Role, SceneSpec, Xz


def _walker(
    seed: int,
    *corners_xz_m: Xz,
    speed_m_s: float = 1.2,
    first_step: float = 0.0,
    clothes_seed: int | None = None,
) -> Role:
    return Role(Procedural("walk", corners_xz_m, 0.0, speed_m_s, first_step), seed, clothes_seed)


def _standing(what: str, seed: int, at_xz_m: Xz, facing_deg: float = 0.0) -> Role:
    return Role(Procedural(what, (at_xz_m,), facing_deg), seed)  # type: ignore[arg-type]


PROCEDURAL: tuple[SceneSpec, ...] = (
    SceneSpec(
        "cross_near_far",
        "several",
        (
            _walker(31, (-2.6, 0.2), (2.6, 0.2)),
            _walker(32, (2.6, -0.9), (-2.6, -0.9), speed_m_s=1.1, first_step=0.4),
        ),
        4.5,
    ),
    SceneSpec(
        "cross_panned",
        "several",
        (
            _walker(33, (-3.0, -2.2), (0.0, -0.6), (2.4, 0.4), first_step=0.6),
            _walker(34, (2.6, -1.8), (0.0, -1.6), (-3.0, -0.4), speed_m_s=1.25),
        ),
        5.0,
        place="hall",
        camera=CameraPlan("pan", distance_m=6.2, travel_m=0.8),
        fps=50.0,
    ),
    SceneSpec(
        "cross_alike",
        "several",
        (
            _walker(35, (-2.6, -0.2), (2.6, -0.4), clothes_seed=35),
            _walker(36, (2.6, -1.2), (-2.6, -1.0), first_step=0.3, clothes_seed=35),
        ),
        4.5,
        place="meadow",
    ),
    SceneSpec(
        "cross_three",
        "several",
        (
            _walker(37, (-2.8, 0.3), (2.8, 0.3), speed_m_s=1.3),
            _walker(38, (2.8, -0.7), (-2.8, -0.7), speed_m_s=1.15, first_step=0.5),
            _walker(39, (-1.2, -2.8), (0.4, -1.6), (1.4, 0.8), speed_m_s=0.95),
        ),
        4.5,
        place="hall",
    ),
    SceneSpec(
        "cross_five",
        "several",
        (
            _walker(40, (-3.4, 0.0), (3.4, 0.0), speed_m_s=1.3),
            _walker(41, (3.4, -0.9), (-3.4, -0.9), first_step=0.4),
            _walker(42, (-3.2, -1.8), (3.2, -1.8), first_step=0.8),
            _walker(43, (3.0, -2.6), (-3.0, -2.6), speed_m_s=1.1),
            _walker(44, (0.8, -3.0), (-0.6, 1.0), speed_m_s=0.9),
        ),
        5.0,
        camera=CameraPlan(distance_m=6.6, height_m=1.7),
        width_px=1280,
        height_px=720,
    ),
    SceneSpec(
        "leave_and_return",
        "several",
        (
            _walker(45, (0.4, -0.4), (3.9, -0.4), (4.2, -1.4), (-2.5, -1.4), speed_m_s=1.5),
            _standing("reach", 46, (-0.9, -0.6), 15.0),
        ),
        8.0,
        place="meadow",
        camera=CameraPlan(distance_m=5.2),
    ),
    SceneSpec(
        "two_return",
        "several",
        (
            _walker(47, (0.5, -0.3), (3.7, -0.3), (4.0, -1.2), (-2.0, -1.2), speed_m_s=1.5),
            _walker(48, (-0.5, -1.0), (-3.7, -1.0), (-4.0, 0.0), (2.0, 0.0), speed_m_s=1.5),
        ),
        7.5,
        place="hall",
        camera=CameraPlan(distance_m=5.2),
        fps=25.0,
    ),
    SceneSpec(
        "behind_two",
        "several",
        (
            _standing("reach", 49, (-0.25, 0.1), -10.0),
            _standing("squat", 50, (0.75, 0.0), 10.0),
            _walker(51, (-2.8, -1.1), (2.8, -1.3), speed_m_s=1.15),
        ),
        5.0,
    ),
    SceneSpec(
        "turn_back",
        "several",
        (
            _walker(52, (-2.4, 0.0), (-0.5, 0.0), (-0.5, 1.1), (-2.8, 1.1), speed_m_s=1.1),
            _walker(53, (2.4, -0.4), (0.2, -0.4), (0.2, -1.5), (2.8, -1.5), speed_m_s=1.1),
        ),
        4.5,
        place="meadow",
        camera=CameraPlan(distance_m=5.8),
    ),
    SceneSpec(
        "overtake",
        "several",
        (
            _walker(54, (-2.6, -0.7), (2.6, -0.7), speed_m_s=0.85),
            _walker(55, (-3.6, -0.1), (3.4, -0.1), speed_m_s=1.5, first_step=0.5),
        ),
        4.5,
        camera=CameraPlan("pan", distance_m=5.6),
        fps=60.0,
    ),
    SceneSpec(
        "carried_crowd",
        "several",
        (
            _walker(56, (-2.6, 0.3), (2.8, -0.1), speed_m_s=1.2),
            _walker(57, (2.8, -0.6), (-2.6, -0.8), first_step=0.4),
            _walker(58, (2.4, -2.4), (0.0, -1.4), (-2.4, -1.8), speed_m_s=1.05),
            _standing("turn", 59, (0.2, -2.6), 40.0),
        ),
        5.0,
        place="hall",
        camera=CameraPlan("handheld", distance_m=6.0, travel_m=1.0, seed=8),
        fps=24.0,
        options=FilmOptions(exposures=4, open_exposures=3, noise=5.0, crf=26, seed=2),
    ),
)
RECORDED: tuple[SceneSpec, ...] = (
    SceneSpec(
        "salsa",
        "several",
        (
            Role(Recorded("cmu_60_05", 4.0, 0.0, (0.0, -0.5), partner="cmu_61_05"), 61),
            Role(Recorded("cmu_61_05", 4.0, 0.0, (0.0, -0.5), partner="cmu_60_05"), 62),
        ),
        7.0,
        place="hall",
        camera=CameraPlan("handheld", distance_m=5.6, travel_m=0.8, seed=9),
    ),
    SceneSpec(
        "referee_and_walkers",
        "several",
        (
            Role(Recorded("cmu_basketball_signal_04", 4.0, 0.0, (0.0, 0.2)), 63),
            _walker(64, (-2.8, -0.7), (2.8, -0.9), speed_m_s=1.2),
            _walker(65, (2.8, -1.7), (-2.8, -1.5), first_step=0.5),
        ),
        5.0,
        place="hall",
    ),
)
