"""The bytes of a real TensorFlow checkpoint, read without TensorFlow."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.golden_comparison import Comparison, GoldenFile
from benchmarks.tf_weight_rule import tf_rule_array
from pipeline.crc32c import masked_crc32c
from pipeline.tf_bundle import TfBundle, open_tf_bundle
from stages.regression.hmr.network import shapes


def check_bundle(golden: GoldenFile) -> Iterator[Comparison]:
    """Names, every tensor's bits and kind, and the index of a whole model."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = written(golden, Path(folder))
        names = golden["names"].tolist()
        different = sum(a != b for a, b in zip(names, bundle.variables, strict=False))
        different += abs(len(names) - len(bundle.variables))
        yield Comparison(f"{golden.path.stem}: names", different, 0.0, "names")
        for number, name in enumerate(names):
            found, array = bundle.tensor(name).numpy(), f"tensor_{number:03d}"
            yield golden.compare(array, found, 0.0)
            differs = float(found.dtype != golden[array].dtype)
            yield Comparison(f"{golden.path.stem}: kind of {array}", differs, 0.0, "kind")
        path = Path(folder) / "full.index"
        path.write_bytes(golden["full_model_index_bytes"].tobytes())
        yield from _check_full_index(golden, open_tf_bundle(path))


def written(golden: GoldenFile, folder: Path) -> TfBundle:
    """The file's small checkpoint, opened."""
    index = folder / "model.ckpt-1.index"
    index.write_bytes(golden["index_bytes"].tobytes())
    data = folder / "model.ckpt-1.data-00000-of-00001"
    data.write_bytes(golden["data_bytes"].tobytes())
    return open_tf_bundle(index)


def _check_full_index(golden: GoldenFile, bundle: TfBundle) -> Iterator[Comparison]:
    wanted = shapes()
    found = {name: bundle.variables[name].shape for name in wanted if name in bundle.variables}
    different = float(len(set(found.items()) ^ set(wanted.items())))
    title = f"{golden.path.stem}: full_model_index_bytes"
    yield Comparison(title, different, 0.0, "names, shapes")
    wrong = 0
    for name, shape in wanted.items():
        content = np.ascontiguousarray(tf_rule_array(name, shape)).view(np.uint8).reshape(-1)
        variable = bundle.variables[name]
        wrong += masked_crc32c(content) != variable.masked_crc32c
        wrong += len(content) != variable.size_bytes
    yield Comparison(title, float(wrong), 0.0, "sizes, checksums")
