"""The network of HMR2.0 with rule-made weights, step by step, in float32 and float64."""

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor

from benchmarks.golden_comparison import Comparison, GoldenFile, compare
from benchmarks.weight_rule import rule_tensors
from pipeline.camera import translation_from_crop
from stages.regression._crops import MARGIN_PX, normalised
from stages.regression._vit import GRID_HW, WIDTH
from stages.regression.hmr2.head import Prediction
from stages.regression.hmr2.network import HMR2, network_with, shapes

CROPS_ENDING = "_crops_rgb_u8"
BLOCKS_SEEN = (0, 7, 15, 23, 31)
TOKENS_SEEN = [0, 100, 191]
FLOAT64 = 1e-10
"""Tolerance of everything computed in float64."""
SMALL_BLOCKS = 2
K_CROP_PX = np.array([[5000.0, 0, 0], [0, 5000.0, 0], [0, 0, 1]])
Found = dict[str, tuple[Tensor, float]]
"""Arrays by name, each with its tolerance in float32."""


def rule_network(block_count: int = 32) -> HMR2:
    """The network with weights by the rule, its backbone cut after some blocks."""
    kept = {
        name: shape
        for name, shape in shapes().items()
        if not name.startswith("backbone.blocks.") or int(name.split(".")[2]) < block_count
    }
    return network_with(rule_tensors(kept), block_count)


def check_small(golden: GoldenFile, full: GoldenFile) -> Iterator[Comparison]:
    """The head alone on random features, and the backbone cut after two blocks."""
    shape = (len(golden["head_in_probe"]), WIDTH, *GRID_HW)
    features = torch.from_numpy(
        np.random.default_rng(int(golden["head_in_seed"])).standard_normal(shape, dtype=np.float32)
    )
    yield golden.compare("head_in_probe", features[:, 0, 0, :8], 0.0)
    crops = torch.from_numpy(full[f"b1{CROPS_ENDING}"])
    network = rule_network(SMALL_BLOCKS)
    for dtype, prefix in ((torch.float32, ""), (torch.float64, "f64_")):
        network = network.to(dtype)
        found = {f"head_{k}": v for k, v in run_head(network, features.to(dtype)).items()}
        found["head_cam"] = found.pop("head_pred_cam")
        found |= {f"vit2_{k}": v for k, v in run_small_backbone(network, crops, dtype).items()}
        yield from compared(golden, prefix, found)


def check_full(golden: GoldenFile) -> Iterator[Comparison]:
    """The whole network on every batch of crops in the file."""
    batches = [n.removesuffix(CROPS_ENDING) for n in golden.arrays if n.endswith(CROPS_ENDING)]
    network = rule_network()
    for dtype, infix in ((torch.float32, ""), (torch.float64, "f64_")):
        network = network.to(dtype)
        for batch in batches:
            crops = torch.from_numpy(golden[f"{batch}{CROPS_ENDING}"])
            images = normalised(crops, dtype)
            if dtype == torch.float32:
                sliced = images[:, :, 128, 120:136]
                yield golden.compare(f"{batch}_input_slice", sliced, 1e-6)
            found = run_full(network, images[..., MARGIN_PX:-MARGIN_PX])
            yield from compared(golden, f"{batch}_{infix}", found)


def compared(golden: GoldenFile, prefix: str, found: Found) -> Iterator[Comparison]:
    """Each array against its reference; the depth relative to what the scale allows."""
    for name, (tensor, tolerance) in found.items():
        allowed = FLOAT64 if tensor.dtype == torch.float64 else tolerance
        if name == "pred_cam_t":
            expected = golden[f"{prefix}{name}"].astype(np.float64)
            scale = np.abs(found["pred_cam"][0][:, 0].double().numpy())
            unit = np.stack([np.ones_like(scale), np.ones_like(scale)], axis=1)
            unit = np.hstack([unit, (np.abs(expected[:, 2]) / scale)[:, None]])
            title = f"{golden.path.stem}: {prefix}{name}"
            yield compare(title, tensor.double().numpy() / unit, expected / unit, allowed)
        else:
            yield golden.compare(f"{prefix}{name}", tensor, allowed)


