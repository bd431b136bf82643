"""Archives of arrays that are whole but wrong: kinds, shapes, values, claims, bombs, pickles."""

import io
import os
import zipfile
from typing import Any

import numpy as np

from benchmarks.fuzz.json_damage import NASTY_TEXTS
from benchmarks.fuzz.mutations import Rng

KINDS = ("f2", ">f8", "i1", "u8", "c8", "?", "U3", "S2", "M8[s]", "V8")
VALUES = (np.nan, np.inf, -np.inf, -1, 0, 1e30, -1e30, 2**31 - 1, 255)
CLAIMED = ((10**12,), (2**62, 2**62), (10**9, 24, 3), (-1,), (0, 10**12))
BOMB_BYTES = 3 << 30


class Harmful:
    """Asks for a call when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("echo Traceback (most recent call last): a pickle was run",)


def damaged_npz(data: bytes, rng: Rng) -> bytes:
    """The arrays of an archive with one to three of them changed."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays: dict[str, Any] = {key: file[key] for key in file.files}
    chance = rng.random()
    if chance < 0.12:
        return _with_claim(arrays, rng)
    if chance < 0.14:
        return _with_bomb(arrays, rng)
    for _ in range(int(rng.integers(1, 4))):
        key = str(rng.choice(list(arrays)))
        if rng.random() < 0.15:
            del arrays[key]
        else:
            arrays[key] = _changed(arrays[key], rng)
        if not arrays:
            break
    return _packed(arrays)


def _packed(arrays: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def _changed(array: np.ndarray, rng: Rng) -> Any:
    changes = (_other_kind, _other_shape, _other_values, _other_thing)
    chosen = changes[int(rng.choice(len(changes), p=[0.2, 0.3, 0.35, 0.15]))]
    return chosen(array, rng)


def _other_kind(array: np.ndarray, rng: Rng) -> Any:
    try:
        with np.errstate(all="ignore"):
            return array.astype(str(rng.choice(KINDS)))
    except (TypeError, ValueError):
        return np.array(str(array))


def _other_shape(array: np.ndarray, rng: Rng) -> Any:
    changes = (
        lambda: array[..., None],
        lambda: array[:0] if array.ndim else np.zeros(0, array.dtype),
        array.ravel,
        lambda: array.T,
        lambda: array[:1] if array.ndim else array[None],
        lambda: np.concatenate([array, array]) if array.ndim else np.stack([array, array]),
        lambda: array[::-1] if array.ndim else array,
        lambda: array[..., :-1] if array.ndim else array,
        lambda: array.ravel()[0] if array.size else array,
    )
    return changes[int(rng.integers(len(changes)))]()


def _other_values(array: np.ndarray, rng: Rng) -> Any:
    if array.dtype.kind not in "fiu":
        return np.array(NASTY_TEXTS[int(rng.integers(len(NASTY_TEXTS)))])
    changed, value = np.array(array), VALUES[int(rng.integers(len(VALUES)))]
    where = rng.random(changed.shape) < rng.choice([0.02, 0.5, 1.0])
    with np.errstate(all="ignore"):
        changed[where] = np.asarray(value).astype(changed.dtype)
    return changed


def _other_thing(array: np.ndarray, rng: Rng) -> Any:
    things = (
        lambda: np.array([Harmful()], dtype=object),
        lambda: np.array("text"),
        lambda: np.zeros(3, [("a", "f4"), ("b", "i2", 2)]),
        lambda: np.array(5),
        lambda: np.array([[]]),
    )
    return things[int(rng.integers(len(things)))]()


def _with_claim(arrays: dict[str, Any], rng: Rng) -> bytes:
    """One array whose header claims a shape that its bytes do not have."""
    key, shape = str(rng.choice(list(arrays))), CLAIMED[int(rng.integers(len(CLAIMED)))]
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    content = io.BytesIO()
    np.lib.format.write_array_header_2_0(content, header)
    return _with_member(arrays, key, content.getvalue() + bytes(64))


def _with_bomb(arrays: dict[str, Any], rng: Rng) -> bytes:
    """One array of zeros that unpacks to gigabytes."""
    key = str(rng.choice(list(arrays)))
    head = io.BytesIO()
    shape = (BOMB_BYTES // 4,)
    np.lib.format.write_array_header_2_0(
        head, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    return _with_member(arrays, key, head.getvalue(), zeros=BOMB_BYTES)


def _with_member(arrays: dict[str, Any], key: str, member: bytes, zeros: int = 0) -> bytes:
    out = io.BytesIO(_packed({k: v for k, v in arrays.items() if k != key} or {"x": np.zeros(1)}))
    with (
        zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{key}.npy", "w", force_zip64=True) as file,
    ):
        file.write(member)
        block = bytes(1 << 24)
        for _ in range(zeros // len(block)):
            file.write(block)
    return out.getvalue()
