"""The tables of the benchmark."""

import io

import pytest
from rich.console import Console

from pipeline.bench.cells import table

ROWS = (("referee_and_walkers", "phalp, online"), ("cross_five", "sort"))
FIGURES = ("0.123", "1024.5", "0.987", "0.001", "12.25", "14", "3")


@pytest.mark.parametrize("width", [72, 80, 120])
def test_a_narrow_terminal_cuts_no_number(width: int) -> None:
    headings = ("", "", "HOTA", "DetA", "AssA", "MOTA", "IDF1", "switches", "fragments")
    made = table("Identities", headings, left=2)
    for words in ROWS:
        made.add_row(*words, *FIGURES)
    text = io.StringIO()
    Console(file=text, width=width).print(made)
    lines = text.getvalue().splitlines()
    assert sum(all(figure in line for figure in FIGURES) for line in lines) == len(ROWS)
    assert "…" not in text.getvalue()
    assert max(map(len, lines)) <= width
