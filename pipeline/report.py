"""run.json: what was run, on what, with what, what was found and what went wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.batch.peak_memory import peak_memory_bytes
from pipeline.chosen import Chosen
from pipeline.config import Settings
from pipeline.context import Context
from pipeline.errors import OutputError
from pipeline.events import Event
from pipeline.licences import licence_bill
from pipeline.quality import person_summary
from pipeline.result import ResultFolder
from pipeline.types import Camera, Person, Video

MADE_KEYS = ("fingerprint", "files", "seconds", "peak_memory_mb", "reused", "events")
"""In this order, so that a continued run writes the same bytes."""


@dataclass
class Record:
    """The growing content of run.json; written after every stage."""

    folder: ResultFolder
    context: Context
    facts: dict[str, Any]
    """What is known before anything ran."""
    earlier: Mapping[str, Any]
    """`made` of the run that used this folder before."""
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Per stage: fingerprint, files with sizes in bytes, seconds, reused or not, events."""
    results: dict[str, Any] = field(default_factory=dict)

    def is_current(self, stage: str, fingerprint: str) -> bool:
        """True if an earlier run left this stage's files, whole and made by the same."""
        kept = self.earlier.get(stage, {})
        return kept.get("fingerprint") == fingerprint and self.folder.holds(kept.get("files", {}))

    def note(
        self, stage: str, fingerprint: str, files: list[Path], seconds: float, events: list[Event]
    ) -> None:
        """Note a stage that was run, and what it had to say."""
        self.made[stage] = {
            "fingerprint": fingerprint,
            "files": self.folder.sizes(files),
            "seconds": seconds,
            "peak_memory_mb": round(peak_memory_bytes() / 1e6),
            "reused": False,
            "events": [asdict(event) for event in events],
        }
        self.save("incomplete")

    def note_reused(self, stage: str) -> None:
        """Note a stage that need not run again, and tell again what it had to say."""
        kept = {**self.earlier[stage], "reused": True}
        ordered = [key for key in MADE_KEYS if key in kept]
        self.made[stage] = {
            key: kept[key] for key in [*ordered, *sorted(kept.keys() - {*MADE_KEYS})]
        }
        for values in self.earlier[stage]["events"]:
            self.context.events.add(Event(**values))
        self.save("incomplete")

    def found(
        self,
        video: Video,
        camera: Camera,
        people: tuple[Person, ...],
        names: Mapping[int, str] | None = None,
    ) -> None:
        """Note what the run worked on and whom it found; `names` are those given by hand."""
        self.results["video"] = _video_facts(video)
        self.results["camera"] = {"K_px": camera.K_px.tolist(), "origin": camera.origin}
        self.results["people"] = [
            person_summary(person, self.folder, camera, self.context.body)
            | ({"name": names[person.id]} if names and person.id in names else {})
            for person in people
        ]
        if not people:
            self.context.events.record("tracking", "info", "No person was found in this video")

    def _timings(self) -> dict[str, Any]:
        """What this run itself took, all stages together and stage by stage."""
        took = {name: one["seconds"] for name, one in self.made.items() if not one["reused"]}
        frames = self.results.get("video", {}).get("frame_count", 0)
        return {
            "seconds": round(sum(took.values()), 3),
            "frames_per_second": {
                name: round(frames / seconds, 2) for name, seconds in took.items() if seconds > 0
            },
            "peak_memory_mb": round(peak_memory_bytes() / 1e6),
        }

    def save(self, status: str) -> None:
        """Write run.json."""
        events = self.context.events.as_dicts()
        made = {**self.earlier, **self.made} if status != "complete" else self.made
        if status == "complete":
            self.results["timings"] = self._timings()
        self.folder.write_report(
            {"status": status, **self.facts, **self.results, "events": events, "made": made}
        )


@contextmanager
def recorded(
    folder: ResultFolder, settings: Settings, do: Chosen, context: Context, fingerprint: str
) -> Iterator[Record]:
    """Keep run.json true while a run works: incomplete until the last stage is done."""
    facts = {
        "humans4d_version": __version__,
        "created_utc": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "fingerprint": fingerprint,
        "settings": dict(settings.raw),
        "licences": licence_bill(do, context),
    }
    record = Record(folder, context, facts, _made_before(folder))
    record.save("incomplete")
    yield record
    record.save("complete")


def _made_before(folder: ResultFolder) -> dict[str, Any]:
    try:
        return folder.read_report().get("made", {})
    except OutputError:
        return {}


def _video_facts(video: Video) -> dict[str, Any]:
    return {
        "path": str(video.path),
        "width_px": video.width_px,
        "height_px": video.height_px,
        "first_frame": video.first_frame,
        "frame_count": video.frame_count,
        "fps": round(video.fps, 6),
        "duration_s": round(float(video.time_s[-1] - video.time_s[0]), 6),
        "rotation_deg": video.rotation_deg,
        "codec": video.codec,
        "has_audio": video.has_audio,
    }
