"""What made a result: the digests that decide what a rerun may reuse."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pipeline import weights
from pipeline.files import content_digest, file_digest, value_digest

_FOLDERS = {"perception": ("stages/detection", "stages/regression")}
_MADE_BY = (".py", ".npz", ".safetensors", ".j2")
_ROOT = Path(__file__).resolve().parent.parent


@cache
def code_digest(*folders: str) -> str:
    """Digest of the project's own sources and weights in these folders (below its root)."""
    files = (path for folder in folders for path in (_ROOT / folder).rglob("*"))
    sources = sorted(path for path in files if path.suffix in _MADE_BY)
    return value_digest([(str(p.relative_to(_ROOT)), file_digest(p)) for p in sources])


def stage_fingerprint(stage: str, settings: Any, upstream: list[str], inputs: Any = None) -> str:
    """Fingerprint of one stage's result: its code, settings, inputs, and what came before."""
    code = code_digest("pipeline", *_FOLDERS.get(stage, (f"stages/{stage}",)))
    return value_digest([stage, code, settings, upstream, inputs])


def files_used(raw_settings: Mapping[str, Any]) -> list[Any]:
    """What tells the files behind the settings apart: those named, and the backends' weights."""
    named = [(str(path), content_digest(path)) for path in _files_named(raw_settings)]
    chosen = [
        (stage, block["backend"])
        for stage, block in raw_settings.items()
        if isinstance(block, Mapping) and "backend" in block
    ]
    rows = [row for stage, backend in chosen for row in weights.used_by(stage, backend)]
    return [named, [weights.identity(row) for row in rows]]


def run_fingerprint(raw_settings: Mapping[str, Any], inputs: Any) -> str:
    """Fingerprint of a whole run, computed without importing any backend."""
    code = code_digest("pipeline", "stages")
    return value_digest([code, raw_settings, files_used(raw_settings), inputs])


def _files_named(value: Any) -> Iterator[Path]:
    """Every existing file that the settings name (weights, boxes, a body model)."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _files_named(item)
    elif isinstance(value, str) and value and Path(value).is_file():
        yield Path(value)
