"""The most memory this process held since it was last asked to count anew."""

import resource
import sys
from contextlib import suppress
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"
"""proc(5): sets the peak to what is held now."""


def count_anew() -> None:
    """Forget the peak so far; where the system cannot (only Linux can), it stays."""
    with suppress(OSError):
        CLEAR.write_text(RESET_PEAK)


def peak_memory_bytes() -> int:
    """Of this process alone; the encoder's own is not in it."""
    with suppress(OSError, StopIteration):
        lines = STATUS.read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def memory_bytes(process: int) -> int:
    """What a process holds now; 0 where that is not told, or it is gone."""
    with suppress(OSError):
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    return 0
