"""The fingerprint of one video's whole run, as it goes into run.json."""

from pathlib import Path

from pipeline.config import Settings
from pipeline.files import content_digest
from pipeline.fingerprint import run_fingerprint
from pipeline.identities import FILE
from pipeline.result import ResultFolder


def run_key(
    video: Path,
    settings: Settings,
    folder: ResultFolder,
    start_s: float | None = None,
    end_s: float | None = None,
) -> str:
    """Of the video's content, the settings, the code and what was put right by hand.

    Empty where the video cannot be read (the run says why).
    """
    try:
        inputs = {"video": content_digest(video), "name": str(video), "part_s": [start_s, end_s]}
        identities = folder.path / FILE
        if identities.is_file():
            inputs["identities"] = content_digest(identities)
        return run_fingerprint(settings.raw, inputs)
    except OSError:
        return ""
