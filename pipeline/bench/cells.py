"""Cells and tables that all parts of the benchmark print alike."""

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

NONE = "-"


def number(value: float, digits: int) -> str:
    """A number, or a dash where nothing was measured."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NONE


def unit(name: str, of: str) -> str:
    """A heading of two lines."""
    return f"{name}\n{of}"


def table(title: str, headings: Sequence[str], *, left: int = 1, caption: str = "") -> Table:
    """A narrow table; the first `left` columns hold words, the others numbers."""
    made = Table(
        title=title,
        caption=caption or None,
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title_justify="left",
        caption_justify="left",
    )
    for index, heading in enumerate(headings):
        justify = "left" if index < left else "right"
        made.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    return made
