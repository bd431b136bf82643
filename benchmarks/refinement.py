"""Optimisers of the fit, time to accuracy: python -m benchmarks.refinement RESULT.

RESULT is the folder of a run (its tracks.npz is read). The person seen longest is fitted: the
objective over time from the regressed start with the build held, by Levenberg-Marquardt on the
band, by L-BFGS and by Adam on the same cost with automatic derivatives. One thread. `excess` is how
far a cost lies above the lowest that any of them found.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline import storage
from pipeline.body import load_body
from pipeline.one_thread import one_thread
from pipeline.parts import Parts
from pipeline.skeletons import BLAZEPOSE33
from pipeline.storage import read_npz
from pipeline.types import Camera, Person
from stages.refinement.smplify.chain import Chain, Motion
from stages.refinement.smplify.observed import Evidence
from stages.refinement.smplify.smoothness import Smoothness
from stages.refinement.smplify.solver import fit_motion
from stages.refinement.smplify.start import start_of
from stages.refinement.smplify.swaps import sides_of
from stages.refinement.smplify.terms import FrameTerms
from stages.refinement.smplify.weights import Weights

MOST_FRAMES = 120
STEP_SIZES = (1e-2, 3e-2)


@dataclass(frozen=True)
class Problem:
    """One stretch of one person."""

    chain: Chain
    start: Motion
    terms: FrameTerms
    smoothness: Smoothness

    def cost(self, motion: Motion) -> Tensor:
        """The objective over time."""
        return self.terms.cost(motion).sum() + self.smoothness.cost(motion)

    def moved(self, step: Tensor) -> Motion:
        """The start after a step (t, d)."""
        return self.start.moved(step, torch.zeros_like(self.start.build), self.chain.dofs)


def make_problem(person: Person, camera: Camera) -> Problem:
    """The strict objective, as the last solve of the fit has it."""
    chain, weights = Chain(load_body("embedded")), Weights()
    sides = sides_of(person, Parts())
    start = start_of(sides, camera, chain)
    frames = slice(0, min(MOST_FRAMES, len(person)))
    seen = Evidence.of(sides, None, start, camera, chain, weights).cut(frames)
    terms = FrameTerms(chain, seen, weights)
    return Problem(chain, start.cut(frames), terms, Smoothness(chain, seen.time_s, weights))


def levenberg_marquardt(problem: Problem, iterations: int) -> float:
    """Cost after so many steps."""
    return fit_motion(problem.start, problem.terms, problem.smoothness, iterations).cost


def lbfgs(problem: Problem, iterations: int) -> float:
    """Cost after so many steps."""
    step = torch.zeros(len(problem.start.t_m), problem.chain.dofs.count).double().requires_grad_()
    search = torch.optim.LBFGS(
        [step], max_iter=iterations, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        search.zero_grad()
        cost = problem.cost(problem.moved(step))
        cost.backward()
        return cost

    search.step(closure)
    return float(problem.cost(problem.moved(step.detach())))


def adam(rate: float) -> Callable[[Problem, int], float]:
    """Cost after so many steps, with this step size."""

    def run(problem: Problem, iterations: int) -> float:
        step = torch.zeros(len(problem.start.t_m), problem.chain.dofs.count).double()
        step.requires_grad_()
        descent = torch.optim.Adam([step], lr=rate)
        for _ in range(iterations):
            descent.zero_grad()
            problem.cost(problem.moved(step)).backward()
            descent.step()
        return float(problem.cost(problem.moved(step.detach())))

    return run


def trials() -> Iterator[tuple[str, Callable[[Problem, int], float], tuple[int, ...]]]:
    """Name, optimiser, numbers of steps."""
    yield "Levenberg-Marquardt", levenberg_marquardt, (3, 6, 12, 24)
    yield "L-BFGS", lbfgs, (30, 100, 300)
    for rate in STEP_SIZES:
        yield f"Adam {rate:g}", adam(rate), (100, 300)


def measure(problem: Problem) -> list[dict[str, float | str]]:
    """A row per optimiser and number of steps."""
    rows: list[dict[str, float | str]] = []
    for name, optimiser, counts in trials():
        for count in counts:
            begin_s = time.perf_counter()
            gradients = name != "Levenberg-Marquardt"
            with one_thread(), torch.set_grad_enabled(gradients):
                cost = optimiser(problem, count)
            seconds = time.perf_counter() - begin_s
            rows.append({"optimiser": name, "steps": count, "seconds": seconds, "cost": cost})
    return rows


def longest(result: Path) -> Person:
    """The person with BlazePose's landmarks that is seen in most frames."""
    people = storage.people_from(read_npz(result / "tracks.npz"))
    known = [person for person in people if person.skeleton == BLAZEPOSE33.name]
    return max(known, key=lambda person: int(person.observed.sum()))


def camera_of(result: Path) -> Camera:
    """The run's own."""
    report = json.loads((result / "run.json").read_text())
    return Camera(np.array(report["camera"]["K_px"], dtype=np.float64), "given")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    args = parser.parse_args()
    problem = make_problem(longest(args.result), camera_of(args.result))
    rows = measure(problem)
    lowest = min(float(row["cost"]) for row in rows)
    print(f"{len(problem.start.t_m)} frames, start {float(problem.cost(problem.start)):.0f}")
    for row in rows:
        excess = 100 * (float(row["cost"]) / lowest - 1)
        print(
            f"  {row['optimiser']:20s} {row['steps']:4d} steps {row['seconds']:7.2f} s   "
            f"cost {row['cost']:9.1f}   excess {excess:6.1f} %"
        )


if __name__ == "__main__":
    main()
