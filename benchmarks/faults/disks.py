"""A disk that is full at every size, and one that cannot be written: small tmpfs mounts."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.faults.row import Row
from benchmarks.faults.runs import Bench, kept_in

ENOUGH_BYTES = 64 << 20
SMALLEST_BYTES = 8 << 10


def can_mount(scratch: Path) -> bool:
    """Mounting takes root, and a kernel that lets it."""
    folder = scratch / "try"
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", "size=4k", "none", str(folder)):
        return False
    return subprocess.run(["umount", str(folder)], check=False).returncode == 0


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A tmpfs of this size."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def sizes(bench: Bench, count: int) -> list[int]:
    """Disk sizes from nearly nothing to nearly enough, so that every write meets the end."""
    needed = sum(path.stat().st_size for path in bench.reference.rglob("*") if path.is_file())
    ratio = (1.1 * needed / SMALLEST_BYTES) ** (1 / max(count - 1, 1))
    return [round(SMALLEST_BYTES * ratio**step) // 4096 * 4096 for step in range(count)]


def full(bench: Bench, size_bytes: int) -> Row:
    """A run onto a disk that fills up; more room, and again."""
    with small_disk(bench.scratch / "disk", size_bytes) as disk:
        out = disk / "result"
        ended, kept = bench.rerun(out), kept_in(out)
        _mount("-o", f"remount,size={ENOUGH_BYTES}", str(disk))
        wrong = bench.wrong_after(out)
    name = f"disk full at {size_bytes // 1024} KiB"
    if ended.exit_code == 0:
        return Row(name, "0: it was enough", kept, wrong)
    return Row.of_error(name, ended, kept, wrong)


def read_only(bench: Bench) -> Row:
    """A run onto a disk that cannot be written."""
    with small_disk(bench.scratch / "disk", ENOUGH_BYTES) as disk:
        _mount("-o", "remount,ro", str(disk))
        out = disk / "result"
        ended, kept = bench.rerun(out), kept_in(out)
        _mount("-o", "remount,rw", str(disk))
        wrong = bench.wrong_after(out)
    return Row.of_error("read-only output", ended, kept, wrong)


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode
