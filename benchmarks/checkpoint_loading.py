"""Time and memory of loading official weights: `python -m benchmarks.checkpoint_loading`.

Makes HMR2.0's weights by the rule in the official container (2.7 GB, in a temporary folder or at
`--file`, where it stays and can be used for a whole run), then, each in a fresh process with the
file in the page cache: reads its bytes into one small buffer, loads it, converts it, loads the
converted file. Loading ends when every page of the mapped tensors has been touched. Linux only.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.official_container import write_lightning_checkpoint
from benchmarks.weight_rule import rule_tensors
from pipeline.checkpoints import convert, read_checkpoint
from stages.regression.hmr2 import checkpoint_layout
from stages.regression.hmr2.network import network_with

READ_BYTES = 1 << 24
NUMBERS_PER_PAGE = 1024


def make(path: Path) -> None:
    """Write the rule-made official checkpoint, with the extras that a real one has."""
    write_lightning_checkpoint(path, rule_tensors(checkpoint_layout().shapes))


def do(job: str, source: Path, target: Path) -> None:
    """One timed job; prints its seconds and how far memory rose."""
    layout = checkpoint_layout()
    before, start_s = _peak_bytes(), time.perf_counter()
    if job == "read":
        buffer = bytearray(READ_BYTES)
        with source.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    elif job == "convert":
        convert(source, layout, target, licence="none: made by rule")
    else:
        network = network_with(read_checkpoint(source if job == "load" else target, layout))
        mapped_s = time.perf_counter() - start_s
        for tensor in network.state_dict().values():
            tensor.reshape(-1)[::NUMBERS_PER_PAGE].sum()
        print(json.dumps({"until_mapped_s": mapped_s}))
    print(json.dumps({"s": time.perf_counter() - start_s, "rise": _peak_bytes() - before}))


def _peak_bytes() -> int:
    """Largest resident memory of this process so far, mapped pages of files included."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def measured(job: str, source: Path, target: Path) -> dict[str, float]:
    """Run a job in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.checkpoint_loading", "--job", job]
    command += ["--file", str(source), "--target", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = {}
    for line in done.stdout.splitlines():
        found |= json.loads(line)
    return found


def compare(source: Path, target: Path) -> None:
    """Print every job against the time of reading and the size of the weights."""
    size = source.stat().st_size
    reading_s = min(measured("read", source, target)["s"] for _ in range(3))
    print(f"{source.name}: {size / 1e9:.2f} GB, read in {reading_s:.2f} s")
    for job in ("load", "convert", "load_converted"):
        best = min((measured(job, source, target) for _ in range(3)), key=lambda found: found["s"])
        mapped = (
            f", mapped after {best['until_mapped_s']:.2f} s" if "until_mapped_s" in best else ""
        )
        print(
            f"  {job:<15} {best['s']:6.2f} s = {best['s'] / reading_s:4.2f} of reading{mapped}; "
            f"memory rose by {best['rise'] / size:4.2f} of the file"
        )


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--file", type=Path, help="where the official checkpoint is or will be")
    parser.add_argument("--target", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        do(given.job, given.file, given.target)
        return
    with tempfile.TemporaryDirectory() as folder:
        source = given.file or Path(folder) / "epoch=35-step=1000000.ckpt"
        if not source.is_file():
            make(source)
        compare(source, Path(folder) / "hmr2.safetensors")


if __name__ == "__main__":
    main()
