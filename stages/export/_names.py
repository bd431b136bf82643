"""Names of SMPL's joints as other programs know them."""

from typing import Literal

from pipeline.skeletons import SMPL24

Naming = Literal["smpl", "mixamo"]

_SMPL = (
    *("Pelvis", "L_Hip", "R_Hip", "Spine1", "L_Knee", "R_Knee", "Spine2", "L_Ankle", "R_Ankle"),
    *("Spine3", "L_Foot", "R_Foot", "Neck", "L_Collar", "R_Collar", "Head"),
    *("L_Shoulder", "R_Shoulder", "L_Elbow", "R_Elbow", "L_Wrist", "R_Wrist", "L_Hand", "R_Hand"),
)
_MIXAMO = (
    *("Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1"),
    *("LeftFoot", "RightFoot", "Spine2", "LeftToeBase", "RightToeBase", "Neck"),
    *("LeftShoulder", "RightShoulder", "Head", "LeftArm", "RightArm", "LeftForeArm"),
    *("RightForeArm", "LeftHand", "RightHand", "LeftHandEnd", "RightHandEnd"),
)


def joint_names(naming: Naming) -> tuple[str, ...]:
    """The 24 names: as in SMPL's own files, or as Mixamo's, which retargeting tools know."""
    names = {"smpl": _SMPL, "mixamo": _MIXAMO}[naming]
    assert len(set(names)) == len(SMPL24.points)
    return names
