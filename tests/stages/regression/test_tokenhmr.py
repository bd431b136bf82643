"""TokenHMR by its properties: names and shapes, tokens from shapes, soft codes, rows; no official
outputs are compared, because its terms do not allow making any."""

from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from benchmarks.official_container import write_lightning_checkpoint
from benchmarks.weight_rule import rule_tensors
from pipeline.checkpoints import convert, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError, MissingError
from pipeline.frame import Frame
from pipeline.rotations import rot6d_columns_to_rotmat
from pipeline.types import Camera, Detections
from stages.regression import tokenhmr
from stages.regression.tokenhmr.classifier import MixerLayer, TokenClassifier
from stages.regression.tokenhmr.network import (
    Prediction,
    checkpoint_shapes,
    network_with,
    tokenizer_shapes,
)
from stages.regression.tokenhmr.sizes import ClassifierSizes, TokenizerSizes
from stages.regression.tokenhmr.tokenizer import Tokenizer, lengths
from tests.stages.regression.tokenhmr_shapes import (
    OFFICIAL,
    OFFICIAL_TOKENIZER,
    backbone,
    classifier,
    head,
    tokenizer,
)

SMALL = backbone(0) | head(classifier(24, 8, 5, 12, 32))
SMALL_TOKENIZER = tokenizer(32, 16, 20)


def _one_number(shapes):
    """Tensors of these shapes that take no room: one number, repeated."""
    return {name: torch.full((1,), 0.5).expand(shape) for name, shape in shapes.items()}


def _write(path, shapes, **extra):
    write_lightning_checkpoint(path, _one_number(shapes), extra=extra)
    return path


def _write_tokenizer(path, shapes):
    """As published: the whole tokenizer under 'net', with settings that misstate the tokens."""
    others = {"encoder.model.0.weight": (8, 6, 3), "bm.v_template": (6890, 3)}
    net = _one_number({**shapes, **others})
    torch.save({"net": net, "hparams": {"TOKENIZER": {"TOKEN_NUM": 10}}}, path)
    return path


def test_every_name_and_shape_is_the_official_one(tmp_path):
    path = _write(tmp_path / "tokenhmr.ckpt", {**OFFICIAL, "smpl.v_template": (6890, 3)})
    tensors = read_checkpoint(path, tokenhmr.checkpoint_layout())
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == OFFICIAL
    path = _write_tokenizer(tmp_path / "tokenizer.pth", OFFICIAL_TOKENIZER)
    tensors = read_checkpoint(path, tokenhmr.tokenizer_layout())
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == OFFICIAL_TOKENIZER


def test_tokens_are_counted_on_the_layers(tmp_path):
    path = _write(tmp_path / "tokenhmr.ckpt", OFFICIAL)
    tokenizer_path = _write_tokenizer(tmp_path / "tokenizer.pth", OFFICIAL_TOKENIZER)
    settings = {"weights": str(path), "tokenizer": str(tokenizer_path)}
    network = tokenhmr.Backend(tokenhmr.Config(**settings), Context()).read_network()
    said = network.smpl_head.decpose(torch.zeros(2, 1024))
    assert said.shape == (2, 160, 2048)
    with torch.inference_mode():
        assert network.tokenizer(said).shape == (2, 21, 6)
    assert lengths(160) == [125, 90, 55, 21]
    sizes = [layer.size for layer in network.tokenizer.decoder.decoder if hasattr(layer, "size")]
    assert sizes == [125, 90, 55, 21]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"smpl_head.decpose.class_pred_layer.weight": None},
            r"'smpl_head\.decpose\.class_pred_layer\.weight' is missing \(1 of",
        ),
        (
            {"smpl_head.decpose.mixer_trans.ff.0.weight": None, "smpl_head.deccam.bias": None},
            r"'smpl_head\.decpose\.mixer_trans\.ff\.0\.weight' is missing \(2 of",
        ),
        (
            {"smpl_head.decpose.mixer_head.2.MLP_token.ff.0.weight": (64, 10)},
            r"MLP_token\.ff\.0\.weight' has the shape \(64, 10\), expected is \(64, 160\)",
        ),
        (
            {"smpl_head.decpose.mixer_head.4.layernorm1.bias": (64,)},
            r"'smpl_head\.decpose\.mixer_head\.4\.layernorm1\.bias' is unexpected",
        ),
        (
            {name: None for name in OFFICIAL if name.startswith("smpl_head.decpose")}
            | {"smpl_head.decpose.weight": (144, 1024)},
            r"'smpl_head\.decpose_grot\.weight' is missing",
        ),
    ],
)
def test_a_partial_or_foreign_checkpoint_names_the_first_difference(change, message, tmp_path):
    shapes = {n: s for n, s in {**OFFICIAL, **change}.items() if s is not None}
    path = _write(tmp_path / "tokenhmr.ckpt", shapes)
    with pytest.raises(InputError, match=message):
        read_checkpoint(path, tokenhmr.checkpoint_layout())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantizer.codebook": None}, r"'quantizer\.codebook' is missing \(1 of"),
        ({"decoder.decoder.14.1.bias": None}, r"'decoder\.decoder\.14\.1\.bias' is missing \(1 of"),
        ({"decoder.decoder.15.weight": (7, 512, 3)}, r"expected is \(6, 512, 3\)"),
    ],
)
def test_a_partial_tokenizer_names_the_first_difference(change, message, tmp_path):
    shapes = {n: s for n, s in {**OFFICIAL_TOKENIZER, **change}.items() if s is not None}
    path = _write_tokenizer(tmp_path / "tokenizer.pth", shapes)
    with pytest.raises(InputError, match=message):
        read_checkpoint(path, tokenhmr.tokenizer_layout())


