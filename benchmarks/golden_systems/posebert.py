"""PoseBERT against the official implementation: tensors, every layer, windows, skeletons."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.golden_comparison import AbsentError, Comparison, GoldenFile, compare
from benchmarks.weight_rule import rule_tensors
from stages.smoothing.posebert.network import (
    BODY_INPUT,
    SKELETON_INPUT,
    PoseBert,
    body_tokens,
    network_with,
    pose_rotmat,
    shapes,
    shared_names,
    skeleton_tokens,
)
from stages.smoothing.posebert.skeleton import h36m_from_dope, in_body_axes, with_bone_lengths
from stages.smoothing.posebert.windows import (
    official_windows,
    one_window_per_frame,
    positions_in,
)

INPUTS = {"smpl": BODY_INPUT, "h36m": SKELETON_INPUT}
LAYERS_TOLERANCE, ROTATION_TOLERANCE = 5e-5, 5e-4
"""As given with the references: float32 against float64 differs by a tenth of that."""
CLIPS = ("slide_short", "slide_exact", "slide_long")


def rule_weights(input_size: int = BODY_INPUT) -> dict[str, torch.Tensor]:
    """Weights by the rule; the regressor that all layers share has those of the first."""
    tensors = rule_tensors(shapes(input_size))
    return {name: tensors[shared_names().get(name, name)] for name in tensors}


def check(folder: Path) -> Iterator[Comparison]:
    """All three files."""
    names = GoldenFile.open(folder / "keys_posebert.npz")
    for variant, size in INPUTS.items():
        yield from _check_tensors(names, variant, rule_weights(size))
    yield from check_body(GoldenFile.open(folder / "posebert_smpl.npz"))
    skeleton = GoldenFile.open(folder / "posebert_h36m.npz")
    yield from check_skeletons(skeleton)
    yield from check_skeleton_network(skeleton)


def _check_tensors(
    names: GoldenFile, variant: str, tensors: dict[str, torch.Tensor]
) -> Iterator[Comparison]:
    keys = [str(key) for key in names[f"{variant}_key"]]
    found_shapes = [tuple(int(n) for n in row if n >= 0) for row in names[f"{variant}_shape"]]
    official = set(zip(keys, found_shapes, strict=True))
    ours = {(name, tuple(tensor.shape)) for name, tensor in tensors.items()}
    title = f"{names.path.stem}: {variant}"
    yield Comparison(f"{title} names", float(len(official ^ ours)), 0.0, "names, shapes")
    if official != ours:
        raise AbsentError(f"{title}: tensors differ: {sorted(official ^ ours)[:3]}")
    first = np.stack([tensors[key].flatten()[:3].numpy() for key in keys])
    yield names.compare(f"{variant}_first3", first, 0.0)
    sums = [tensors[key].double().sum().item() for key in keys]
    yield names.compare(f"{variant}_sum", sums, 1e-6)


def check_body(golden: GoldenFile) -> Iterator[Comparison]:
    """Single windows, then whole clips as the official demo takes them."""
    network = network_with(rule_weights())
    for case in ("masked", "nomask", "allmasked", "direct20"):
        shape = golden[f"{case}/rot_out"].shape
        hidden = case == "allmasked"
        rotmat = np.zeros(shape, np.float32) if hidden else golden[f"{case}/rot_in"]
        given = f"{case}/mask" in golden.arrays
        seen = golden[f"{case}/mask"] if given else np.full(shape[:2], not hidden)
        tokens = body_tokens(torch.from_numpy(rotmat))
        yield from _check_layers(golden, case, network, tokens, torch.from_numpy(seen))
    for case in CLIPS:
        yield from _check_clip(golden, case, network)


@torch.inference_mode()
def _check_layers(
    golden: GoldenFile, case: str, network: PoseBert, tokens: torch.Tensor, seen: torch.Tensor
) -> Iterator[Comparison]:
    layers = network(tokens, seen)
    yield golden.compare(f"{case}/y_layers", layers, LAYERS_TOLERANCE)
    yield golden.compare(f"{case}/rot_out", pose_rotmat(layers[-1]), ROTATION_TOLERANCE)


def _check_clip(golden: GoldenFile, case: str, network: PoseBert) -> Iterator[Comparison]:
    rotmat, seen = (torch.from_numpy(golden[f"{case}/{name}"]) for name in ("rot_in", "mask"))
    windows = official_windows(len(rotmat))
    yield golden.compare(f"{case}/frames", windows.frames, 0.0)
    yield golden.compare(f"{case}/position", positions_in(windows), 0.0)
    found = one_window_per_frame(network, rotmat, seen)
    yield golden.compare(f"{case}/rot_out", found, ROTATION_TOLERANCE)


def check_skeletons(golden: GoldenFile) -> Iterator[Comparison]:
    """What is done to joints before the network sees them."""
    dope = torch.from_numpy(golden["prep/dope13_in"])
    yield golden.compare("prep/dope13_to_h36m17", h36m_from_dope(dope), 1e-9)
    joints, mean = (torch.from_numpy(golden[f"prep/{n}"]) for n in ("joints17_in", "mean_skeleton"))
    order, parents = (golden[f"prep/{name}"].tolist() for name in ("traversal", "parents"))
    scaled = with_bone_lengths(joints, mean, order, parents)
    yield golden.compare("prep/joints17_bone_normalised", scaled, 1e-9)
    axes = in_body_axes(torch.from_numpy(golden["prep/joints17_bone_normalised"]))
    yield golden.compare("prep/rel", axes.joints_m, 5e-6)
    yield golden.compare("prep/root", axes.root_rotmat, 5e-6)
    turned = (scaled - scaled[:, :1]) @ axes.root_rotmat.mT
    title = f"{golden.path.stem}: rel = root @ joints"
    yield compare(title, turned, axes.joints_m.numpy(), 1e-9)


def check_skeleton_network(golden: GoldenFile) -> Iterator[Comparison]:
    """The variant that reads joints."""
    network = network_with(rule_weights(SKELETON_INPUT))
    root, rel = (torch.from_numpy(golden[f"model/{name}"]) for name in ("root", "rel"))
    seen = torch.from_numpy(golden["model/mask"])
    yield from _check_layers(golden, "model", network, skeleton_tokens(root, rel), seen)
