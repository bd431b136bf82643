"""USD stages, read and skinned by UsdSkel itself."""

from pathlib import Path

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdSkel

from benchmarks.format_readers.reading import Reading
from benchmarks.format_readers.truth import first_frame_of


def read(paths: list[Path]) -> list[Reading]:
    """Everybody in one stage; only the time codes at which a person is visible."""
    stage = Usd.Stage.Open(str(paths[0]))
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    roots = [UsdSkel.Root(prim) for prim in stage.Traverse() if prim.IsA(UsdSkel.Root)]
    return [_person(stage, root) for root in roots]


def _person(stage: Usd.Stage, root: UsdSkel.Root) -> Reading:
    person_id = int(root.GetPrim().GetName()[-3:])
    cache = UsdSkel.Cache()
    cache.Populate(root, Usd.PrimDefaultPredicate)
    binding = cache.ComputeSkelBindings(root, Usd.PrimDefaultPredicate)[0]
    skeleton, target = cache.GetSkelQuery(binding.GetSkeleton()), binding.GetSkinningTargets()[0]
    mesh = UsdGeom.Mesh(target.GetPrim())
    codes = [
        code
        for code in skeleton.GetAnimQuery().GetJointTransformTimeSamples()
        if mesh.ComputeVisibility(code) == "inherited"
    ]
    moves = np.stack([np.array(skeleton.ComputeJointSkelTransforms(code)) for code in codes])
    skins = [
        np.array(_skinned(target, mesh, skeleton.ComputeSkinningTransforms(code), code))
        for code in codes
    ]
    return Reading(
        person_id=person_id,
        rows=np.round(codes).astype(int) - first_frame_of(person_id),
        time_s=np.array(codes) / stage.GetTimeCodesPerSecond(),
        up=str(UsdGeom.GetStageUpAxis(stage)).lower(),
        joints_m=moves[:, :, 3, :3],
        rotmat=moves[:, :, :3, :3].swapaxes(-1, -2),
        vertices_m=np.stack(skins),
    )


def _skinned(target: UsdSkel.SkinningQuery, mesh: UsdGeom.Mesh, moves: list, code: float) -> list:
    points = mesh.GetPointsAttr().Get()
    assert target.ComputeSkinnedPoints(moves, points, code)
    assert target.GetGeomBindTransform() == Gf.Matrix4d(1)
    return points
