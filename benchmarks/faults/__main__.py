"""The fault suite: `python -m benchmarks.faults [-o TABLE.md]`. Linux; full disks need root.

Real runs on a small film of two people who cross, 8 seconds at 320 x 180 (24 for kills inside
stages): killed, starved of disk and deprived of their input, started again, and compared with an
undisturbed run byte for byte (`pipeline/same_result.py` says what may differ). Leave the sources
alone meanwhile: a changed source makes everything again. Takes about half an hour on two cores.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.faults import disks, kills, others
from benchmarks.faults.row import HEAD, Row
from benchmarks.faults.runs import Bench
from pipeline.body import load_body
from pipeline.context import Context
from pipeline.scenes.film_file import CLIP_NAME, make_film
from pipeline.scenes.library import crossing

Case = Callable[[], Row]
SECONDS, LONG_SECONDS = 8.1, 24.0
"""Of the films; the long one is for kills inside stages, which need several parts."""


def cases(bench: Bench, long: Bench, at_random: int, disk_sizes: int) -> Iterator[Case]:
    """Every fault, as something to call."""
    yield partial(kills.killed_inside, long)
    for chain in kills.chains(bench, at_random):
        yield partial(kills.killed, bench, chain)
    yield partial(kills.encoder_killed, bench)
    yield partial(others.input_removed, bench)
    yield partial(others.input_replaced, bench, in_place=False)
    yield partial(others.input_replaced, bench, in_place=True)
    yield partial(others.clock_moved, bench, -30)
    yield partial(others.clock_moved, bench, 5)
    yield partial(others.two_writers, bench)
    if not disks.can_mount(bench.scratch):
        print("full and read-only disks are left out: mounting a tmpfs needs root")
        return
    yield partial(disks.read_only, bench)
    for size_bytes in disks.sizes(bench, disk_sizes):
        yield partial(disks.full, bench, size_bytes)


def main() -> None:
    """Run and print; exit code 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, help="also write the table here")
    parser.add_argument(
        "--only", default="", help="functions whose name holds this: killed, full, ..."
    )
    parser.add_argument("--random", type=int, default=10, help="kills at random moments")
    parser.add_argument("--disks", type=int, default=16, help="sizes of full disks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench, long = (_bench(Path(scratch) / str(s), s) for s in (SECONDS, LONG_SECONDS))
        wrong = _table(cases(bench, long, options.random, options.disks), options)
    sys.exit(wrong > 0)


def _bench(folder: Path, seconds: float) -> Bench:
    folder.mkdir()
    scene = crossing(load_body(), seconds=seconds, width_px=320, height_px=180)
    make_film(scene, folder, Context())
    return Bench(folder / CLIP_NAME, folder)


def _table(faults: Iterator[Case], options: argparse.Namespace) -> int:
    """Print (and write) a row per fault; how many went wrong."""
    lines, wrong = [HEAD], 0
    print(HEAD, end="")
    for fault in faults:
        if options.only and not _named(fault, options.only):
            continue
        row = fault()
        wrong += bool(row.wrong)
        lines.append(row.line())
        print(row.line(), end="", flush=True)
    print(f"\n{len(lines) - 1} faults, {wrong} wrong")
    if options.output:
        options.output.write_text("".join(lines), encoding="utf-8")
    return wrong


def _named(fault: Case, words: str) -> bool:
    assert isinstance(fault, partial)
    return any(word in fault.func.__name__ for word in words.split(","))


if __name__ == "__main__":
    main()
