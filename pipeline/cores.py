"""How many processor cores this process may use: all, or the share a batch gives its worker."""

import os

VARIABLE = "HUMANS4D_CORES"


def given_cores() -> int:
    """What `HUMANS4D_CORES` says; 0 where it says nothing."""
    text = os.environ.get(VARIABLE, "")
    return int(text) if text.isdecimal() else 0


def cores() -> int:
    """At least 1."""
    if given := given_cores():
        return given
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS, not on Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1
