"""COCO's 17 keypoints as the 33 landmarks of BlazePose, which the fit knows.

Both mark the same places under the same names; what COCO does not mark (hands, feet, mouth) counts
as unseen. Its detectors give no 3D landmarks: for these stands the body that the regression found,
so that its bones keep their directions where the picture does not say otherwise. Where marks lie a
little elsewhere than BlazePose's, the fit finds out: it may shift them, for each person.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from pipeline.blocks import blocks
from pipeline.landmark_sites import PosedSites
from pipeline.rotations import rotvec_to_rotmat
from pipeline.skeletons import BLAZEPOSE33, COCO17
from pipeline.types import Person

BLOCK_FRAMES = 1000
PLACES = BLAZEPOSE33.indices(*COCO17.points)
"""Where each of COCO's keypoints is among BlazePose's landmarks."""


@dataclass(frozen=True)
class AsBlazepose:
    """A person of COCO's keypoints, to be laid out as BlazePose's when it is needed."""

    person: Person
    sites: PosedSites

    @property
    def changed(self) -> np.ndarray:
        """(t,) bool: frames in which left and right were exchanged: none."""
        return np.zeros(len(self.person), dtype=bool)

    def cut(self, rows: slice | np.ndarray) -> "AsBlazepose":
        """Some of the frames."""
        return AsBlazepose(self.person.cut(rows), self.sites)

    def in_order(self) -> Person:
        """With 33 landmarks in the picture and in space."""
        return as_blazepose(self.person, self.sites)


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
    betas = torch.from_numpy(person.betas).double()
    hips = BLAZEPOSE33.indices("left_hip", "right_hip")
    landmarks_m = np.empty((len(person), len(BLAZEPOSE33), 3), np.float32)
    for frames in blocks(len(person), BLOCK_FRAMES):
        rotmat = rotvec_to_rotmat(torch.from_numpy(person.pose_rotvec[frames]).double())
        places_m = sites.places(rotmat, betas.expand(len(rotmat), -1)).numpy()
        landmarks_m[frames] = places_m - places_m[:, hips].mean(axis=1, keepdims=True)
    return landmarks_m
