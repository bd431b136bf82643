"""Pickles: bodies and arrays come through, and whatever else is asked for is refused unrun."""

import io
import os
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from pipeline.errors import InputError
from pipeline.unpickle import read_pickle


class Calls:
    """Pickles to a call of the given function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def read(tmp_path: Path, content: bytes) -> Any:
    path = tmp_path / "file.pkl"
    path.write_bytes(content)
    return read_pickle(path)


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
def test_arrays_and_containers_come_through(tmp_path: Path, protocol: int) -> None:
    content = {
        "doubles": np.arange(12.0).reshape(3, 4),
        "by column": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "big endian": np.arange(3, dtype=">u4"),
        "empty": np.zeros((0, 3)),
        "scalar": np.float64(1.5),
        "ordered": OrderedDict(a=[1, (2, "drei"), None]),
        "names": {"a", "b"},
        "bytes": b"\x00\xff",
    }
    found = read(tmp_path, pickle.dumps(content, protocol))
    assert found.keys() == content.keys()
    for key in ("doubles", "by column", "big endian", "empty"):
        np.testing.assert_array_equal(found[key], content[key])
        assert found[key].dtype == content[key].dtype
    for key in ("scalar", "ordered", "names", "bytes"):
        assert found[key] == content[key]


@pytest.mark.parametrize("form", ["csc", "csr", "coo"])
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_sparse_matrices_come_out_dense(tmp_path: Path, form: str, kind: str) -> None:
    dense = np.random.default_rng(0).random((5, 7)) * (
        np.random.default_rng(1).random((5, 7)) < 0.4
    )
    matrix = getattr(sp, f"{form}_{kind}")(dense)
    np.testing.assert_array_equal(read(tmp_path, pickle.dumps(matrix)), dense)


def test_arrays_written_by_python_2_come_through(tmp_path: Path) -> None:
    array = np.array([1.5, -2.0])
    text = array.tobytes().decode("latin1").encode("unicode_escape").replace(b"'", b"\\'")
    content = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        b"(I1\n(I2\ntcnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'"
        + text
        + b"'\ntb."
    )
    np.testing.assert_array_equal(read(tmp_path, content), array)


def trap(path: Path) -> str:
    return f"touch {path}"


ATTACKS: dict[str, Callable[[Path], bytes]] = {
    "posix.system": lambda p: pickle.dumps(Calls(os.system, trap(p))),
    "builtins.eval": lambda p: pickle.dumps(Calls(eval, f"open({str(p)!r}, 'w')")),
    "builtins.exec": lambda p: pickle.dumps(Calls(exec, f"open({str(p)!r}, 'w')"), 0),
    "builtins.getattr": lambda p: pickle.dumps(Calls(getattr, "text", "join")),
    "io.open": lambda p: pickle.dumps(Calls(io.open, str(p), "w"), 2),
    "os.system": lambda p: b"cos\nsystem\n(S'" + trap(p).encode() + b"'\ntR.",
    "nt.system": lambda p: b"(S'" + trap(p).encode() + b"'\nint\nsystem\n.",
    "subprocess.Popen": lambda p: b"(csubprocess\nPopen\nS'" + trap(p).encode() + b"'\no.",
    "numpy.load": lambda p: b"cnumpy\nload\n(S'x'\ntR.",
    "numpy.core.multiarray.fromfile": lambda p: b"cnumpy.core.multiarray\nfromfile\n.",
    "numpy.testing._private.utils.runstring": lambda p: (
        b"cnumpy.testing._private.utils\nrunstring\n(S'x'\n}tR."
    ),
    "scipy.sparse.linalg": lambda p: b"cscipy.sparse\nlinalg\n.",
    "numpy.ndarray.tofile": lambda p: b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
    "collections.OrderedDict.__class__": lambda p: (
        b"\x80\x04\x8c\x0bcollections\x8c\x15OrderedDict.__class__\x93."
    ),
    "builtins.__import__": lambda p: (
        b"\x80\x04\x8c\x08builtins\x8c\x0a__import__\x93\x8c\x02os\x85R."
    ),
    "scipy.sparse._csc.sys.modules": lambda p: (
        b"\x80\x04\x8c\x11scipy.sparse._csc\x8c\x0bsys.modules\x93."
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_is_run_and_the_refused_name_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / "run"
    content = ATTACKS[name](path)
    pickletools.dis(content, io.StringIO())  # the attack itself is a sound pickle
    with pytest.raises(InputError, match=r"asks for .*refused and nothing was run") as caught:
        read(tmp_path, content)
    shown = str(caught.value).replace("__builtin__", "builtins")
    assert name in shown or name in shown.replace("_io.open", "io.open")
    assert "\n" not in shown
    assert not path.exists()


def test_the_attacks_would_work_on_an_ordinary_unpickler(tmp_path: Path) -> None:
    path = tmp_path / "run"
    pickle.loads(ATTACKS["posix.system"](path))
    assert path.exists()


def test_object_arrays_are_refused(tmp_path: Path) -> None:
    array = np.array([Calls(os.system, trap(tmp_path / "run"))], dtype=object)
    with pytest.raises(InputError):
        read(tmp_path, pickle.dumps(array))
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="dtype O"):
        read(tmp_path, pickle.dumps(np.array([None, 1], dtype=object)))
    with pytest.raises(InputError, match="dtype"):
        read(tmp_path, pickle.dumps(np.zeros(2, dtype=[("a", "f8")])))


def test_what_a_pickle_may_call_cannot_be_altered(tmp_path: Path) -> None:
    for target in (b"cnumpy\nndarray\n", b"c_codecs\nencode\n", b"ccollections\nOrderedDict\n"):
        with pytest.raises(InputError):
            read(tmp_path, target + b"(N}S'plain'\nI1\nstb.")  # BUILD with slots
    array = np.arange(3.0)
    np.testing.assert_array_equal(read(tmp_path, pickle.dumps(array)), array)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"solid text, not a pickle\n",
        b"\x80\x04\x95",
        pickle.dumps(np.arange(100.0))[:-200],
        b"cnumpy\nndarray\n)R.",
        b"cchumpy.ch\nCh\n)R.",
        b"\x82\x01.",
        b"Pid\n.",
        b"(" * 10 + b"l" * 3,
    ],
)
def test_damaged_files_get_one_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="not a readable pickle") as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_matrix_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    matrix = sp.coo_matrix((np.ones(1), ([0], [0])), shape=(10**7, 10**7))
    with pytest.raises(InputError, match="too large"):
        read(tmp_path, pickle.dumps(matrix))
