"""The head of HMR2: the decoder's token read out as pose, shape and crop camera."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.rotations import rot6d_columns_to_rotmat
from stages.regression._query_decoder import POSE_SIZE, WIDTH, Decoder


@dataclass(frozen=True)
class Prediction:
    """What HMR2 says about b crops."""

    pose_rot6d: Float[Tensor, "b 144"]
    """24 rotations as two columns each, before they are made orthonormal."""
    betas: Float[Tensor, "b 10"]
    crop_camera: Float[Tensor, "b 3"]
    """Scale and x, y shift (s, tx, ty) in the square crop, weak perspective."""

    @property
    def pose_rotmat(self) -> Float[Tensor, "b 24 3 3"]:
        """Root and 23 body rotations."""
        return rot6d_columns_to_rotmat(self.pose_rot6d.unflatten(-1, (24, 6)))


class SmplHead(nn.Module):
    """Image tokens to pose, shape and crop camera."""

    init_body_pose: Tensor
    init_betas: Tensor
    init_cam: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.transformer = Decoder()
        self.decpose = nn.Linear(WIDTH, POSE_SIZE)
        self.decshape = nn.Linear(WIDTH, 10)
        self.deccam = nn.Linear(WIDTH, 3)
        self.register_buffer("init_body_pose", torch.empty(1, POSE_SIZE))
        self.register_buffer("init_betas", torch.empty(1, 10))
        self.register_buffer("init_cam", torch.empty(1, 3))

    def forward(self, context: Float[Tensor, "b n c"]) -> Prediction:
        """Read-outs, added to the mean parameters.

        The mean pose is stored interleaved and used by columns: so it was trained, so it stays.
        """
        token = self.transformer(context)
        return Prediction(
            pose_rot6d=self.init_body_pose + self.decpose(token),
            betas=self.init_betas + self.decshape(token),
            crop_camera=self.init_cam + self.deccam(token),
        )
