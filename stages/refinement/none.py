"""No refinement: people pass as they came."""

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.types import Camera, Person


class Config(BackendConfig):
    """There is nothing to set."""


class Backend:
    """Gives back what it gets."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config

    def __call__(self, people: tuple[Person, ...], camera: Camera) -> tuple[Person, ...]:
        """The same people."""
        return people
