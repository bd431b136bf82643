"""The backends that the settings chose: all checked at once, each made when first used."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Thread
from typing import Any

from pipeline import backends
from pipeline.appearance_source import LookSource, chosen_source
from pipeline.config import STAGES, Settings
from pipeline.context import Context
from pipeline.events import Event
from pipeline.files import value_digest
from pipeline.imports import without_gc

KEPT_STAGES = ("detection", "regression")
"""Hold networks, and carry nothing from one chunk of a video to the next (`pipeline.perceive`)."""


@dataclass(frozen=True)
class _Kept:
    backend: Any
    events: tuple[Event, ...]
    """What it had to say when it was made; told again in every run."""


class Chosen:
    """One backend per stage, of all stages or of some.

    Raises:
        SettingsError, MissingError: on creation, if any chosen backend cannot be had as set,
            so that a run stops before it has spent time.
    """

    def __init__(
        self, settings: Settings, context: Context, stages: Sequence[str] = STAGES
    ) -> None:
        self._context = context
        self.names = {stage: settings.stages[stage].backend for stage in stages}
        self._tell_idle(settings)
        with without_gc():
            self._configs = {
                stage: backends.make_config(stage, name, settings.stages[stage].chosen)
                for stage, name in self.names.items()
            }
            self.look_source: LookSource | None = None
            """What looks are read from; None without regression."""
            if "regression" in stages:
                regressor = self.names["regression"]
                self.look_source = chosen_source(
                    settings.appearance.source, regressor, context.body_model
                )

    def _tell_idle(self, settings: Settings) -> None:
        for key in settings.without_effect:
            stage, name = key.split(".")[:2]
            if stage in self.names:
                text = (
                    f"{key} changes nothing: {stage}.backend is {self.names[stage]}, not {name}. "
                    f"Set {stage}.backend={name} too, or an option of {self.names[stage]}"
                )
                self._context.events.record(stage, "info", text)

    def described(self, *stages: str) -> dict[str, Any]:
        """Names and full settings of the chosen backends, as plain values."""
        return {
            stage: {"backend": self.names[stage], **self._configs[stage].model_dump(mode="json")}
            for stage in stages
            if stage in self.names
        }

    def config(self, stage: str) -> backends.BackendConfig:
        """Settings of the stage's backend."""
        return self._configs[stage]

    def prepare(self) -> None:
        """Let modules that have `prepare()` (to compile kernels) run it in a thread meanwhile."""
        ready = [module.prepare for module in self.modules().values() if hasattr(module, "prepare")]
        Thread(target=lambda: [prepare() for prepare in ready], daemon=True, name="prepare").start()

    def modules(self) -> dict[str, Any]:
        """The chosen backends' modules by stage."""
        return {stage: backends.load(stage, name) for stage, name in self.names.items()}

    def let_go(self, *stages: str) -> None:
        """Forget backends that are no longer needed; `context.kept` may keep them."""
        for stage in stages:
            vars(self).pop(stage, None)

    def _make(self, stage: str) -> Any:
        name, config = self.names[stage], self._configs[stage]
        kept, log = self._context.kept, self._context.events
        if kept is None or stage not in KEPT_STAGES:
            return backends.make(stage, name, config, self._context)
        key = value_digest(self.described(stage))
        if key not in kept:
            recorded = len(log.events)
            backend = backends.make(stage, name, config, self._context)
            kept[key] = _Kept(backend, tuple(log.events[recorded:]))
        for event in kept[key].events:
            log.add(event)
        return kept[key].backend

    @cached_property
    def detection(self) -> Any:
        """Frames to people in single frames."""
        return self._make("detection")

    @cached_property
    def regression(self) -> Any:
        """Detections to bodies."""
        return self._make("regression")

    @cached_property
    def tracking(self) -> Any:
        """Detections and bodies to people over time."""
        return self._make("tracking")

    @cached_property
    def refinement(self) -> Any:
        """People to better fitted people."""
        return self._make("refinement")

    @cached_property
    def smoothing(self) -> Any:
        """People to smoother people."""
        return self._make("smoothing")

    @cached_property
    def rendering(self) -> Any:
        """Meshes to a layer over a frame."""
        return self._make("rendering")
