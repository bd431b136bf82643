"""HMR2.0 as 4D-Humans published it: one network looks at one crop per person.

The official weights are the user's to bring (`humans4d models add hmr2 FILE`).
"""

from pipeline.checkpoints import Layout, read_checkpoint
from pipeline.licences import Licence
from stages.regression._crop_regressor import CropConfig, CropRegressor
from stages.regression.hmr2.network import HMR2, PREFIXES, network_with, shapes

LICENCES = (
    Licence(
        "HMR2.0 weights (4D-Humans)",
        "published with MIT code; trained with SMPL and on research-only data",
        commercial=False,
    ),
)


class Config(CropConfig):
    """Settings of `hmr2`."""


def checkpoint_layout() -> Layout:
    """What the official checkpoint must hold."""
    return Layout("HMR2.0", shapes(), PREFIXES)


class Backend(CropRegressor):
    """Crops, network, camera."""

    name = "hmr2"

    def read_network(self) -> HMR2:
        """The network around the mapped weights."""
        return network_with(read_checkpoint(self._weights_path, checkpoint_layout()))
