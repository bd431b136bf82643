"""What flows through named parts of a network; whether its tensors are the official ones."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from benchmarks.golden_comparison import Comparison, GoldenFile


@contextmanager
def watched(network: nn.Module, names: Sequence[str]) -> Iterator[dict[str, list[Tensor]]]:
    """Collect all outputs of these modules while the context lasts."""
    seen: dict[str, list[Tensor]] = defaultdict(list)

    def keep(name: str) -> Any:
        return lambda module, given, out: seen[name].append(out)

    with ExitStack() as hooks:
        for name in names:
            module = network.get_submodule(name)
            hooks.enter_context(module.register_forward_hook(keep(name)))
        yield seen


def compare_names(golden: GoldenFile, shapes: Mapping[str, tuple[int, ...]]) -> Comparison:
    """Count the official tensors whose name or shape is not ours, and ours that are not official.

    Counters of batches, which inference never needs, are left out.
    """
    pairs = zip(golden["state_dict_keys"], golden["state_dict_shapes"], strict=True)
    official = {(str(name), tuple(int(n) for n in shape if n >= 0)) for name, shape in pairs}
    official = {pair for pair in official if not pair[0].endswith("num_batches_tracked")}
    different = len(official ^ set(shapes.items()))
    return Comparison(f"{golden.path.stem}: state_dict_keys", different, 0.0, "names, shapes")
