"""When the whole picture is searched, and with which tiles."""

from itertools import chain

import numpy as np

from pipeline.frame import Frame
from stages.detection.blazepose.chains import Chain
from stages.detection.blazepose.settings import Config, Levels
from stages.detection.blazepose.tiles import Tile, pyramid


class ScanSchedule:
    """Regular scans by video time; different tiles take turns, because luck differs with each."""

    def __init__(self, config: Config):
        self._config = config
        self._turn = 0
        self._scanned_s = -np.inf
        self._fine_s = -np.inf

    def tiles_due(self, frame: Frame, followed: list[Chain]) -> list[Tile]:
        """The tiles to search this frame with, none when it is not time."""
        config = self._config
        if frame.time_s - self._scanned_s < config.scan_every_s:
            return []
        self._scanned_s = frame.time_s
        levels = self._next_levels()
        longer_px = max(frame.width_px, frame.height_px)
        small = any(c.region.size_px < config.small_region * longer_px for c in followed)
        if small or frame.time_s - self._fine_s >= config.fine_scan_every_s:
            self._fine_s = frame.time_s
            levels += config.fine_levels
        return pyramid(frame.width_px, frame.height_px, levels)

    def _next_levels(self) -> Levels:
        """The next turn's levels; the very first scan, when nobody is followed yet, takes all."""
        turns = self._config.levels
        first, turn = self._turn == 0, self._turn % len(turns)
        self._turn += 1
        return tuple(dict.fromkeys(chain.from_iterable(turns))) if first else turns[turn]
