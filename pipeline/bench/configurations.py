"""What is measured side by side in one run: settings under a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Settings, load_settings
from pipeline.errors import SettingsError

DEFAULT, BASELINE = "default", "unrefined"
UNREFINED = ("refinement.backend=none", "smoothing.backend=none")
"""The baseline of every run: what the regression gives, neither refined nor smoothed."""
NO_OVERLAY = ("overlay.enabled=false",)
BLAZEPOSE = (
    "detection.backend=blazepose",
    "detection.blazepose.second_look_every_s=0",
    "regression.backend=landmarks",
    *UNREFINED,
)
"""Settings whose tracks hold BlazePose's own 3D landmarks, of the one network that it has."""


@dataclass(frozen=True)
class Configuration:
    """Settings as `humans4d run` takes them."""

    name: str
    config: str | None = None
    overrides: tuple[str, ...] = ()

    def settings(self, extra: Sequence[str] = ()) -> Settings:
        """Checked settings; `extra` lies under the user's own overrides.

        Raises:
            SettingsError: unknown config, key or backend.
        """
        return load_settings(self.config, [*NO_OVERLAY, *extra, *self.overrides])


def configurations(
    configs: Sequence[str] = (),
    overrides: Sequence[str] = (),
    compare: Sequence[str] = (),
    *,
    baseline: bool = True,
) -> tuple[Configuration, ...]:
    """Everything to be measured, by the command line's words, each checked.

    Args:
        configs: files or names, one configuration each; none: the default settings.
        overrides: `key=value` texts for all of them.
        compare: `NAME=key=value key=value ...`: the first with these laid over it.
        baseline: also the first, neither refined nor smoothed.

    Raises:
        SettingsError: unknown config, key or backend, or a name twice.
    """
    own = tuple(overrides)
    chosen = [Configuration(Path(c).stem, c, own) for c in configs]
    chosen = chosen or [Configuration(DEFAULT, None, own)]
    first = chosen[0]
    for text in compare:
        name, equals, changes = text.partition("=")
        if not equals or not name.strip():
            raise SettingsError(
                f"--compare '{text}': write NAME=key=value, such as "
                '"raw=smoothing.backend=none refinement.backend=none"'
            )
        chosen.append(Configuration(name.strip(), first.config, (*own, *changes.split())))
    if baseline:
        chosen.append(Configuration(BASELINE, first.config, (*own, *UNREFINED)))
    names = [configuration.name for configuration in chosen]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"two configurations are called '{name}'; give each its own name")
    for configuration in chosen:
        configuration.settings()
    return tuple(chosen)
