"""What a batch shows while it works: a live table on a terminal, else a line for every video."""

import time
from contextlib import AbstractContextManager

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipeline.batch.drive import Driver
from pipeline.batch.estimate import Estimate, estimate, in_words
from pipeline.batch.names import shown

REFRESH_S = 0.5
BAR_WIDTH = 16
COLOURS = {"done": "green", "failed": "red", "again": "yellow", "gone": "yellow"}


class Shown(AbstractContextManager["Shown"]):
    """Notes as lines; on a terminal, a table of the workers below them."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        live = Live(console=console, auto_refresh=False, transient=True)
        self._live = live if console.is_terminal else None
        self._next_s = 0.0

    def __enter__(self) -> "Shown":
        if self._live and not self._quiet:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live:
            self._live.stop()

    def note(self, status: str, name: str, text: str) -> None:
        """See `drive.Show`."""
        if self._quiet and status != "failed":
            return
        colour = COLOURS.get(status, "default")
        line = f"[{colour}]{status}[/] {escape(shown(name))}: {escape(text)}"
        self._console.print(line, highlight=False, soft_wrap=True)

    def tick(self, driver: Driver) -> None:
        """See `drive.Show`."""
        if self._live is None or self._quiet or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + REFRESH_S
        self._live.update(_view(driver), refresh=True)


def _view(driver: Driver) -> Group:
    at = estimate(driver)
    bar = ProgressBar(total=max(1, at.total), completed=at.ended, width=2 * BAR_WIDTH)
    return Group(_workers(driver), Text(summary(at)), bar)


def summary(at: Estimate) -> str:
    """How far, in one line."""
    failed = f", {at.failed} failed" if at.failed else ""
    left = f", about {in_words(at.left_s)} left" if at.left_s else ""
    return f"{at.ended} of {at.total} videos{failed}{left}"


def _workers(driver: Driver) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(no_wrap=True)
    table.add_column(width=BAR_WIDTH)
    table.add_column(no_wrap=True, justify="right")
    for worker, running in sorted(driver.running.items()):
        at, taken_s = running.at, driver.clock.steady_s() - running.began_s
        bar = ProgressBar(total=max(1, at.frames_total), completed=at.frames, width=BAR_WIDTH)
        name = escape(shown(running.row.name))
        table.add_row(worker, name, at.stage, bar, in_words(taken_s))
    return table
