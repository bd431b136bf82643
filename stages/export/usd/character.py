"""One person in a USD stage, as a UsdSkel character."""

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, UsdSkel, Vt
from scipy.spatial.transform import Rotation

from pipeline.palette import colour_of
from pipeline.skeletons import SMPL24_PARENTS
from pipeline.take import SkeletonMotion, Take
from pipeline.types import Person
from stages.export._mesh import Influences

ROUGHNESS = 0.7
SRGB_GAMMA = 2.2
SKIN_MARGIN_M = 0.3
"""No skin lies further from the nearest joint."""
WHOLE_TOLERANCE = 1e-6


def time_codes(take: Take, time_s: np.ndarray) -> list[float]:
    """A video of even rate gets whole numbers, its source frames; others, their true times."""
    codes = take.frame_index[0] + (time_s - take.time_s[0]) * take.fps
    whole = np.round(codes)
    return np.where(np.abs(codes - whole) < WHOLE_TOLERANCE, whole, codes).tolist()


def add_person(
    stage: Usd.Stage, take: Take, person: Person, moved_by: Influences, names: tuple[str, ...]
) -> None:
    """Add somebody: skeleton, motion, skin, material, and when it is seen."""
    motion, base = take.skeleton(person), f"/People/person_{person.id:03d}"
    root = UsdSkel.Root.Define(stage, base)
    _add_visibility(root, take, person)
    skeleton = _add_skeleton(stage, f"{base}/skeleton", motion, _joint_paths(names))
    animation = _add_animation(stage, f"{base}/skeleton/motion", take, person, motion, names)
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    mesh = _add_mesh(stage, f"{base}/body", take, person)
    _bind_skin(mesh, skeleton, moved_by)
    _bind_material(stage, f"{base}/material", mesh, person)
    _add_extent(root, person, motion)


def _joint_paths(names: tuple[str, ...]) -> list[str]:
    """UsdSkel names a joint by its path from the root."""
    paths: list[str] = []
    for name, parent in zip(names, SMPL24_PARENTS, strict=True):
        paths.append(name if parent < 0 else f"{paths[parent]}/{name}")
    return paths


def _add_skeleton(
    stage: Usd.Stage, path: str, motion: SkeletonMotion, joints: list[str]
) -> UsdSkel.Skeleton:
    skeleton = UsdSkel.Skeleton.Define(stage, path)
    skeleton.CreateJointsAttr(joints)
    skeleton.CreateBindTransformsAttr(_shifts(motion.rest_m))
    skeleton.CreateRestTransformsAttr(_shifts(_bones_m(motion)))
    return skeleton


def _bones_m(motion: SkeletonMotion) -> np.ndarray:
    """Every joint from its parent at rest; the root from the origin."""
    parents = np.array(SMPL24_PARENTS)
    bones = motion.rest_m - motion.rest_m[parents]
    bones[0] = motion.rest_m[0]
    return bones


def _shifts(places_m: np.ndarray) -> Vt.Matrix4dArray:
    return Vt.Matrix4dArray(
        [Gf.Matrix4d().SetTranslate(Gf.Vec3d(*map(float, place))) for place in places_m]
    )


def _add_animation(
    stage: Usd.Stage,
    path: str,
    take: Take,
    person: Person,
    motion: SkeletonMotion,
    names: tuple[str, ...],
) -> UsdSkel.Animation:
    animation = UsdSkel.Animation.Define(stage, path)
    animation.CreateJointsAttr(_joint_paths(names))
    turns, shifts = animation.CreateRotationsAttr(), animation.CreateTranslationsAttr()
    scales = animation.CreateScalesAttr()
    scales.Set(Vt.Vec3hArray([Gf.Vec3h(1, 1, 1)] * len(names)))
    bones = _bones_m(motion)
    quats = Rotation.from_matrix(motion.local_rotmat.reshape(-1, 3, 3)).as_quat()
    quats = quats.reshape(len(person), -1, 4).astype(np.float32)
    for row, code in enumerate(time_codes(take, person.time_s)):
        turns.Set(Vt.QuatfArray.FromNumpy(np.ascontiguousarray(quats[row])), code)
        bones[0] = motion.root_m[row]
        shifts.Set(Vt.Vec3fArray.FromNumpy(bones.astype(np.float32)), code)
    return animation


def _add_mesh(stage: Usd.Stage, path: str, take: Take, person: Person) -> UsdGeom.Mesh:
    vertices_m = take.upright_vertices_m(person).astype(np.float32)
    faces = take.body.faces
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(vertices_m))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray([3] * len(faces)))
    flat = np.ascontiguousarray(faces.reshape(-1), dtype=np.int32)
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(flat))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateExtentAttr(
        [Gf.Vec3f(*map(float, m)) for m in (vertices_m.min(0), vertices_m.max(0))]
    )
    return mesh


def _bind_skin(mesh: UsdGeom.Mesh, skeleton: UsdSkel.Skeleton, moved_by: Influences) -> None:
    binding, per_vertex = UsdSkel.BindingAPI.Apply(mesh.GetPrim()), moved_by.joints.shape[1]
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    joints = np.ascontiguousarray(moved_by.joints.reshape(-1), dtype=np.int32)
    weights = np.ascontiguousarray(moved_by.weights.reshape(-1), dtype=np.float32)
    binding.CreateJointIndicesPrimvar(False, per_vertex).Set(Vt.IntArray.FromNumpy(joints))
    binding.CreateJointWeightsPrimvar(False, per_vertex).Set(Vt.FloatArray.FromNumpy(weights))
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))


def _bind_material(stage: Usd.Stage, path: str, mesh: UsdGeom.Mesh, person: Person) -> None:
    linear = (colour_of(person.id) / 255.0) ** SRGB_GAMMA
    material = UsdShade.Material.Define(stage, path)
    shader = UsdShade.Shader.Define(stage, f"{path}/surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    colour = shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f)
    colour.Set(Gf.Vec3f(*map(float, linear)))
    shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(ROUGHNESS)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)


def _add_visibility(root: UsdSkel.Root, take: Take, person: Person) -> None:
    """Shown from the frames of a sighting on, hidden from those without one."""
    seen = np.isin(take.frame_index, person.frame_index[person.drawn])
    if seen.all():
        return
    shown = UsdGeom.Imageable(root.GetPrim()).CreateVisibilityAttr()
    codes = time_codes(take, take.time_s)
    for at in np.flatnonzero(np.diff(seen, prepend=~seen[:1])):
        shown.Set("inherited" if seen[at] else "invisible", codes[at])


def _add_extent(root: UsdSkel.Root, person: Person, motion: SkeletonMotion) -> None:
    """A box round everything the person does: readers cull by it."""
    joints_m = motion.joints_m[person.drawn].reshape(-1, 3)
    UsdGeom.Boundable(root.GetPrim()).CreateExtentAttr(_box(joints_m, SKIN_MARGIN_M))


def _box(points_m: np.ndarray, margin_m: float = 0.0) -> list[Gf.Vec3f]:
    corners = (points_m.min(axis=0) - margin_m, points_m.max(axis=0) + margin_m)
    return [Gf.Vec3f(*map(float, corner)) for corner in corners]
