"""COCO's 17 keypoints as the 33 landmarks of BlazePose, which the fit knows.

Both mark the same places under the same names; what COCO does not mark (hands, feet, mouth) counts
as unseen. Its detectors give no 3D landmarks: for these stands the body that the regression found,
so that its bones keep their directions where the picture does not say otherwise. Where marks lie a
little elsewhere than BlazePose's, the fit finds out: it may shift them, for each person.
"""

from dataclasses import replace

import numpy as np
import torch

from pipeline.landmark_sites import PosedSites
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, COCO17
from pipeline.types import Person

PLACES = BLAZEPOSE33.indices(*COCO17.points)
"""Where each of COCO's keypoints is among BlazePose's landmarks."""


def as_blazepose(person: Person, sites: PosedSites) -> Person:
    """The same person with 33 landmarks in the picture and in space."""
    assert person.skeleton == COCO17.name and person.keypoints_px is not None
    keypoints_px = np.zeros((len(person), len(BLAZEPOSE33), 3), np.float32)
    keypoints_px[:, PLACES] = person.keypoints_px
    return replace(
        person,
        skeleton=BLAZEPOSE33.name,
        keypoints_px=keypoints_px,
        landmarks_m=own_landmarks_m(person, sites),
    )


def own_landmarks_m(person: Person, sites: PosedSites) -> np.ndarray:
    """(t, 33, 3) the landmarks of the person's own body: camera axes, hip-centred."""
    rotmat = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec).double())
    betas = torch.from_numpy(person.betas).double().expand(len(person), -1)
    places_m = sites.places(rotmat, betas).numpy()
    hips = BLAZEPOSE33.indices("left_hip", "right_hip")
    return (places_m - places_m[:, hips].mean(axis=1, keepdims=True)).astype(np.float32)
