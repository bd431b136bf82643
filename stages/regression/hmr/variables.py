"""Names and layouts of a TensorFlow checkpoint, and those of PyTorch modules.

A module is called what the checkpoint calls it, with dots for slashes; kernels are stored as
height, width, in, out there and as out, in, height, width here.
"""

from collections.abc import Mapping

from torch import Tensor, nn

KERNEL_AXES = 4


def variable_shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the variables that belong into a network."""
    state = network.state_dict()
    return {name.replace(".", "/"): tuple(_tf_layout(state[name]).shape) for name in state}


def take_variables(network: nn.Module, variables: Mapping[str, Tensor]) -> None:
    """Put variables into a network; each must be there, and none too many."""
    tensors = {name.replace("/", "."): _torch_layout(v) for name, v in variables.items()}
    network.load_state_dict(tensors, strict=True, assign=True)


def _tf_layout(tensor: Tensor) -> Tensor:
    return tensor.permute(2, 3, 1, 0) if tensor.dim() == KERNEL_AXES else tensor


def _torch_layout(variable: Tensor) -> Tensor:
    if variable.dim() == KERNEL_AXES:
        return variable.permute(3, 2, 0, 1).contiguous()
    return variable
