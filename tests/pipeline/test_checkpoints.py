"""Official files are read as they are, harmful and wrong ones refused, nothing in them is run."""

import dataclasses
import os
import re
import timeit
from collections import OrderedDict

import numpy as np
import pytest
import torch

from benchmarks.official_container import write_lightning_checkpoint
from pipeline.checkpoints import Layout, convert, read_checkpoint
from pipeline.errors import InputError, MissingError
from pipeline.files import file_digest
from pipeline.safetensors_file import read_metadata

LAYOUT = Layout("Toy", {"net.a": (2, 3), "net.b": (4,), "net.turned": (3, 2)}, prefixes=("net.",))


def _tensors():
    both = torch.arange(10.0)
    return OrderedDict(
        {
            "net.a": both[:6].reshape(2, 3),
            "net.b": both[6:],
            "net.turned": torch.nn.Parameter(torch.arange(6.0).reshape(2, 3) + 0.5).T,
            "smpl.v_template": torch.ones(5),
            "initialized": torch.tensor(True),
        }
    )


def _assert_same(found):
    assert list(found) == list(LAYOUT.shapes)
    for name, tensor in found.items():
        assert torch.equal(tensor, _tensors()[name].detach())


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_reads_both_containers_with_unknown_classes_inside(tmp_path, legacy):
    path = tmp_path / "a.ckpt"
    write_lightning_checkpoint(path, _tensors(), legacy=legacy)
    _assert_same(read_checkpoint(path, LAYOUT))


def test_reads_a_bare_state_dict_and_strips_a_prefix(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({f"module.{name}": value for name, value in _tensors().items()}, path)
    _assert_same(read_checkpoint(path, dataclasses.replace(LAYOUT, strip="module.")))


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_converts_once_and_notes_origin_and_terms(tmp_path, legacy):
    path, target = tmp_path / "a.ckpt", tmp_path / "cache" / "a.safetensors"
    write_lightning_checkpoint(path, _tensors(), legacy=legacy)
    convert(path, LAYOUT, target, licence="research only")
    _assert_same(read_checkpoint(target, LAYOUT))
    noted = read_metadata(target)
    assert noted["source_sha256"] == file_digest(path)
    assert noted["licence"] == "research only"
    assert noted["source_file"] == "a.ckpt"


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_every_way_gives_tensors_on_64_byte_boundaries(tmp_path, legacy):
    layout = Layout("Odd", {"a": (3,), "b": (16, 4), "c": (5,), "d": (32,)})
    path, target = tmp_path / "a.ckpt", tmp_path / "a.safetensors"
    tensors = {name: torch.rand(shape) for name, shape in layout.shapes.items()}
    write_lightning_checkpoint(path, tensors, legacy=legacy)
    convert(path, layout, target, licence="")
    read = read_checkpoint(path, layout), read_checkpoint(target, layout)
    assert all(found["b"].data_ptr() % 64 == 0 for found in read)
    assert all(found["d"].data_ptr() % 64 == 0 for found in read)
    assert all(torch.equal(found[name], tensors[name]) for found in read for name in tensors)


def test_tensors_are_views_of_the_file_and_leave_it_alone(tmp_path):
    path = tmp_path / "a.ckpt"
    write_lightning_checkpoint(path, _tensors())
    before = file_digest(path)
    found = read_checkpoint(path, LAYOUT)
    assert found["net.b"].data_ptr() - found["net.a"].data_ptr() == 24, "one storage, mapped once"
    found["net.a"].zero_()
    assert file_digest(path) == before


class _Runs:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_refuses_a_file_that_asks_to_run_something(tmp_path, legacy):
    path, proof = tmp_path / "a.ckpt", tmp_path / "ran"
    bomb = _Runs(os.system, f"touch {proof}")
    write_lightning_checkpoint(path, _tensors(), legacy=legacy, extra={"note": bomb})
    with pytest.raises(InputError, match=r"asks for (posix|nt)\.system.*nothing was run"):
        read_checkpoint(path, LAYOUT)
    assert not proof.exists()


def test_runs_nothing_even_under_a_name_it_does_not_know(tmp_path):
    path, proof = tmp_path / "a.ckpt", tmp_path / "ran"
    bomb = _Runs(timeit.timeit, f"open({str(proof)!r}, 'w')", "pass", timeit.default_timer, 1)
    write_lightning_checkpoint(path, _tensors(), extra={"note": bomb})
    _assert_same(read_checkpoint(path, LAYOUT))
    assert not proof.exists()


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.4, 0.9, 0.999])
def test_says_when_a_file_is_cut_short(tmp_path, legacy, share):
    path = tmp_path / "a.ckpt"
    write_lightning_checkpoint(path, _tensors() | {"net.b": torch.arange(4.0)}, legacy=legacy)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=re.escape(str(path))):
        read_checkpoint(path, LAYOUT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net.b": None}, r"'net\.b' is missing \(1 of 3 are\)"),
        ({"net.b": torch.ones(5)}, r"'net\.b' has the shape \(5,\), expected is \(4,\)"),
        ({"net.b": torch.ones(4).half()}, r"'net\.b' is torch\.float16, expected is torch\.flo"),
        ({"net.c": torch.ones(4)}, r"'net\.c' is unexpected"),
        ({"net.b": "text"}, r"'net\.b' is missing"),
    ],
    ids=["missing", "shape", "kind", "unexpected", "no tensor"],
)
def test_names_the_first_tensor_that_differs(tmp_path, change, message):
    path = tmp_path / "a.ckpt"
    tensors = {**_tensors(), **change}
    kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    write_lightning_checkpoint(path, kept)
    with pytest.raises(InputError, match=f"does not fit Toy: {message}"):
        read_checkpoint(path, LAYOUT)


def test_says_when_the_weights_are_another_networks(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"model": {"conv1.weight": torch.ones(2), "bn1.weight": torch.ones(2)}}, path)
    with pytest.raises(InputError, match=r"not the weights of Toy: the file holds conv1\.weight"):
        read_checkpoint(path, LAYOUT)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>404: Not found</html>", "is no checkpoint; it begins with b'<html>404"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Was a web page or a pointer saved"),
        (b"", "is no checkpoint"),
        (b"\x80\x02}q\x00.", "no readable PyTorch checkpoint"),
    ],
)
def test_says_when_it_is_no_checkpoint(tmp_path, content, message):
    path = tmp_path / "a.ckpt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_checkpoint(path, LAYOUT)


def test_says_when_a_zip_is_something_else_or_there_is_no_file(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.ones(2))
    with pytest.raises(InputError, match=r"a zip archive but no PyTorch checkpoint"):
        read_checkpoint(tmp_path / "a.npz", LAYOUT)
    with pytest.raises(MissingError, match="no such file of Toy weights"):
        read_checkpoint(tmp_path / "b.ckpt", LAYOUT)
