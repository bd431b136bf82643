"""HMR's discriminator and losses against the official ones."""

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.golden_systems._watch import compare_names
from benchmarks.tf_weight_rule import tf_rule_tensors
from pipeline.rotations import rotvec_to_rotmat
from stages.regression.hmr.discriminator import discriminator_shapes, discriminator_with
from stages.regression.hmr.losses import (
    hip_centred,
    joint_loss,
    keypoint_loss,
    parameter_loss,
    score_loss,
)
from stages.regression.hmr.projection import points_in_crop

WEIGHT = 60.0
TINY = 1e-9


def check_discriminator(golden: GoldenFile) -> Iterator[Comparison]:
    """Scores, losses, and what the regressor learns from them."""
    yield compare_names(golden, discriminator_shapes())
    judge = discriminator_with(tf_rule_tensors(discriminator_shapes()))
    real, fake = (
        _rotations(torch.from_numpy(golden[f"{kind}_pose_aa"])) for kind in ("real", "fake")
    )
    yield golden.compare("real_rot", real.flatten(-2), 1e-6)
    yield golden.compare("fake_rot", fake.flatten(-2), 1e-6)
    fake = fake.requires_grad_()
    betas = torch.from_numpy(golden["fake_betas"]).requires_grad_()
    said_real = judge(real, torch.from_numpy(golden["real_betas"]))
    said_fake = judge(fake.flatten(0, 1), betas.flatten(0, 1))
    yield golden.compare("d_out_real", said_real.detach(), 2e-6)
    yield golden.compare("d_out_fake", said_fake.detach(), 2e-6)
    fooling = score_loss(said_fake, 1.0)
    for name, loss in (
        ("d_loss_real", score_loss(said_real, 1.0)),
        ("d_loss_fake", score_loss(said_fake, 0.0)),
        ("e_loss_disc", fooling),
    ):
        yield golden.compare(name, loss.detach(), 1e-6, relative_from=TINY)
    by_rot, by_betas = torch.autograd.grad(fooling, [fake, betas])
    yield golden.compare("grad_e_fake_rot", by_rot.flatten(-2), 1e-6)
    yield golden.compare("grad_e_fake_betas", by_betas, 1e-6)


def _rotations(pose_rotvec: Tensor) -> Tensor:
    """Matrices of all joints but the root."""
    return rotvec_to_rotmat(pose_rotvec.unflatten(-1, (-1, 3)))[..., 1:, :, :]


def check_losses(golden: GoldenFile) -> Iterator[Comparison]:
    """Each loss and what it is made of."""

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(golden[name])

    points, truth = tensor("kp_pred"), tensor("kp_gt")
    yield golden.compare("kp_l1", keypoint_loss(points, truth), 1e-6, relative_from=TINY)
    hidden = truth * torch.tensor([1.0, 1.0, 0.0])
    yield golden.compare("kp_l1_all_invisible", keypoint_loss(points, hidden), 0.0)
    known = tensor("l3d_gt")
    found = torch.cat([tensor("l3d_pred_rot").flatten(1), tensor("l3d_pred_betas")], dim=1)
    size = found.shape[1]
    loss = WEIGHT * parameter_loss(found, known[:, :size], tensor("l3d_has_smpl"))
    yield golden.compare("l3d_params_x60", loss, 1e-6, relative_from=TINY)
    joints = known[:, size:].unflatten(1, (-1, 3))
    seen = tensor("l3d_pred_joints")[:, : joints.shape[1]]
    loss = WEIGHT * joint_loss(seen, joints, tensor("l3d_has_joints"))
    yield golden.compare("l3d_joints_x60", loss, 1e-6, relative_from=TINY)
    yield golden.compare("align_out", hip_centred(tensor("align_in")), 1e-6)
    yield golden.compare("rodrigues_out", rotvec_to_rotmat(tensor("rodrigues_in")), 1e-6)
    yield golden.compare(
        "orth_out", points_in_crop(tensor("orth_points"), tensor("orth_cam")), 1e-6
    )
