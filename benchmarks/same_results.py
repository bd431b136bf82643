"""Whether two result folders hold the same: every byte but the times at which they were made."""

import json
import re
from pathlib import Path
from typing import Any

TIMES = {"created_utc", "seconds", "timings", "peak_memory_mb", "reused"}
TOLD_ON_PAGE = re.compile(r"\d+\.\d s|\d{4}-\d\d-\d\dT[\d:]+\+00:00")
JUDGED = ("report.json", "report.html")
"""Their sizes depend on the digits of the times in them."""


def differences(one: Path, other: Path, *, but: tuple[str, ...] = ()) -> list[str]:
    """Names of the files that differ, or that only one folder has; `but` leaves some out."""
    names = {
        str(path.relative_to(folder))
        for folder in (one, other)
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock" and path.suffix != ".jsonl"
    }
    return sorted(n for n in names - {*but} if _content(one / n) != _content(other / n))


def _content(path: Path) -> Any:
    if not path.is_file():
        return None
    if path.suffix == ".json":
        return _without_times(json.loads(path.read_text(encoding="utf-8")))
    if path.name == "report.html":
        return TOLD_ON_PAGE.sub("", path.read_text(encoding="utf-8"))
    return path.read_bytes()


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        left_out = TIMES | {*JUDGED}
        return {k: _without_times(v) for k, v in value.items() if k not in left_out}
    if isinstance(value, list):
        return [_without_times(item) for item in value]
    return value
