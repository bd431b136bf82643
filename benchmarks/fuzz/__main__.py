"""`python -m benchmarks.fuzz`: damaged videos and results, counted by how they end."""

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fuzz import doors
from benchmarks.fuzz.files import NEED_A_RUN, file_trials
from benchmarks.fuzz.films import seed_films, video_trials, whole_trials
from benchmarks.fuzz.results import light_seed, seed_result
from benchmarks.fuzz.trial import Outcome, Trial, run_trials

SMOKE_VIDEOS, SMOKE_FILES = 12, 22
DEFAULT_FOLDER = Path("outputs/fuzz")


def main() -> int:
    """Run and print; 1 if anything went wrong."""
    asked = _arguments()
    trials = _trials(asked)
    doors.warmed()
    started = time.monotonic()
    outcomes = []
    try:
        for outcome in run_trials(trials, asked.folder / "trials", workers=asked.workers):
            outcomes.append(outcome)
            if outcome.fault:
                print(f"{outcome.name}: {outcome.fault}\n{_indented(outcome.said)}", flush=True)
    except KeyboardInterrupt:
        print("interrupted; so far:")
    print(table(outcomes))
    faults = sum(bool(outcome.fault) for outcome in outcomes)
    print(f"\n{len(outcomes)} trials, {faults} faults, {time.monotonic() - started:.0f} s")
    return 1 if faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--videos", type=int, default=500)
    parser.add_argument("--whole", type=int, default=30, help="of them through a whole run")
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--smoke", action="store_true", help="a few of each, in half a minute")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", nargs="*", help="names of trials to repeat")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    return parser.parse_args()


def _trials(asked: argparse.Namespace) -> list[Trial]:
    films = seed_films(asked.folder / "films")
    if asked.smoke:
        seed = light_seed(asked.folder / "light")
        files = file_trials(seed, 10 * SMOKE_FILES, asked.seed, without=NEED_A_RUN)
        return [*video_trials(films, SMOKE_VIDEOS, asked.seed), *files[:SMOKE_FILES]]
    trials = video_trials(films, asked.videos, asked.seed)
    trials += whole_trials(films, asked.whole, asked.seed + 1)
    if asked.files:
        result = seed_result(asked.folder / "seed")
        trials += file_trials(result, asked.files, asked.seed + 2)
    return [trial for trial in trials if not asked.only or trial.name in asked.only]


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown: a row per kind of input."""
    rows: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        rows[outcome.kind].append(outcome)
    head = "| input | trials | done | refused | faults | slowest s | most MB |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for kind, own in sorted(rows.items()):
        done = sum(not any(one.codes) and not one.fault for one in own)
        faults = sum(bool(one.fault) for one in own)
        slowest, most = max(one.seconds for one in own), max(one.peak_mb for one in own)
        lines.append(
            f"| {kind} | {len(own)} | {done} | {len(own) - done - faults} | {faults} "
            f"| {slowest:.1f} | {most:.0f} |"
        )
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-12:])


if __name__ == "__main__":
    raise SystemExit(main())
