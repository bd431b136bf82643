"""A zip for a bug report: versions, machine, settings, events, timings, log; nobody's data.

Only what is listed in `CONTENT` goes in: no picture, no keypoint, no body. Paths, file names,
people's names, the user's and the machine's are replaced, and a bundle in which one of them is
still found is not written.
"""

import importlib.metadata
import json
import os
import platform
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.errors import InputError, OutputError, UserError
from pipeline.files import written_aside
from pipeline.identities import read_identities
from pipeline.machine import facts
from pipeline.privacy import Scrubber, scrubber
from pipeline.result import ResultFolder
from pipeline.run_log import FILE as LOG
from pipeline.run_log import OLDER_FILE

CONTENT = {
    "README.txt": "this list",
    "versions.json": "of humans4d, Python, the system and the packages it uses",
    "machine.json": "processors, memory, GPU, encoder, as `humans4d doctor` tells them",
    "run.json": "the run's settings, events and timings; the video's size, rate and codec; how "
    "many people and frames, and their measures; no names, no paths, no motion",
    "run.log.jsonl": "the run's log, with names and paths replaced",
}
PACKAGES = (
    *("ai-edge-litert", "av", "decord", "filterpy", "imageio-ffmpeg", "jaxtyping", "jinja2"),
    *("numba", "numpy", "opencv-python-headless", "pydantic", "pyrender", "pyyaml", "ray", "rich"),
    *("roma", "safetensors", "scipy", "smplx", "torch", "torchvision", "typer"),
)
LOG_BYTES = 1_000_000
COMMON = frozenset(
    "address bundle complete data default dev embedded error export file folder home host info "
    "input main name none output outputs part path people person result results root run test "
    "tests tmp tracking true user video videos work".split()
)
"""Words that the bundle itself uses, so that nobody is given away by them."""
_KEPT_OF_RUN = (
    *("schema_version", "humans4d_version", "created_utc", "status", "settings", "camera"),
    *("part_s", "timings", "events", "licences"),
)
_KEPT_OF_VIDEO = (
    *("width_px", "height_px", "first_frame", "frame_count", "fps", "duration_s"),
    *("rotation_deg", "codec", "has_audio"),
)
_KEPT_OF_STAGE = ("seconds", "peak_memory_mb", "reused", "events")


def write_bundle(target: Path, folder: Path | None) -> list[str]:
    """Write the zip; returns the names in it.

    Args:
        target: the .zip to write.
        folder: the result folder that the report is about; None: of the machine alone.

    Raises:
        InputError: the folder is none, or not a result's.
        OutputError: it cannot be written, or a private word could not be taken out.
    """
    if target.suffix.lower() != ".zip":
        raise InputError(f"{target}: a bundle is a .zip; name it so, such as bug.zip")
    scrub = scrubber(*_private(folder, target), COMMON)
    members = {"versions.json": _versions(), "machine.json": _machine()}
    texts = {name: _as_json(scrub.value(content)) for name, content in members.items()}
    if folder is not None:
        texts |= _of_result(folder, scrub)
    lines = [f"{name}: {text}" for name, text in CONTENT.items() if name in {*texts, "README.txt"}]
    texts = {"README.txt": scrub.text("\n".join(["In this bundle:", *lines, ""])), **texts}
    for name, text in texts.items():
        if left := scrub.left_in(text):
            raise OutputError(
                f"{target}: was not written: {len(left)} private word(s) could not be taken out "
                f"of {name}. Write the report by hand"
            )
    with written_aside(target) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in texts.items():
            file.writestr(name, text)
    return list(texts)


def _private(folder: Path | None, target: Path) -> tuple[dict[str, Path | str], dict[int, str]]:
    """Files and people whose names must not be told."""
    files: dict[str, Path | str] = {"bundle": target, "folder": Path.cwd()}
    names: dict[int, str] = {}
    if folder is None:
        return files, names
    files["result"] = folder
    report = _report(folder)
    if report is not None:
        if report.get("video"):
            files["video"] = report["video"]["path"]
        files |= {f"file {i}": path for i, path in enumerate(_paths(report["settings"]), 1)}
        names = {person["id"]: person.get("name", "") for person in report["people"]}
    try:
        edits = read_identities(folder).edits
    except UserError:
        edits = ()
    given = [edit for edit in edits if edit.text]
    names |= {1000 * number + edit.numbers[0]: edit.text for number, edit in enumerate(given, 1)}
    return files, names


def _paths(value: Any) -> list[str]:
    """Texts in settings that name files."""
    if isinstance(value, Mapping):
        return [path for item in value.values() for path in _paths(item)]
    looks = isinstance(value, str) and ("/" in value or "\\" in value or Path(value).suffix != "")
    return [value] if looks else []


def _report(folder: Path) -> dict[str, Any] | None:
    """run.json, as far as it can be believed; a damaged one is what some reports are about."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such result folder")
    try:
        return {"people": [], **ResultFolder(folder).read_report()}
    except OutputError:
        return None


def _of_result(folder: Path, scrub: Scrubber) -> dict[str, str]:
    report = _report(folder)
    if report is None:
        return {"run.json": _as_json(scrub.value({"problem": "run.json is missing or damaged"}))}
    kept = {key: report[key] for key in _KEPT_OF_RUN if key in report}
    video = report.get("video") or {}
    kept["video"] = {key: video[key] for key in _KEPT_OF_VIDEO if key in video}
    hidden = ("name", "file")
    kept["people"] = [
        {key: value for key, value in person.items() if key not in hidden}
        for person in report["people"]
    ]
    kept["stages"] = {
        name: {key: stage[key] for key in _KEPT_OF_STAGE if key in stage}
        for name, stage in report.get("made", {}).items()
    }
    texts = {"run.json": _as_json(scrub.value(kept))}
    if log := _log(folder):
        texts["run.log.jsonl"] = "".join(f"{_line(line, scrub)}\n" for line in log)
    return texts


def _log(folder: Path) -> list[str]:
    """The last lines of the log."""
    content = b""
    for name in (OLDER_FILE, LOG):
        path = folder / name
        if path.is_file():
            content += path.read_bytes()[-LOG_BYTES:]
    return content[-LOG_BYTES:].decode("utf-8", errors="replace").splitlines()


def _line(line: str, scrub: Scrubber) -> str:
    try:
        entry = json.loads(line)
    except ValueError:  # the half of a line that the cut left
        return "{}"
    return json.dumps(scrub.value(entry), ensure_ascii=False)


def _versions() -> dict[str, Any]:
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return {
        "humans4d": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "packages": found,
    }


def _machine() -> dict[str, Any]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processors": os.cpu_count(),
        "memory_gb": round(pages / 1e9, 1),
        "facts": [{"subject": f.subject, "text": f.text, "ok": f.ok} for f in facts()],
    }


def _as_json(content: Any) -> str:
    return json.dumps(content, indent=1, default=str, ensure_ascii=False) + "\n"
