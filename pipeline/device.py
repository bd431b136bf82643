"""Which device the networks run on."""

from pipeline.errors import SettingsError


def choose_device(wanted: str) -> str:
    """'cpu' or 'cuda' for the setting auto, cpu or cuda.

    Raises:
        SettingsError: cuda was asked for and torch sees no GPU.
    """
    if wanted == "cpu":
        return "cpu"
    import torch  # noqa: PLC0415  (slow to import, not needed for 'cpu')

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise SettingsError("device=cuda: torch sees no GPU here. Use device=auto or device=cpu")
    return "cpu"
