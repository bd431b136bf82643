"""One visible person each: recorded motions of the validation split, or the project's own."""

from pipeline.scenes.camera_moves import CameraPlan
from pipeline.scenes.film_file import FilmOptions
from pipeline.scenes.specs import Procedural, Recorded, Role, SceneSpec

BLURRED = FilmOptions(exposures=4, open_exposures=3)

RECORDED: tuple[SceneSpec, ...] = (
    SceneSpec(
        "referee",
        "single",
        (Role(Recorded("cmu_basketball_signal_03", 6.0, facing_deg=8.0), 11),),
        6.0,
        place="hall",
        camera=CameraPlan(distance_m=4.2),
    ),
    SceneSpec(
        "walk_across",
        "single",
        (Role(Recorded("cmu_walk_31", facing_deg=60.0), 12),),
        3.5,
        camera=CameraPlan(distance_m=5.6),
    ),
    SceneSpec(
        "walk_near",
        "single",
        (Role(Recorded("cmu_07_06", facing_deg=-12.0, middle_xz_m=(0.0, -0.8)), 13),),
        3.4,
        place="meadow",
        camera=CameraPlan("handheld", distance_m=5.4, travel_m=0.5, seed=3),
        fps=25.0,
    ),
    SceneSpec(
        "dribble",
        "single",
        (Role(Recorded("cmu_06_11", 0.5, facing_deg=-50.0), 14),),
        6.0,
        place="hall",
        camera=CameraPlan("pan", distance_m=6.0),
        fps=50.0,
    ),
    SceneSpec(
        "front_kick",
        "single",
        (Role(Recorded("cmu_135_04", 1.0, facing_deg=35.0), 15),),
        6.0,
        place="hall",
        camera=CameraPlan(distance_m=6.2, azimuth_deg=-15.0),
    ),
    SceneSpec(
        "arabesque",
        "single",
        (Role(Recorded("cmu_05_04", 2.0, facing_deg=40.0), 16),),
        6.0,
        place="meadow",
        camera=CameraPlan("handheld", distance_m=5.6, seed=4),
        fps=24.0,
        width_px=1280,
        height_px=720,
    ),
    SceneSpec(
        "wash",
        "single",
        (Role(Recorded("cmu_02_10", 4.0, facing_deg=-20.0), 17),),
        6.0,
        camera=CameraPlan(distance_m=4.3, azimuth_deg=10.0),
    ),
    SceneSpec(
        "swordplay",
        "single",
        (Role(Recorded("cmu_02_08", 2.0, facing_deg=25.0), 18),),
        5.0,
        camera=CameraPlan("handheld", distance_m=4.2, travel_m=-0.6, seed=5),
        fps=60.0,
    ),
    SceneSpec(
        "hop",
        "single",
        (Role(Recorded("cmu_131_03", 2.0, facing_deg=-65.0), 19),),
        6.0,
        place="meadow",
        camera=CameraPlan("pan", distance_m=6.0),
        options=FilmOptions(noise=6.0, crf=28, seed=1),
    ),
    SceneSpec(
        "kick_ball",
        "single",
        (Role(Recorded("cmu_soccer_05", facing_deg=55.0), 20),),
        4.5,
        place="meadow",
        camera=CameraPlan("pan", distance_m=5.8, travel_m=0.8),
        options=BLURRED,
    ),
    SceneSpec(
        "salsa_alone",
        "single",
        (Role(Recorded("cmu_60_05", 8.0, facing_deg=0.0), 21),),
        6.0,
        place="hall",
        camera=CameraPlan("handheld", distance_m=5.0, travel_m=1.0, seed=6),
    ),
    SceneSpec(
        "pirouette",
        "single",
        (Role(Recorded("cmu_05_13", 2.0, facing_deg=70.0), 22),),
        6.0,
        camera=CameraPlan(distance_m=5.6, height_m=1.9),
    ),
)


def _on_the_spot(what: str, seed: int, facing_deg: float, camera: CameraPlan) -> SceneSpec:
    motion = Procedural(what, facing_deg=facing_deg)  # type: ignore[arg-type]
    return SceneSpec(f"procedural_{what}", "single", (Role(motion, seed),), 4.0, camera=camera)


PROCEDURAL: tuple[SceneSpec, ...] = (
    SceneSpec(
        "procedural_walk",
        "single",
        (Role(Procedural("walk", ((-2.2, -1.4), (0.4, -0.6), (1.6, 0.8))), 11),),
        4.0,
        camera=CameraPlan("pan", distance_m=5.4),
    ),
    _on_the_spot("turn", 12, 0.0, CameraPlan(distance_m=4.4)),
    _on_the_spot("sit", 13, 35.0, CameraPlan(distance_m=4.4, azimuth_deg=-10.0)),
    _on_the_spot("reach", 14, -25.0, CameraPlan("handheld", distance_m=4.6, seed=7)),
    _on_the_spot("squat", 15, 20.0, CameraPlan(distance_m=4.4)),
)
