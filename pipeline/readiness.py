"""Whether a backend could run here: its packages and its weights, and how to get what is missing.

Backends are imported to find out, so this is as slow as all of them; nothing is fetched or run.
"""

import ctypes.util
import shlex
from dataclasses import dataclass
from pathlib import Path

from pipeline import backends, weights
from pipeline.config import STAGES
from pipeline.errors import UserError
from pipeline.files import file_digest
from pipeline.weights_kinds import AsPublished, ByHand, Checkpoint, Fetched, WeightsFile

EGL_BACKENDS = (("rendering", "pyrender"),)


@dataclass(frozen=True)
class Need:
    """Something that is missing."""

    what: str
    command: str = ""
    """The exact command that gets it, where there is one."""
    origin: str = ""
    """Where it is published."""
    licence: str = ""


@dataclass(frozen=True)
class Readiness:
    """What one backend lacks; nothing: it is ready."""

    stage: str
    backend: str
    needs: tuple[Need, ...]
    with_settings: tuple[str, ...] = ()
    """Settings without which it refuses to run."""
    better_with: tuple[Need, ...] = ()
    """What is not here, and what it runs without, not as well."""

    @property
    def ready(self) -> bool:
        """Whether it could run now."""
        return not self.needs


def all_backends() -> list[Readiness]:
    """Every backend of every stage, in the order of the flow."""
    return [readiness(stage, name) for stage in STAGES for name in backends.names(stage)]


def readiness(stage: str, backend: str) -> Readiness:
    """What one backend lacks."""
    needs = _package_needs(stage, backend)
    settings: list[str] = []
    better_with: list[Need] = []
    for row in weights.used_by(stage, backend):
        if row.optional:
            if isinstance(row.source, Fetched) and not weights.is_present(row):
                better_with.append(_weights_need(row))
        elif not weights.is_present(row):
            needs.append(_weights_need(row))
        elif isinstance(row.source, AsPublished):
            if not needs:
                needs += _program_needs(row, row.source)
            digest = file_digest(weights.location(row))
            settings.append(f"{row.source.trust_setting}={digest}")
    return Readiness(stage, backend, tuple(needs), tuple(settings), tuple(better_with))


def _package_needs(stage: str, backend: str) -> list[Need]:
    """Packages; and weights that are in no table, which the backend's `find_weights` looks for."""
    if (stage, backend) in EGL_BACKENDS and not ctypes.util.find_library("EGL"):
        return [Need("the library libEGL", "apt install libegl1")]
    try:
        module = backends.load(stage, backend)
        if hasattr(module, "find_weights"):
            module.find_weights(module.Config().weights)
    except UserError as error:
        return [_need_in(error)]
    except Exception as error:  # a package that is there and does not work here
        reason = " ".join(str(error).split())[:200]
        return [Need(f"packages that work here ({type(error).__name__}: {reason})")]
    return []


def _need_in(error: UserError) -> Need:
    """What an error's text tells to get, and the command at its end."""
    for words in (". Install it with: ", " come with: "):
        what, found, command = str(error).partition(words)
        if found:
            return Need(what, command)
    return Need(str(error))


def _weights_need(row: WeightsFile) -> Need:
    source = row.source
    if isinstance(source, Fetched):
        command = f"humans4d models fetch {row.name}"
        what = f"weights {row.file_name}"
        if row.without:
            what += f" (without it {row.without})"
        return Need(what, command, source.requirement, row.licence)
    if isinstance(source, ByHand):
        what = f"weights, to be put at {weights.location(row)}"
        return Need(what, origin=source.page, licence=row.licence)
    found = found_original(source)
    command = f"humans4d models add {row.name} {shlex.quote(str(found)) if found else 'FILE'}"
    what = f"weights: {found} (found)" if found else f"weights: {source.original}"
    return Need(what, command, source.page, row.licence)


def found_original(source: Checkpoint | AsPublished) -> Path | None:
    """The official file where its own program keeps it, if it is there."""
    path = Path.home() / source.usual_path
    return path if source.usual_path and path.is_file() else None


def _program_needs(row: WeightsFile, source: AsPublished) -> list[Need]:
    try:
        backends.load(source.stage, source.backend).check_file(weights.location(row))
    except UserError as error:
        return [_need_in(error)]
    return []
