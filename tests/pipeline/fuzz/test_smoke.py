"""Some damaged videos and files, always the same ones; `python -m benchmarks.fuzz` has the rest."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz.films import seed_films, video_trials
from benchmarks.fuzz.mutations import BYTES, damaged

ROOT = Path(__file__).parents[3]


def test_damaged_videos_and_files_never_crash_hang_or_show_a_traceback(tmp_path):
    # In a process of its own: the one that forks must not have threads.
    command = [sys.executable, "-m", "benchmarks.fuzz", "--smoke", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\n3[0-9] trials, 0 faults", done.stdout)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    films = seed_films(tmp_path / "films")
    for name in ("a", "b"):
        for trial in video_trials(films, 3, seed=5):
            (tmp_path / name / trial.name).mkdir(parents=True)
            trial.steps(tmp_path / name / trial.name)
    written = [sorted((tmp_path / name).rglob("film.*")) for name in ("a", "b")]
    assert len(written[0]) == 3
    for first, second in zip(*written, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert first.read_bytes() not in films.content.values()


@pytest.mark.parametrize("mutation", BYTES)
def test_every_mutation_changes_the_bytes(mutation):
    data = np.random.default_rng(0).bytes(5000)
    changed = [mutation(data, np.random.default_rng(seed)) != data for seed in range(10)]
    assert sum(changed) >= 9
    assert damaged(data, np.random.default_rng(1))[0] != data


def _outcome(tmp_path, step, limit_s=20.0):
    """How a trial of one step ends, tried by a process without threads."""
    code = (
        "from benchmarks.fuzz.trial import Trial, run_trials\n"
        "from pathlib import Path\nimport os, time\n"
        f"def step():\n    {step}\n    return 0\n"
        f"trial = Trial('one', 'kind', lambda folder: [step], {limit_s})\n"
        f"print(next(run_trials([trial], Path({str(tmp_path)!r}))).fault)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("print('fine')", ""),
        ("os.kill(os.getpid(), 11)", "crash (SIGSEGV)"),
        ("time.sleep(60)", "hang"),
        ("raise KeyError('a')", "traceback"),
        ("return 1", "exit code 1"),
        ("return 3", "exit code 3 without a word"),
        ("print('x' * 10, b'y' * (2 << 30) == b''); return 0", "took"),
    ],
)
def test_every_kind_of_fault_is_noticed(tmp_path, step, fault):
    found = _outcome(tmp_path, step, limit_s=2.0 if "sleep" in step else 20.0)
    assert found.startswith(fault) if fault == "took" else found == fault
