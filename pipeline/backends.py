"""Find a backend by name and import it late.

A backend is one module (or package) `stages/<stage>/<name>` that holds two names: `Config`, a
frozen pydantic model of its settings, and `Backend`, made as `Backend(config, context)`.
The contract of each stage is written in `stages/<stage>/__init__.py`.
"""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.context import Context
from pipeline.errors import MissingError, SettingsError

EXTRA_OF_PACKAGE = {
    "ultralytics": "yolo",
    "smplx": "smplx",
    "pyrender": "pyrender",
    "OpenGL": "pyrender",
    "trimesh": "pyrender",
    "decord": "decord",
    "torchvision": "nlf",
    "pxr": "usd",
    "ezc3d": "c3d",
    "ray": "ray",
    "fsspec": "ray",
}


class BackendConfig(BaseModel):
    """Base of every backend's `Config`: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def names(stage: str) -> list[str]:
    """Names of the backends of a stage, found by listing its folder; nothing is imported."""
    package = importlib.import_module(f"stages.{stage}")
    return sorted(
        module.name
        for module in pkgutil.iter_modules(package.__path__)
        if not module.name.startswith("_")
    )


def load(stage: str, name: str) -> ModuleType:
    """Import the backend's module.

    Raises:
        SettingsError: no such backend; the text lists the known ones.
        MissingError: a package it needs is absent; the text is the pip line to run.
    """
    if name not in names(stage):
        known = ", ".join(names(stage))
        raise SettingsError(f"{stage}.backend: unknown backend '{name}'. Known: {known}")
    try:
        return importlib.import_module(f"stages.{stage}.{name}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing in ("stages", "pipeline", ""):
            raise
        raise MissingError(
            f"{stage} backend '{name}' needs the package '{missing}'. Install it with: "
            f"{pip_line(missing)}"
        ) from error


def pip_line(package: str) -> str:
    """The command that installs a package in a version that fits this project."""
    extra = EXTRA_OF_PACKAGE.get(package)
    return f"pip install 'humans4d[{extra}]'" if extra else f"pip install {package}"


def make_config(stage: str, name: str, options: dict[str, Any]) -> BackendConfig:
    """Check a settings block against the backend's `Config`.

    Raises:
        SettingsError: an unknown key (the known ones are named) or a value of the wrong kind.
    """
    config_class: type[BackendConfig] = load(stage, name).Config
    try:
        return config_class(**options)
    except ValidationError as error:
        raise SettingsError(describe(error, f"{stage}.{name}", config_class)) from error


def describe(error: ValidationError, where: str, model: type[BaseModel]) -> str:
    """The first problem of a pydantic error as one line for users."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields) or "none"
        return f"{where}: unknown setting '{key}'. Known: {known}"
    return f"{where}.{key}: {first['msg']} (got {first.get('input')!r})"


def make(stage: str, name: str, config: BackendConfig, context: Context) -> Any:
    """Create the backend."""
    return load(stage, name).Backend(config, context)
