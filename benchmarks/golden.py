"""Reference outputs of the official implementations: `python -m benchmarks.golden DIR...`.

Checks every system whose folder is found in the given directories (`DIR/hmr2`, `DIR/spin`, ...),
array by array: largest difference, tolerance. Exits with 1 where a tolerance is exceeded, a
reference array is absent, or no folder is found. A system's checker is the module
`benchmarks/golden_systems/<system>.py` with `check(folder) -> Iterator[Comparison]`.
"""

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import golden_systems
from benchmarks.golden_comparison import AbsentError, Comparison


def known_systems() -> list[str]:
    """Systems that have a checker."""
    modules = pkgutil.iter_modules(golden_systems.__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def folders_in(directory: Path) -> Iterator[tuple[str, Path]]:
    """Systems with their folders in a directory, or the directory itself if it is one."""
    for system in known_systems():
        for folder in (directory / system, directory):
            if folder.is_dir() and folder.name == system:
                yield system, folder


def check(system: str, folder: Path) -> Iterator[Comparison]:
    """Compare everything in a system's folder."""
    yield from importlib.import_module(f"benchmarks.golden_systems.{system}").check(folder)


def report(system: str, folder: Path) -> bool:
    """Print all comparisons of a folder; whether all are within their tolerances."""
    print(f"{system}: {folder}")
    start_s, passed, count = time.perf_counter(), 0, 0
    try:
        for result in check(system, folder):
            count, passed = count + 1, passed + result.passed
            verdict = "ok  " if result.passed else "FAIL"
            print(
                f"  {verdict} {result.array:<52} {result.difference:9.2e} "
                f"of {result.tolerance:8.1e}  {result.measure}",
                flush=True,
            )
    except AbsentError as error:
        print(f"  FAIL {error}")
        return False
    print(f"{system}: {passed} of {count} passed in {time.perf_counter() - start_s:.0f} s")
    return count > 0 and passed == count


def main(arguments: list[str]) -> int:
    """Check all folders; 0 when every array is within its tolerance."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--only", choices=known_systems(), help="one system alone")
    given = parser.parse_args(arguments)
    found = [
        (system, folder)
        for directory in given.directories
        for system, folder in folders_in(directory)
        if given.only in (None, system)
    ]
    if not found:
        print(f"no folder of a known system ({', '.join(known_systems())}) in these directories")
        return 1
    results = [report(system, folder) for system, folder in found]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
