"""Fit bodies posed at random: how exact, and which solver gets there first.

`python -m benchmarks.body_fit [--bodies N]`. Time to accuracy of Levenberg-Marquardt (the one that
`pipeline.body_fit` uses), L-BFGS and Adam from the same start, on the same objective, one thread.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from benchmarks.random_bodies import random_bodies
from pipeline.body import BodyModel, load_body
from pipeline.body_fit import BodyState, FitTarget, FitWeights, fit_body, fit_terms
from pipeline.body_fit.fit import coarse_rows
from pipeline.body_fit.jacobian import BodyMotion
from pipeline.body_fit.solver import Stop, minimise
from pipeline.body_fit.start import starts
from pipeline.rotations import rotmat_to_rotvec, rotvec_to_rotmat

MM = 1000.0
GOALS_MM = (10.0, 1.0, 0.1)
LONGEST_S = 30.0
Progress = Iterator[BodyState]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bodies", type=int, default=16)
    count = parser.parse_args().bodies
    torch.set_num_threads(1)
    body = load_body().to(dtype=torch.float64)
    truth = random_bodies(count, seed=0)
    posed = truth.posed(body)
    targets = {
        "vertices": FitTarget(vertices_m=posed.vertices()),
        "3D joints": FitTarget(joints_m=posed.joints_m),
    }
    print(f"{count} bodies, each with its own shape; mean error of the worst body, mm")
    for name, target in targets.items():
        _report_accuracy(name, body, truth, target)
    rows = coarse_rows(body)
    some = targets["vertices"].some_vertices(rows)
    print(f"seconds until the worst body is within a goal, {len(rows)} vertices")
    start = starts(body, targets["vertices"])[0]
    for name, solver in SOLVERS.items():
        with torch.enable_grad():
            _report_time(name, solver(BodyMotion(body, rows), start, some), body, posed.vertices())


def _report_accuracy(name: str, body: BodyModel, truth: BodyState, target: FitTarget) -> None:
    begun_s = time.perf_counter()
    fit = fit_body(body, target, one_shape=False)
    spent_s = time.perf_counter() - begun_s
    found = BodyState(rotvec_to_rotmat(fit.pose_rotvec), fit.betas, fit.t_m).posed(body)
    wanted = truth.posed(body)
    vertices_mm = MM * (found.vertices() - wanted.vertices()).norm(dim=-1).mean(1).max()
    joints_mm = MM * (found.joints_m - wanted.joints_m).norm(dim=-1).mean(1).max()
    print(
        f"  from {name:<10} vertices {vertices_mm:7.3f}  joints {joints_mm:6.3f}  "
        f"{MM * spent_s / len(target):6.1f} ms a body"
    )


def _report_time(name: str, progress: Progress, body: BodyModel, wanted: Tensor) -> None:
    reached: dict[float, float] = {}
    spent_s, error_mm = 0.0, float("inf")
    while spent_s < LONGEST_S and GOALS_MM[-1] not in reached:
        begun_s = time.perf_counter()
        state = next(progress, None)
        spent_s += time.perf_counter() - begun_s
        if state is None:
            break
        with torch.no_grad():
            found = state.posed(body).vertices()
        error_mm = MM * float((found - wanted).norm(dim=-1).mean(1).max())
        for goal in GOALS_MM:
            if error_mm <= goal:
                reached.setdefault(goal, spent_s)
    cells = [f"{goal:g} mm {reached.get(goal, float('nan')):6.2f}" for goal in GOALS_MM]
    print(f"  {name:<12} {'   '.join(cells)}   ended at {error_mm:.3f} mm after {spent_s:.1f} s")


def _levenberg_marquardt(motion: BodyMotion, state: BodyState, target: FitTarget) -> Progress:
    """From the start anew with ever more steps: times of all tries add up, against it."""
    for iterations in (1, 2, 4, 8, 16, 32):
        with torch.no_grad():
            stop = Stop(iterations, gain=0.0)
            yield minimise(motion, state, target, FitWeights(), one_shape=False, stop=stop)[0]


def _objective(
    motion: BodyMotion, start: BodyState, target: FitTarget
) -> tuple[list[Tensor], Callable[[], Tensor], Callable[[], BodyState]]:
    unknowns = [rotmat_to_rotvec(start.pose_rotmat), start.betas, start.t_m]
    unknowns = [unknown.clone().requires_grad_() for unknown in unknowns]

    def state() -> BodyState:
        return BodyState(rotvec_to_rotmat(unknowns[0]), unknowns[1], unknowns[2])

    def cost() -> Tensor:
        return fit_terms(motion.body, state(), target, FitWeights(), motion.rows).total.sum()

    return unknowns, cost, state


def _lbfgs(motion: BodyMotion, start: BodyState, target: FitTarget) -> Progress:
    unknowns, cost, state = _objective(motion, start, target)
    solver = torch.optim.LBFGS(
        unknowns, max_iter=10, history_size=30, line_search_fn="strong_wolfe",
        tolerance_grad=0.0, tolerance_change=0.0,
    )  # fmt: skip

    def closure() -> Tensor:
        solver.zero_grad()
        loss = cost()
        loss.backward()
        return loss

    while True:
        solver.step(closure)
        yield state()


def _adam(motion: BodyMotion, start: BodyState, target: FitTarget, rate: float = 0.02) -> Progress:
    unknowns, cost, state = _objective(motion, start, target)
    solver = torch.optim.Adam(unknowns, lr=rate)
    while True:
        for _ in range(10):
            solver.zero_grad()
            cost().backward()
            solver.step()
        yield state()


SOLVERS: dict[str, Callable[[BodyMotion, BodyState, FitTarget], Progress]] = {
    "LM": _levenberg_marquardt,
    "L-BFGS": _lbfgs,
    "Adam 0.02": _adam,
    "Adam 0.005": partial(_adam, rate=0.005),
}

if __name__ == "__main__":
    main()
