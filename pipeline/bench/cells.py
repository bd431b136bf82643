"""Cells and tables that all parts of the benchmark print alike."""

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

NONE = "-"
LEAST_WORD = 8


def number(value: float, digits: int) -> str:
    """A number, or a dash where nothing was measured."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NONE


def unit(name: str, of: str) -> str:
    """A heading of two lines."""
    return f"{name}\n{of}"


def table(title: str, headings: Sequence[str], *, left: int = 1, caption: str = "") -> Table:
    """A narrow table; the first `left` columns hold words, the others numbers.

    Where a terminal is too narrow words go on in the next line: a number is never cut short.
    """
    made = Table(
        title=title,
        caption=caption or None,
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title_justify="left",
        caption_justify="left",
    )
    for index, heading in enumerate(headings):
        if index < left:
            made.add_column(heading, overflow="fold", min_width=LEAST_WORD)
        else:
            made.add_column(heading, justify="right", no_wrap=True)
    return made
