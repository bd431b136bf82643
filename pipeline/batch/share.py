"""What each worker may use of a machine: its share of the cores, and one GPU."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from pipeline.cores import VARIABLE

THREAD_VARIABLES = (
    VARIABLE,
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""Ours (decoder, BlazePose), torch, NumPy's two, Numba. x264 has its own fixed number."""
VISIBLE = "CUDA_VISIBLE_DEVICES"
LIST_S = 20.0


def worker_environment(
    number: int, workers: int, cores: int, gpus: Sequence[str], environment: Mapping[str, str]
) -> dict[str, str]:
    """The environment of worker `number` (from 0) of so many on a machine.

    Threads are shared out evenly, at least one each; fewer stay fewer where the environment says
    so. GPUs go round: with more workers than GPUs several share one.
    """
    own = dict(environment)
    share = max(1, cores // workers)
    for name in THREAD_VARIABLES:
        given = own.get(name, "")
        own[name] = str(min(int(given), share) if given.isdecimal() and int(given) else share)
    if gpus:
        own[VISIBLE] = gpus[number % len(gpus)]
    return own


def gpus_here(environment: Mapping[str, str]) -> list[str]:
    """The GPUs that may be used, as `CUDA_VISIBLE_DEVICES` wants them."""
    if VISIBLE in environment:
        return [name.strip() for name in environment[VISIBLE].split(",") if name.strip()]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        command = [program, "-L"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=LIST_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return gpus_in(told.stdout)


def gpus_in(listing: str) -> list[str]:
    """The devices in what `nvidia-smi -L` prints; of a GPU that is cut up, its pieces."""
    found: list[str] = []
    for kind, name in re.findall(r"\(UUID: ((?:GPU|MIG)-)([^)\s]+)\)", listing):
        if kind == "MIG-" and found and found[-1].startswith("GPU-"):
            found.pop()
        found.append(kind + name)
    return found


def default_workers(cores: int, gpus: int) -> int:
    """One for each GPU, else one for every two cores."""
    return gpus or max(1, cores // 2)
