"""Scenes as plain values: who, where, in what light of which camera. `staging` builds them."""

from dataclasses import dataclass
from typing import Literal

from pipeline.scenes.camera_moves import TRIPOD, CameraPlan
from pipeline.scenes.film_file import PLAIN, FilmOptions

PlaceName = Literal["street", "hall", "meadow"]
Procedure = Literal["walk", "turn", "sit", "reach", "squat"]
Xz = tuple[float, float]


@dataclass(frozen=True)
class Recorded:
    """A part of a motion file."""

    clip: str
    """Name of the file, without `.npz`."""
    start_s: float = 0.0
    facing_deg: float = 0.0
    """In the first frame: 0 towards the camera's side (+z), positive to the picture's right."""
    middle_xz_m: Xz = (0.0, 0.0)
    """Where the middle of its way lies on the ground."""
    partner: str | None = None
    """The clip that this one is danced with: it stands to it as in the recording."""


@dataclass(frozen=True)
class Procedural:
    """One of the project's own motions."""

    what: Procedure
    corners_xz_m: tuple[Xz, ...] = ((0.0, 0.0),)
    """Of the way of a walk; of the others the first is the spot."""
    facing_deg: float = 0.0
    """Of motions on the spot."""
    speed_m_s: float = 1.2
    first_step: float = 0.0


@dataclass(frozen=True)
class Role:
    """One person: a motion, a body and clothes by lot."""

    motion: Recorded | Procedural
    seed: int
    """Of the body's shape, and of the clothes unless `clothes_seed` is given."""
    clothes_seed: int | None = None


@dataclass(frozen=True)
class SceneSpec:
    """A scene of the benchmark."""

    name: str
    group: Literal["single", "several"]
    roles: tuple[Role, ...]
    seconds: float
    place: PlaceName = "street"
    camera: CameraPlan = TRIPOD
    fps: float = 30.0
    width_px: int = 960
    height_px: int = 540
    options: FilmOptions = PLAIN

    @property
    def clips(self) -> tuple[str, ...]:
        """Motion files that the scene needs."""
        return tuple(r.motion.clip for r in self.roles if isinstance(r.motion, Recorded))
