"""Settings: YAML read once into frozen objects, strictly; `key=value` lays over it.

A stage's block names its backend and may hold one block of options per backend:
``smoothing: {backend: whittaker, whittaker: {...}}``. The options of the chosen backend are
checked by that backend's own `Config` (`pipeline.backends.make_config`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline import backends
from pipeline.errors import SettingsError
from pipeline.limits import MAX_FRAMES, MAX_PIXELS
from pipeline.text_files import TextError, parse_yaml, read_yaml

STAGES = ("detection", "regression", "tracking", "refinement", "smoothing", "rendering")


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VideoSettings(_Block):
    """How the file is read."""

    decoder: Literal["pyav", "decord"] = "pyav"
    max_frames: int = Field(default=MAX_FRAMES, gt=0)
    """A video of more frames is refused (46 hours at 30 frames a second)."""
    max_pixels: int = Field(default=MAX_PIXELS, gt=0)
    """A video of larger pictures is refused before any is decoded (8192 x 8192)."""


class CameraSettings(_Block):
    """What the user knows about the camera; at most one of the two."""

    focal_px: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    fov_deg: float | None = Field(default=None, gt=0, lt=180, allow_inf_nan=False)


class BodySettings(_Block):
    """Which body model."""

    model: str = "embedded"


class AppearanceSettings(_Block):
    """What the look of people is read from, by which trackers tell them apart."""

    source: Literal["auto", "landmarks", "mesh", "encoder"] = "auto"
    """See `pipeline.appearance_source`."""


class OverlaySettings(_Block):
    """The video that shows the result."""

    enabled: bool = True


class ReportSettings(_Block):
    """The page that says how good the result is."""

    enabled: bool = True


@dataclass(frozen=True)
class StageSettings:
    """The chosen backend of a stage and the options of its backends by name."""

    backend: str
    options: Mapping[str, Mapping[str, Any]]

    @property
    def chosen(self) -> dict[str, Any]:
        """Options of the chosen backend."""
        return dict(self.options.get(self.backend, {}))


@dataclass(frozen=True)
class Settings:
    """Everything a run can be told."""

    video: VideoSettings
    camera: CameraSettings
    body: BodySettings
    appearance: AppearanceSettings
    overlay: OverlaySettings
    report: ReportSettings
    device: Literal["auto", "cpu", "cuda"]
    stages: Mapping[str, StageSettings]
    raw: Mapping[str, Any]
    """The merged plain values, as they go into run.json."""
    without_effect: tuple[str, ...] = ()
    """Keys given one by one that are of backends not chosen."""


_BLOCKS: dict[str, type[_Block]] = {
    "video": VideoSettings,
    "camera": CameraSettings,
    "body": BodySettings,
    "appearance": AppearanceSettings,
    "overlay": OverlaySettings,
    "report": ReportSettings,
}
_KNOWN = ("video", "camera", "body", "device", *STAGES, "appearance", "overlay", "report")


def load_settings(config: str | Path | None = None, overrides: Iterable[str] = ()) -> Settings:
    """The default settings, with a YAML file and then `key=value` texts laid over them.

    Args:
        config: a YAML file, or the name of one that ships in `configs/` (without `.yaml`).
        overrides: texts such as ``camera.focal_px=1500``; the value is read as YAML.

    Raises:
        SettingsError: unreadable file, unknown key (the known ones are named), wrong value.
    """
    raw = _read_yaml(_shipped("default"))
    if config is not None:
        raw = _merged(raw, _read_yaml(_find(config)))
    texts = list(overrides)
    for text in texts:
        raw = _merged(raw, _parse_override(text))
    settings = _checked(raw)
    return replace(settings, without_effect=tuple(_idle(texts, settings.stages)))


def _idle(overrides: Iterable[str], stages: Mapping[str, StageSettings]) -> Iterator[str]:
    for text in overrides:
        key = text.partition("=")[0]
        stage, _, rest = key.partition(".")
        if stage in stages and rest.partition(".")[0] not in ("backend", stages[stage].backend, ""):
            yield key


def settings_from(raw: Mapping[str, Any]) -> Settings:
    """The settings that run.json tells, as they were.

    Raises:
        SettingsError: they are another version's.
    """
    return _checked(dict(raw))


def settings_of_result(raw: Mapping[str, Any]) -> Settings:
    """As `settings_from`, of a result folder, which may be anybody's: it allows no program to run.

    Raises:
        SettingsError: they are another version's, or say that a file of code is to be trusted.
    """
    for stage in STAGES:
        block = raw.get(stage, {})
        for name, options in block.items() if isinstance(block, Mapping) else ():
            if isinstance(options, Mapping) and options.get("trust"):
                raise SettingsError(
                    f"{stage}.{name}.trust: this result was made with a file that can run code, "
                    "and a result is not believed in that. Run the video again, with that setting"
                )
    return settings_from(raw)


def shipped_names() -> list[str]:
    """Names of the settings that ship with the project."""
    folder = resources.files("configs")
    return sorted(
        p.name.removesuffix(".yaml") for p in folder.iterdir() if p.name.endswith(".yaml")
    )


def _shipped(name: str) -> Path:
    return Path(str(resources.files("configs").joinpath(f"{name}.yaml")))


def _find(config: str | Path) -> Path:
    path = Path(config)
    if path.is_file():
        return path
    if str(config) in shipped_names():
        return _shipped(str(config))
    known = ", ".join(shipped_names())
    raise SettingsError(
        f"-c {config}: no such file, and no shipped settings of that name ({known})"
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read as a settings file: {error}") from error
    except TextError as error:
        raise SettingsError(f"{path}: is not valid YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: settings must be 'key: value' lines, not a {_kind(content)}")
    _check_keys(content)
    return content


def _parse_override(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not all(key.split(".")):
        raise SettingsError(f"'{text}': write settings as key=value, such as camera.focal_px=1500")
    try:
        leaf: Any = parse_yaml(value)
    except TextError as error:
        raise SettingsError(f"'{text}': the value is not valid YAML") from error
    _check_keys(leaf, f"{key}.")
    for part in reversed(key.split(".")):
        leaf = {part: leaf}
    return leaf


def _merged(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in top.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else value
    return result


def _check_keys(value: Any, before: str = "") -> None:
    """YAML's keys may be numbers, dates or nothing; those of settings are words."""
    for key, item in value.items() if isinstance(value, Mapping) else ():
        if not isinstance(key, str):
            raise SettingsError(f"unknown setting '{before}{str(key)[:40]}': a key must be a word")
        _check_keys(item, f"{before}{key}.")


