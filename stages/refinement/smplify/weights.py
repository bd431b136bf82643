"""How much each term of the fit counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Weights:
    """Spreads are what a residual usually measures; the rest multiplies a squared residual."""

    pixels: float = 1.0
    pixel_spread_m: float = 0.045
    """Usual error of a 2D landmark, as a length at the body's distance."""
    pixel_outlier: float = 3.0
    """Errors of more than this many spreads are taken for mistakes."""
    landmarks: float = 0.2
    landmark_spread_m: float = 0.1
    landmark_outlier: float = 2.0
    regressed: float = 0.0
    """Of the regressed rotation of every joint."""
    regressed_spread_deg: Mapping[str, float] = field(default_factory=dict)
    """Usual error of the rotations of some joints, over `regressed.SPREAD_DEG`."""
    regressed_outlier: float = 2.0
    regressed_directions: float = 0.0
    """Of the directions that the regressed body's bones have in space."""
    told: float = 2.0
    """How strongly a regressor's own word on its errors counts: usual errors grow by this power."""
    contact: float = 1.0
    """Of a foot's place while it stands still before a still camera."""
    contact_spread_m: float = 0.01
    contact_outlier: float = 5.0
    """A point that would have to move by more than this many spreads was not still."""
    usual_pose: float = 0.1
    pose_prior: float = 0.1
    """Of the learnt prior; one frame's poses weigh far less than its landmarks."""
    limits: float = 1.0
    shape: float = 3.0
    """Pull of the average shape, in frames' worth of evidence."""
    mark_spread_m: float = 0.02
    """How far a person's marks usually lie from the sites."""
    rotation_accel_rad_s2: float = 30.0
    """Usual acceleration of a joint's rotation."""
    place_accel_m_s2: float = 3.0

    def loosened(self, times: float) -> "Weights":
        """More forgiving of mistakes and of jumps."""
        return replace(
            self,
            pixel_outlier=self.pixel_outlier * times,
            landmark_outlier=self.landmark_outlier * times,
            rotation_accel_rad_s2=self.rotation_accel_rad_s2 * times,
            place_accel_m_s2=self.place_accel_m_s2 * times,
        )
