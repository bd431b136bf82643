"""What run.json must hold for the rest of the program to believe it; the file may be anybody's."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import OutputError

LARGEST = 2**31 - 1
WORST_PX = 1e9


def _inside(name: str) -> str:
    """A file's name that stays inside the result folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or {"..", "."} & {*parts} or "\0" in name:
        raise ValueError("is no name of a file inside the result")
    return name


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a zero byte")
    return text


Inside = Annotated[str, Field(max_length=4096), AfterValidator(_inside)]
Word = Annotated[str, Field(max_length=65536), AfterValidator(_no_nul)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Id = Annotated[int, Field(ge=1, le=LARGEST)]
Number = Annotated[float, Field(ge=-1e15, le=1e15)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    """More keys than these are allowed: they are a later version's, and nobody reads them."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class _Event(_Part):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    stage: Word
    kind: Literal["info", "assumption", "fallback", "drop", "truncation"]
    message: Word
    frame_index: int | None = None
    person_id: int | None = None


class _Person(_Part):
    id: Id
    file: Annotated[str, Field(pattern=r"^people/person_[0-9]{3,10}\.npz$")]
    first_frame: Count
    last_frame: Count
    first_s: Number
    last_s: Number
    observed_share: Share
    interpolated_share: Share
    confidence: Share
    reprojection_px: Number | None
    jitter_m_s3: Number | None
    name: Word = ""


class _Video(_Part):
    path: Word
    width_px: Annotated[int, Field(ge=1, le=65536)]
    height_px: Annotated[int, Field(ge=1, le=65536)]
    first_frame: Count
    frame_count: Annotated[int, Field(ge=1, le=LARGEST)]
    fps: Annotated[float, Field(gt=0, le=1e9)]
    duration_s: Annotated[float, Field(ge=0, le=1e15)]
    has_audio: bool
    codec: Word


Row = Annotated[list[Annotated[float, Field(ge=-WORST_PX, le=WORST_PX)]], Field(min_length=3)]


class _Camera(_Part):
    K_px: Annotated[list[Annotated[Row, Field(max_length=3)]], Field(min_length=3, max_length=3)]
    origin: Literal["given", "estimated", "assumed"]


class _Made(_Part):
    fingerprint: Word
    files: dict[Inside, Annotated[int, Field(ge=0)]]
    seconds: Annotated[float, Field(ge=0, le=1e12)]
    reused: bool
    events: list[_Event]


class _Licence(_Part):
    what: Word
    licence: Word


class _Bill(_Part):
    verdict: Word
    used: list[_Licence]


def _settings(blocks: dict[str, Any]) -> dict[str, Any]:
    """Blocks with a backend name it in words; the body's names its model."""
    for name, block in blocks.items():
        if not isinstance(block, dict):
            continue
        for key in ("backend", "model"):
            if not isinstance(block.get(key, ""), str):
                raise ValueError(f"{name[:40]}.{key} is no text")
    if not isinstance(blocks.get("body", {}), dict):
        raise ValueError("body holds no settings")
    return blocks


class _Run(_Part):
    status: Literal["complete", "incomplete"]
    humans4d_version: Word = ""
    created_utc: Word = ""
    fingerprint: Word = ""
    settings: Annotated[dict[str, Any], AfterValidator(_settings)]
    licences: _Bill
    video: _Video | None = None
    camera: _Camera | None = None
    people: list[_Person] = []
    events: list[_Event]
    made: dict[Annotated[str, Field(max_length=64)], _Made] = {}
    part_s: Annotated[list[Number | None], Field(min_length=2, max_length=2)] | None = None


def check_report(report: Mapping[str, Any], where: str) -> None:
    """Raise unless run.json's content is what this program writes.

    Raises:
        OutputError: the first thing wrong, and where it is.
    """
    try:
        run = _Run.model_validate(report)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"])
        raise OutputError(
            f"{where}: {place}: {first['msg'][:200]}. The file is damaged: run the video again"
        ) from error
    if len({person.id for person in run.people}) < len(run.people):
        raise OutputError(f"{where}: people: two have one id. Run the video again")
    if run.status == "complete" and (run.video is None or run.camera is None):
        raise OutputError(f"{where}: is complete without a video or camera. Run the video again")
