"""MOTChallenge's text: a line per person and frame with its box in the picture.

`frame, id, left, top, width, height, confidence, -1, -1, -1`, frames counted from 1 in the source.
Frames in which a person is missing have no line.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.backends import BackendConfig
from pipeline.context import Context
from pipeline.files import written_aside
from pipeline.take import Take
from stages.export._boxes import boxes_xyxy_px

UPS = ()
FILLS_GAPS = False


class Config(BackendConfig):
    """Which frames."""

    filled: bool = True
    """Also frames between detections, with the box that the body spans there."""


class Backend:
    """Writes `<take>.txt`."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context = config, context

    def __call__(self, take: Take, folder: Path) -> list[Path]:
        """One file, ordered by frame."""
        lines = sorted(line for line in self._lines(take))
        path = folder / "motchallenge" / f"{take.name}.txt"
        with written_aside(path) as aside:
            aside.write_text("".join(f"{text}\n" for _, _, text in lines), encoding="ascii")
        return [path]

    def _lines(self, take: Take) -> Iterator[tuple[int, int, str]]:
        for person in take.people:
            boxes, detected = boxes_xyxy_px(take, person)
            for row, (left, top, right, bottom) in enumerate(boxes):
                if not person.drawn[row] or not (detected[row] or self.config.filled):
                    continue
                frame, size = int(person.frame_index[row]) + 1, (right - left, bottom - top)
                numbers = (left, top, *size, person.confidence[row])
                text = ",".join(f"{value:.4f}" for value in numbers)
                yield frame, person.id, f"{frame},{person.id},{text},-1,-1,-1"