def test_the_tokenizer_is_required(tmp_path, monkeypatch):
    monkeypatch.setenv("HUMANS4D_CACHE", str(tmp_path))
    path = _write(tmp_path / "tokenhmr.ckpt", OFFICIAL)
    with pytest.raises(MissingError, match="humans4d models add tokenhmr-tokenizer FILE"):
        tokenhmr.Backend(tokenhmr.Config(weights=str(path)), Context())


def test_files_of_different_releases_are_refused(tmp_path):
    path = _write(tmp_path / "tokenhmr.ckpt", OFFICIAL)
    other = _write_tokenizer(tmp_path / "tokenizer.pth", tokenizer(1024, 256, 512))
    config = tokenhmr.Config(weights=str(path), tokenizer=str(other))
    with pytest.raises(InputError, match=r"among 2048 codes, .* has 1024"):
        tokenhmr.Backend(config, Context()).read_network()


def _gelu(x):
    return x * 0.5 * (1 + np.vectorize(_erf)(x / np.sqrt(2)))


def _erf(x):
    import math

    return math.erf(x)


def _layer_norm(x, weight, bias):
    spread = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return (x - x.mean(-1, keepdims=True)) / spread * weight + bias


def _numbers(module, seed):
    """The module with seeded float64 weights, and these as NumPy arrays."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double().requires_grad_(False)
    for tensor in module.state_dict().values():
        tensor.copy_(0.4 * torch.randn(tensor.shape, generator=generator, dtype=torch.float64))
    return module, {name: tensor.numpy() for name, tensor in module.state_dict().items()}


SIZES = ClassifierSizes(
    token_count=24, token_width=8, token_mlp_width=5, channel_mlp_width=12, code_count=32
)


def test_a_mixer_layer_adds_both_mixings_to_what_came_in():
    layer, p = _numbers(MixerLayer(SIZES), 1)
    x = np.random.default_rng(2).standard_normal((24, 8))
    seen = _layer_norm(x, p["layernorm1.weight"], p["layernorm1.bias"]).T
    inner = _gelu(seen @ p["MLP_token.ff.0.weight"].T + p["MLP_token.ff.0.bias"])
    y = (inner @ p["MLP_token.ff.3.weight"].T + p["MLP_token.ff.3.bias"]).T
    seen = _layer_norm(x + y, p["layernorm2.weight"], p["layernorm2.bias"])
    inner = _gelu(seen @ p["MLP_channel.ff.0.weight"].T + p["MLP_channel.ff.0.bias"])
    z = inner @ p["MLP_channel.ff.3.weight"].T + p["MLP_channel.ff.3.bias"]
    found = layer(torch.from_numpy(x)[None])[0].numpy()
    assert np.allclose(found, x + y + z, atol=1e-12)


def test_codes_are_mixed_softly():
    network, p = _numbers(TokenClassifier(SIZES), 3)
    caught = []
    network.class_pred_layer.register_forward_pre_hook(lambda _, given: caught.append(given[0]))
    vector = torch.randn(2, 1024, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    probabilities = network(vector)
    logits = caught[0].numpy() @ p["class_pred_layer.weight"].T + p["class_pred_layer.bias"]
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    assert np.allclose(probabilities.numpy(), expected, atol=1e-12)

    second, q = _numbers(Tokenizer(TokenizerSizes(32, 16, 20), token_count=24), 5)
    codes = []
    second.decoder.register_forward_pre_hook(lambda _, given: codes.append(given[0]))
    second(probabilities)
    mixed = expected @ q["quantizer.codebook"]
    assert np.allclose(codes[0].mT.numpy(), mixed, atol=1e-12)
    hard = q["quantizer.codebook"][expected.argmax(-1)]
    assert np.abs(mixed - hard).max() > 0.1, "choosing the likeliest code is something else"
    assert network.eval()(vector).equal(probabilities), "at inference too"


def _convolution(x, p, name, dilation=1):
    """Steps (n, c) through taps -1, 0, 1 (or the only one), zeros beyond the ends."""
    weight, bias = p[f"{name}.weight"], p[f"{name}.bias"]
    reach = dilation * (weight.shape[2] // 2)
    padded = np.pad(x, ((reach, reach), (0, 0)))
    parts = [
        padded[tap * dilation : tap * dilation + len(x)] @ weight[:, :, tap].T
        for tap in range(weight.shape[2])
    ]
    return sum(parts) + bias


def _decoded_by_hand(x, p, steps_after):
    def relu(values):
        return np.maximum(values, 0)

    x = relu(_convolution(x, p, "decoder.decoder.0"))
    for place, count in zip((3, 6, 9, 12), steps_after, strict=True):
        x = x[np.arange(count) * len(x) // count]
        x = relu(_convolution(x, p, f"decoder.decoder.{place}"))
    for block, dilation in ((0, 3), (1, 1)):
        name = f"decoder.decoder.14.0.model.{block}"
        inner = relu(_convolution(relu(x), p, f"{name}.conv1", dilation))
        x = x + _convolution(inner, p, f"{name}.conv2")
    x = _convolution(x, p, "decoder.decoder.14.1")
    return _convolution(x, p, "decoder.decoder.15")


@pytest.mark.parametrize(("tokens", "steps"), [(160, [125, 90, 55, 21]), (24, [23, 22, 21, 21])])
def test_the_tokenizer_decodes_as_computed_by_hand(tokens, steps):
    network, p = _numbers(Tokenizer(TokenizerSizes(32, 16, 20), tokens), 6)
    probabilities = np.random.default_rng(7).dirichlet(np.ones(32), (1, tokens))
    expected = _decoded_by_hand(probabilities[0] @ p["quantizer.codebook"], p, steps)
    found = network(torch.from_numpy(probabilities))[0].numpy()
    assert found.shape == (21, 6)
    assert np.allclose(found, expected, atol=1e-9 * np.abs(expected).max())


@pytest.fixture(scope="module")
def small_files(tmp_path_factory):
    """Rule-made weights of a network without blocks and its tokenizer, as published."""
    folder = tmp_path_factory.mktemp("weights")
    write_lightning_checkpoint(folder / "tokenhmr.ckpt", rule_tensors(SMALL))
    torch.save({"net": rule_tensors(SMALL_TOKENIZER)}, folder / "tokenizer.pth")
    return folder / "tokenhmr.ckpt", folder / "tokenizer.pth"


@pytest.fixture
def short_network(monkeypatch):
    monkeypatch.setattr(tokenhmr, "network_with", partial(network_with, block_count=0))
    short = partial(checkpoint_shapes, block_count=0)
    monkeypatch.setattr(tokenhmr, "checkpoint_shapes", short)


def _backend(files, context=None, **settings):
    paths = {"weights": str(files[0]), "tokenizer": str(files[1])}
    return tokenhmr.Backend(tokenhmr.Config(**paths, **settings), context or Context())


@pytest.mark.usefixtures("short_network")
def test_the_pose_is_root_body_hands_on_the_raw_mean_read_by_rows(small_files):
    network = _backend(small_files).read_network()
    images = torch.randn(2, 3, 256, 192, generator=torch.Generator().manual_seed(8))
    smpl_head = network.smpl_head
    with torch.inference_mode():
        said = network(images)
        token = smpl_head.transformer(network.backbone(images))
        body = network.tokenizer(smpl_head.decpose(token))
        off_mean = (said.pose_rot6d - smpl_head.init_body_pose).unflatten(1, (24, 6))
    assert torch.allclose(off_mean[:, 0], smpl_head.decpose_grot(token), atol=1e-6)
    assert torch.allclose(off_mean[:, 1:22], body, atol=1e-6)
    assert torch.allclose(off_mean[:, 22:].flatten(1), smpl_head.decpose_hands(token), atol=1e-6)

    rotmat, rot6d = said.pose_rotmat, said.pose_rot6d.unflatten(1, (24, 6))
    first = torch.nn.functional.normalize(rot6d[..., :3], dim=-1)
    assert torch.allclose(rotmat[..., 0, :], first, atol=1e-6), "the first row"
    assert (rotmat[..., :, 0] - first).abs().max() > 0.1, "not the first column"
    assert torch.allclose(rotmat, rot6d_columns_to_rotmat(rot6d).mT, atol=1e-6)
    eye = torch.eye(3).expand_as(rotmat)
    assert torch.allclose(rotmat @ rotmat.mT, eye, atol=1e-5)
    assert torch.allclose(torch.linalg.det(rotmat), torch.ones(2, 24), atol=1e-5)


FRAME_WH = (160, 120)
CAMERA = Camera(np.array([[500.0, 0, 80], [0, 500.0, 60], [0, 0, 1]]), "given")


def _frames(count=2):
    rng = np.random.default_rng(0)
    for index in range(count):
        rgb = rng.integers(0, 256, (FRAME_WH[1], FRAME_WH[0], 3), dtype=np.uint8)
        yield Frame(index, index / 30, av.VideoFrame.from_ndarray(rgb, format="rgb24"))


@pytest.mark.usefixtures("short_network")
def test_bodies_are_the_same_from_official_and_converted_files(small_files, tmp_path):
    detections = Detections(
        frame_index=np.array([0, 0, 1], np.int32),
        boxes_xyxy_px=np.array(
            [(10, 5, 60, 115), (70, 20, 150, 110), (-20, 30, 40, 130)], np.float32
        ),
        score=np.ones(3, np.float32),
    )
    own = Context(body_model=str(tmp_path / "SMPL_NEUTRAL.pkl"))
    bodies = _backend(small_files, own)(list(_frames()), detections, CAMERA)
    assert bodies.pose_rotvec.shape == (3, 24, 3)
    assert np.isfinite(bodies.t_camera_m).all() and bodies.betas.any()
    assert not np.allclose(bodies.pose_rotvec[0], bodies.pose_rotvec[1], atol=1e-2)

    layouts = (tokenhmr.checkpoint_layout(), tokenhmr.tokenizer_layout())
    converted = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for source, layout, target in zip(small_files, layouts, converted, strict=True):
        convert(source, layout, target, licence="test")
    same = _backend(converted, own, batch_size=2)(list(_frames()), detections, CAMERA)
    assert np.allclose(same.pose_rotvec, bodies.pose_rotvec, atol=1e-4)
    assert np.allclose(same.betas, bodies.betas, atol=1e-5)


def test_shapes_without_a_file_still_name_every_tensor():
    assert set(checkpoint_shapes({})) == set(OFFICIAL)
    assert set(tokenizer_shapes({})) == set(OFFICIAL_TOKENIZER)


GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "spin" / "spin_geometry.npz"


@pytest.mark.skipif(not GOLDEN.is_file(), reason=f"{GOLDEN.name} is not here")
def test_rows_are_the_transposes_of_spins_official_columns():
    """SPIN's six numbers are the same two vectors, side by side, as columns."""
    with np.load(GOLDEN) as golden:
        side_by_side = torch.from_numpy(golden["rot6d_in144"]).unflatten(1, (24, 3, 2))
        columns = torch.from_numpy(golden["rot6d_out144"]).reshape(-1, 24, 3, 3)
    one_after_the_other = side_by_side.mT.flatten(1)
    said = Prediction(one_after_the_other, torch.zeros(2, 10), torch.zeros(2, 3))
    assert torch.allclose(said.pose_rotmat.mT, columns, atol=1e-6)
    assert (said.pose_rotmat - columns).abs().max() > 0.1
