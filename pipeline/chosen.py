"""The backends that the settings chose: all checked at once, each made when first used."""

from collections.abc import Sequence
from functools import cached_property
from threading import Thread
from typing import Any

from pipeline import backends
from pipeline.config import STAGES, Settings
from pipeline.context import Context
from pipeline.imports import without_gc


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
        with without_gc():
            self._configs = {
                stage: backends.make_config(stage, name, settings.stages[stage].chosen)
                for stage, name in self.names.items()
            }

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

    def _make(self, stage: str) -> Any:
        name, config = self.names[stage], self._configs[stage]
        return backends.make(stage, name, config, self._context)

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
