"""NLF's backend on a small TorchScript program with the released one's interface and units."""

import warnings

import av
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.context import Context
from pipeline.errors import InputError, MissingError, SettingsError, UserError
from pipeline.files import file_digest
from pipeline.frame import Frame
from pipeline.types import Camera, Detections
from stages.regression import nlf

WIDTH_PX, HEIGHT_PX = 160, 120
CAMERA = Camera(np.array([[300.0, 0, 81.0], [0, 310.0, 59.0], [0, 0, 1]]), "given")
DEPTH_MM = 3000.0


class SmallProgram(nn.Module):
    """Puts the pelvis 3 m away at the box's middle, joints in a row of 690 mm; writes to the pose
    and betas what it was given."""

    def __init__(self, mm: float = 1.0) -> None:
        super().__init__()
        self.mm = mm

    @torch.jit.export
    def estimate_smpl_batched(
        self,
        images: Tensor,
        boxes: list[Tensor],
        intrinsic_matrix: Tensor | None = None,
        internal_batch_size: int = 64,
        num_aug: int = 1,
        suppress_implausible_poses: bool = True,
        model_name: str = "smplx",
    ) -> dict[str, list[Tensor]]:
        assert model_name == "smpl" and not suppress_implausible_poses
        assert intrinsic_matrix is not None
        poses: list[Tensor] = []
        betas: list[Tensor] = []
        joints: list[Tensor] = []
        row = torch.arange(24).float() * 30.0
        for i in range(len(boxes)):
            K, b = intrinsic_matrix[i], boxes[i]
            middle = b[:, :2] + b[:, 2:4] / 2
            xy = (middle - K[:2, 2]) / torch.stack([K[0, 0], K[1, 1]])
            pelvis = torch.cat([xy, torch.ones_like(xy[:, :1])], dim=1) * 3000.0
            line = torch.stack([torch.zeros(24), row, torch.zeros(24)], dim=1)
            joints.append((pelvis[:, None] + line) * self.mm)
            poses.append(images[i].float().mean() * torch.ones(len(b), 72) / 1000.0)
            betas.append(b[:, :1] * torch.ones(1, 10))
        return {"pose": poses, "betas": betas, "joints3d": joints, "trans": []}


def _save(program, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(program).save(str(path))
    return path


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return _save(SmallProgram(), tmp_path_factory.mktemp("nlf") / "nlf_l_multi.torchscript")


def _frames(count=2):
    for index in range(count):
        rgb = np.full((HEIGHT_PX, WIDTH_PX, 3), 100 * (index + 1), np.uint8)
        yield Frame(index, index / 30, av.VideoFrame.from_ndarray(rgb, format="rgb24"))


def _detections(*items):
    return Detections(
        frame_index=np.array([index for index, _ in items], np.int32),
        boxes_xyxy_px=np.array([box for _, box in items], np.float32).reshape(-1, 4),
        score=np.ones(len(items), np.float32),
    )


ITEMS = ((0, (10, 20, 50, 100)), (0, (61, 19, 101, 99)), (1, (70, 20, 150, 110)))


def _backend(path, context=None, **settings):
    settings = {"trust": file_digest(path)} | settings
    return nlf.Backend(nlf.Config(weights=str(path), **settings), context or Context())


def _pelvis_in_picture_px(bodies, context):
    posed = context.body.with_shape(torch.from_numpy(bodies.betas)).with_pose(
        torch.from_numpy(bodies.pose_rotvec), torch.from_numpy(bodies.t_camera_m)
    )
    pelvis_m = posed.joints_m[:, 0].numpy()
    homogeneous = pelvis_m @ CAMERA.K_px.T
    return pelvis_m, homogeneous[:, :2] / homogeneous[:, 2:]


@pytest.mark.parametrize("batch_size", [1, 8])
def test_bodies_stand_in_metres_where_the_program_sees_their_pelvis(program, batch_size):
    context = Context()
    bodies = _backend(program, context, batch_size=batch_size)(
        list(_frames()), _detections(*ITEMS), CAMERA
    )
    pelvis_m, pelvis_px = _pelvis_in_picture_px(bodies, context)
    assert np.allclose(pelvis_m[:, 2], DEPTH_MM / 1000, atol=1e-5)
    middles_px = [[30, 60], [81, 59], [110, 65]]
    assert np.allclose(pelvis_px, middles_px, atol=1e-3), "half a pixel would be seen here"
    assert np.allclose(bodies.pose_rotvec[:, 0, 0], [0.1, 0.1, 0.2], atol=0.002), "whose frame"


def test_a_release_that_gives_metres_gives_the_same_bodies(program, tmp_path):
    in_metres = _save(SmallProgram(mm=0.001), tmp_path / "metres.torchscript")
    frames, detections = list(_frames()), _detections(*ITEMS)
    expected = _backend(program)(frames, detections, CAMERA)
    found = _backend(in_metres)(frames, detections, CAMERA)
    assert np.allclose(found.t_camera_m, expected.t_camera_m, atol=1e-5)
    with pytest.raises(InputError, match="neither metres nor millimetres"):
        nlf.metres_per_unit(np.eye(24, 3)[None] * 12.0)


def test_no_people_ask_nothing(program):
    bodies = _backend(program)(list(_frames()), _detections(), CAMERA)
    assert bodies.pose_rotvec.shape == (0, 24, 3) and bodies.t_camera_m.shape == (0, 3)


def test_smpl_shapes_are_not_put_on_the_embedded_body(program):
    context = Context()
    bodies = _backend(program, context)(list(_frames()), _detections(*ITEMS), CAMERA)
    assert not bodies.betas.any()
    assert [e.kind for e in context.events.events if "body.model=" in e.message] == ["fallback"]


def test_a_program_runs_only_with_its_digest(program, monkeypatch):
    def ran(*_, **__):
        raise AssertionError("loaded")

    monkeypatch.setattr(torch.jit, "load", ran)
    digest = file_digest(program)
    with pytest.raises(SettingsError, match=f"runs code.*regression.nlf.trust={digest}"):
        _backend(program, trust=None)
    with pytest.raises(SettingsError, match=f"another file.*regression.nlf.trust={digest}"):
        _backend(program, trust="0" * 64)
    with pytest.raises(AssertionError, match="loaded"):
        _backend(program, trust=digest.upper())(list(_frames()), _detections(*ITEMS), CAMERA)


class _OtherProgram(nn.Module):
    @torch.jit.export
    def detect(self, images: Tensor) -> Tensor:
        return images


class _LaterProgram(nn.Module):
    @torch.jit.export
    def estimate_smpl_batched(
        self,
        images: Tensor,
        boxes: list[Tensor],
        intrinsic_matrix: Tensor,
        gender: str,
    ) -> Tensor:
        return images


class _EarlierProgram(nn.Module):
    @torch.jit.export
    def estimate_smpl_batched(self, images: Tensor, boxes: list[Tensor]) -> Tensor:
        return images


class _SmplxProgram(nn.Module):
    @torch.jit.export
    def estimate_parametric_batched(
        self,
        images: Tensor,
        boxes: list[Tensor],
        intrinsic_matrix: Tensor,
    ) -> dict[str, list[Tensor]]:
        return {"pose": [torch.zeros(len(b), 165) for b in boxes]}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (_OtherProgram, "it has no method estimate_smpl_batched"),
        (_LaterProgram, r"needs \['gender'\], unknown here"),
        (_EarlierProgram, r"lacks \['intrinsic_matrix'\]"),
        (_SmplxProgram, "Is it another body than SMPL's"),
    ],
)
def test_another_interface_is_told(kind, message, tmp_path):
    path = _save(kind(), tmp_path / "other.torchscript")
    with pytest.raises(InputError, match=message):
        _backend(path)(list(_frames()), _detections(*ITEMS), CAMERA)


