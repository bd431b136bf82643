"""Fetch the weights that a run can do without, before anything says what made its results.

A backend names them in its module's `optional_weights(config)`: rows of the table that are
`optional`, and that it would use as configured. What cannot be had becomes an event.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from pipeline import backends, weights
from pipeline.config import Settings, StageSettings
from pipeline.context import ProgressFactory, no_progress
from pipeline.errors import UserError
from pipeline.events import Event
from pipeline.imports import without_gc
from pipeline.weights_kinds import Fetched, WeightsFile
from pipeline.weights_scratch import BY_HAND

LOGGER = logging.getLogger(__name__)

_failed: dict[Path, str] = {}
"""Why a file could not be had, by its place; it is tried once in a process."""


def obtain_weights(
    settings: Settings, progress: ProgressFactory = no_progress
) -> tuple[Event, ...]:
    """Fetch what the chosen backends would use and is not here; nothing is raised.

    Where all is here, or was tried, no backend is imported.

    Returns:
        What could not be had, as events of the stages that go on without it.
    """
    return tuple(
        Event(stage, "fallback", _told(row, reason))
        for stage, chosen in settings.stages.items()
        for row in _lacking(stage, chosen)
        if (reason := _failure(row, progress))
    )


def optional_weights(module: ModuleType, config: backends.BackendConfig) -> tuple[str, ...]:
    """The optional rows of the table that a backend would use as configured."""
    return module.optional_weights(config) if hasattr(module, "optional_weights") else ()


def _lacking(stage: str, chosen: StageSettings) -> Iterator[WeightsFile]:
    rows = [
        row
        for row in weights.used_by(stage, chosen.backend)
        if row.optional and isinstance(row.source, Fetched) and not weights.is_present(row)
    ]
    wanted = _wanted(stage, chosen) if rows else ()
    yield from (row for row in rows if row.name in wanted)


def _wanted(stage: str, chosen: StageSettings) -> tuple[str, ...]:
    try:
        with without_gc():
            config = backends.make_config(stage, chosen.backend, chosen.chosen)
            return optional_weights(backends.load(stage, chosen.backend), config)
    except UserError:  # the run, which asks for the same, says it
        return ()


def _failure(row: WeightsFile, progress: ProgressFactory) -> str | None:
    """Fetch it; the reason if that failed, now or before."""
    place = weights.location(row)
    if place not in _failed:
        try:
            weights.fetch(row.name, progress)
        except UserError as error:
            LOGGER.info("%s: %s", row.name, error)
            _failed[place] = str(error).partition(BY_HAND)[0]
    return _failed.get(place)


def _told(row: WeightsFile, reason: str) -> str:
    return (
        f"{row.name} is not here, and {reason}. Without it {row.without}; "
        f"get it with: humans4d models fetch {row.name}"
    )
