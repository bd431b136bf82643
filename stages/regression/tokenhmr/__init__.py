"""TokenHMR: HMR2's network with a pose made of learned tokens. Two official files are needed.

Written from the paper (Dwivedi et al. 2024, arXiv 2404.16752) and the names and shapes of the
tensors; it has not been compared with official outputs, which its terms do not let us make.
"""

from pipeline import weights
from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.context import Context
from pipeline.errors import InputError
from pipeline.licences import Licence
from stages.regression._crop_regressor import CropConfig, CropRegressor
from stages.regression.tokenhmr.network import (
    PREFIXES,
    TOKENIZER_PREFIXES,
    TokenHMR,
    checkpoint_shapes,
    network_with,
    tokenizer_shapes,
)
from stages.regression.tokenhmr.sizes import CLASSIFIER, CODEBOOK

LICENCES = (
    Licence(
        "TokenHMR weights",
        "non-commercial scientific research only (Max Planck Institute); not to be passed on",
        commercial=False,
    ),
)


class Config(CropConfig):
    """Settings of `tokenhmr`."""

    tokenizer: str | None = None
    """`tokenizer.pth` or a converted file; None: what `humans4d models add tokenhmr-tokenizer`
    put away. Always needed: the checkpoint does not hold the tokenizer."""


def checkpoint_layout() -> Layout:
    """What the official checkpoint must hold."""
    return Layout("TokenHMR", checkpoint_shapes({}), PREFIXES, sized_by=checkpoint_shapes)


def tokenizer_layout() -> Layout:
    """What the official tokenizer must hold."""
    return Layout(
        "TokenHMR's tokenizer",
        tokenizer_shapes({}),
        TOKENIZER_PREFIXES,
        containers=("net", "state_dict"),
        sized_by=tokenizer_shapes,
    )


class Backend(CropRegressor):
    """Crops, network, camera."""

    name = "tokenhmr"

    def __init__(self, config: Config, context: Context) -> None:
        super().__init__(config, context)
        self._tokenizer_path = weights.chosen_path("tokenhmr-tokenizer", config.tokenizer)

    def read_network(self) -> TokenHMR:
        """Both files, every tensor checked, and that they fit each other."""
        tensors = read_checkpoint(self._weights_path, checkpoint_layout())
        tokenizer_tensors = read_checkpoint(self._tokenizer_path, tokenizer_layout())
        classes = len(tensors[f"{CLASSIFIER}class_pred_layer.weight"])
        codes = len(tokenizer_tensors[CODEBOOK])
        if classes != codes:
            raise InputError(
                f"tokenhmr: {self._weights_path} chooses among {classes} codes, "
                f"{self._tokenizer_path} has {codes}; use the two files of one release"
            )
        return network_with(tensors, tokenizer_tensors)
