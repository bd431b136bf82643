"""Speed of hmr2: `python -m benchmarks.regression`.

Crops per second at several batch sizes, split into crop, backbone, head and SMPL, with the share
of the matrix rate that the same device reaches, in the same precision, in the same run. Weights
are made by the rule; times are the best of several calls.

    --batch 1 8 32     batch sizes
    --device cuda      default: a GPU where torch sees one, else the CPU
    --precision bf16   default: what the backend would choose on that device
    --blocks 8         fewer than 32 blocks, where time is short; rates stay comparable
    --compile          through torch.compile
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.golden_systems._hmr2_network import rule_network
from pipeline.body import BodyModel, load_body
from pipeline.rotations import geodesic_angle_rad
from stages.regression._crop_regressor import SEEN_COLUMNS
from stages.regression._crops import cut_crops, normalised, squares_from_boxes
from stages.regression._predictor import DTYPES, chosen_dtype
from stages.regression._vit import BLOCK_COUNT, MLP_WIDTH, PATCH_PX, TOKEN_COUNT, WIDTH
from stages.regression.hmr2.head import Prediction
from stages.regression.hmr2.network import HMR2

FRAME_HW = (1080, 1920)
COMPARED = 4
MATRIX_SIZE = {"cpu": 2048, "cuda": 8192}


@dataclass(frozen=True)
class Timer:
    """Best time of several calls, the device's queue emptied."""

    device: torch.device
    repeats: int

    def __call__(self, work: Callable[[], Any]) -> float:
        """Seconds."""
        times = []
        for _ in range(self.repeats + 1):
            start_s = time.perf_counter()
            work()
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start_s)
        return min(times[1:])


def backbone_flop(block_count: int) -> float:
    """Floating-point operations of the backbone for one crop, a multiply-add counted as two."""
    linear = TOKEN_COUNT * WIDTH * (3 * WIDTH + WIDTH + 2 * MLP_WIDTH)
    attention = 2 * TOKEN_COUNT * TOKEN_COUNT * WIDTH
    return 2.0 * (block_count * (linear + attention) + TOKEN_COUNT * 3 * PATCH_PX**2 * WIDTH)


def matrix_rate(device: torch.device, dtype: torch.dtype, timer: Timer) -> float:
    """Operations per second of a large matrix product."""
    size = MATRIX_SIZE[device.type]
    left, right = (torch.randn((size, size), device=device).to(dtype) for _ in range(2))
    return 2.0 * size**3 / timer(lambda: left @ right)


def boxes(count: int) -> np.ndarray:
    """People of all sizes in a 1080p frame."""
    rng = np.random.default_rng(0)
    middle, height_px = (
        rng.uniform((200, 200), (1700, 900), (count, 2)),
        rng.uniform(80, 900, count),
    )
    half = np.stack([height_px * 0.2, height_px * 0.5], axis=1)
    return np.hstack([middle - half, middle + half]).astype(np.float32)


@torch.inference_mode()
def measure(given: argparse.Namespace) -> None:
    """Print one line per batch size."""
    device = torch.device(given.device)
    dtype = DTYPES[given.precision] if given.precision else chosen_dtype("auto", device)
    timer = Timer(device, given.repeats)
    network = rule_network(given.blocks).to(device)
    rng = np.random.default_rng(0)
    frame = torch.from_numpy(rng.integers(0, 256, (*FRAME_HW, 3), dtype=np.uint8)).to(device)
    exact = predicted(network, frame, torch.float32)
    network.in_precision(dtype)
    backbone = torch.compile(network.backbone) if given.compile else network.backbone
    body = load_body(device=device)
    rate = matrix_rate(device, dtype, timer)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    print(f"{name}, {torch.get_num_threads()} threads, {dtype}, {given.blocks} blocks")
    print(f"matrix product: {rate / 1e9:.0f} GFLOP/s; crop: {backbone_flop(32) / 1e9:.0f} GFLOP")
    if dtype != torch.float32:
        angle = geodesic_angle_rad(predicted(network, frame, dtype), exact).rad2deg()
        print(
            f"against fp32: rotations differ by {angle.mean():.2f} deg, at most {angle.max():.1f}"
        )
    for batch in given.batch:
        spent = split(batch, frame, network, backbone, body, dtype, timer)
        total_s, done = sum(spent.values()), backbone_flop(given.blocks) * batch
        parts = ", ".join(f"{part} {seconds / batch * 1e3:.2f}" for part, seconds in spent.items())
        print(
            f"batch {batch:3d}: {batch / total_s:8.2f} crops/s ({parts} ms a crop); backbone "
            f"{done / spent['backbone'] / rate:4.0%}, all {done / total_s / rate:4.0%} "
            "of the matrix rate"
        )


def predicted(network: HMR2, frame: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Rotations of a few people."""
    squares = squares_from_boxes(boxes(COMPARED))
    return network(normalised(cut_crops(frame, squares, SEEN_COLUMNS)).to(dtype)).pose_rotmat


def split(
    batch: int,
    frame: torch.Tensor,
    network: HMR2,
    backbone: Any,
    body: BodyModel,
    dtype: torch.dtype,
    timer: Timer,
) -> dict[str, float]:
    """Seconds that a batch spends in each part."""
    squares = squares_from_boxes(boxes(batch))

    def cut() -> torch.Tensor:
        return normalised(cut_crops(frame, squares, SEEN_COLUMNS)).to(dtype)

    images = cut()
    tokens = backbone(images)
    said: Prediction = network.smpl_head(tokens)

    def skin() -> torch.Tensor:
        posed = body.with_shape(said.betas).with_pose(pose_rotmat=said.pose_rotmat)
        return posed.vertices()

    return {
        "crop": timer(cut),
        "backbone": timer(lambda: backbone(images)),
        "head": timer(lambda: network.smpl_head(tokens)),
        "SMPL": timer(skin),
    }


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=sorted(DTYPES))
    parser.add_argument("--blocks", type=int, default=BLOCK_COUNT)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
