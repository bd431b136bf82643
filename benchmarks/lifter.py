"""Windows a second of the lifter on one core: python -m benchmarks.lifter."""

import time

import torch

from pipeline.context import Context
from stages.regression.lifter import Backend, Config
from stages.regression.lifter.network import WINDOW
from stages.regression.lifter.view import FEATURES

BATCH, ROUNDS = 64, 10


def main() -> None:
    """Best of several rounds, so that other work beside counts little."""
    torch.set_num_threads(1)
    network = Backend(Config(), Context()).network
    features, seen = torch.randn(BATCH, WINDOW, FEATURES), torch.ones(BATCH, WINDOW, dtype=bool)
    seconds = []
    with torch.inference_mode():
        for _ in range(ROUNDS):
            start = time.perf_counter()
            network(features, seen)
            seconds.append(time.perf_counter() - start)
    print(f"{BATCH / min(seconds):.0f} windows of {WINDOW} frames a second, one thread")
    count = sum(p.numel() for p in network.parameters()) / 1e6
    print(f"{count:.2f} million weights, {2 * count:.1f} MB in half precision")


if __name__ == "__main__":
    main()