@torch.inference_mode()
def run_small_backbone(network: HMR2, crops: Tensor, dtype: torch.dtype) -> Found:
    """Features after two blocks, every 40th channel."""
    tokens = network.backbone(normalised(crops, dtype)[..., MARGIN_PX:-MARGIN_PX])
    channels = tokens.mT.unflatten(2, GRID_HW)
    return {"feat_sub": (channels[:, ::40], 2e-5), "feat_mean_std": (_mean_std(tokens), 2e-6)}


@torch.inference_mode()
def run_head(network: HMR2, features: Tensor) -> Found:
    """The head on a feature map (b, 1280, 16, 12)."""
    return _watched_head(network, features.flatten(2).mT)


@torch.inference_mode()
def run_full(network: HMR2, images: Tensor) -> Found:
    """Everything that happens between the images and the translation in the crop."""
    stages: list[Tensor] = []
    patches: list[Tensor] = []
    blocks = network.backbone.blocks
    with ExitStack() as hooks:
        hook = network.backbone.patch_embed.register_forward_hook
        hooks.enter_context(hook(lambda _, __, out: patches.append(out)))
        first = blocks[0].register_forward_pre_hook
        hooks.enter_context(first(lambda _, given: stages.append(given[0])))
        for index in BLOCKS_SEEN:
            hook = blocks[index].register_forward_hook
            hooks.enter_context(hook(lambda _, __, out: stages.append(out)))
        tokens = network.backbone(images)
    seen = torch.stack([stage[:, TOKENS_SEEN, :16] for stage in stages], dim=1)
    middle = 8 * GRID_HW[1] + 6
    found = {
        "patch_slice": (patches[0][:, middle, :16], 2e-5),
        "tok_slices": (seen, 5e-5),
        "tok_mean_std": (torch.stack([_mean_std(stage) for stage in stages], dim=1), 1e-5),
        "feat_mean_std": (_mean_std(tokens), 2e-6),
        "feat_slice": (tokens[:, middle, :16], 2e-5),
        "feat_map_c0": (tokens[:, :, 0].unflatten(1, GRID_HW), 2e-5),
        "feat_chan_mean": (tokens.mean(dim=1), 1e-5),
    }
    head = _watched_head(network, tokens, inside=True)
    crop_camera = head["pred_cam"][0]
    t = translation_from_crop(
        crop_camera.double().numpy(),
        np.zeros((len(images), 2)),
        np.full(len(images), 256.0),
        K_CROP_PX,
    )
    head["pred_cam_t"] = (torch.from_numpy(t).to(crop_camera.dtype), 3e-5)
    return found | head


def _watched_head(network: HMR2, tokens: Tensor, inside: bool = False) -> Found:
    """The head's results, its decoder's token, and on request what its first layer does."""
    decoder = network.smpl_head.transformer
    first: list[Tensor] = []
    out: list[Tensor] = []
    with ExitStack() as hooks:
        layer = decoder.transformer.layers[0]
        hooks.enter_context(
            layer.register_forward_hook(lambda _, given, got: first.extend((given[0], got)))
        )
        hooks.enter_context(decoder.register_forward_hook(lambda _, __, got: out.append(got)))
        said: Prediction = network.smpl_head(tokens)
    found: Found = {
        ("dec_token_out" if inside else "token_out"): (out[0], 3e-5),
        "pose6d": (said.pose_rot6d, 3e-5),
        "global_orient": (said.pose_rotmat[:, :1], 5e-5),
        "body_pose": (said.pose_rotmat[:, 1:], 5e-5),
        "betas": (said.betas, 3e-5),
        "pred_cam": (said.crop_camera, 3e-5),
    }
    if inside:
        found |= {"dec_query": (first[0], 1e-6), "dec_after_layer0": (first[1], 3e-5)}
    return found


def _mean_std(tokens: Tensor) -> Tensor:
    """Mean and population standard deviation of each sample."""
    flat = tokens.flatten(1)
    return torch.stack([flat.mean(dim=1), flat.std(dim=1, correction=0)], dim=1)
