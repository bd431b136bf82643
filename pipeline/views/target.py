"""Where pictures and videos go: what `-o` may name."""

from pathlib import Path

from pipeline.errors import SettingsError

VIDEO = ".mp4"
PICTURE = ".png"


def video_path(given: Path | None, default: Path) -> Path:
    """The video to write.

    Raises:
        SettingsError: another kind of file than mp4.
    """
    if given is None:
        return default
    if given.suffix.lower() != VIDEO:
        raise SettingsError(
            f"-o {given}: videos are written as {VIDEO}. Name such a file, or ask for pictures "
            "with --png or --stills 5"
        )
    return given


def picture_path(given: Path | None, folder: Path, name: str, count: int) -> Path:
    """One of `count` pictures: `name` in a folder, or the very file where there is only one.

    Raises:
        SettingsError: several pictures under one file's name.
    """
    if given is None or given.suffix.lower() not in (PICTURE, VIDEO):
        return (given or folder) / f"{name}{PICTURE}"
    if count > 1 or given.suffix.lower() == VIDEO:
        raise SettingsError(f"-o {given}: {count} PNG pictures go into a folder. Name one")
    return given