class _NanProgram(nn.Module):
    @torch.jit.export
    def estimate_smpl_batched(
        self,
        images: Tensor,
        boxes: list[Tensor],
        intrinsic_matrix: Tensor,
    ) -> dict[str, list[Tensor]]:
        answer: dict[str, list[Tensor]] = {}
        nan = float("nan")
        answer["pose"] = [torch.full([len(b), 72], nan) for b in boxes]
        answer["betas"] = [torch.full([len(b), 10], nan) for b in boxes]
        answer["joints3d"] = [torch.full([len(b), 24, 3], nan) for b in boxes]
        return answer


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    path = _save(_NanProgram(), tmp_path / "nan.torchscript")
    with pytest.raises(InputError, match=r"not finite\. The weights are damaged"):
        _backend(path)(list(_frames()), _detections(*ITEMS), CAMERA)


def test_damaged_and_foreign_files_are_told(tmp_path):
    detections = _detections(*ITEMS)
    text = tmp_path / "page.torchscript"
    text.write_text("<html>")
    with pytest.raises(InputError, match="damaged or no TorchScript file"):
        _backend(text)(list(_frames()), detections, CAMERA)
    tensors = tmp_path / "tensors.torchscript"
    torch.save({"a": torch.zeros(1)}, tensors)
    with pytest.raises(InputError, match="no code in it"):
        _backend(tensors)(list(_frames()), detections, CAMERA)
    with pytest.raises(InputError, match=r"frame 0: the box .* has no area"):
        _backend(text)(list(_frames()), _detections((0, (5, 5, 5, 9))), CAMERA)


def test_packages_whose_operators_it_calls_are_asked_for(program, tmp_path, monkeypatch):
    import zipfile

    from stages.regression import _torchscript

    path = tmp_path / "with_operators.torchscript"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nlf/code/__torch__.py", "ops.absent_package.nms(boxes)")
    monkeypatch.setattr(_torchscript, "PACKAGES_WITH_OPERATORS", ("absent_package",))
    with pytest.raises(MissingError, match="pip install absent_package"):
        _backend(path)(list(_frames()), _detections(*ITEMS), CAMERA)


def test_pictures_that_do_not_fit_the_memory_are_halved(program, monkeypatch):
    context = Context()
    backend = _backend(program, context, batch_size=4)
    true_method, sizes = backend._method, []

    class SmallMemory:
        schema = true_method.schema

        def __call__(self, **given):
            sizes.append(len(given["images"]))
            if len(given["images"]) > 1:
                raise RuntimeError("the interpreter says: CUDA out of memory.")
            return true_method(**given)

    monkeypatch.setitem(backend.__dict__, "_method", SmallMemory())
    bodies = backend(list(_frames()), _detections(*ITEMS), CAMERA)
    assert sizes == [2, 2, 1, 1]
    assert np.allclose(bodies.pose_rotvec[:, 0, 0], [0.1, 0.1, 0.2], atol=0.002)
    assert "for 4 pictures" in context.events.events[0].message

    class NoMemory(SmallMemory):
        def __call__(self, **given):
            raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setitem(backend.__dict__, "_method", NoMemory())
    with pytest.raises(UserError, match="a single picture"):
        backend(list(_frames()), _detections(*ITEMS), CAMERA)


def test_without_weights_it_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="humans4d models add nlf FILE"):
        nlf.Backend(nlf.Config(), Context())
