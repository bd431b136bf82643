"""TensorFlow checkpoints without TensorFlow: a real one, and what is wrong with files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.golden_comparison import GoldenFile
from benchmarks.golden_systems._hmr_bundle import check_bundle, written
from pipeline.checkpoints import Layout, convert, read_checkpoint
from pipeline.crc32c import crc32c, masked_crc32c
from pipeline.errors import InputError, MissingError
from pipeline.protobuf_wire import fields, messages, number, varint
from pipeline.safetensors_file import read_metadata
from pipeline.sorted_table import MAGIC, read_sorted_table
from pipeline.tf_bundle import is_tf_bundle, open_tf_bundle

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "hmr" / "hmr_tf_bundle.npz"
WANTED = {"3D_module/fc1/biases": (6,), "3D_module/fc1/weights": (7, 6)}


@pytest.fixture
def golden():
    return GoldenFile.open(GOLDEN)


@pytest.fixture
def index(golden, tmp_path):
    return written(golden, tmp_path).index_path


def _layout(shapes=WANTED, prefixes=("3D_module/",)):
    return Layout("HMR", shapes, prefixes, ignored_endings=("/Adam",))


def test_a_real_checkpoint_is_read_bit_for_bit(golden):
    results = list(check_bundle(golden))
    assert not [result for result in results if not result.passed]
    assert len(results) == 1 + 2 * 35 + 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_checksums_are_those_of_rfc_3720(content, expected):
    assert crc32c(np.frombuffer(content, dtype=np.uint8)) == expected


def test_numbers_and_messages_are_taken_apart():
    assert varint(b"\x00\xac\x02\x07", 1) == (300, 3)
    message = fields(b"\x08\x96\x01\x12\x03\x08\xac\x02\x12\x00\x1d\x01\x00\x00\x80")
    assert (number(message, 1), number(message, 3), number(message, 9)) == (150, 0x80000001, 0)
    assert [number(inner, 1) for inner in messages(message, 2)] == [300, 0]
    for broken in (b"\x80", b"\x12\x05ab", b"\x0b"):
        with pytest.raises(ValueError, match=r"does not end|cut short|unknown kind"):
            fields(broken)


def test_tensors_are_read_as_weights_from_either_file(index):
    assert is_tf_bundle(index)
    data = index.with_name("model.ckpt-1.data-00000-of-00001")
    for path in (index, data):
        tensors = read_checkpoint(path, _layout())
        assert {name: tuple(t.shape) for name, t in tensors.items()} == WANTED
        assert all(t.dtype == torch.float32 for t in tensors.values())


def test_converted_once_they_are_the_same(index, tmp_path):
    target = tmp_path / "hmr.safetensors"
    convert(index, _layout(), target, licence="research")
    before, after = read_checkpoint(index, _layout()), read_checkpoint(target, _layout())
    assert all(torch.equal(before[name], after[name]) for name in WANTED)
    assert read_metadata(target)["source_file"] == "model.ckpt-1.index"


@pytest.mark.parametrize(
    ("shapes", "prefixes", "message"),
    [
        (
            WANTED | {"3D_module/fc9/biases": (1,)},
            ("3D_module/",),
            r"fc9/biases' is missing \(1 of",
        ),
        (WANTED | {"3D_module/fc1/biases": (5,)}, ("3D_module/",), r"has the shape \(6,\)"),
        ({"3D_module/fc1/biases": (6,)}, ("3D_module/",), r"fc1/weights' is unexpected"),
        (WANTED | {"a_double": (2, 2)}, ("3D_module/", "a_double"), r"is torch.float64, expected"),
        ({"conv1.weight": (64, 3, 7, 7)}, ("",), r"not the weights of HMR: the file holds 3D_mod"),
    ],
)
def test_weights_that_do_not_fit_are_refused(index, shapes, prefixes, message):
    with pytest.raises(InputError, match=message):
        read_checkpoint(index, _layout(shapes, prefixes))


def test_without_its_other_half_a_checkpoint_is_of_no_use(index):
    data = index.with_name("model.ckpt-1.data-00000-of-00001")
    content = data.read_bytes()
    data.unlink()
    with pytest.raises(MissingError, match="it belongs beside the"):
        read_checkpoint(index, _layout())
    data.write_bytes(content)
    index.unlink()
    with pytest.raises(MissingError, match=r"is NAME\.index beside"):
        read_checkpoint(data, _layout())


def test_data_cut_short_or_changed_is_told(index):
    data = index.with_name("model.ckpt-1.data-00000-of-00001")
    content = bytearray(data.read_bytes())
    data.write_bytes(content[:30])
    with pytest.raises(InputError, match="is cut short: '3D_module/fc1/weights' would end"):
        read_checkpoint(index, _layout())
    content[3] ^= 1
    data.write_bytes(content)
    with pytest.raises(InputError, match="checksum of '3D_module/fc1/biases' differs"):
        read_checkpoint(index, _layout())
    data.write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read"):
        read_checkpoint(index, _layout())


def test_no_changed_byte_of_the_index_goes_unnoticed(index):
    content = index.read_bytes()
    whole = read_sorted_table(content)
    noticed = 0
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 0x11
        try:
            assert read_sorted_table(bytes(changed)) == whole, "only bytes without meaning"
        except ValueError:
            noticed += 1
    assert noticed > 0.9 * len(content) / 7


def test_an_index_cut_short_or_compressed_is_told(index):
    content = index.read_bytes()
    index.write_bytes(content[:100] + content[-48:])
    with pytest.raises(InputError, match="no readable index of a TensorFlow checkpoint"):
        open_tf_bundle(index)
    block = b"\x00\x00\x00\x00\x01\x00\x00\x00" + b"\x01"
    block += masked_crc32c(np.frombuffer(block, dtype=np.uint8)).to_bytes(4, "little")
    footer = (b"\x00\x00" + bytes([0, len(block) - 5])).ljust(40, b"\x00") + MAGIC
    index.write_bytes(block + footer)
    with pytest.raises(InputError, match="is compressed, which is not read here"):
        open_tf_bundle(index)
