"""Official weights: read as their authors published them, checked name by name, converted once.

Read are PyTorch checkpoints (Lightning's too), TensorFlow's tensor bundles and safetensors. Kept
are only the tensors that the network needs; every name, shape and kind of number must be right, or
nothing is loaded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import InputError, MissingError
from pipeline.files import file_digest
from pipeline.safetensors_file import read_safetensors, write_safetensors
from pipeline.tf_bundle import TfBundle, is_tf_bundle, open_tf_bundle
from pipeline.torch_file import TorchFile, is_torch_file, open_torch_file
from pipeline.torch_pickle import StoredTensor

SHOWN_NAMES = 3
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Layout:
    """The tensors that a network needs from its official file."""

    system: str
    """What the network is called in messages, such as 'HMR2.0'."""
    shapes: Shapes
    """Names without the stripped prefix, in the order in which a difference is reported."""
    prefixes: tuple[str, ...] = ("",)
    """Names that begin otherwise are left out."""
    ignored_endings: tuple[str, ...] = ()
    """Names that end so are left out, such as '.num_batches_tracked'."""
    containers: tuple[str, ...] = ("state_dict", "model")
    """Where in the file the tensors may be; tried in order, then the top level."""
    strip: str = ""
    """Taken off the beginning of every name that has it, such as 'module.'."""
    begins: str = ""
    """Names that hold this word are taken from there on, whatever stands before it."""
    dtype: torch.dtype = torch.float32
    sized_by: Callable[[Shapes], Shapes] | None = None
    """For networks whose sizes are the file's: the shapes to expect, from those found."""

    def fitted_to(self, found: Shapes) -> "Layout":
        """The same layout with the file's own sizes."""
        return self if self.sized_by is None else replace(self, shapes=self.sized_by(found))

    def own_name(self, name: str) -> str:
        """The name without what the file puts before it; only the beginning is ever cut."""
        name = name.removeprefix(self.strip)
        return name[name.find(self.begins) :] if self.begins in name else name

    def wants(self, name: str) -> bool:
        """Whether a tensor of that name belongs to the network."""
        return name.startswith(self.prefixes) and not name.endswith(self.ignored_endings or ("\0",))


def read_checkpoint(path: Path, layout: Layout) -> dict[str, Tensor]:
    """The network's tensors, mapped from the file, in the order of the layout.

    Args:
        path: An official checkpoint, or a file that `convert` wrote.
        layout: What must be in it.

    Raises:
        MissingError: there is no such file.
        InputError: it is no checkpoint, cut short, harmful, or another network's; the text names
            the first tensor that differs.
    """
    if not path.is_file():
        raise MissingError(f"{path}: no such file of {layout.system} weights")
    if is_tf_bundle(path):
        return _from_tf_bundle(open_tf_bundle(path), layout)
    if is_torch_file(path):
        opened = open_torch_file(path)
        stored = _named(opened, layout)
        layout = layout.fitted_to({n: s.shape for n, s in stored.items()})
        _check(path, layout, {n: (s.shape, s.storage.dtype) for n, s in stored.items()})
        return {name: opened.tensor(stored[name]) for name in layout.shapes}
    if not _is_safetensors(path):
        raise InputError(
            f"{path}: is no checkpoint; it begins with {_start(path)!r}. Was a web page or a "
            "pointer saved in its place?"
        )
    tensors = read_safetensors(path)
    _refuse_strangers(path, layout, tensors)
    tensors = {n: t for n, t in tensors.items() if layout.wants(n)}
    layout = layout.fitted_to({n: tuple(t.shape) for n, t in tensors.items()})
    _check(path, layout, {n: (tuple(t.shape), t.dtype) for n, t in tensors.items()})
    return {name: tensors[name] for name in layout.shapes}


def _from_tf_bundle(bundle: TfBundle, layout: Layout) -> dict[str, Tensor]:
    _refuse_strangers(bundle.index_path, layout, bundle.variables)
    found = {n: (v.shape, v.dtype) for n, v in bundle.variables.items() if layout.wants(n)}
    _check(bundle.index_path, layout, found)
    return {name: bundle.tensor(name) for name in layout.shapes}


def convert(source: Path, layout: Layout, target: Path, *, licence: str) -> None:
    """Write the network's tensors of an official file as safetensors, origin and terms noted.

    Raises:
        MissingError, InputError: as `read_checkpoint`.
        OutputError: the target cannot be written.
    """
    tensors = read_checkpoint(source, layout)
    metadata = {
        "system": layout.system,
        "source_file": source.name,
        "source_sha256": file_digest(source),
        "licence": licence,
    }
    write_safetensors(target, tensors, metadata)


def _named(opened: TorchFile, layout: Layout) -> dict[str, StoredTensor]:
    """Wanted tensors by name, wherever in the file they are."""
    content = opened.content
    for key in layout.containers:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping):
        raise InputError(f"{opened.path}: holds no named tensors")
    names = {layout.own_name(str(key)): value for key, value in content.items()}
    found = {n: v for n, v in names.items() if layout.wants(n) and isinstance(v, StoredTensor)}
    _refuse_strangers(opened.path, layout, names)
    return found


def _refuse_strangers(path: Path, layout: Layout, names: Iterable[str]) -> None:
    """Say plainly that a file is another network's when it has no name in common."""
    names = list(names)
    if any(name in layout.shapes for name in names):
        return
    have = ", ".join(names[:SHOWN_NAMES]) or "nothing"
    raise InputError(
        f"{path}: these are not the weights of {layout.system}: the file holds {have}, "
        f"... where {', '.join(list(layout.shapes)[:SHOWN_NAMES])}, ... are expected"
    )


def _check(
    path: Path,
    layout: Layout,
    found: Mapping[str, tuple[tuple[int, ...], torch.dtype | None]],
) -> None:
    problem = next(_problems(layout, found), None)
    if problem:
        raise InputError(f"{path}: does not fit {layout.system}: {problem}")


def _problems(layout: Layout, found: Mapping[str, Any]) -> Iterator[str]:
    """What differs: the missing, the wrong, the unexpected; each in the layout's order."""
    lacking = [name for name in layout.shapes if name not in found]
    if lacking:
        yield f"'{lacking[0]}' is missing ({len(lacking)} of {len(layout.shapes)} are)"
    for name, shape in layout.shapes.items():
        if name not in found:
            continue
        if found[name][0] != shape:
            yield f"'{name}' has the shape {found[name][0]}, expected is {shape}"
        elif found[name][1] != layout.dtype:
            yield f"'{name}' is {found[name][1]}, expected is {layout.dtype}"
    for name in found:
        if name not in layout.shapes:
            yield f"'{name}' is unexpected"


def _is_safetensors(path: Path) -> bool:
    """Whether the file begins with a header's length and the header, which is JSON."""
    start = _start(path)
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)
