"""PHALP's formulas: features, place over time, textures, cost, assignment."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from benchmarks.golden_comparison import Comparison, GoldenFile, compare
from stages.tracking.phalp import cost
from stages.tracking.phalp.assignment import assign, gated
from stages.tracking.phalp.encoder import AppearanceEncoder, texture_distances
from stages.tracking.phalp.features import camera_in_square, place_vector, pose_vector
from stages.tracking.phalp.location import predict_places
from stages.tracking.phalp.textures import prepared, sampled_texture, updated

GATE = 100.0


def enlarged(small: np.ndarray, times: int = 16) -> np.ndarray:
    """Every texel repeated in both directions, as float32."""
    values = small.astype(np.float32)
    return np.repeat(np.repeat(values, times, axis=-1), times, axis=-2)


def check_features(golden: GoldenFile) -> Iterator[Comparison]:
    """Vectors of the four boxes that the published program keeps."""
    kept = golden["kept"]
    height_px, width_px = golden["image_HW"].tolist()
    camera = camera_in_square(golden["pred_cam"], golden["bbox_xyxy"][kept], width_px, height_px)
    yield golden.compare("out_camera", camera, 1e-5, relative_from=1e-3)
    pose = pose_vector(golden["rotmats"], golden["betas"], camera)
    yield golden.compare("out_pose229", pose, 1e-5, relative_from=1e-2)
    place = place_vector(golden["joints44"], camera)
    yield golden.compare("out_loca99", place, 1e-5, relative_from=1.0)


def check_location(golden: GoldenFile) -> Iterator[Comparison]:
    """Predicted places; where the reference is NaN, here is a number."""
    found = predict_places(golden["loca"], golden["time"], golden["time_since_update"])
    yield golden.compare("pred_loca", found, 1e-4, relative_from=1e-3)
    same = predict_places(
        golden["degenerate_loca"], golden["degenerate_time"], np.zeros(1, np.int64)
    )
    expected = golden["degenerate_pred"]
    title = f"{golden.path.stem}: degenerate_pred where finite"
    finite = np.isfinite(expected)
    yield compare(title, same[finite], expected[finite], 1e-4, relative_from=1e-3)
    title = f"{golden.path.stem}: degenerate_pred, numbers that are not finite"
    yield compare(title, (~np.isfinite(same)).sum(), np.array(0), 0.0)


def check_average(golden: GoldenFile) -> Iterator[Comparison]:
    """A track's texture after each update."""
    maps = enlarged(golden["uv_small"])
    average, found = maps[0], []
    for texture, confidence in zip(maps[1:], golden["conf"][1:], strict=True):
        average = updated(average, texture, float(confidence))
        found.append(average[:, ::16, ::16])
    yield golden.compare("uv_after_update_small", np.stack(found), 1e-6)


def check_prepared(golden: GoldenFile) -> Iterator[Comparison]:
    """A sampled texture as the encoder takes it."""
    found = prepared(torch.from_numpy(golden["process_uv_in"]))
    yield golden.compare("process_uv_out", found, 1e-7)


def check_sampling(golden: GoldenFile) -> Iterator[Comparison]:
    """The surface of a toy mesh sampled from a picture."""
    maps = {n: enlarged(golden[f"{n}_small"], 8) for n in ("fmap", "mask", "depth")}
    barycentric = np.moveaxis(enlarged(np.moveaxis(golden["bmap_small"], -1, 0), 8), 0, -1)
    found = sampled_texture(
        torch.from_numpy(golden["verts"]),
        torch.from_numpy(golden["cam_t"]),
        torch.from_numpy(golden["faces"]),
        torch.from_numpy(np.ascontiguousarray(barycentric)),
        torch.from_numpy(maps["fmap"]).long(),
        torch.from_numpy(enlarged(golden["img_small"], 4)),
        torch.from_numpy(maps["mask"]).clamp(0, 1),
        torch.from_numpy(maps["depth"]),
    )
    told = golden["compare"][:, None]
    for name, texture, tolerance in (
        ("uv_image_small", found, 2e-4),
        ("uv_vector_small", prepared(found), 1e-4),
    ):
        title = f"{golden.path.stem}: {name}"
        expected = golden[name] * told
        yield compare(title, texture[:, :, ::8, ::8].numpy() * told, expected, tolerance)


def check_cost(golden: GoldenFile, encoder: AppearanceEncoder) -> Iterator[Comparison]:
    """Every term, every variant, gate and assignment."""
    tracks, detections = (
        torch.from_numpy(enlarged(golden[f"{name}_uv_small"])) for name in ("track", "det")
    )
    terms = cost.pose_and_place_terms(
        texture_distances(encoder, tracks, detections),
        golden["track_pose"],
        golden["det_pose"],
        golden["track_loca"],
        golden["det_loca"],
    )
    by_vector = cost.vector_appearance(golden["track_appe"], golden["det_appe"])
    yield golden.compare("cost_A0", terms.appearance, 1e-4, relative_from=1e-6)
    yield golden.compare("cost_A0_APL", by_vector, 1e-4, relative_from=1e-6)
    yield golden.compare("cost_P0", terms.pose, 3e-4)
    yield golden.compare("cost_L0", terms.place, 1e-5)
    yield golden.compare("cost_LC", terms.place_width, 1e-6)
    yield golden.compare("cost_N0", terms.nearness, 1e-6)
    yield golden.compare("cost_NC", terms.nearness_width, 1e-6)
    with_vectors = replace(terms, appearance=by_vector)
    for name, used, scales in (
        ("EQ_019_TPL", terms, cost.EQ_019),
        ("EQ_010_TPL", terms, cost.EQ_010),
        ("EQ_019_APL", with_vectors, cost.EQ_019),
        ("EQ_010_TPL_shot", with_vectors, cost.EQ_010_AT_CUT),
    ):
        found = cost.combined(used, scales)
        yield golden.compare(f"cost_{name}", found, 1e-3, relative_from=1e-3)
    default = cost.combined(terms, cost.EQ_019)
    assigned = assign(default, GATE)
    yield golden.compare("cost_gated", gated(default, GATE), 1e-3, relative_from=1e-3)
    yield golden.compare("matches", assigned.pairs, 0.0)
    yield golden.compare("unmatched_tracks", assigned.free_rows, 0.0)
    yield golden.compare("unmatched_detections", assigned.free_columns, 0.0)
