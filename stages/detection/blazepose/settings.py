"""What can be set about the `blazepose` backend."""

from pydantic import Field

from pipeline.backends import BackendConfig

Levels = tuple[float, ...]


class Config(BackendConfig):
    """Settings of the `blazepose` backend. Times are in seconds of the video."""

    levels: tuple[Levels, ...] = Field(default=((1.0, 0.6, 0.34), (0.8, 0.43)), min_length=1)
    """Sides of the detector's tiles over the picture's longer side; scans take turns with them."""
    scan_every_s: float = Field(default=0.48, gt=0)
    """The whole picture is searched for new people this often."""
    fine_levels: Levels = (0.25,)
    """More tiles, for people who are very small in the picture."""
    fine_scan_every_s: float = Field(default=4.0, gt=0)
    """They are searched this often, and with every scan while somebody small is followed."""
    small_region: float = Field(default=0.17, ge=0)
    """Somebody is small whose region is smaller than this part of the picture's longer side."""
    search_lost_s: float = Field(default=1.0, ge=0)
    """Somebody lost is searched for around the last place for this long."""
    search_every_s: float = Field(default=0.08, ge=0)
    """This often."""
    second_look_every_s: float = Field(default=0.3, ge=0)
    """A larger landmark network, where it is here, looks at everybody this often; 0: never."""
    min_candidate_score: float = Field(default=0.5, ge=0, le=1)
    """What the detector must say for a place to be looked at."""
    min_lost_score: float = Field(default=0.3, ge=0, le=1)
    """What it must say around the last place of somebody lost."""
    min_new_presence: float = Field(default=0.9, ge=0, le=1)
    """What the landmark network must say for a new person to count."""
    min_presence: float = Field(default=0.5, ge=0, le=1)
    """What it must say for a person to be followed on."""
    min_mean_presence: float = Field(default=0.8, ge=0, le=1)
    """What it must say on average for a person to be kept."""
    min_sightings: int = Field(default=5, ge=1)
    """A person seen in fewer frames before being lost is dropped."""
