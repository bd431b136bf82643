"""HMR's judge of bodies (Kanazawa et al. 2018): is a pose, a shape, one that people have?

Trained against the regressor, on real motion capture; it is what kept HMR's bodies human without
3D ground truth. Names are those of the TensorFlow checkpoint with dots for slashes.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from stages.regression.hmr.dense import Dense
from stages.regression.hmr.resnet import Convolution
from stages.regression.hmr.variables import take_variables, variable_shapes

JOINT_COUNT = 23
"""All but the root, whose rotation says nothing about the body."""
JOINT_WIDTH = 32
WIDTH = 1024


class ShapeTrunk(nn.Module):
    """Betas to five numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.shape_fc1_1 = Dense(10, 10)
        self.shape_fc1_2 = Dense(10, 5)

    def forward(self, betas: Float[Tensor, "b 10"]) -> Float[Tensor, "b 5"]:
        """Two layers."""
        return functional.relu(self.shape_fc1_2(functional.relu(self.shape_fc1_1(betas))))


class Judge(nn.Module):
    """One score per joint, one for all joints together, one for the shape."""

    def __init__(self) -> None:
        super().__init__()
        self.D_conv1 = Convolution(9, JOINT_WIDTH, 1, bias=True)
        self.D_conv2 = Convolution(JOINT_WIDTH, JOINT_WIDTH, 1, bias=True)
        for joint in range(JOINT_COUNT):
            self.add_module(f"pose_out_j{joint}", Dense(JOINT_WIDTH, 1))
        self.D_alljoints_fc1 = Dense(JOINT_COUNT * JOINT_WIDTH, WIDTH)
        self.D_alljoints_fc2 = Dense(WIDTH, WIDTH)
        self.D_alljoints_out = Dense(WIDTH, 1)
        self.shape_fc1 = ShapeTrunk()
        self.shape_final = Dense(5, 1)

    def forward(
        self, pose_rotmat: Float[Tensor, "b 23 3 3"], betas: Float[Tensor, "b 10"]
    ) -> Float[Tensor, "b 25"]:
        """Scores; 1 is real, 0 is not."""
        x = pose_rotmat.flatten(2).mT[..., None]
        x = functional.relu(self.D_conv2(functional.relu(self.D_conv1(x))))
        joints = x[..., 0].mT
        scores = [self.get_submodule(f"pose_out_j{j}")(joints[:, j]) for j in range(JOINT_COUNT)]
        hidden = functional.relu(self.D_alljoints_fc1(joints.flatten(1)))
        hidden = functional.relu(self.D_alljoints_fc2(hidden))
        shape = self.shape_final(self.shape_fc1(betas))
        return torch.cat([*scores, self.D_alljoints_out(hidden), shape], dim=1)


class Discriminator(nn.Module):
    """The judge under the checkpoint's name."""

    def __init__(self) -> None:
        super().__init__()
        self.D = Judge()

    def forward(
        self, pose_rotmat: Float[Tensor, "b 23 3 3"], betas: Float[Tensor, "b 10"]
    ) -> Float[Tensor, "b 25"]:
        """Scores; 1 is real, 0 is not."""
        return self.D(pose_rotmat, betas)


def empty_discriminator() -> Discriminator:
    """Names and shapes without any numbers."""
    with torch.device("meta"):
        return Discriminator()


def discriminator_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of its variables in a checkpoint."""
    return variable_shapes(empty_discriminator())


def discriminator_with(variables: Mapping[str, Tensor]) -> Discriminator:
    """The discriminator around these variables."""
    judge = empty_discriminator()
    take_variables(judge, variables)
    return judge