def _checked(raw: dict[str, Any]) -> Settings:
    for key in raw:
        if key not in _KNOWN:
            raise SettingsError(f"unknown setting '{key}'. Known: {', '.join(_KNOWN)}")
    blocks = {name: _block(name, raw.get(name, {})) for name in _BLOCKS}
    if blocks["camera"].focal_px is not None and blocks["camera"].fov_deg is not None:
        raise SettingsError("camera: give focal_px or fov_deg, not both")
    device = raw.get("device", "auto")
    if device not in ("auto", "cpu", "cuda"):
        raise SettingsError(f"device: '{device}' is not one of auto, cpu, cuda")
    stages = {stage: _stage(stage, raw.get(stage, {})) for stage in STAGES}
    return Settings(**blocks, device=device, stages=stages, raw=raw)


def _block(name: str, content: Any) -> Any:
    model = _BLOCKS[name]
    if not isinstance(content, dict):
        raise SettingsError(f"{name}: must hold settings ({', '.join(model.model_fields)})")
    try:
        return model(**content)
    except ValidationError as error:
        raise SettingsError(backends.describe(error, name, model)) from error


def _stage(stage: str, content: Any) -> StageSettings:
    known = backends.names(stage)
    if not isinstance(content, dict) or not isinstance(content.get("backend"), str):
        raise SettingsError(f"{stage}: needs 'backend', one of {', '.join(known)}")
    options = {key: value for key, value in content.items() if key != "backend"}
    if content["backend"] not in known:
        backend = content["backend"]
        raise SettingsError(
            f"{stage}.backend: unknown backend '{backend}'. Known: {', '.join(known)}"
        )
    for key, value in options.items():
        if key not in known:
            raise SettingsError(
                f"unknown setting '{stage}.{key}'. Known: backend, {', '.join(known)}"
            )
        if not isinstance(value, dict):
            raise SettingsError(f"{stage}.{key}: must hold settings, not a {_kind(value)}")
    return StageSettings(content["backend"], options)


def _kind(value: object) -> str:
    return {list: "list", str: "text", int: "number", float: "number"}.get(type(value), "value")
